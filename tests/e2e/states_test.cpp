// States, zones and nodes in the place of others, over the socket and HTTP, and with chash as operators use it.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "asked_for.h"
#include "chash/naive_states.h"
#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash::e2e;
using chash::Node;
using chash::RingSpec;
using chash::test::NodeNames;
using nlohmann::json;

namespace {

using Random = std::mt19937_64;

RingSpec random_ring(Random& random) {
  static const char* const profiles[] = {"seed,vnodes=4", "chash,vnodes=3", "balanced,slots=4096",
                                         "go-rendezvous-xxhash"};
  RingSpec spec{profiles[random() % std::size(profiles)]};
  std::vector<Node> nodes;
  for (std::size_t i = 1 + random() % 7; i-- > 0;) {
    Node node{"n" + std::to_string(i), 1};
    if (random() % 3 == 0) node.fields.emplace_back("state", random() % 2 == 0 ? "down" : "drain");
    if (random() % 3 != 0) node.labels.emplace_back("zone", "z" + std::to_string(random() % 3));
    nodes.push_back(std::move(node));
  }
  spec = apply(spec, resolve(spec, chash::AddNodes{nodes, false}).value());
  // Names of nodes that there are not are refused here; the library's test has them.
  std::vector<chash::Pin> pins = chash::test::random_pins(random);
  std::erase_if(pins, [&](const chash::Pin& pin) {
    return std::ranges::any_of(pin.nodes, [&](const std::string& node) {
      return std::ranges::find(spec.nodes, node, &Node::name) == spec.nodes.end();
    });
  });
  spec.pins = pins;
  return spec;
}

json object_of(const chash::NodeFields& texts) {
  json object = json::object();
  for (const auto& [name, value] : texts) object[name] = value;
  return object;
}

json creation(const std::string& ring, const RingSpec& spec) {
  json nodes = json::array();
  for (const Node& node : spec.nodes)
    nodes.push_back({{"name", node.name}, {"fields", object_of(node.fields)}, {"labels", object_of(node.labels)}});
  return {{"op", "ring-create"}, {"ring", ring}, {"profile", spec.profile}, {"nodes", nodes}};
}

json pinning(const std::string& ring, const RingSpec& spec) {
  json pins = json::array();
  for (const chash::Pin& pin : spec.pins)
    pins.push_back({{pin.name.is_prefix ? "prefix" : "key", pin.name.key}, {"nodes", pin.nodes}});
  return {{"op", "pin"}, {"ring", ring}, {"pins", pins}, {"force", true}};
}

NodeNames order_of(const RingSpec& spec, const std::string& key) {
  NodeNames order;
  const RingSpec up = chash::test::all_up(spec);
  for (const chash::NodeIndex node : build(up)->owners(key, up.nodes.size())) order.push_back(up.nodes[node].name);
  return chash::test::naive_pinned(spec, key, order);
}

}  // namespace

TEST_CASE(
    "random rings of nodes in all states and zones, with pins, answer as the manual says, over the socket and HTTP") {
  const Daemon daemon;
  LineClient line(daemon.socket());
  HttpClient http(daemon.http_port());
  Random random(91);
  const std::uint64_t rings = chash::test::asked_for("CHASH_TEST_CHANGES", 60);
  for (std::uint64_t round = 0; round < rings; ++round) {
    const RingSpec spec = random_ring(random);
    const std::string ring = "r" + std::to_string(round % 2);
    line.ask(json{{"op", "ring-delete"}, {"ring", ring}, {"if_exists", true}}.dump());
    REQUIRE(line.ask(creation(ring, spec).dump()).contains("ok"));
    if (!spec.pins.empty()) REQUIRE(line.ask(pinning(ring, spec).dump()).contains("ok"));
    CAPTURE(spec.profile);
    for (int i = 0; i < 4; ++i) {
      const std::string key = std::to_string(random() % 1000);
      const std::string zone = random() % 2 == 0 ? "zone" : "";
      const std::uint64_t n = 1 + random() % 5;
      const NodeNames expected = chash::test::naive_list(spec, order_of(spec, key), n, zone);
      json asked{{"op", "get-node"}, {"ring", ring}, {"key", key}, {"n", n}};
      if (!zone.empty()) asked["spread"] = zone;
      const json one = line.ask(asked.dump());
      asked["op"] = "get-nodes";
      asked["keys"] = {key};
      asked.erase("key");
      const json many = line.ask(asked.dump());
      const HttpReply over_http =
          http.ask("GET", "/api/v1/rings/" + ring + "/node?key=" + key + "&n=" + std::to_string(n) +
                              (zone.empty() ? "" : "&spread=" + zone));
      if (expected.empty()) {
        CHECK(one["error"]["code"] == "empty_ring");
        CHECK(over_http.status == 503);
        CHECK((many.contains("error") || many["ok"]["owners"][0].empty()));
        continue;
      }
      CHECK(one["ok"]["nodes"] == json(expected));
      CHECK(one["ok"]["node"] == expected.front());
      CHECK(many["ok"]["owners"][0] == json(expected));
      CHECK(json::parse(over_http.body)["nodes"] == json(expected));
    }
  }
  CHECK(line.ask(R"({"op":"ping"})").contains("ok"));
}

