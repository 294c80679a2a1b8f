// Plans, files, history and manifests from the command line.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "harness.h"
#include "oracle.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a plan tells what would move, and applied does just that") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const json plan = json::parse(shell.ask({"plan", "--add", "cache-node-4", "--json"}));
  CHECK(plan.at("moved").get<double>() == doctest::Approx(0.262509).epsilon(1e-5));
  CHECK(plan.at("needless").get<double>() == 0);
  CHECK(plan.at("flows").size() == 3);
  CHECK(shell.run({"plan", "--add", "cache-node-4", "--exit-code"}).status == 10);
  CHECK(shell.run({"plan", "--add", "cache-node-1", "--if-missing", "--exit-code"}).status == 0);
  // Nothing has happened.
  CHECK(shell.nodes({"list"}) ==
        "cache-node-1\t1\t100\tup\t\ncache-node-2\t1\t100\tup\t\ncache-node-3\t1\t100\tup\t\n");
  const std::string id = plan.at("id");
  CHECK(shell.ask({"apply", id}) == "applied " + id + " to default: epoch 1 -> 2, 26.25% of keys move (1 added)\n");
  CHECK(json::parse(shell.ask({"ring", "show", "--json"})).at("fingerprint") == plan.at("to"));
  // A plan of what is no longer so is refused, with what it would be now.
  const Outcome stale = shell.run({"--json", "apply", id});
  CHECK(stale.status == 6);
  CHECK(json::parse(stale.err).at("error").at("code") == "conflict");
  CHECK(shell.run({"apply", "plan-0123456789abcdef"}).status == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a stale plan's refusal brings a fresh one") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const std::string id = json::parse(shell.ask({"plan", "--add", "x", "--json"})).at("id");
  shell.ask({"add", "y"});
  const Outcome stale = shell.run({"--json", "apply", id});
  CHECK(stale.status == 6);
  const json fresh = json::parse(stale.err).at("error").at("plan");
  CHECK(fresh.at("id") != id);
  CHECK(fresh.at("epoch") == 2);
  CHECK(shell.ask({"apply", fresh.at("id").get<std::string>()}).starts_with("applied plan-"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a dry run of every change tells what would move and changes nothing, without permission too") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const std::string file = daemon.dir() / "ring.toml";
  write_file(file, shell.ask({"export"}) + "\n[[nodes]]\nname = \"x\"\n");
  const std::string before = shell.ask({"ring", "list"});
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"add", "x"},
                                             {"remove", "cache-node-1"},
                                             {"apply", file},
                                             {"rollback", "0"},
                                             {"ring", "create", "web", "--nodes", "a,b"},
                                             {"ring", "copy", "default", "trial"}}) {
    CAPTURE(words.front());
    auto dry = words;
    dry.insert(dry.end(), {"--dry-run", "--json"});
    const json response = json::parse(shell.ask(dry));
    CHECK(response.at("moved").get<double>() > 0);
    CHECK(response.contains("minimum"));
    CHECK(response.contains("needless"));
    CHECK(response.at("flows").size() > 0);
    CHECK(shell.ask({"ring", "list"}) == before);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what export writes, apply takes, in every format that has all of the ring") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "web", "--profile", "nginx-hash-consistent", "--nodes", "a:80=2,b:80,c:80"});
  shell.ask({"ring", "create", "pool", "--profile", "libketama", "--nodes", "10.0.0.1:11211=3,10.0.0.2:11211=600"});
  for (const std::string ring : {"web", "pool"}) {
    const std::string fingerprint = json::parse(shell.ask({"ring", "show", ring, "--json"})).at("fingerprint");
    for (const std::string format : {"toml", "json", "nodes", "nginx"}) {
      INFO(ring << ' ' << format);
      const std::string path = daemon.dir() / (ring + "." + format);
      write_file(path, shell.ask({"export", "-r", ring, "--as", format}));
      CHECK(shell.run({"plan", "-r", ring, "--prune", "--exit-code", path}).status == 0);
      CHECK(shell.ask({"diff", "-r", ring, path, ring}).empty());
    }
    shell.ask({"add", "-r", ring, "new:1"});
    shell.ask({"apply", "-r", ring, "--prune", daemon.dir() / (ring + ".toml")});
    CHECK(json::parse(shell.ask({"ring", "show", ring, "--json"})).at("fingerprint") == fingerprint);
  }
  // A file of one ring does not become another by mistake.
  CHECK(shell.run({"apply", daemon.dir() / "web.toml"}).status == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a budget refuses what moves too much, unless it is forced or takes a node down") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "set", "--max-move", "10%"});
  const Outcome refused = shell.run({"--json", "add", "x"});
  CHECK(refused.status == 6);
  const json error = json::parse(refused.err).at("error");
  CHECK(error.at("code") == "over_budget");
  CHECK(error.at("plan").at("moved").get<double>() > 0.1);
  const std::string file = daemon.dir() / "down.txt";
  write_file(file, "cache-node-1 1 state=down\n");
  CHECK(shell.run({"apply", file}).status == 0);
  CHECK(shell.run({"add", "x", "--force"}).status == 0);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("history, look-ups in the past, blame and rollback tell one story") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  std::vector<std::vector<std::string>> members{{}, seed_nodes()};  // by epoch
  const auto with = [&](std::vector<std::string> names) { members.push_back(std::move(names)); };
  shell.ask({"add", "cache-node-4", "--note", "more room"});
  with({"cache-node-1", "cache-node-2", "cache-node-3", "cache-node-4"});
  shell.ask({"remove", "cache-node-2", "--note", "it is sick"});
  with({"cache-node-1", "cache-node-3", "cache-node-4"});
  shell.ask({"rollback", "1", "--note", "it is well"});
  with(seed_nodes());

  std::vector<std::string> keys;
  for (int i = 0; i < 60; ++i) keys.push_back("user:" + std::to_string(i));
  for (const std::string& key : keys) {
    CAPTURE(key);
    std::string moves;
    for (std::size_t epoch = 1; epoch < members.size(); ++epoch) {
      const std::string owner = Oracle(members[epoch]).owner(key);
      const std::string before = epoch == 1 ? "" : Oracle(members[epoch - 1]).owner(key);
      CHECK(shell.ask({"get-node", "--epoch", std::to_string(epoch), key}) == owner + "\n");
      if (owner != before) moves = std::to_string(epoch) + ' ' + before + ' ' + owner + '\n' + moves;
    }
    CHECK(shell.ask({"blame", key, "--format", "{epoch} {from} {to}"}) == moves);
  }
  CHECK(shell.run({"get-node", "--epoch", "0", "k"}).status == 7);
  CHECK(shell.run({"get-node", "--epoch", "99", "k"}).status == 3);
  CHECK(shell.ask({"history", "--format", "{epoch} {operation} {note}"}) ==
        "4 rollback it is well\n3 remove it is sick\n2 add more room\n1 add \n");
  CHECK(shell.ask({"history", "--node", "cache-node-4", "--format", "{epoch}"}) == "4\n2\n");
  CHECK(shell.ask({"diff", "1", "4"}).empty());
  CHECK(shell.run({"diff", "1", "2", "--exit-code"}).status == 10);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a history that is kept short says what was dropped") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--history", "3"}, .http = false});
  const Shell shell(daemon);
  for (int i = 0; i < 6; ++i) shell.ask({"add", "n" + std::to_string(i)});
  const Outcome told = shell.run({"history", "--format", "{epoch}"});
  CHECK(told.out == "7\n6\n5\n");
  CHECK(contains(told.err, "4 earlier changes are no longer kept; the history begins at epoch 4"));
  CHECK(shell.run({"get-node", "--epoch", "4", "k"}).status == 0);
  CHECK(shell.run({"get-node", "--epoch", "3", "k"}).status == 3);
  CHECK(shell.run({"rollback", "3"}).status == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the files of a manifest are the keys that move, and only they, whatever bytes they have") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "odd", "--nodes", "a/b,c~d,e%2Cf,g=1"});
  std::mt19937_64 random(7);
  std::string input;
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) {
    std::string key = "k" + std::to_string(i) + '\n' + '\t';
    for (int more = static_cast<int>(random() % 6); more > 0; --more) key += static_cast<char>(1 + random() % 255);
    keys.push_back(key);
    input += key + '\0';
  }
  const std::string path = daemon.dir() / "keys", folder = daemon.dir() / "moves";
  write_file(path, input);
  const json told = json::parse(shell.ask({"plan", "-r", "odd", "--add", "x,y=2", "--remove", "c~d", "--keys", path,
                                           "-0", "--key-format", "raw", "--out", folder, "--json"}));
  shell.ask({"get-node", "-r", "odd", "k"});

  // What the daemon itself says of each key, before and after.
  const auto owners = [&] {
    const Outcome outcome =
        run_program({CHASH_PROGRAM, "-s", daemon.socket(), "-r", "odd", "get-node", "-0", "--no-key", "-"}, input);
    std::vector<std::string> names;
    std::stringstream text(outcome.out);
    for (std::string name; std::getline(text, name, '\0');) names.push_back(name);
    return names;
  };
  const auto before = owners();
  shell.ask({"apply", "-r", "odd", told.at("id").get<std::string>()});
  const auto after = owners();
  REQUIRE(before.size() == keys.size());
  std::multiset<std::string> moved, written;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (before[i] != after[i]) moved.insert(keys[i]);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::stringstream text(read_file(entry.path()));
    for (std::string key; std::getline(text, key, '\0');) written.insert(key);
  }
  CHECK(moved == written);
  CHECK(told.at("manifest").at("moved").at("keys") == moved.size());
  CHECK(told.at("manifest").at("keys") == keys.size());
  // Nothing is written over.
  CHECK(
      shell
          .run({"plan", "-r", "odd", "--remove", "x,y=2", "--keys", path, "-0", "--key-format", "raw", "--out", folder})
          .status != 0);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a manifest counts bytes, and says which lines hold no key") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Outcome told =
      run_program({CHASH_PROGRAM, "-s", daemon.socket(), "plan", "--remove", "cache-node-1", "--keys", "-", "--json"},
                  "user:1\t10\nuser:2\t20\nuser:3\n\nuser:4\tmany\nuser:5\t5");
  CHECK(told.status == 9);
  CHECK(contains(told.err, "line 4: the key is empty"));
  CHECK(contains(told.err, "line 5: what stands behind the tab is no number of bytes"));
  const json manifest = json::parse(told.out).at("manifest");
  CHECK(manifest.at("keys") == 4);
  CHECK(manifest.at("bytes") == 35);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a change whose outcome is unknown says so, and is asked for again by its id") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  daemon.signal(SIGSTOP);
  const Outcome unknown = shell.run({"--timeout", "300ms", "--json", "add", "x"});
  daemon.signal(SIGCONT);
  CHECK(unknown.status == 5);
  CHECK(unknown.out == "");
  const json error = json::parse(unknown.err).at("error");
  CHECK(error.at("code") == "timeout");
  const std::string hint = error.at("hint"), before = "--request-id ";
  const std::size_t at = hint.find(before);
  REQUIRE_MESSAGE(at != hint.npos, hint);
  const std::string id = hint.substr(at + before.size(), 32);
  // It has been made meanwhile, or is made now: once.
  const std::string added = shell.ask({"add", "x", "--request-id", id});
  CHECK(added == "added x to default: epoch 1 -> 2, 23.53% of keys move\n");
  CHECK(shell.ask({"add", "x", "--request-id", id}) == added);
  CHECK(shell.run({"add", "y", "--request-id", id}).status == 6);
  CHECK(shell.ask({"history", "--format", "{epoch} {change}"}).starts_with("2 add: + x\n1 "));
  CHECK(daemon.stop() == 0);
}
