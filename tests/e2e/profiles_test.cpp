// chash without a daemon, answering as other software does.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness.h"
#include "placement_vectors.h"

using namespace chash;
using namespace chash::e2e;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Outcome chash_alone(Words words, std::string_view input = {}) {
  words.insert(words.begin(), CHASH_PROGRAM);
  return run_program(std::move(words), input, {"CHASH_SOCKET=/nowhere"});
}

std::string line_of(const Node& node) {
  std::string line = node.name + ' ' + std::to_string(node.weight);
  for (const auto& [name, value] : node.fields) line += ' ' + name + '=' + value;
  return line + '\n';
}

void replay(const std::string& file, const json& topology, const std::string& nodes_file) {
  const std::vector<Node> nodes = test::nodes_of(file, topology);
  std::string listed, keys, expected;
  for (const Node& node : nodes) listed += line_of(node);
  write_file(nodes_file, listed);
  const std::string profile = test::profile_name(file, topology) + test::parameters(file, topology);
  Words words{"get-node", "--profile", profile, "--nodes-file", nodes_file, "--key-format", "hex", "--no-key"};
  const json& vectors = topology.at("vectors");
  const bool slots = vectors[0][1].is_object();
  if (slots) words.emplace_back("--slot");
  words.emplace_back("-");
  for (const json& vector : vectors) {
    keys += vector[0].get<std::string>() + '\n';
    expected += (slots ? vector[1].at("slot").dump() : nodes.at(vector[1].get<std::size_t>()).name) + '\n';
  }
  const Outcome outcome = chash_alone(words, keys);
  CHECK(outcome.status == 0);
  CHECK(outcome.out == expected);
}

}  // namespace

TEST_CASE("chash without a daemon gives each answer that the real programs gave") {
  const ScratchDir dir;
  std::size_t rings = 0;
  for (const std::string& file : test::vector_sets) {
    const json set = test::read_vectors(file);
    for (const json& topology : set.at("topologies")) {
      if (!test::is_placement(file, topology)) continue;
      CAPTURE(file);
      CAPTURE(topology.at("name").get<std::string>());
      replay(file, topology, dir / "nodes");
      ++rings;
    }
  }
  CHECK(rings > 300);
}

TEST_CASE("chash reads the server lines of nginx and HAProxy as they stand") {
  const auto ask = [](const char* profile, std::string_view lines) {
    const Outcome outcome =
        chash_alone({"get-node", "--profile", profile, "--nodes-file", "-", "-n", "3", "user:1"}, lines);
    CHECK(outcome.status == 0);
    return outcome.out;
  };
  CHECK(ask("nginx-hash-consistent", "    server 10.0.0.1:80 weight=2 max_fails=3;\n# none\n\n\tserver b.example;\n") ==
        ask("nginx-hash-consistent", "10.0.0.1:80 2\nb.example\n"));
  CHECK(ask("nginx-hash-consistent", "server a:80; # the first\nserver b:80 down;\nserver c:80;\n") ==
        ask("nginx-hash-consistent", "a:80\nb:80 state=down\nc:80\n"));
  CHECK(ask("haproxy-consistent", "server s1 10.0.0.1:80 check weight 20\n server s2 10.0.0.2:80 id 9 check\n") ==
        ask("haproxy-consistent", "s1 20 addr=10.0.0.1:80\ns2 1 id=9\n"));
  CHECK(ask("haproxy-consistent", "server s1 10.0.0.1:80\nserver s2 10.0.0.2:80 disabled\n") == "s1\n");
  CHECK(ask("nginx-hash-consistent",
            "upstream u {\n  hash $uri consistent;\n server a:80; server b:80; # two\nzone z 64k; server c:80 "
            "weight=3; }\n") == ask("nginx-hash-consistent", "a:80\nb:80\nc:80 3\n"));
  CHECK(ask("seed", "server state=up\n") == "server\n");
  for (const auto& [profile, line] :
       {std::pair{"nginx-hash", "server a:80 backup;\n"}, {"haproxy-map", "server s a:80 backup\n"}}) {
    const Outcome outcome = chash_alone({"get-node", "--profile", profile, "--nodes-file", "-", "k"}, line);
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, "standard input:1: server"));
  }
}

