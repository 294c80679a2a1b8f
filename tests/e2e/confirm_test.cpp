// People are asked before much moves; programs are not.
#include <doctest/doctest.h>

#include <csignal>
#include <utility>

#include "harness.h"
#include "shell.h"
#include "terminal.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// A command that a person runs.
class Dialogue {
 public:
  Dialogue(const Daemon& daemon, Words words) : process_(launch(daemon, std::move(words), terminal_)) {}

  Terminal& terminal() { return terminal_; }
  void interrupt() const { process_.signal(SIGINT); }
  int wait() { return process_.wait(); }
  // Answers when it is asked, and returns the exit status.
  int answer(std::string_view reply) {
    terminal_.wait_for("? [y/N] ");
    terminal_.type(reply);
    return wait();
  }
  bool was_asked() { return contains(terminal_.shown(), "[y/N]"); }

 private:
  static Launch launch(const Daemon& daemon, Words words, const Terminal& terminal) {
    words.insert(words.begin(), {CHASH_PROGRAM, "--timeout", "60s", "--socket", daemon.socket()});
    const int end = terminal.descriptor();
    return {std::move(words), {}, end, end, end, {}};
  }

  Terminal terminal_;
  Process process_;
};

std::uint64_t epoch_of(const Daemon& daemon) {
  return LineClient(daemon.socket()).ask(R"({"op":"list"})").at("ok").at("epoch");
}

const Words most_goes{"remove", "cache-node-1", "cache-node-2"};

}  // namespace

TEST_CASE("a person is asked before more than half of all keys move, and yes does it") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  Dialogue dialogue(daemon, most_goes);
  CHECK(dialogue.answer("y\n") == 0);
  const std::string shown = dialogue.terminal().shown();
  CHECK(contains(shown, "68.73% of keys move, all to cache-node-3"));
  CHECK(contains(shown, "change ring default (epoch 1)? [y/N] "));
  CHECK(contains(shown, "removed cache-node-1, cache-node-2 from default: epoch 1 -> 2"));
  CHECK(epoch_of(daemon) == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("any answer but yes changes nothing, and so does Ctrl-C") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  for (const std::string reply : {"n\n", "\n", "yesterday\n", "\x04"}) {
    Dialogue dialogue(daemon, most_goes);
    CHECK(dialogue.answer(reply) == 1);
    CHECK(contains(dialogue.terminal().shown(), " nothing was changed\n"));
  }
  Dialogue dialogue(daemon, most_goes);
  dialogue.terminal().wait_for("? [y/N] ");
  dialogue.interrupt();
  CHECK(dialogue.wait() == 1);
  CHECK(contains(dialogue.terminal().shown(), " nothing was changed\n"));
  CHECK(epoch_of(daemon) == 1);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("every change that moves much is asked for, and deleting a ring that has nodes") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "web", "--nodes", "a"});
  const std::string file = daemon.dir() / "nodes.txt";
  write_file(file, "x\ny\nz\n");
  for (const Words& words : std::vector<Words>{{"add", "-r", "web", "b=9"},
                                               {"set", "cache-node-1", "--weight", "90"},
                                               {"weight", "cache-node-1", "90"},
                                               {"down", "cache-node-1", "cache-node-2"},
                                               {"apply", "--prune", file},
                                               {"rollback", "0"},
                                               {"replace", "-r", "web", "a", "b"},
                                               {"ring", "delete", "web"}}) {
    CAPTURE(words.front());
    Dialogue dialogue(daemon, words);
    CHECK(dialogue.answer("n\n") == 1);
  }
  CHECK(epoch_of(daemon) == 1);
  Dialogue deleting(daemon, {"ring", "delete", "web"});
  CHECK(deleting.answer("yes\n") == 0);
  CHECK(contains(deleting.terminal().shown(), "delete ring web (epoch 1)? "));
  CHECK(shell.run({"list", "-r", "web"}).status == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("nobody is asked where little moves, nothing was placed, or yes was said before") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "empty"});
  for (const Words& words : std::vector<Words>{{"add", "a", "b", "c", "d"},
                                               {"add", "e"},
                                               {"remove", "-y", "a", "b", "c", "d"},
                                               {"remove", "e", "--dry-run"},
                                               {"ring", "delete", "empty"}}) {
    CAPTURE(words.front());
    Dialogue dialogue(daemon, words);
    CHECK(dialogue.wait() == 0);
    CHECK_FALSE(dialogue.was_asked());
  }
  CHECK(epoch_of(daemon) == 3);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a program is not asked: all keys move at once") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  shell.ask({"remove", "cache-node-1", "cache-node-2"});
  shell.ask({"ring", "create", "web", "--nodes", "a"});
  shell.ask({"ring", "delete", "web"});
  CHECK(epoch_of(daemon) == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what was shown is what is done: a change that came between is a conflict") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  Dialogue dialogue(daemon, most_goes);
  dialogue.terminal().wait_for("? [y/N] ");
  Shell(daemon).ask({"add", "x"});
  CHECK(dialogue.answer("y\n") == 6);
  CHECK(epoch_of(daemon) == 2);
  CHECK(daemon.stop() == 0);
}
