// Signals, restarts, and two daemons that want the same place.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "harness.h"
#include "shared_material.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr int conflict = 6, misuse = 2, storage = 1;  // exit statuses

// The same command line with other values for some options, which stand last and so win.
std::vector<std::string> with(std::vector<std::string> line, std::vector<std::string> more) {
  line.insert(line.end(), more.begin(), more.end());
  return line;
}

std::vector<std::string> node_names(const Daemon& daemon) {
  std::vector<std::string> names;
  const json answer = LineClient(daemon.socket()).ask(R"({"op":"list"})");
  for (const json& node : answer.at("ok").at("nodes")) names.push_back(node.at("name"));
  return names;
}

// What each thread blocks, as /proc has it: bit n - 1 for signal n.
std::map<pid_t, std::uint64_t> blocked_by_thread(pid_t process) {
  std::map<pid_t, std::uint64_t> masks;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string word; status >> word;)
      if (word == "SigBlk:" && status >> word)
        masks[std::stoi(task.path().filename())] = std::stoull(word, nullptr, 16);
  }
  return masks;
}

// Once all threads have started, and have done what they begin with.
std::map<pid_t, std::uint64_t> settled_masks(const Daemon& daemon, std::size_t least_threads) {
  std::map<pid_t, std::uint64_t> masks;
  int alike = 0;
  wait_until("the threads to settle", [&] {
    auto now = blocked_by_thread(daemon.pid());
    alike = now == masks ? alike + 1 : 0;
    masks = std::move(now);
    return masks.size() >= least_threads && alike >= 50;
  });
  return masks;
}

}  // namespace

// Not under TSan, which keeps a signal back until the thread that it came to waits somewhere, and lost one of 1,200
// that came while threads were starting.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a daemon that can be connected to ends in good order however soon it is told to") {
  Daemon daemon({.http = false});
  for (int i = 0; i < 30; ++i) {
    CHECK(daemon.stop() == 0);
    REQUIRE(daemon.start());
  }
}
#endif

// Any other would be interrupted in what it does, in the middle of a commit for example.
TEST_CASE("the daemon's signals come to its first thread and to no other") {
  constexpr std::size_t serving = 4;
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--threads", std::to_string(serving)}});
  const auto masks = settled_masks(daemon, serving + 1);  // and the writer
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    CAPTURE(number);
    std::vector<pid_t> takers;
    for (const auto& [thread, blocked] : masks)
      if ((blocked >> (number - 1) & 1) == 0) takers.push_back(thread);
    REQUIRE(takers.size() == 1);
    CHECK(takers.front() == daemon.pid());
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("SIGTERM and SIGINT end the daemon with status 0 and its socket is gone") {
  for (const int number : {SIGTERM, SIGINT}) {
    Daemon daemon({.initial_nodes = seed_nodes()});
    LineClient idle(daemon.socket());
    HttpClient idle_http(daemon.http_port());
    CHECK(idle.ask(R"({"op":"ping"})").contains("ok"));
    CHECK(idle_http.ask("GET", "/api/nodes").status == 200);
    daemon.signal(number);
    CHECK(daemon.wait() == 0);
    CHECK(idle.rest() == "");
    CHECK(idle_http.rest() == "");
    CHECK_FALSE(std::filesystem::exists(daemon.socket()));
    CHECK(contains(daemon.log("api.log"), "Service is shutting down."));
    CHECK(contains(daemon.log("api.log"), "Service has stopped."));
  }
}

TEST_CASE("changes that were on their way when SIGTERM came are all answered and kept") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  LineClient client(daemon.socket());
  HttpClient http(daemon.http_port());
  std::string burst, http_burst;
  for (int i = 0; i < 40; ++i) burst += R"({"op":"add","nodes":[{"name":"burst-)" + std::to_string(i) + "\"}]}\n";
  for (int i = 0; i < 40; ++i)
    http_burst += "POST /api/nodes/http-" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  REQUIRE(client.send(burst));
  REQUIRE(http.send(http_burst));
  CHECK(client.reply().contains("ok"));  // it has begun with both
  CHECK(http.receive().value().status == 201);
  daemon.signal(SIGTERM);
  for (int i = 1; i < 40; ++i) CHECK(client.reply().contains("ok"));
  CHECK(client.rest() == "");
  std::size_t answered = 1;
  for (auto reply = http.receive(); reply; reply = http.receive()) {
    CHECK(reply->status == 201);
    ++answered;
  }
  CHECK(daemon.wait() == 0);
  REQUIRE(daemon.start());
  // HTTP says `Connection: close` with the answer that is the last: what it has not answered it has not done.
  CHECK(node_names(daemon).size() == seed_nodes().size() + 40 + answered);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a burst of look-ups that was sent before SIGTERM is answered in full") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient client(daemon.socket());
  CHECK(client.ask(R"({"op":"ping"})").contains("ok"));  // it has been accepted
  constexpr int requests = 3'000;                        // more than is read at once
  std::string burst;
  for (int i = 0; i < requests; ++i) burst += R"({"op":"get-node","key":"user:)" + std::to_string(i) + "\"}\n";
  REQUIRE(client.send(burst));
  daemon.signal(SIGTERM);
  int answered = 0;
  while (client.line()) ++answered;
  CHECK(answered == requests);
  CHECK(daemon.wait() == 0);
}