TEST_CASE("chash says what a profile wants of nodes that it cannot have") {
  struct Case {
    std::string profile, nodes, message;
    int status;
  };
  const std::vector<Case> cases{
      {"libketama", "a=1.5,b", "node 'a': its weight is not a whole number", 2},
      {"libketama", "a=0,b", "node 'a': its weight is 0", 2},
      {"libketama", "a=-1,b", "node 'a': its weight is out of range", 2},
      {"libketama", "a=x,b", "'x' is not a weight", 2},
      {"mcrouter-weightedch3", "a=2,b", "node 'a': its weight is above 1", 2},
      {"libmemcached-ketama", "a:11211,a", "node 'a': it is the same as 'a:11211' to this profile", 2},
      {"seed", "a,,b", "'' is not the name of a node", 2},
      {"seed", "", "there is no node", 7},
      {"haproxy-consistent", "a=0,b=0", "there is no node", 7},
      {"nothing", "a", "there is no profile 'nothing'", 3},
      {"seed,vnode=3", "a", "a profile has no parameter 'vnode'", 2},
      {"seed,vnodes=0", "a", "vnodes: '0' is not a whole number from 1 to", 2},
      {"seed,hash=md6", "a", "there is no hash 'md6'", 2},
      {"envoy-maglev,table=65536", "a", "table: '65536' is not a prime", 2},
      {"nginx-hash-consistent", "a=1000000", "the limit is 16000000", 2},
  };
  for (const auto& [profile, nodes, message, status] : cases) {
    CAPTURE(profile);
    CAPTURE(nodes);
    const Outcome outcome = chash_alone({"get-node", "--profile", profile, "--nodes", nodes, "key"});
    CHECK(outcome.status == status);
    CHECK(outcome.out == "");
    CHECK_MESSAGE(contains(outcome.err, message), outcome.err);
  }
}

TEST_CASE("chash guesses no node that the key alone does not decide") {
  const Words nginx{"get-node", "--profile", "nginx-hash-consistent", "--nodes", "a,b", "--key-format", "hex"};
  Words one = nginx, many = nginx;
  one.emplace_back("");
  const Outcome empty = chash_alone(one);
  CHECK(empty.status == 7);
  CHECK(contains(empty.err, "an empty key has no node of its own"));
  many.emplace_back("-");
  const Outcome some = chash_alone(many, "6161\n\n62\n");
  CHECK(some.status == 9);
  CHECK(std::ranges::count(some.out, '\n') == 2);
  const Outcome slot =
      chash_alone({"get-node", "--profile", "redis-cluster", "--nodes-file", "-", "foo"}, "a slots=1-9\n");
  CHECK(slot.status == 7);
  CHECK(contains(slot.err, "no node has the slot of key 'foo'"));
  CHECK(
      chash_alone({"get-node", "--profile", "redis-cluster", "--slot", "--format", "{key} {slot}{node}", "foo"}).out ==
      "foo 12182\n");
  const Outcome text = chash_alone({"get-node", "--profile", "nginx-ip-hash", "--nodes", "a,b", "x"});
  CHECK(contains(text.err, "'x' is not an address"));
  const Outcome down =
      chash_alone({"get-node", "--profile", "nginx-hash", "--nodes-file", "-", "key"}, "a state=down\n");
  CHECK(down.status == 7);
}

TEST_CASE("vectors that chash wrote are verified, and one that was changed is found") {
  const ScratchDir dir;
  for (const char* profile : {"seed", "haproxy-consistent", "redis-cluster", "pymemcache", "cassandra,points=text"}) {
    CAPTURE(profile);
    const Outcome written =
        chash_alone({"vectors", "-n", "200", "--seed", "3", "--profile", profile, "--nodes", "a,b=2,c"});
    REQUIRE(written.status == 0);
    CHECK(std::ranges::count(written.out, '\n') == 205);
    CHECK(chash_alone({"verify", "-"}, written.out).out == "200 of 200 vectors agree\n");
    std::string changed = written.out;
    changed.replace(changed.rfind('\t') + 1, 1, "z");
    const Outcome refused = chash_alone({"verify", "-"}, changed);
    CHECK(refused.status == 9);
    CHECK(contains(refused.out, "199 of 200 vectors agree\n"));
  }
  CHECK(chash_alone({"verify", "-"}, "nonsense\n").status == 2);
}

TEST_CASE("a profile of the user's own stands in the configuration and can be given parameters") {
  const ScratchDir dir;
  write_file(
      dir / "config.toml",
      "[profiles]\nimages = \"libketama,hash=md5/le32\"\nold = \"images,vnodes=20\"\nloop = \"loop,vnodes=2\"\n");
  const auto ask = [&](const char* profile) {
    return chash_alone(
        {"--config", dir / "config.toml", "get-node", "--profile", profile, "--nodes", "a,b,c", "-k", "1", "2", "3"});
  };
  CHECK(ask("images").out == ask("libketama").out);
  CHECK(ask("old").out == ask("libketama,vnodes=20").out);
  CHECK(ask("images,vnodes=20").out == ask("old").out);
  CHECK(contains(ask("loop").err, "there is no profile 'loop'"));
  CHECK(chash_alone({"--config", dir / "config.toml", "profile", "show", "old"})
            .out.starts_with("libketama,hash=md5/le32,vnodes=20\n"));
  for (const auto& [text, message] : {std::pair{"profiles = 3\n", "'profiles' must be a table"},
                                      {"[profiles]\na = 3\n", "'a' must be a string"},
                                      {"[profiles]\nseed = \"libketama\"\n", "'seed' is a profile of chash's own"}}) {
    write_file(dir / "config.toml", text);
    const Outcome outcome = ask("seed");
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, message));
  }
}

