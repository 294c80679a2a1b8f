// What goes on until Ctrl-C: --watch, stats, bench, and keys that come and come.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <sstream>

#include "harness.h"
#include "shared_material.h"
#include "shell.h"
#include "terminal.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr int interrupted = 130;

// A command whose output goes to files, and whose input is a pipe that stays open.
class Running {
 public:
  Running(const Daemon& daemon, Words words) {
    REQUIRE(pipe2(input_, O_CLOEXEC) == 0);
    const int out = create("out"), err = create("err");
    words.insert(words.begin(), {CHASH_PROGRAM, "--timeout", "60s", "--socket", daemon.socket()});
    process_.emplace(Launch{std::move(words), {}, input_[0], out, err, {}});
    close(out);
    close(err);
  }
  ~Running() {
    close(input_[0]);
    close(input_[1]);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void type(std::string_view bytes) const {
    REQUIRE(write(input_[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  std::string out() const { return test::read_file(dir_ / "out"); }
  std::string err() const { return test::read_file(dir_ / "err"); }
  std::size_t lines() const {
    const std::string text = out();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  void wait_for_lines(std::size_t count) const {
    wait_until("lines", [&] { return lines() >= count; });
  }
  int interrupt() {
    process_->signal(SIGINT);
    return process_->wait();
  }

 private:
  int create(const std::string& name) const {
    return open((dir_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }

  ScratchDir dir_;
  int input_[2]{};
  std::optional<Process> process_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("watch: list, status and stats print whole records behind one another, and Ctrl-C ends them with 130") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  for (const Words& words : std::vector<Words>{{"list", "--watch=10ms", "--json"},
                                               {"status", "--json", "--watch=10ms"},
                                               {"stats", "-o", "jsonl", "--watch=10ms"}}) {
    CAPTURE(words.front());
    Running running(daemon, words);
    running.wait_for_lines(3);
    CHECK(running.interrupt() == interrupted);
    CHECK(running.out().ends_with("}\n"));
    CHECK(running.err().empty());
    for (const std::string& line : lines_of(running.out())) CHECK(json::parse(line).is_object());
  }
  Running plain(daemon, {"status", "--watch=10ms"});
  plain.wait_for_lines(2);
  CHECK(plain.interrupt() == interrupted);
  for (const std::string& line : lines_of(plain.out())) CHECK(std::count(line.begin(), line.end(), '\t') == 13);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("watch: without a time it is two seconds, and a bad time is refused before anything is asked") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  for (const std::string command : {"list", "status", "stats"}) {
    CHECK(shell.run({command, "--watch=soon"}).status == 2);
    CHECK(shell.run({command, "--watch=0s"}).status == 2);
  }
  Running running(daemon, {"list", "--watch", "-o", "jsonl"});
  running.wait_for_lines(3);
  CHECK(running.interrupt() == interrupted);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("watch: a terminal is drawn over in its place") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  Terminal terminal;
  const int end = terminal.descriptor();
  Process process({{CHASH_PROGRAM, "--socket", daemon.socket(), "list", "--watch=10ms"}, {}, end, end, end, {}});
  terminal.wait_for("36.27%\x1b[K\n");
  Shell(daemon).ask({"add", "x"});
  terminal.wait_for("\nx ");
  process.signal(SIGINT);
  CHECK(process.wait() == interrupted);
  CHECK(terminal.shown().starts_with("\x1b[H"));
  CHECK(terminal.shown().ends_with("\x1b[J"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("stats counts the look-ups of the time between") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  Running running(daemon, {"stats", "--json", "--watch=10ms"});
  running.wait_for_lines(1);
  shell.ask({"get-node", "a", "b", "c"});
  wait_until("look-ups to be counted", [&] { return contains(running.out(), "\"lookups\":3,"); });
  running.interrupt();
  double rate = 0;
  for (const std::string& line : lines_of(running.out()))
    rate = std::max(rate, json::parse(line).at("lookups_per_s").get<double>());
  CHECK(rate > 0);
  const json once = json::parse(shell.ask({"stats", "--json"}));
  CHECK(once.at("lookups") == 3);
  CHECK(once.at("lookups_per_s") == 0.0);
  CHECK(once.at("connections") == 1);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("bench tells how many look-ups there were, as the daemon counts them") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const Shell shell(daemon);
  const std::string keys = daemon.dir() / "keys.txt";
  write_file(keys, "user:1\n\nuser:2\nuser:3");
  std::uint64_t before = 0;
  for (const Words& more : std::vector<Words>{
           {}, {"--connections", "3", "--pipeline", "1"}, {"--keys", keys}, {"--keys", "7"}, {"--http"}}) {
    Words words{"bench", "--duration", "50ms", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const json result = json::parse(shell.ask(words));
    const std::uint64_t lookups = result.at("lookups");
    CHECK(lookups > 0);
    CHECK(result.at("refused") == 0);
    CHECK(result.at("p50_us").get<double>() > 0);
    CHECK(result.at("p50_us") <= result.at("p99_us"));
    CHECK(result.at("p99_us") <= result.at("p999_us"));
    const std::uint64_t counted = json::parse(shell.ask({"status", "--json"})).at("counters").at("lookups");
    CHECK(counted - before == lookups + 1);  // the one that is asked before
    before = counted;
  }
  CHECK(contains(shell.ask({"bench", "--duration", "20ms", "-o", "table"}), " look-ups in 0.0 s: "));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("bench refuses what it cannot measure, and Ctrl-C ends it early") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  CHECK(shell.run({"bench"}).status == 7);
  shell.ask({"add", "a"});
  CHECK(shell.run({"bench", "--http"}).status == 2);
  CHECK(shell.run({"bench", "--pipeline", "0"}).status == 2);
  CHECK(shell.run({"bench", "--connections", "257"}).status == 2);
  CHECK(shell.run({"bench", "--keys", "0"}).status == 2);
  CHECK(shell.run({"bench", "--keys", "/dev/null"}).status == 2);
  CHECK(shell.run({"bench", "--duration", "forever"}).status == 2);
  Running running(daemon, {"bench", "--json", "--duration", "60m"});
  wait_until("look-ups", [&] {
    return json::parse(shell.ask({"status", "--json"})).at("counters").at("lookups").get<std::uint64_t>() > 1000;
  });
  CHECK(running.interrupt() == interrupted);
  CHECK(json::parse(running.out()).at("lookups") > 900);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("keys that come and come are answered until Ctrl-C, to a whole line, and counted") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  Running running(daemon, {"get-node", "-"});
  running.type("user:1\nuser:2\nuser:123\nunfinish");
  running.wait_for_lines(3);
  CHECK(running.interrupt() == interrupted);
  CHECK(running.out() == "user:1\tcache-node-2\nuser:2\tcache-node-1\nuser:123\tcache-node-3\n");
  CHECK(running.err() == "chash: interrupted: 3 keys were answered\n");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a count of keys that is interrupted prints nothing but how far it came") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  for (const Words& words :
       std::vector<Words>{{"distribution", "--keys", "-"}, {"plan", "--add", "x", "--keys", "-"}}) {
    Running running(daemon, words);
    // More than it reads at once, so that it listens by the time the pipe has taken all.
    std::string keys;
    while (keys.size() < 400'000) keys += "user:" + std::to_string(keys.size()) + '\n';
    running.type(keys);
    CHECK(running.interrupt() == interrupted);
    CHECK(running.out().empty());
    CHECK(contains(running.err(), "chash: interrupted: "));
    CHECK(contains(running.err(), " keys were looked at\n"));
  }
  CHECK(daemon.stop() == 0);
}