TEST_CASE("a client that never finishes its request does not keep the daemon from ending") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  LineClient half(daemon.socket());
  HttpClient half_http(daemon.http_port());
  REQUIRE(half.send(R"({"op":"ping"})"
                    "\n"
                    R"({"op":)"));
  REQUIRE(half_http.send("GET /api/nodes HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api"));
  CHECK(half.reply().contains("ok"));
  CHECK(half_http.receive().value().status == 200);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("SIGHUP reads the log settings again and keeps the old ones when the file is bad") {
  ScratchDir dir;
  const std::string config = dir / "chashd.toml";
  write_file(config, "log-level = \"info\"\n");
  Daemon daemon({.initial_nodes = seed_nodes(), .config = config});
  LineClient client(daemon.socket());
  const auto ask = [&] { return client.ask(R"({"op":"get-node","key":"user:123"})").contains("ok"); };
  CHECK(ask());
  write_file(config, "log-level = \"debug\"\n");
  daemon.signal(SIGHUP);
  wait_until("a look-up in hashing.log",
             [&] { return ask() && contains(daemon.log("hashing.log"), "Key 'user:123'"); });

  write_file(config, "log-level = \"verbose\"\n");
  daemon.signal(SIGHUP);
  wait_until("a complaint in api.log", [&] { return contains(daemon.log("api.log"), "The old settings stay: "); });
  CHECK(contains(daemon.log("api.log"), config + ":1: log-level: 'verbose' is not one of"));
  CHECK(ask());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("members and epoch survive a stop and a start") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient(daemon.socket()).ask(R"({"op":"add","nodes":[{"name":"x","weight":2.5},{"name":"y"}]})");
  LineClient(daemon.socket()).ask(R"({"op":"remove","nodes":["cache-node-2"]})");
  const json before = LineClient(daemon.socket()).ask(R"({"op":"list"})");
  CHECK(before.at("ok").at("epoch") == 3);
  for (int restart = 0; restart < 3; ++restart) {
    CHECK(daemon.stop() == 0);
    REQUIRE(daemon.start());
    CHECK(LineClient(daemon.socket()).ask(R"({"op":"list"})") == before);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("initial nodes are for a store without any history and no other") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient(daemon.socket()).ask(R"({"op":"remove","nodes":["cache-node-1","cache-node-2","cache-node-3"]})");
  CHECK(node_names(daemon).empty());
  CHECK(daemon.stop() == 0);
  REQUIRE(daemon.start());
  CHECK(node_names(daemon).empty());
  const json answer = LineClient(daemon.socket()).ask(R"({"op":"get-node","key":"a"})");
  CHECK(answer.at("error").at("code") == "empty_ring");
  CHECK(contains(answer.at("error").value("hint", ""), "chash add"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a second daemon on the same state or socket is refused with the pid of the first") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const std::string pid = std::to_string(daemon.pid());
  ScratchDir other;
  const auto same_state = run_program(with(daemon.command_line(), {"--socket", other / "s"}));
  CHECK(same_state.status == conflict);
  CHECK(contains(same_state.err, "pid " + pid));
  CHECK(contains(same_state.err, daemon.state_dir()));
  CHECK(contains(same_state.err, "--state-dir"));
  CHECK_FALSE(std::filesystem::exists(other / "s"));

  const auto same_socket = run_program(with(daemon.command_line(), {"--state-dir", other / "state"}));
  CHECK(same_socket.status == conflict);
  CHECK(contains(same_socket.err, "pid " + pid));
  CHECK(contains(same_socket.err, daemon.socket()));
  CHECK(node_names(daemon) == seed_nodes());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("an address that another program has is refused with its name") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const std::string address = "127.0.0.1:" + std::to_string(daemon.http_port());
  ScratchDir other;
  const auto second = run_program({CHASHD_PROGRAM, "--config", daemon.dir() / "chashd.toml", "--socket", other / "s",
                                   "--state-dir", other / "state", "--log-dir", "off", "--http", address});
  CHECK(second.status == conflict);
  CHECK(contains(second.err, address));
  CHECK(contains(second.err, "--http"));
}

TEST_CASE("a stale socket is replaced and a file that is no socket is left alone") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  daemon.kill9();
  CHECK(std::filesystem::is_socket(daemon.socket()));
  REQUIRE(daemon.start());
  CHECK(node_names(daemon) == seed_nodes());
  CHECK(daemon.stop() == 0);

  write_file(daemon.socket(), "precious");
  CHECK_FALSE(daemon.start());
  CHECK(daemon.wait() == conflict);
  CHECK(contains(daemon.console(), daemon.socket() + " is there already and is not a socket"));
  CHECK(test::read_file(daemon.socket()) == "precious");

  std::filesystem::remove(daemon.socket());
  std::filesystem::create_symlink(daemon.dir() / "elsewhere", daemon.socket());
  CHECK_FALSE(daemon.start());
  CHECK(daemon.wait() == conflict);
  CHECK(std::filesystem::is_symlink(daemon.socket()));
}

TEST_CASE("a socket path that the system cannot take is refused with both lengths") {
  Daemon daemon({.http = false});
  const auto refused = run_program(with(
      daemon.command_line(), {"--state-dir", daemon.dir() / "other", "--socket", "/tmp/" + std::string(103, 'x')}));
  CHECK(refused.status == misuse);
  CHECK(contains(refused.err, "108 bytes"));
  CHECK(contains(refused.err, "107"));
}

TEST_CASE("the socket may be used by all and the state by the daemon's user only") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const auto mode = [](const std::string& path) {
    struct stat status {};
    CHECK_MESSAGE(stat(path.c_str(), &status) == 0, path);
    return status.st_mode & 0777;
  };
  CHECK(mode(daemon.socket()) == 0666);
  CHECK(mode(daemon.state_dir()) == 0700);
  CHECK((mode(daemon.state_file()) & 0007) == 0);
  CHECK((mode(daemon.dir() / "log/api.log") & 0007) == 0);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a state directory that cannot be made or used is refused") {
  Daemon daemon({.http = false});
  write_file(daemon.dir() / "file", "");
  const auto no_folder = run_program(with(daemon.command_line(), {"--state-dir", daemon.dir() / "file/state"}));
  CHECK(no_folder.status != 0);
  CHECK(contains(no_folder.err, daemon.dir() / "file/state"));
  const auto not_one = run_program(with(daemon.command_line(), {"--state-dir", daemon.dir() / "file"}));
  CHECK(not_one.status == storage);
  CHECK(contains(not_one.err, daemon.dir() / "file"));
  CHECK(test::read_file(daemon.dir() / "file") == "");
}