TEST_CASE("what chash cannot read without a daemon ends with what is wrong") {
  const ScratchDir dir;
  struct Case {
    Words words;
    std::string input, message;
    int status;
  };
  const Words keys_in{"compare", "--from", "seed:a", "--to", "seed:a,b", "--keys"};
  const auto compare_keys = [&](const std::string& path) {
    Words words = keys_in;
    words.push_back(path);
    return words;
  };
  const std::string both = "the nodes are read from standard input, and the keys too";
  const std::vector<Case> cases{
      {compare_keys(dir.path()), "", "Is a directory", 2},
      {compare_keys("-"), "", "there is no key to compare", 2},
      {compare_keys(dir / "none"), "", "No such file", 2},
      {{"compare", "--from", "seed:@-", "--to", "seed:@-"}, "a\n", "standard input is named twice", 2},
      {{"compare", "--from", "seed:@-", "--to", "seed:a", "--keys", "-"}, "a\n", "standard input is named twice", 2},
      {{"get-node", "--nodes-file", "-", "-"}, "a\n", both, 2},
      {{"get-node", "--nodes-file", "-"}, "a\n", both, 2},
      {{"get-node", "--nodes-file", dir.path(), "k"}, "", "Is a directory", 2},
      {{"get-node", "--nodes-file", "-", "k"}, "", "there is no node", 7},
      {{"get-node", "--nodes-file", "-", "k"}, "a\n\xff\xfe\n", "standard input:2: '\\xff\\xfe' is not the name", 2},
      {{"get-node", "--nodes-file", "-", "k"}, std::string("a\0b\n", 4), "is not the name of a node", 2},
      {{"get-node", "--nodes", "#a", "k"}, "", "'#a' is not the name of a node", 2},
      {{"get-node", "--nodes", "a;b", "k"}, "", "'a;b' is not the name of a node", 2},
      {{"verify", dir.path()}, "", "Is a directory", 2},
      {{"verify", "-"}, "# chash vectors 1\n# profile seed\n# node a 1\n", "the file has no vectors", 2},
      {{"vectors"}, "", "cannot reach chashd", 4},
  };
  for (const auto& [words, input, message, status] : cases) {
    CAPTURE(words[0]);
    CAPTURE(message);
    const Outcome outcome = chash_alone(words, input);
    CHECK(outcome.status == status);
    CHECK_MESSAGE(contains(outcome.err, message), outcome.err);
  }
}

TEST_CASE("a key in hex has the limit of its bytes") {
  const Words words{"get-node", "--nodes", "a,b", "--key-format", "hex", "--no-key", "-"};
  CHECK(chash_alone(words, std::string(2 * 65536, '6') + "\n").status == 0);
  const Outcome larger = chash_alone(words, std::string(2 * 65537, '6') + "\n");
  CHECK(larger.status == 9);
  CHECK_MESSAGE(contains(larger.err, "the limit is 65536"), larger.err);
}

TEST_CASE("compare tells the share of keys that keep their node") {
  const auto kept = [](const std::string& from, const std::string& to) {
    const Outcome outcome = chash_alone({"compare", "--from", from, "--to", to, "--sample", "20000", "--json"});
    REQUIRE(outcome.status == 0);
    const json told = json::parse(outcome.out);
    CHECK(told.at("keys") == 20000);
    return told.at("kept").get<double>();
  };
  CHECK(kept("seed:a,b,c", "seed:c,b,a") == 1);
  CHECK(kept("chash:a,b,c", "chash:a,b,c,d") == doctest::Approx(0.75).epsilon(0.05));
  CHECK(kept("nginx-hash:a,b,c", "nginx-hash:a,b,c,d") == doctest::Approx(0.25).epsilon(0.1));
  CHECK(kept("jump:a,b,c", "jump:a,b,c,d") == doctest::Approx(0.75).epsilon(0.05));
  const Outcome by_keys =
      chash_alone({"compare", "--from", "seed:a,b", "--to", "seed:a,b", "--keys", "-", "--json"}, "one\ntwo\nthree\n");
  CHECK(json::parse(by_keys.out).at("keys") == 3);
}
