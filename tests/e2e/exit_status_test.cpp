// The exit statuses of chash as a contract: each one, and each code that an error in JSON has, comes from a run.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>

#include "chash/error.h"
#include "harness.h"
#include "help.h"
#include "net/fake_peer.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;
using net::test::Conversation;
using net::test::FakePeer;

namespace {

using Codes = std::set<std::string_view>;

// What no run against a daemon that is well, or ill in a way that a test can bring about, leads to. A peer that is none
// answers these; every other code has to be seen in earnest.
const Codes told_by_a_peer{"invalid_request",  // chash asks for nothing that is no request
                           "busy",             // takes thousands of connections, or of changes that wait
                           "shutting_down"};   // takes a change in the moment in which the daemon ends

const std::set<std::string> members_of_error{"code", "exit", "message", "hint", "plan"};

// Each line on standard error is an object whose code is one of the table, with the status that the table has for it.
void check_json_errors(const Outcome& outcome, const ErrcInfo& row) {
  CHECK(outcome.status == row.exit_status);
  CHECK(outcome.err.ends_with('\n'));
  for (std::size_t start = 0, end = 0; (end = outcome.err.find('\n', start)) != std::string::npos; start = end + 1) {
    const json error = json::parse(outcome.err.substr(start, end - start)).at("error");
    CHECK(error.at("code") == row.name);
    CHECK(error.at("exit") == row.exit_status);
    CHECK(error.at("message").get<std::string>() != "");
    for (const auto& [member, value] : error.items()) CHECK_MESSAGE(members_of_error.contains(member), member);
  }
}

class Contract {
 public:
  // `run` gives one run of chash, once with "--json" and once with nothing more. Both end as the table has it for
  // `code`.
  template <class Run>
  void fails(Errc code, Run run, bool prints_nothing = true) {
    const ErrcInfo& row = info(code);
    CAPTURE(row.name);
    const Outcome plain = run(Words{});
    CHECK(plain.status == row.exit_status);
    CHECK_MESSAGE(plain.err.starts_with("chash: "), plain.err);
    const Outcome as_json = run(Words{"--json"});
    check_json_errors(as_json, row);
    if (prints_nothing) CHECK(plain.out + as_json.out == "");
    codes_.insert(row.name);
    statuses_.insert(row.exit_status);
  }
  // Ends with this status, which is no error's.
  void ends(int status, const Outcome& outcome) {
    CHECK(outcome.status == status);
    CHECK(outcome.err == "");
    statuses_.insert(status);
  }
  void check_complete() const {
    for (const ErrcInfo& row : errc_table)
      CHECK_MESSAGE(codes_.contains(row.name) != told_by_a_peer.contains(row.name), row.name);
    for (const auto& [status, meaning] : cli::exit_meanings)
      CHECK_MESSAGE(statuses_.contains(status), status << ": " << meaning);
    CHECK(statuses_.size() == cli::exit_meanings.size());
  }

