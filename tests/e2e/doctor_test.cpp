// doctor: the usual faults, as far as a test can provoke them in a daemon that runs.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr int faulty = 10;

}  // namespace

TEST_CASE("doctor finds nothing wrong with a daemon that has just been started") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const std::string text = shell.run({"doctor"}).out;
  CHECK(contains(text, " ok   daemon answers in "));
  CHECK(contains(text, " ok   you may look up and change\n"));
  CHECK(contains(text, " ok   ring default: 3 nodes, max/mean 1.09\n"));
  CHECK_FALSE(contains(text, " FAIL "));
  const json all = json::parse(shell.ask({"doctor", "--json"}));
  CHECK(all.at("healthy") == true);
  CHECK(all.at("findings").size() >= 9);
  CHECK(all.at("findings").front() ==
        json{{"verdict", "ok"}, {"check", "settings"}, {"text", "the settings of chash are good"}});
  CHECK(contains(shell.ask({"doctor", "--format", "{check} {verdict}"}), "store ok\n"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("doctor tells of rings with faults, and what to do about each") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "empty"});
  shell.ask({"ring", "create", "dark", "--nodes", "a,b"});
  shell.ask({"down", "-r", "dark", "a", "b"});
  shell.ask({"ring", "create", "rough", "--profile", "seed,vnodes=1", "--nodes", "a,b,c,d"});
  shell.ask({"ring", "create", "names", "--nodes", "node-a,node-A"});
  shell.ask({"ring", "create", "zones", "--profile", "balanced", "--nodes", "a,b"});
  shell.ask({"set", "-r", "zones", "a", "b", "--label", "zone=eu"});
  const Outcome outcome = shell.run({"doctor", "-q"});
  CHECK(outcome.status == faulty);
  CHECK(contains(outcome.out, " warn ring empty: it has no node; try: chash add -r empty NODE\n"));
  CHECK(contains(outcome.out, " FAIL ring dark: no node is up, so that no key has one; try: chash up -r dark NODE\n"));
  CHECK(contains(outcome.out, " warn ring rough: max/mean "));
  CHECK(contains(outcome.out, " warn ring names: names that differ only in upper and lower case: node-a, node-A; "));
  CHECK(contains(outcome.out, " warn ring zones: all nodes are in zone eu: "));
  CHECK_FALSE(contains(outcome.out, " ok "));
  // A fault of one ring is none of another.
  CHECK(shell.run({"doctor", "-r", "empty"}).status == 0);
  CHECK(json::parse(shell.run({"doctor", "-r", "dark", "--json"}).out).at("healthy") == false);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("doctor tells of a daemon that is not there, of a closed socket and of bad settings") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Outcome away = run_program({CHASH_PROGRAM, "-s", daemon.dir() / "nothing", "doctor"});
  CHECK(away.status == faulty);
  CHECK(contains(away.out, " FAIL cannot reach chashd at "));
  CHECK(away.err.empty());

  REQUIRE(chmod(daemon.socket().c_str(), 0600) == 0);
  const std::string closed = "socket mode 0600: some users cannot look up; try: chmod 0666 " + daemon.socket() + "\n";
  CHECK(contains(shell.run({"doctor"}).out, " warn " + closed));

  const std::string config = daemon.dir() / "chash.toml";
  for (const auto& [text, told] : std::vector<std::pair<std::string, std::string>>{
           {"rng = \"web\"\n", ":1: unknown key 'rng'; did you mean 'ring'?"},
           {"connect-timeout = \"soon\"\n", "'soon'"},
           {"ring = \n", ":1: "}}) {
    write_file(config, text);
    const Outcome bad = shell.run({"doctor", "--config", config});
    CHECK(bad.status == faulty);
    CHECK(contains(bad.out, " FAIL " + config));
    CHECK(contains(bad.out, told));
    CHECK(contains(bad.out, " ok   daemon answers in "));
  }
  CHECK(contains(shell.run({"doctor", "--config", daemon.dir() / "none"}).out, "no such file"));
  // What is wrong on the command line is no fault of the daemon's.
  CHECK(shell.run({"doctor", "--timeout", "soon"}).status == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("doctor asks over HTTP, too, and looks at no machine then") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "off"}});
  const Outcome outcome =
      run_program({CHASH_PROGRAM, "--url", "http://127.0.0.1:" + std::to_string(daemon.http_port()), "doctor"});
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.out, " ok   you may look up, and change nothing: "));
  CHECK_FALSE(contains(outcome.out, "socket mode"));
  CHECK(daemon.stop() == 0);
}
