// Following a ring: each of many watchers, however it behaves, sees every change once and in order; and the commands
// watch and wait, over a daemon that stops, dies and comes back.
//
// CHASH_TEST_CHANGES in the environment: how many changes the crowd sees (default 300).
#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <memory>
#include <sstream>
#include <thread>

#include "asked_for.h"
#include "shared_material.h"
#include "shell.h"
#include "wire.h"

using namespace chash::e2e;
using chash::test::read_file;

namespace {

constexpr std::size_t crowd = 100;
constexpr std::size_t most_stalled = 3;  // at a time, of one watcher: each may hold half a MiB of the daemon's

std::size_t resident_kib(pid_t pid) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  throw std::runtime_error("no VmRSS");
}

std::string watch_line(std::uint64_t from, unsigned limit = 1000) {
  return json{{"op", "watch"}, {"from", from}, {"wait_s", 60}, {"limit", limit}}.dump();
}

// What one of the crowd does beside watching.
enum class Manner { quick, slow, stalling, leaving, over_http };

// Follows the ring to its epoch `last`. Whether it saw each epoch from 2 on once, in order.
class Watcher {
 public:
  Watcher(const std::string& socket, std::uint16_t http, Manner manner, std::uint64_t last)
      : socket_(socket), http_(http), manner_(manner), last_(last) {}

  bool follow() {
    auto lines = std::make_unique<LineClient>(socket_);
    std::unique_ptr<HttpClient> http;
    if (manner_ == Manner::over_http) http = std::make_unique<HttpClient>(http_);
    for (int round = 0; next_ <= last_; ++round) {
      if (http) {
        const HttpReply reply = http->ask("GET", "/api/v1/rings/default/watch?wait_s=60&from=" + std::to_string(next_));
        if (reply.status != 200 || !take(json::parse(reply.body))) return false;
        continue;
      }
      if (manner_ == Manner::stalling && round % 10 == 0) {
        // Asks for all again and again, takes nothing of it, and comes back on another connection.
        stalled_.push_back(std::move(lines));
        if (stalled_.size() > most_stalled) stalled_.pop_front();
        for (int i = 0; i < 20; ++i) stalled_.back()->send(watch_line(1) + '\n');
        lines = std::make_unique<LineClient>(socket_);
      }
      if (manner_ == Manner::leaving && round % 3 == 0) {
        lines->send(watch_line(next_) + '\n');  // and is not there to hear it
        lines = std::make_unique<LineClient>(socket_);
      }
      if (manner_ == Manner::slow) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const json reply = lines->ask(watch_line(next_, manner_ == Manner::quick ? 1000 : 7));
      if (!reply.contains("ok") || !take(reply.at("ok"))) return false;
    }
    return true;
  }

  std::uint64_t next() const { return next_; }

 private:
  bool take(const json& answer) {
    for (const json& change : answer.at("changes"))
      if (change.at("epoch") != next_++) return false;
    return answer.at("next") == next_;
  }

  std::string socket_;
  std::uint16_t http_;
  Manner manner_;
  std::uint64_t last_;
  std::uint64_t next_ = 2;
  std::deque<std::unique_ptr<LineClient>> stalled_;
};