 private:
  Codes codes_;
  std::set<int> statuses_;
};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("exit status: each one of the table, and each code of an error, comes from a run") {
  const ScratchDir dir;
  const std::string token = dir / "token";
  write_file(token, "0123456789abcdef0123456789abcdef\n");
  REQUIRE(chmod(token.c_str(), 0600) == 0);
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "token", "--token-file", token}});
  const Shell shell(daemon);
  Contract contract;
  const auto fails = [&](Errc code, const Words& words, std::string_view input = {}, bool prints_nothing = true) {
    contract.fails(
        code, [&](const Words& more) { return shell.run(with(words, more), input); }, prints_nothing);
  };
  const std::string port = std::to_string(daemon.http_port());
  const auto fails_at = [&](const std::string& door, const std::string& where, Errc code, const Words& words) {
    contract.fails(code, [&](const Words& more) {
      return run_program(with(with({CHASH_PROGRAM, door, where, "--timeout", "60s"}, words), more));
    });
  };

  contract.ends(0, shell.run({"get-node", "user:123"}));
  contract.ends(0, shell.run({"remove", "--if-exists", "nobody"}));
  contract.ends(10, shell.run({"plan", "--add", "x", "--exit-code"}));

  contract.fails(Errc::internal, [&](const Words& more) {
    std::string line = std::string(CHASH_PROGRAM) + " -s " + daemon.socket() + " list";
    for (const std::string& word : more) line += ' ' + word;
    return run_program({"/bin/sh", "-c", line + " >/dev/full"});
  });
  fails(Errc::invalid_argument, {"list", "--frobnicate"});
  fails(Errc::invalid_argument, {"add", "a b"});
  fails(Errc::not_found, {"remove", "nobody"});
  fails(Errc::not_found, {"list", "-r", "nowhere"});
  fails(Errc::conflict, {"add", "cache-node-1"});
  fails(Errc::conflict, {"add", "x", "--expect-epoch", "7"});
  fails(Errc::unpredictable, {"get-node", "--profile", "nginx-ip-hash", "--nodes", "a,b", "no-address"});
  fails(Errc::partial, {"get-node", "-"}, "a\n\nb\n", false);
  fails_at("--socket", daemon.dir() / "nothing", Errc::unreachable, {"ping"});
  fails_at("--url", "http://127.0.0.1:" + port, Errc::unauthorized, {"add", "x"});
  fails_at("--url", "http://0.0.0.0:" + port, Errc::misdirected, {"list"});

  std::string nodes;  // 1.2 MB
  for (int i = 0; i < 6'000; ++i) nodes += std::string(200, 'n') + std::to_string(i) + '\n';
  fails(Errc::too_large, {"add", "--nodes-file", "-"}, nodes);

  shell.ask({"ring", "create", "empty"});
  fails(Errc::empty_ring, {"get-node", "-r", "empty", "a"});
  shell.ask({"ring", "set", "--max-move", "1%"});
  fails(Errc::over_budget, {"add", "x"});

  daemon.signal(SIGSTOP);
  fails(Errc::timeout, {"ping", "--timeout", "200ms"});
  daemon.signal(SIGCONT);

  Daemon closed({.arguments = {"--http-writes", "off"}});
  fails_at("--url", "http://127.0.0.1:" + std::to_string(closed.http_port()), Errc::denied, {"add", "x"});

  const rlimit none{0, 0};  // of a file: as if the disk were full
  REQUIRE(prlimit(daemon.pid(), RLIMIT_FSIZE, &none, nullptr) == 0);
  fails(Errc::storage_failed, {"add", "x", "--force"});
  contract.ends(0, shell.run({"get-node", "user:123"}));

  contract.check_complete();
}

TEST_CASE("exit status: whatever a daemon refuses with ends as the table has it, by both doors") {
  for (const ErrcInfo& row : errc_table) {
    CAPTURE(row.name);
    const json error{{"code", row.name}, {"message", "no"}, {"hint", "try later"}};
    const std::string line = json{{"error", error}}.dump() + '\n';
    const FakePeer socket(FakePeer::Kind::socket, {[&](Conversation& talk) {
                            talk.read_line();
                            talk.write(line);
                            talk.wait_for_close();
                          }});
    const json problem{{"type", "about:blank"}, {"title", row.title}, {"status", row.http_status},
                       {"detail", "no"},        {"code", row.name},   {"hint", "try later"}};
    const std::string reply = net::test::http_reply(row.http_status, problem.dump(), "application/problem+json");
    const FakePeer http(FakePeer::Kind::http, {[&](Conversation& talk) {
                          talk.read_http_request();
                          talk.write(reply);
                          talk.wait_for_close();
                        }});
    const auto ping = [](const std::string& door, const FakePeer& peer) {
      return run_program({CHASH_PROGRAM, "--timeout", "60s", door, net::describe(peer.endpoint()), "ping", "--json"});
    };
    std::vector<Outcome> outcomes{ping("--socket", socket)};
    if (row.http_status >= 300) outcomes.push_back(ping("--url", http));  // 207 is no refusal there
    for (const Outcome& outcome : outcomes) {
      check_json_errors(outcome, row);
      CHECK(outcome.out == "");
      CHECK(json::parse(outcome.err).at("error").at("hint") == "try later");
    }
  }
}
