// sieve: the keys of one node, out of a stream.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "harness.h"
#include "oracle.h"
#include "shell.h"

using namespace chash;
using namespace chash::e2e;

namespace {

std::string key(int i) { return "user:" + std::to_string(i); }

// What is in a pipe so far.
std::string take_in(int descriptor) {
  std::array<char, 4096> buffer;
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
}

}  // namespace

TEST_CASE("sieve prints the keys of one node in their order, and with -v all others") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Oracle oracle(seed_nodes());
  std::string input, of_node, of_others;
  for (int i = 0; i < 25'000; ++i) {  // more than two batches
    input += key(i) + '\n';
    (oracle.owner(key(i)) == "cache-node-2" ? of_node : of_others) += key(i) + '\n';
  }
  CHECK((shell.ask({"sieve", "cache-node-2"}, input) == of_node));
  CHECK((shell.ask({"sieve", "-v", "cache-node-2"}, input) == of_others));
  CHECK((shell.ask({"sieve", "cache-node-2", "--invert"}, input) == of_others));
  CHECK((shell.ask({"sieve", "-n", "3", "cache-node-2"}, input) == input));
  CHECK(shell.ask({"sieve", "-n", "3", "-v", "cache-node-2"}, input).empty());
  // Those of all nodes together are all, and those of two copies are as get-node has them.
  std::string copies;
  for (int i = 0; i < 100; ++i) {
    const std::string nodes = shell.ask({"get-node", "-n", "2", key(i)});
    if (contains(nodes, "cache-node-2")) copies += key(i) + '\n';
  }
  CHECK(shell.ask({"sieve", "-n", "2", "cache-node-2"}, input.substr(0, input.find(key(100)))) == copies);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("sieve ends with 0 if no key is of the node, and with 9 if one could not be looked up") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  CHECK(shell.ask({"sieve", "cache-node-1"}, "").empty());
  CHECK(shell.ask({"sieve", "cache-node-1"}, "user:123\n").empty());
  CHECK(shell.ask({"sieve", "cache-node-3"}, "user:123") == "user:123\n");
  const std::string odd = std::string("a\nb\xff") + '\0' + "user:123" + '\0';
  CHECK(shell.ask({"sieve", "-0", "-n", "3", "cache-node-1"}, odd) == odd);
  const Outcome some = shell.run({"sieve", "-n", "3", "cache-node-1"}, "a\n\n" + std::string(65'537, 'k') + "\nb\n");
  CHECK(some.status == 9);
  CHECK(some.out == "a\nb\n");
  CHECK(contains(some.err, "line 2: the key is empty"));
  CHECK(contains(some.err, "line 3: the key "));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("sieve refuses a node that is not in the ring, and forms that keys do not have") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const Outcome unknown = shell.run({"sieve", "cache-node-11"}, "a\n");
  CHECK(unknown.status == 3);
  CHECK(unknown.out == "");
  CHECK(contains(unknown.err, "no node 'cache-node-11' in ring 'default'"));
  CHECK(contains(unknown.err, "did you mean: cache-node-1"));
  CHECK(shell.run({"sieve", "-r", "nowhere", "cache-node-1"}).status == 3);
  for (const Words& words : std::vector<Words>{{"sieve"},
                                               {"sieve", "a", "b"},
                                               {"sieve", "--json", "cache-node-1"},
                                               {"sieve", "-o", "jsonl", "cache-node-1"},
                                               {"sieve", "--format", "{key}", "cache-node-1"},
                                               {"sieve", "-n", "0", "cache-node-1"}})
    CHECK(shell.run(words, "a\n").status == 2);
  // What the environment says of other commands is no reason to refuse.
  const Outcome by_variable =
      run_program({CHASH_PROGRAM, "-s", shell.socket, "sieve", "cache-node-3"}, "user:123\n", {"CHASH_OUTPUT=json"});
  CHECK(by_variable.status == 0);
  CHECK(by_variable.out == "user:123\n");
  CHECK(run_program({CHASH_PROGRAM, "-s", daemon.dir() / "nothing", "sieve", "a"}).status == 4);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("sieve answers while the keys still come, and tells when the ring changes meanwhile") {
  Daemon daemon({.initial_nodes = {"a"}, .http = false});
  const Shell shell(daemon);
  std::array<int, 2> in{}, out{};
  REQUIRE(pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(pipe2(out.data(), O_CLOEXEC) == 0);
  const std::string err_path = daemon.dir() / "err";
  const int err = open(err_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  Process sieve({{CHASH_PROGRAM, "--timeout", "60s", "-s", shell.socket, "sieve", "a"}, {}, in[0], out[1], err, {}});
  close(in[0]);
  close(out[1]);
  close(err);
  const auto give = [&](const std::string& text) { REQUIRE(write(in[1], text.data(), text.size()) > 0); };
  give("one\n");
  CHECK(take_in(out[0]) == "one\n");
  shell.ask({"add", "b=1000", "-q"});
  std::string keys, expected;
  for (int i = 0; i < 50; ++i) {
    keys += key(i) + '\n';
    if (shell.ask({"get-node", key(i)}) == "a\n") expected += key(i) + '\n';
  }
  give(keys);
  close(in[1]);
  std::string rest;
  for (std::string piece; !(piece = take_in(out[0])).empty();) rest += piece;
  close(out[0]);
  CHECK(rest == expected);
  CHECK(sieve.wait() == 0);
  const Outcome said = run_program({"/bin/cat", err_path});
  CHECK(said.out == "chash: ring 'default' has changed: from here on keys are looked up at epoch 2\n");
  CHECK(daemon.stop() == 0);
}