// A program that goes on beside the test, with its output in files.
class Beside {
 public:
  Beside(const Daemon& daemon, const std::string& name, Words words)
      : out_(daemon.dir() / (name + ".out")), err_(daemon.dir() / (name + ".err")) {
    words.insert(words.begin(), {CHASH_PROGRAM, "--socket", daemon.socket()});
    const int out = open(out_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
    const int err = open(err_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
    process_.emplace(Launch{std::move(words), {}, -1, out, err, {}});
    close(out);
    close(err);
  }
  std::string out() const { return read_file(out_); }
  std::string err() const { return read_file(err_); }
  Process& process() { return *process_; }

 private:
  std::string out_, err_;
  std::optional<Process> process_;
};

std::string epochs_of(const std::string& lines) {
  std::istringstream text(lines);
  std::string epochs;
  for (std::string line; std::getline(text, line);) epochs += json::parse(line).at("epoch").dump() + ' ';
  return epochs;
}

}  // namespace

TEST_CASE("each of a crowd that watches sees every change once and in order, and chashd does not grow") {
  const std::uint64_t changes = chash::test::asked_for("CHASH_TEST_CHANGES", 300), last = changes + 1;
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--history", std::to_string(changes + 10)}});
  LineClient writer(daemon.socket());
  for (int i = 0; i < 10; ++i) CHECK(writer.ask(R"({"op":"ping"})").contains("ok"));
  const std::size_t before = resident_kib(daemon.pid());
  const std::uint16_t http = daemon.http_port();

  std::vector<std::unique_ptr<Watcher>> watchers;
  for (std::size_t i = 0; i < crowd; ++i)
    watchers.push_back(std::make_unique<Watcher>(daemon.socket(), http, static_cast<Manner>(i % 5), last));
  std::atomic<std::size_t> good = 0;
  std::vector<std::thread> threads;
  for (auto& watcher : watchers) threads.emplace_back([&] { good += watcher->follow(); });
  std::size_t most = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < changes; ++i) {
    const bool adds = i % 2 == 0;
    const json change =
        adds ? json{{"op", "add"}, {"nodes", {{{"name", "x"}}}}} : json{{"op", "remove"}, {"nodes", {"x"}}};
    CHECK(writer.ask(change.dump()).contains("ok"));
    if (i % 50 == 0) most = std::max(most, resident_kib(daemon.pid()));
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (std::thread& thread : threads) thread.join();
  const auto all = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  most = std::max(most, resident_kib(daemon.pid()));
  CHECK(good == crowd);
  for (std::size_t i = 0; i < crowd; ++i) {
    CAPTURE(i);
    CHECK(watchers[i]->next() == last + 1);
  }
  MESSAGE(changes << " changes in " << took << " s, all seen by " << good.load() << " of " << crowd << " after " << all
                  << " s; resident " << before << " KiB before, " << most << " at most");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Recent changes 8 MiB, answers that are not taken 20 x 3 x 512 KiB, and what malloc keeps of all of that.
  CHECK(most < before + 150 * 1024);
#endif
  // Those that stall are cut off, and the log says who it was.
  wait_until("a stalled client to be cut off",
             [&] { return contains(daemon.log("api.log"), "was cut off: it has not taken its answers since 20"); });
  CHECK(contains(daemon.log("api.log"), "pid " + std::to_string(getpid()) + " was cut off"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what follows a question that waits, over HTTP, is not mixed up with other connections") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--threads", "1"}});
  HttpClient waits(daemon.http_port()), other(daemon.http_port());
  const std::string head = " HTTP/1.1\r\nHost: " + waits.host() + "\r\n\r\n";
  CHECK(waits.send("GET /api/v1/rings/default/watch" + head + "GET /api/v1/rings/default/node?key=user%3A123" + head));
  // Others write over the memory that both were read into.
  for (int i = 0; i < 5; ++i)
    CHECK(other.ask("GET", "/api/v1/rings/default/node?key=" + std::string(300, 'x')).status == 200);
  const Shell shell(daemon);
  shell.ask({"add", "x"});
  const auto change = waits.receive(), look_up = waits.receive();
  REQUIRE(change);
  REQUIRE(look_up);
  CHECK(json::parse(change->body).at("next") == 3);
  CHECK(look_up->status == 200);
  CHECK(json::parse(look_up->body).contains("node"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("those that wait for a change do not hold up a daemon that stops") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  LineClient waits(daemon.socket());
  waits.send(R"({"op":"watch","wait_s":60})"
             "\n");
  LineClient(daemon.socket()).ask(R"({"op":"watch","wait_s":0})");  // the thread that answers is there
  const auto start = std::chrono::steady_clock::now();
  CHECK(daemon.stop() == 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));  // the grace would be 5
  CHECK(waits.reply().at("error").at("code") == "shutting_down");
}

TEST_CASE("watch goes on where it was when the daemon is stopped or killed and comes back, and ends at Ctrl-C") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  Beside watch(daemon, "watch", {"watch", "--from", "1"});
  const auto sees = [&](std::uint64_t epoch) {
    wait_until("epoch " + std::to_string(epoch),
               [&] { return contains(watch.out(), "\"epoch\":" + std::to_string(epoch) + ','); });
  };
  sees(1);
  shell.ask({"add", "a", "--note", "one"});
  sees(2);
  daemon.kill9();
  wait_until("the loss to be told", [&] { return contains(watch.err(), "to go on from epoch 3"); });
  REQUIRE(daemon.start());
  shell.ask({"add", "b"});
  shell.ask({"remove", "a"});
  sees(4);
  CHECK(contains(watch.err(), "chashd is there again; going on from epoch 3\n"));
  CHECK(daemon.stop() == 0);
  wait_until("the stop to be told", [&] { return contains(watch.err(), "to go on from epoch 5"); });
  REQUIRE(daemon.start());
  shell.ask({"remove", "b"});
  sees(5);
  CHECK(epochs_of(watch.out()) == "1 2 3 4 5 ");
  CHECK(json::parse(watch.out().substr(0, watch.out().find('\n'))).at("ring") == "default");
  watch.process().signal(SIGINT);
  CHECK(watch.process().wait() == 130);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("watch ends with a ring that is deleted, and where the history it needs is gone") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--history", "2"}, .http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "web", "--nodes", "a"});
  Beside watch(daemon, "watch", {"watch", "-r", "web", "--from", "1"});
  wait_until("it has begun", [&] { return contains(watch.out(), "ring-create"); });
  shell.ask({"ring", "delete", "web"});
  CHECK(watch.process().wait() == 3);
  CHECK(contains(watch.err(), "chash: ring 'web' was deleted"));
  for (int i = 0; i < 5; ++i) shell.ask({"add", "n" + std::to_string(i)});
  // What memory knew is gone with the process.
  CHECK(daemon.stop() == 0);
  REQUIRE(daemon.start());
  const Outcome gone = shell.run({"watch", "--from", "1"});
  CHECK(gone.status == 3);
  CHECK(gone.out == "");
  CHECK(contains(gone.err, "the oldest that is made epoch 5"));
  CHECK(contains(gone.err, "read the ring, which is at epoch 6, then watch from epoch 7"));
  CHECK(epochs_of(shell.ask({"watch", "--from", "5", "--count", "2"})) == "5 6 ");
  CHECK(shell.run({"watch", "--from", "9"}).status == 6);
  CHECK(shell.run({"watch", "-r", "none"}).status == 3);
  CHECK(run_program({CHASH_PROGRAM, "-s", daemon.dir() / "none", "watch"}).status == 4);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("watch prints as it is asked, and gives each change to a command") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const Shell shell(daemon);
  shell.ask({"add", "a=2", "--note", "more"});
  shell.ask({"remove", "a"});
  CHECK(shell.ask({"watch", "--from", "2", "-n", "2", "--format", "{ring} {epoch} {operation} {note}"}) ==
        "default 2 add more\ndefault 3 remove \n");
  CHECK(shell.ask({"watch", "--from", "2", "-n", "2", "-o", "plain"}) +
            shell.ask({"watch", "--from", "1", "-n", "1", "-o", "plain"}) ==
        [&] {
          std::istringstream history(shell.ask({"history", "-o", "plain"}));
          std::string third, second, first;
          std::getline(history, third), std::getline(history, second), std::getline(history, first);
          return second + '\n' + third + '\n' + first + '\n';
        }());
  const std::string line = shell.ask({"watch", "--from", "2", "-n", "1", "-o", "table"});
  CHECK(line.starts_with("2  "));
  CHECK(contains(line, "  add: + a=2  (uid "));
  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  CHECK(epochs_of(run_program({CHASH_PROGRAM, "-u", url, "watch", "--from", "1", "-n", "3"}).out) == "1 2 3 ");

