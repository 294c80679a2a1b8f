// chash as a shell uses it: what it prints, to where, and its exit status.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "harness.h"
#include "oracle.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// Exit statuses; EXIT STATUS in the manual.
constexpr int done = 0, failed = 1, usage = 2, not_found = 3, unreachable = 4, timeout = 5, conflict = 6, empty = 7,
              denied = 8, partial = 9;

// Failed, and told so on standard error only.
void check_failure(const Outcome& outcome, int status, const std::string& part_of_message) {
  CHECK(outcome.status == status);
  CHECK(outcome.out == "");
  CHECK_MESSAGE(outcome.err.starts_with("chash: "), outcome.err);
  CHECK_MESSAGE(contains(outcome.err, part_of_message), outcome.err);
}

}  // namespace

TEST_CASE("get-node prints the name of the node and a newline and nothing else") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const Shell shell(daemon);
  CHECK(shell.ask({"get-node", "user:123"}) == "cache-node-3\n");
  CHECK(shell.ask({"get", "user:123"}) == "cache-node-3\n");
  CHECK(shell.ask({"get-node", "-k", "user:123"}) == "user:123\tcache-node-3\n");
  CHECK(shell.ask({"get-node", "-n", "2", "user:123"}).starts_with("cache-node-3\tcache-node-"));
  const std::string all = shell.ask({"get-node", "-n", "256", "user:123"});
  CHECK(std::ranges::count(all, '\t') == 2);
  CHECK(shell.ask({"get-node", "user:123", "my-test-key"}) == "user:123\tcache-node-3\nmy-test-key\tcache-node-1\n");
  CHECK(shell.ask({"get-node", "--no-key", "user:123", "my-test-key"}) == "cache-node-3\ncache-node-1\n");

  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  const Outcome by_http = run_program({CHASH_PROGRAM, "--url", url, "get-node", "user:123"});
  CHECK(by_http.status == done);
  CHECK(by_http.out == "cache-node-3\n");
  CHECK(by_http.err == "");
  const Outcome by_variable =
      run_program({CHASH_PROGRAM, "get-node", "user:123"}, "", {"CHASH_SOCKET=" + daemon.socket()});
  CHECK(by_variable.out == "cache-node-3\n");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("keys that look like options or lists or nothing arrive as they were typed") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Oracle oracle(seed_nodes());
  const Words keys{"-x",    "--", "-",  "--help",   "--json", "-n",   "[a,b]",       "[]",       "{}",   "a=b",
                   "\"q\"", "'",  "%%", "%41",      "$HOME",  "\\n",  "add",         "get-node", "list", " ",
                   "\t",    "*",  "é",  "\xff\xfe", "\x01",   "a\nb", "--socket=/x", "-5",       "#",    "~"};
  for (const std::string& key : keys) {
    CAPTURE(key);
    CHECK(shell.ask({"get-node", "--", key}) == oracle.owner(key) + "\n");
    if (!key.starts_with('-')) CHECK(shell.ask({"get-node", key}) == oracle.owner(key) + "\n");
  }
  Words all{"get-node", "--no-key", "--"};
  std::string expected;
  for (const std::string& key : keys) {
    all.push_back(key);
    expected += oracle.owner(key) + '\n';
  }
  CHECK(shell.ask(all) == expected);
  CHECK(shell.ask({"get-node", "--no-key", "a", "--", "-b"}) == oracle.owner("a") + '\n' + oracle.owner("-b") + '\n');
  check_failure(shell.run({"get-node", ""}), usage, "empty");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("get-node takes keys from standard input a line each or ended by NUL") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Oracle oracle(seed_nodes());
  std::string input, null_input, expected, null_expected;
  for (int i = 0; i < 25'000; ++i) {  // more than one batch
    const std::string key = "user:" + std::to_string(i), null_key = key + "\n\xff";
    input += key + '\n';
    null_input += null_key + '\0';
    expected += key + '\t' + oracle.owner(key) + '\n';
    null_expected += null_key + '\t' + oracle.owner(null_key) + '\0';
  }
  CHECK((shell.ask({"get-node", "-"}, input) == expected));
  CHECK((shell.ask({"get-node"}, input) == expected));
  CHECK((shell.ask({"get-node", "-0", "-"}, null_input) == null_expected));
  CHECK(shell.ask({"get-node", "-"}, "") == "");
  CHECK(shell.ask({"get-node", "-"}, "user:123") == "user:123\tcache-node-3\n");  // no newline at the end
  const Outcome some = shell.run({"get-node", "-"}, "user:123\n\nmy-test-key\n" + std::string(65'537, 'k') + "\na\n");
  CHECK(some.status == partial);
  CHECK(some.out == "user:123\tcache-node-3\nmy-test-key\tcache-node-1\na\tcache-node-3\n");
  CHECK(contains(some.err, "line 2: the key is empty"));
  CHECK(contains(some.err, "line 4: the key "));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("several nodes are added and removed in one epoch or not at all") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const auto epoch = [&] { return json::parse(shell.ask({"list", "--json"})).at("epoch").get<int>(); };
  CHECK(epoch() == 1);
  shell.ask({"add", "a", "b=2.5", "c"});
  CHECK(epoch() == 2);
  CHECK(shell.nodes({"list", "-o", "plain"}) ==
        "cache-node-1\t1\t100\tup\t\ncache-node-2\t1\t100\tup\t\ncache-node-3\t1\t100\tup\t\na\t1\t100\tup\t\nb\t2."
        "5\t250\tup\t\nc\t1\t100\tup\t\n");
  check_failure(shell.run({"add", "d", "a"}), conflict, "'a' is already in the ring");
  check_failure(shell.run({"add", "d", "d"}), usage, "twice");
  check_failure(shell.run({"add", "d", "e f"}), usage, "a space");
  check_failure(shell.run({"add", "d=0"}), usage, "");
  check_failure(shell.run({"remove", "a", "nobody"}), not_found, "nobody");
  CHECK(epoch() == 2);
  shell.ask({"add", "--if-missing", "a", "d"});
  CHECK(epoch() == 3);
  shell.ask({"add", "--if-missing", "a", "d"});
  CHECK(epoch() == 3);
  shell.ask({"remove", "--if-exists", "a", "nobody"});
  shell.ask({"rm", "b", "c", "d"});
  CHECK(epoch() == 5);
  CHECK(shell.nodes({"ls", "-o", "plain"}) ==
        "cache-node-1\t1\t100\tup\t\ncache-node-2\t1\t100\tup\t\ncache-node-3\t1\t100\tup\t\n");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("JSON output parses and has the members that are documented") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const auto members = [&](Words words) {
    words.insert(words.begin(), "--json");
    const std::string out = shell.ask(std::move(words));
    CHECK(std::ranges::count(out, '\n') == 1);
    return json::parse(out);
  };
  CHECK(members({"get-node", "user:123"}) == json{{"ring", "default"},
                                                  {"epoch", 1},
                                                  {"key", "user:123"},
                                                  {"node", "cache-node-3"},
                                                  {"nodes", {"cache-node-3"}}});
  CHECK(members({"get-node", "--", "\xff"}).at("key_b64") == "/w==");
  const double share = 0.3576750319809489;
  CHECK(members({"add", "x=2"}) ==
        json{{"ring", "default"}, {"epoch", 2}, {"previous_epoch", 1}, {"added", {"x"}}, {"moved", share}});
  json listed = members({"list"}).at("nodes").at(3);
  CHECK(listed.at("share").get<double>() > 0);
  listed.erase("share");
  CHECK(listed == json{{"name", "x"}, {"weight", 2.0}, {"vnodes", 200}, {"state", "up"}});
  CHECK(members({"remove", "x"}) ==
        json{{"ring", "default"}, {"epoch", 3}, {"previous_epoch", 2}, {"removed", {"x"}}, {"moved", share}});
  const json status = members({"status"});
  CHECK(status.at("daemon").at("pid") == daemon.pid());
  CHECK(status.at("rings").at(0).at("epoch") == 3);
  CHECK(status.at("store").at("path") == daemon.state_file());
  CHECK(status.at("counters").at("changes") == 3);  // with the initial nodes
  CHECK(members({"ping"}).at("pid") == daemon.pid());
  CHECK(members({"version"}).at("same_protocol") == true);
  const std::string lines = shell.ask({"get-node", "-", "-o", "jsonl"}, "a\nb\n");
  CHECK(std::ranges::count(lines, '\n') == 2);
  CHECK(json::parse(lines.substr(0, lines.find('\n'))).at("key") == "a");

  const Outcome refused = shell.run({"remove", "nobody", "--json"});
  CHECK(refused.status == not_found);
  CHECK(refused.out == "");
  const json error = json::parse(refused.err).at("error");
  CHECK(error.at("code") == "not_found");
  CHECK(error.at("exit") == not_found);
  CHECK(error.contains("message"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("each exit status means what the manual says") {
  Daemon daemon({.initial_nodes = {"only"}, .http = true});
  const Shell shell(daemon);
  CHECK(shell.run({"ping"}).status == done);
  CHECK(shell.run({"--help"}).status == done);
  CHECK(shell.run({"--version"}).status == done);

  check_failure(shell.run({}), usage, "no command");
  check_failure(shell.run({"get-nod", "a"}), usage, "get-nod");
  check_failure(shell.run({"get-node", "--frobnicate", "a"}), usage, "--frobnicate");
  check_failure(shell.run({"get-node", "-n", "0", "a"}), usage, "'0'");
  check_failure(shell.run({"get-node", "-n", "257", "a"}), usage, "'257'");
  check_failure(shell.run({"--timeout", "soon", "ping"}), usage, "'soon'");
  check_failure(shell.run({"--output", "xml", "list"}), usage, "'xml'");
  check_failure(shell.run({"add"}), usage, "");

  check_failure(shell.run({"--ring", "other", "list"}), not_found, "no ring 'other'");
  check_failure(shell.run({"remove", "nobody"}), not_found, "nobody");
  check_failure(shell.run({"add", "only"}), conflict, "'only' is already in the ring");
  CHECK(contains(shell.run({"add", "only"}).err, "--if-missing"));

  check_failure(run_program({CHASH_PROGRAM, "--socket", daemon.dir() / "nothing", "ping"}), unreachable,
                "no such file");
  check_failure(run_program({CHASH_PROGRAM, "--url", "http://127.0.0.1:1", "ping"}), unreachable, "http://127.0.0.1:1");

  shell.ask({"remove", "only"});
  check_failure(shell.run({"get-node", "a"}), empty, "no node");
  check_failure(shell.run({"get-node", "-"}, "a\n"), empty, "no node");

  daemon.signal(SIGSTOP);
  check_failure(shell.run({"--timeout", "200ms", "ping"}), timeout, "200ms");
  check_failure(shell.run({"--timeout", "200ms", "add", "x"}), timeout, "unknown");
  daemon.signal(SIGCONT);

  daemon.kill9();
  check_failure(shell.run({"ping"}), unreachable, "connection refused");
  REQUIRE(daemon.start());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a change that is not allowed ends with 8 and says what to do") {
  if (geteuid() == 0) {
    Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
    const auto as_somebody = [&](Words words) {
      words.insert(words.begin(), {CHASH_PROGRAM, "--socket", daemon.socket()});
      return run_program(std::move(words), "", {}, 1234);
    };
    if (as_somebody({"--version"}).status == 127) {
      MESSAGE("NOT RUN: the programs are where other users cannot reach them");
    } else {
      check_failure(as_somebody({"add", "x"}), denied, "uid 1234 may not change the ring");
      CHECK(contains(as_somebody({"add", "x"}).err, "usermod -aG chash"));
      CHECK(as_somebody({"get-node", "user:123"}).out == "cache-node-3\n");
      REQUIRE(chmod(daemon.socket().c_str(), 0600) == 0);
      check_failure(as_somebody({"ping"}), denied, "mode 0600");
    }
  } else {
    MESSAGE("NOT RUN without root: chash as another user");
  }
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "off"}});
  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  check_failure(run_program({CHASH_PROGRAM, "--url", url, "add", "x"}), denied, "--http-writes off");
  CHECK(run_program({CHASH_PROGRAM, "--url", url, "get-node", "user:123"}).out == "cache-node-3\n");
}

TEST_CASE("chash with a token changes over HTTP and without one does not") {
  ScratchDir dir;
  const std::string file = dir / "token";
  write_file(file, "0123456789abcdef0123456789abcdef\n");
  REQUIRE(chmod(file.c_str(), 0600) == 0);
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "token", "--token-file", file}});
  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  check_failure(run_program({CHASH_PROGRAM, "--url", url, "add", "x"}), denied, "");
  CHECK(run_program({CHASH_PROGRAM, "--url", url, "--token-file", file, "add", "x"}).status == done);
  CHECK(run_program({CHASH_PROGRAM, "--url", url, "--token-file", file, "remove", "x"}).status == done);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("chash that cannot write its output says so") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Outcome outcome =
      run_program({"/bin/sh", "-c",
                   std::string(CHASH_PROGRAM) + " --socket " + daemon.socket() + " get-node user:123 > /dev/full"});
  CHECK(outcome.status == failed);
  CHECK(contains(outcome.err, "cannot write to standard output"));
  const Outcome reader_gone =
      run_program({"/bin/sh", "-c",
                   "yes | " + std::string(CHASH_PROGRAM) + " --socket " + daemon.socket() + " get-node - | head -n 1"});
  CHECK(reader_gone.status == done);
  CHECK(reader_gone.out.starts_with("y\tcache-node-"));
  CHECK(reader_gone.err == "");
  CHECK(daemon.stop() == 0);
}
