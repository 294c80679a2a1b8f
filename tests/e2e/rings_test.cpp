// Rings of the daemon that place as other software does.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chash/node_name.h"
#include "harness.h"
#include "placement_vectors.h"
#include "protocol/text.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;
using nlohmann::json;

namespace {

json as_json(const std::vector<Node>& nodes) {
  json list = json::array();
  for (const Node& node : nodes) {
    json member{{"name", node.name}, {"weight", node.weight}, {"fields", json::object()}};
    for (const auto& [name, value] : node.fields) member["fields"][name] = value;
    list.push_back(std::move(member));
  }
  return list;
}

// Of one set: how many answers there were, of which all but `wrong` are the real program's.
struct Tally {
  std::size_t asked = 0, wrong = 0, rings = 0, other_names = 0;
};

void replay(LineClient& client, const std::string& file, const json& topology, Tally& tally) {
  const std::vector<Node> nodes = test::nodes_of(file, topology);
  if (!std::ranges::all_of(nodes, [](const Node& node) { return check_node_name(node.name).has_value(); }))
    return void(++tally.other_names);
  const std::string profile = test::profile_name(file, topology) + test::parameters(file, topology);
  const json made =
      client.ask(json{{"op", "ring-create"}, {"ring", "r"}, {"profile", profile}, {"nodes", as_json(nodes)}}.dump());
  REQUIRE_MESSAGE(made.contains("ok"), made.dump());
  json keys = json::array();
  std::vector<std::string> expected;
  for (const json& vector : topology.at("vectors")) {
    const std::string key = test::from_hex(vector[0]);
    if (key.empty()) continue;  // the daemon takes keys of 1 byte and more
    keys.push_back(protocol::base64_encode(key));
    expected.push_back(vector[1].is_object() ? nodes.front().name : nodes.at(vector[1].get<std::size_t>()).name);
  }
  const json found = client.ask(json{{"op", "get-nodes"}, {"ring", "r"}, {"keys_b64", keys}}.dump());
  REQUIRE_MESSAGE(found.contains("ok"), found.dump());
  for (std::size_t i = 0; i < expected.size(); ++i)
    tally.wrong += found["ok"]["owners"][i] != json::array({expected[i]});
  tally.asked += expected.size();
  ++tally.rings;
  client.ask(R"({"op":"ring-delete","ring":"r"})");
}

}  // namespace