  const std::string told =
      shell.ask({"watch", "--from", "1", "-n", "3", "--exec", "echo $CHASH_RING $CHASH_EPOCH $CHASH_OPERATION; cat"});
  CHECK(told.starts_with("default 1 add\n{\"ring\":\"default\",\"epoch\":1,"));
  CHECK(contains(told, "\ndefault 3 remove\n{"));
  const Outcome failed = shell.run({"watch", "--from", "1", "--exec", "test $CHASH_EPOCH != 2 || exit 7"});
  CHECK(failed.status == 7);
  CHECK(contains(failed.err, "the command ended with status 7 at epoch 2; to go on: --from 2, or --from 3"));
  CHECK(shell.run({"watch", "--from", "1", "--exec", "kill -TERM $$"}).status == 143);
  CHECK(shell.run({"watch", "--exec", ""}).status == 2);
  CHECK(shell.run({"watch", "--exec", "true", "--format", "{epoch}"}).status == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("wait ends when all is so, and says what is not") {
  Daemon daemon({.initial_nodes = {"a", "b"}});
  const Shell shell(daemon);
  CHECK(shell.ask({"wait", "--ready"}) == "");
  CHECK(shell.ask({"wait", "--epoch", "1", "--node", "a=up", "--node", "z=absent", "--node", "b=present", "--json"}) ==
        "{\"ring\":\"default\",\"epoch\":1}\n");
  CHECK(shell.run({"wait"}).status == 2);
  CHECK(shell.run({"wait", "--node", "a"}).status == 2);
  CHECK(shell.run({"wait", "--node", "a=dead"}).status == 2);
  const auto late = [&](const Words& words) {
    // On a busy machine it takes longer until the daemon could say what is not so.
    for (const std::string timeout : {"200ms", "2s", "20s"}) {
      Words line{CHASH_PROGRAM, "-s", daemon.socket(), "--timeout", timeout, "wait"};
      line.insert(line.end(), words.begin(), words.end());
      const Outcome outcome = run_program(std::move(line));
      CHECK(outcome.status == 5);
      const std::string begin = "chash: not so within " + timeout + ": ";
      REQUIRE(outcome.err.starts_with(begin));
      if (!contains(outcome.err, "did not answer within")) return outcome.err.substr(begin.size());
    }
    return std::string("no answer");
  };
  CHECK(late({"--epoch", "2"}) == "ring 'default' is at epoch 1, not at 2\n");
  CHECK(late({"--node", "a=drain"}) == "node 'a' of ring 'default' is up, not drain\n");
  CHECK(contains(late({"--ready", "-r", "web"}), "no ring 'web'"));

  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  Beside epoch(daemon, "epoch", {"wait", "--epoch", "3"}), node(daemon, "node", {"wait", "--node", "a=down"}),
      gone(daemon, "gone", {"wait", "--node", "b=absent"}), ring(daemon, "ring", {"wait", "--ready", "-r", "web"});
  Process http({{CHASH_PROGRAM, "-u", url, "wait", "--node", "a=down"}, {}, -1, -1, -1, {}});
  shell.ask({"down", "a"});
  CHECK(node.process().wait() == 0);
  CHECK(http.wait() == 0);
  CHECK_FALSE(epoch.process().status().has_value());
  shell.ask({"remove", "b"});
  CHECK(gone.process().wait() == 0);
  CHECK(epoch.process().wait() == 0);
  // All that are left are down.
  CHECK(contains(late({"--ready"}), "ring 'default' has no node that may answer"));
  shell.ask({"ring", "create", "web"});
  shell.ask({"add", "-r", "web", "n"});
  CHECK(ring.process().wait() == 0);

  // A daemon that is not there yet.
  CHECK(daemon.stop() == 0);
  CHECK(contains(late({"--ready"}), "cannot reach chashd"));
  Beside ready(daemon, "ready", {"wait", "--ready", "-r", "web"});
  REQUIRE(daemon.start());
  CHECK(ready.process().wait() == 0);
  CHECK(daemon.stop() == 0);
}