#ifdef CHASH_PROGRAM
TEST_CASE("an operator loses a zone, drains a node and replaces another, and every key is where it was afterwards") {
  Daemon daemon;
  const Shell shell(daemon);
  shell.ask({"add", "a", "b", "c", "d"});
  shell.ask({"set", "a", "b", "--label", "zone=eu-1"});
  shell.ask({"set", "c", "d", "--label", "zone=eu-2", "--address", "10.0.0.1:80"});
  std::string keys;
  for (int i = 0; i < 500; ++i) keys += "user:" + std::to_string(i) + "\n";
  const auto owners = [&] { return shell.run({"get-node", "-"}, keys).out; };
  const std::string before = owners();

  CHECK(contains(shell.ask({"down", "zone=eu-1"}), "a, b are down in default: epoch "));
  CHECK(owners().find("\ta\n") == std::string::npos);
  CHECK(shell.run({"get-node", "-n", "2", "--spread", "zone", "user:1"}).status == 9);
  CHECK(contains(shell.run({"get-node", "-n", "2", "--spread", "zone", "-"}, "user:1\nuser:2\n").err,
                 "has 1 where a node is up"));
  CHECK(shell.run({"get-node", "-n", "2", "--spread", "zone", "-"}, "user:1\n").status == 9);
  const json why = json::parse(shell.ask({"explain", "user:1", "-n", "2", "--json"}));
  CHECK(why["walk"].size() >= 2);
  CHECK(why["nodes"][0].get<std::string>() + "\n" == shell.ask({"get-node", "user:1"}));
  CHECK(contains(shell.ask({"explain", "user:1"}), "owner\n"));
  CHECK(shell.run({"explain", "-n", "2", "--spread", "zone", "user:1"}).status == 9);
  CHECK(shell.run({"explain"}).status == 2);
  CHECK(shell.run({"explain", "-r", "nowhere", "k"}).status == 3);
  // The daemon remembers it.
  CHECK(daemon.stop() == 0);
  daemon.start();
  shell.ask({"up", "a", "b"});
  CHECK(owners() == before);
  CHECK(shell.run({"get-node", "-n", "2", "--spread", "zone", "user:1"}).status == 0);

  shell.ask({"drain", "a"});
  CHECK(owners() == before);
  const Outcome refused = shell.run({"remove", "b"});
  CHECK(refused.status == 6);
  CHECK(contains(refused.err, "node 'a', which drains"));
  shell.ask({"up", "a"});
  CHECK(contains(shell.ask({"up", "a"}), "nothing to change: a is so already"));

  CHECK(contains(shell.ask({"replace", "d", "e", "--address", "10.0.0.9:80"}), "e has the place of d"));
  std::string replaced = before;
  for (std::size_t at = 0; (at = replaced.find("\td\n", at)) != std::string::npos;) replaced[at + 1] = 'e';
  CHECK(owners() == replaced);
  CHECK(contains(shell.nodes({"list"}), "e\t1\t100\tup\taddress=10.0.0.9:80 zone=eu-2\n"));

  CHECK(shell.ask({"weight", "e"}) == "1\n");
  shell.ask({"weight", "e", "+1.5"});
  shell.ask({"weight", "e", "-0.5"});
  CHECK(shell.ask({"weight", "e"}) == "2\n");
  shell.ask({"weight", "e", "50%"});
  CHECK(owners() == replaced);
  for (const char* wrong : {"x", "", "+", "50%%", "+5%", "1e400", "nan"})
    CHECK(shell.run({"weight", "e", wrong}).status == 2);

  // Labels of a list of nodes, for a ring that is new or not.
  write_file(daemon.dir() / "nodes", "x 2 +zone=north +team=red\ny +zone=south\n");
  shell.ask({"ring", "create", "r", "--nodes-file", daemon.dir() / "nodes"});
  const std::string labelled = "x\t2\t200\tup\tteam=red zone=north\ny\t1\t100\tup\tzone=south\n";
  CHECK(shell.nodes({"list", "-r", "r"}) == labelled);
  shell.ask({"ring", "create", "s"});
  shell.ask({"add", "-r", "s", "--nodes-file", daemon.dir() / "nodes"});
  CHECK(shell.nodes({"list", "-r", "s"}) == labelled);
  CHECK(shell.ask({"export", "-r", "r", "--as", "nodes"}) == "x 2 +team=red +zone=north\ny 1 +zone=south\n");
  CHECK(shell.run({"export", "-r", "r", "--as", "nginx"}).status == 2);
  shell.ask({"ring", "copy", "r", "t"});
  CHECK(shell.nodes({"list", "-r", "t"}) == labelled);
  CHECK(shell.run({"add", "-r", "r", "z", "--label", "zone=a", "--label", "zone=b"}).status == 2);
  CHECK(shell.run({"add", "-r", "r", "z", "--label", "zone"}).status == 2);
  CHECK(shell.run({"add", "-r", "r", "z", "--label", "zone="}).status == 2);
  CHECK(shell.run({"add", "-r", "r", "v", "w", "--address", "1.2.3.4"}).status == 2);

  // All of it in a file, and back.
  const std::string file = shell.ask({"export"});
  CHECK(contains(file, "labels = { \"address\" = \"10.0.0.9:80\", \"zone\" = \"eu-2\" }"));
  const std::string list = shell.nodes({"list"});
  shell.ask({"set", "e", "--label", "zone=", "--label", "team=red"});
  CHECK(contains(shell.nodes({"list"}), "e\t1\t100\tup\taddress=10.0.0.9:80 team=red\n"));
  CHECK(shell.run({"apply", "--prune", "-"}, file).status == 0);
  CHECK(shell.nodes({"list"}) == list);
}
#endif
