// A balanced ring of the daemon: its slots are state, so that nothing may lose or change them but a change of its
// nodes.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash::e2e;
using nlohmann::json;

namespace {

json shown(const Shell& shell, const std::string& ring) {
  return json::parse(shell.ask({"ring", "show", ring, "--slots", "--json"}));
}

// Of all slots in order, their nodes by name.
Words owners(const json& ring) {
  Words names;
  for (const json& slot : ring.at("slots")) names.push_back(ring.at("nodes").at(slot.get<std::size_t>()).at("name"));
  return names;
}

std::size_t differing(const Words& a, const Words& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a balanced ring moves just the slots that must, and kill -9 takes none back") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "b", "--profile", "balanced,slots=4096", "--nodes", "n0,n1,n2,n3"});
  Words before = owners(shown(shell, "b"));
  CHECK(before.size() == 4096);
  std::mt19937 random(7);
  Words nodes{"n0", "n1", "n2", "n3"};
  for (int change = 0; change < 20; ++change) {
    const bool add = nodes.size() < 3 || random() % 2 == 0;
    const std::size_t last = nodes.size();
    std::size_t least = 0;
    if (add) {
      nodes.push_back("m" + std::to_string(change));
      shell.ask({"add", "-r", "b", nodes.back()});
      least = 4096 / (last + 1);  // what comes gets its quota, rounded either way; nobody else gets any
    } else {
      const std::size_t gone = random() % last;
      least = static_cast<std::size_t>(std::ranges::count(before, nodes[gone]));
      shell.ask({"remove", "-r", "b", nodes[gone]});
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    if (change % 7 == 3) {
      daemon.kill9();
      REQUIRE(daemon.start());
    }
    const Words now = owners(shown(shell, "b"));
    const std::size_t moved = differing(before, now);
    CHECK(moved == least);
    std::map<std::string, std::size_t> counts;
    for (const std::string& name : now) ++counts[name];
    for (const auto& [name, count] : counts) CHECK(count - 4096 / nodes.size() <= 1);
    before = now;
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a balanced ring is the same in a copy, in vectors without a daemon, and after a restart") {
  Daemon daemon;
  const Shell shell(daemon);
  shell.ask({"ring", "create", "b", "--profile", "balanced", "--nodes", "x,y"});
  shell.ask({"add", "-r", "b", "z=2", "--field", "zone=east"});
  shell.ask({"remove", "-r", "b", "x"});
  const json ring = shown(shell, "b");
  CHECK(ring.at("slots").size() == 65'536);
  const std::string vectors = shell.ask({"vectors", "-r", "b", "-n", "500"});
  CHECK(run_program({CHASH_PROGRAM, "verify", "-"}, vectors).out == "500 of 500 vectors agree\n");
  shell.ask({"ring", "copy", "b", "c"});
  CHECK(shown(shell, "c").at("fingerprint") == ring.at("fingerprint"));
  CHECK(owners(shown(shell, "c")) == owners(ring));
  // Its nodes alone do not tell its slots.
  shell.ask({"ring", "create", "new", "--profile", "balanced", "--nodes", "y"});
  shell.ask({"add", "-r", "new", "z=2", "--field", "zone=east"});
  CHECK(shown(shell, "new").at("fingerprint") != ring.at("fingerprint"));

  HttpClient client(daemon.http_port());
  CHECK(json::parse(client.ask("GET", "/api/v1/rings/b?slots=true").body) == ring);
  CHECK_FALSE(json::parse(client.ask("GET", "/api/v1/rings/b").body).contains("slots"));
  CHECK(daemon.stop() == 0);
  REQUIRE(daemon.start());
  CHECK(shown(shell, "b") == ring);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a key's slot is told, and leads to the node that has it") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "b", "--profile", "balanced", "--nodes", "x,y,z"});
  const json ring = shown(shell, "b");
  const Words names = owners(ring);
  for (const std::string& key : Words{"user:1", "user:2", "user:3", "another key"}) {
    const std::string slot = shell.ask({"get-node", "-r", "b", "--slot", key});
    CHECK(shell.ask({"get-node", "-r", "b", key}) == names.at(std::stoul(slot.substr(slot.find('\t') + 1))) + '\n');
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what a balanced ring cannot have is refused") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  CHECK(shell.run({"ring", "create", "b", "--profile", "balanced,slots=5000"}).status == 2);
  CHECK(shell.run({"ring", "create", "b", "--profile", "balanced,slots=2097152"}).status == 2);
  shell.ask({"ring", "create", "b", "--profile", "balanced", "--nodes", "idle=0"});
  CHECK(shell.run({"get-node", "-r", "b", "k"}).status == 7);
  shell.ask({"add", "-r", "b", "busy"});
  CHECK(shell.ask({"get-node", "-r", "b", "-n", "3", "k"}) == "busy\n");
  CHECK(shell.run({"list", "--slots"}).status == 2);
  CHECK(shell.run({"ring", "list", "--slots"}).status == 2);
  CHECK(daemon.stop() == 0);
}