TEST_CASE("a ring of the daemon gives each answer that the real programs gave") {
  Daemon daemon({.http = false});
  LineClient client(daemon.socket());
  Tally tally;
  for (const std::string& file : test::vector_sets) {
    CAPTURE(file);
    const json set = test::read_vectors(file);
    for (const json& topology : set.at("topologies")) {
      if (!test::is_placement(file, topology)) continue;
      CAPTURE(topology.at("name").get<std::string>());
      const std::size_t wrong = tally.wrong;
      replay(client, file, topology, tally);
      CHECK(tally.wrong == wrong);
    }
  }
  CHECK(tally.rings > 300);
  CHECK(tally.asked > 10'000);
  CHECK(tally.other_names < 10);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a ring is made, asked, changed, copied, shown and deleted from the command line") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  CHECK(shell.ask({"ring", "create", "web", "--profile", "nginx-hash-consistent", "--nodes", "a:80=2,b:80"}) ==
        "created web (nginx-hash-consistent): 2 nodes, epoch 1\n");
  const std::string alone = run_program({CHASH_PROGRAM, "get-node", "--profile", "nginx-hash-consistent", "--nodes",
                                         "a:80=2,b:80,c:80=3", "-n", "3", "user:1", "user:2", "user:3"})
                                .out;
  CHECK(shell.ask({"add", "-r", "web", "c:80=3"}) ==
        "added c:80 (weight 3) to web: epoch 1 -> 2, 49.87% of keys move\n");
  CHECK(shell.ask({"get-node", "-r", "web", "-n", "3", "user:1", "user:2", "user:3"}) == alone);
  CHECK(shell.nodes({"list", "-r", "web"}) == "a:80\t2\t320\tup\t\nb:80\t1\t160\tup\t\nc:80\t3\t480\tup\t\n");
  CHECK(shell.ask({"ring", "copy", "web", "trial"}) ==
        "copied web to trial (nginx-hash-consistent): 3 nodes, epoch 1\n");
  CHECK(shell.ask({"ring", "list"}) ==
        "default\tseed\t0\t0\t0\ntrial\tnginx-hash-consistent\t3\t960\t1\nweb\tnginx-hash-consistent\t3\t960\t2\n");
  CHECK(shell.ask({"ring", "list", "--format", "{name} {epoch}"}) == "default 0\ntrial 1\nweb 2\n");
  CHECK(shell.ask({"ring", "delete", "trial"}) == "deleted trial, which was at epoch 1\n");
  CHECK(shell.run({"ring", "delete", "trial"}).status == 3);
  CHECK(shell.ask({"ring", "delete", "--if-exists", "trial"}) == "nothing to delete: there is no ring trial\n");

  const json shown = json::parse(shell.ask({"ring", "show", "web", "--json"}));
  CHECK(shown.at("parameters").at("vnodes") == "160");
  CHECK(shown.at("parameters").at("hash") == "crc32");
  CHECK(shown.at("nodes").size() == 3);
  CHECK(shown.at("fingerprint").get<std::string>().size() == 32);
  CHECK(contains(shell.ask({"ring", "show", "-r", "web"}), "places as     nginx: hash KEY consistent\n"));
  CHECK(
      contains(daemon.log("hashing.log"), "Creating ring 'web' by the profile 'nginx-hash-consistent' with 2 nodes."));
  CHECK(contains(daemon.log("hashing.log"), "Adding node 'c:80' with 480 replicas to the ring. Ring 'web', epoch 2, "));
  CHECK(daemon.stop() == 0);

  REQUIRE(daemon.start());
  CHECK(shell.ask({"get-node", "-r", "web", "-n", "3", "user:1", "user:2", "user:3"}) == alone);
  CHECK(json::parse(shell.ask({"ring", "show", "web", "--json"})) == shown);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("nodes of a ring have the fields that its profile knows, from a file or one by one") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  write_file(daemon.dir() / "haproxy.cfg", "server s1 10.0.0.1:80 check weight 20\nserver s2 10.0.0.2:80 id 9\n");
  shell.ask({"ring", "create", "lb", "--profile", "haproxy-consistent", "--nodes-file", daemon.dir() / "haproxy.cfg"});
  shell.ask({"add", "-r", "lb", "s3=4", "--field", "id=17", "--field", "addr=10.0.0.3:80"});
  const json nodes = json::parse(shell.ask({"list", "-r", "lb", "--json"})).at("nodes");
  CHECK(nodes.at(0).at("fields") == json{{"addr", "10.0.0.1:80"}});
  CHECK(nodes.at(1).at("fields") == json{{"addr", "10.0.0.2:80"}, {"id", "9"}});
  CHECK(nodes.at(2).at("fields") == json{{"addr", "10.0.0.3:80"}, {"id", "17"}});
  CHECK(shell.ask({"list", "-r", "lb", "--format", "{name} {fields}"}).starts_with("s1 addr=10.0.0.1:80\n"));
  const Words question{"get-node", "k1", "k2", "k3", "k4", "k5"};
  Words daemonless{CHASH_PROGRAM, "get-node", "--profile", "haproxy-consistent", "--nodes-file", "-"};
  daemonless.insert(daemonless.end(), question.begin() + 1, question.end());
  Words asked = question;
  asked.insert(asked.begin(), {"-r", "lb"});
  CHECK(shell.ask(asked) == run_program(daemonless, "s1 20\ns2 id=9\ns3 4 id=17\n").out);

  for (const auto& [words, message] :
       std::vector<std::pair<Words, std::string>>{{{"add", "-r", "lb", "x", "y", "--field", "id=3"}, "for one node"},
                                                  {{"add", "-r", "lb", "x", "--field", "id"}, "not NAME=VALUE"},
                                                  {{"add", "-r", "lb", "x", "--field", "alias=z"}, "no field 'alias'"},
                                                  {{"add", "-r", "lb", "x=1.5"}, "not a whole number"},
                                                  {{"ring", "create", "e", "--nodes", "a,a"}, "named twice"},
                                                  {{"ring", "create"}, "say what to do"},
                                                  {{"ring", "forget", "lb"}, "say what to do"}}) {
    CAPTURE(message);
    const Outcome refused = shell.run(words);
    CHECK(refused.status == 2);
    CHECK_MESSAGE(contains(refused.err, message), refused.err);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a ring of the daemon guesses no node that the key alone does not decide") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "ip", "--profile", "nginx-ip-hash", "--nodes", "a,b"});
  const Outcome one = shell.run({"get-node", "-r", "ip", "no-address"});
  CHECK(one.status == 7);
  CHECK(contains(one.err, "'no-address' is not an address"));
  const Outcome some = shell.run({"get-node", "-r", "ip", "-"}, "10.0.0.1\nno-address\n10.0.0.2\n");
  CHECK(some.status == 9);
  CHECK(std::ranges::count(some.out, '\n') == 2);
  CHECK(contains(some.err, "key 'no-address' has no node of its own in ring 'ip'"));

  shell.ask({"ring", "create", "cluster", "--profile", "redis-cluster", "--nodes", "a,b,c"});
  CHECK(shell.ask({"get-node", "-r", "cluster", "--slot", "foo"}) == "12182\n");
  CHECK(shell.ask({"get-node", "-r", "cluster", "foo"}) == "c\n");
  CHECK(shell.run({"get-node", "-r", "ip", "--slot", "foo"}).status == 2);
  CHECK(shell.run({"get-node", "-r", "none", "--slot", "foo"}).status == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("vectors of a ring of the daemon are verified without one, and rings are compared") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "before", "--profile", "twemproxy-ketama", "--nodes", "a:1=2,b:1,c:1"});
  shell.ask({"ring", "copy", "before", "after"});
  shell.ask({"remove", "-r", "after", "b:1"});
  const std::string vectors = shell.ask({"vectors", "-r", "before", "-n", "300"});
  CHECK(run_program({CHASH_PROGRAM, "verify", "-"}, vectors).out == "300 of 300 vectors agree\n");
  const json compared = json::parse(shell.ask({"compare", "--from", "before", "--to", "after", "--json"}));
  CHECK(compared.at("kept").get<double>() == doctest::Approx(0.75).epsilon(0.1));
  CHECK(shell.run({"compare", "--from", "before", "--to", "none"}).status == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("rings are resources of HTTP, and the seed's routes stay with the default ring") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  HttpClient client(daemon.http_port());
  const std::string_view as_json = "Content-Type: application/json\r\n";
  const HttpReply made = client.ask("POST", "/api/v1/rings", as_json,
                                    R"({"ring":"pool","profile":"libketama","nodes":[{"name":"a:1","weight":2},)"
                                    R"({"name":"b:1"}]})");
  CHECK(made.status == 201);
  CHECK(made.field("x-chash-epoch") == "1");
  CHECK(json::parse(made.body) ==
        json{{"ring", "pool"}, {"epoch", 1}, {"profile", "libketama"}, {"added", {"a:1", "b:1"}}});
  CHECK(client.ask("POST", "/api/v1/rings/pool/nodes", as_json, R"({"nodes":[{"name":"c:1"}]})").status == 201);
  CHECK(json::parse(client.ask("GET", "/api/v1/rings/pool/node?key=k").body).at("epoch") == 2);
  CHECK(json::parse(client.ask("GET", "/api/v1/rings").body).at("rings").size() == 2);
  CHECK(json::parse(client.ask("GET", "/api/v1/rings/pool").body).at("nodes").at(0).at("weight") == 2);
  CHECK(client.ask("POST", "/api/v1/rings/pool/copy", as_json, R"({"to":"trial"})").status == 201);
  CHECK(client.ask("POST", "/api/v1/rings/pool/copy", as_json, R"({"to":"trial"})").status == 409);
  CHECK(client.ask("DELETE", "/api/v1/rings/trial").status == 200);
  CHECK(client.ask("DELETE", "/api/v1/rings/trial").status == 404);
  CHECK(client.ask("DELETE", "/api/v1/rings/trial?if_exists=true").status == 200);
  CHECK(client.ask("PUT", "/api/v1/rings/pool").field("allow") == "GET, HEAD, DELETE");
  const HttpReply unforetold =
      client.ask("POST", "/api/v1/rings", as_json,
                 R"({"ring":"ip","profile":"nginx-ip-hash","nodes":[{"name":"a"},{"name":"b"}]})");
  CHECK(unforetold.status == 201);
  CHECK(json::parse(client.ask("GET", "/api/v1/rings/ip/node?key=x").body).at("code") == "unpredictable");
  CHECK(client.ask("GET", "/api/get-node/user:123").body == "\"cache-node-3\"");
  CHECK(json::parse(client.ask("GET", "/api/nodes").body).size() == 3);
  CHECK(daemon.stop() == 0);
}
