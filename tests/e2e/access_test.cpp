// Who may change the ring: users of the socket by what the kernel says of them, and no web page.
#include <doctest/doctest.h>

#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "harness.h"
#include "shared_material.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr uid_t somebody = 1234, somebody_else = 5678;

// Runs with other credentials, in a thread that ends with it: to the kernel they belong to a thread.
void as_user(uid_t user, gid_t group, std::vector<gid_t> groups, const std::function<void()>& action) {
  bool became = false;
  std::thread([&] {
    became = syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&
             syscall(SYS_setresgid, group, group, group) == 0 && syscall(SYS_setresuid, user, user, user) == 0;
    if (became) action();
  }).join();
  REQUIRE(became);
}

struct Answers {
  json read, change;
};
Answers ask_as(const Daemon& daemon, uid_t user, gid_t group, std::vector<gid_t> groups = {}) {
  Answers answers;
  as_user(user, group, std::move(groups), [&] {
    LineClient client(daemon.socket());
    answers.read = client.ask(R"({"op":"get-node","key":"user:123"})");
    answers.change = client.ask(R"({"op":"add","nodes":[{"name":"cache-node-1"}],"if_missing":true})");
  });
  return answers;
}

bool is_root() {
  if (geteuid() == 0) return true;
  MESSAGE("NOT RUN without root: clients that are other users");
  return false;
}

}  // namespace

TEST_CASE("any user may look up over the socket and only root and the daemon's user may change") {
  if (!is_root()) return;
  {
    Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
    const Answers other = ask_as(daemon, somebody, somebody);
    CHECK(other.read.at("ok").at("node") == "cache-node-3");
    CHECK(other.change.at("error").at("code") == "denied");
    CHECK(contains(other.change.at("error").at("message").get<std::string>(), "uid 1234"));
    CHECK(contains(other.change.at("error").at("hint").get<std::string>(), "usermod -aG chash"));
    CHECK(ask_as(daemon, 0, 0).change.contains("ok"));
    CHECK(ask_as(daemon, somebody, 0).change["error"]["code"] == "denied");  // root's group is not root
    CHECK(daemon.stop() == 0);
  }
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false, .user = somebody});
  CHECK(ask_as(daemon, somebody, somebody).change.contains("ok"));
  CHECK(ask_as(daemon, 0, 0).change.contains("ok"));
  CHECK(ask_as(daemon, somebody_else, somebody).change["error"]["code"] == "denied");
  CHECK(ask_as(daemon, somebody_else, somebody_else).read.contains("ok"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("members of the group chash may change whichever of their groups it is") {
  if (!is_root()) return;
  const group* entry = getgrnam("chash");
  if (entry == nullptr) {
    MESSAGE("NOT RUN: this system has no group chash");
    return;
  }
  const gid_t chash_group = entry->gr_gid;
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  CHECK(ask_as(daemon, somebody, chash_group).change.contains("ok"));
  CHECK(ask_as(daemon, somebody, somebody, {somebody, chash_group}).change.contains("ok"));
  CHECK(ask_as(daemon, somebody, somebody, {somebody}).change["error"]["code"] == "denied");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("who connected counts and not who sends") {
  if (!is_root()) return;
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  std::optional<LineClient> client;
  as_user(somebody, somebody, {}, [&] { client.emplace(daemon.socket()); });
  CHECK(client->ask(R"({"op":"remove","nodes":["cache-node-1"]})")["error"]["code"] == "denied");  // we are root here
  CHECK(client->ask(R"({"op":"list"})")["ok"]["nodes"].size() == 3);
  CHECK(daemon.stop() == 0);
}

// --- Web pages -------------------------------------------------------------------------------------------------------

namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string own_host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// The status of a request as it is, on a connection of its own.
int status_of(std::uint16_t port, const std::string& request) {
  HttpClient client(port);
  client.send(request);
  client.end_sending();
  std::string answer = client.rest();
  const bool to_head = request.starts_with("HEAD ");
  const auto reply = take_reply(answer, to_head);
  return reply ? reply->status : 0;
}

}  // namespace

TEST_CASE("no web page reads or changes the ring whatever name it was reached under") {
  const auto material = test::shared_material("material/http/browser-guards.json");
  if (!material) {
    MESSAGE(test::not_run("the requests of web pages"));
    return;
  }
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--allow-host", "allowed.example"}});
  const std::uint16_t port = daemon.http_port();
  const std::string number = std::to_string(port), self = "http://127.0.0.1:" + number;
  const json guards = json::parse(test::read_file(*material));

  for (const json& one : guards.at("hosts")) {
    std::string host = replaced(one.at("host"), "PORT", number);
    host = replaced(replaced(host, "<the machine's hostname>", own_host_name()), "<a name in --allow-host>",
                    "allowed.example");
    for (const std::string method : {"GET", "HEAD", "POST", "DELETE"}) {
      CAPTURE(method + ' ' + host);
      const int status = status_of(port, method + " /api/get-node/a HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
      const int answered = method == "GET" || method == "HEAD" ? 200 : 405;
      if (one.at("allow")) CHECK(status == answered);
      else CHECK((status == 421 || status == 403 || status == 400));
    }
  }

  const auto send_case = [&](const json& one) {
    std::string request =
        one.at("method").get<std::string>() + " /api/nodes/by-page HTTP/1.1\r\nHost: 127.0.0.1:" + number + "\r\n";
    for (const auto& [name, value] : one.at("headers").items())
      request += name + ": " + replaced(value, "<self>", self) + "\r\n";
    const int status = status_of(port, request + "\r\n");
    if (status == 201) status_of(port, "DELETE /api/nodes/by-page HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return status;
  };
  for (const json& one : guards.at("cases")) {
    const std::string name = one.at("name");
    CAPTURE(name);
    const int status = send_case(one);
    // There is no list of other origins to trust.
    const bool allowed = one.at("go_status") == 200 && !contains(name, "trusted origin w");
    if (!allowed) CHECK(status == 403);
    else CHECK(status == (one.at("method") == "POST" ? 201 : 405));
  }
  for (const json& one : guards.at("extra")) {
    CAPTURE(one.at("name").get<std::string>());
    const int status = one.contains("raw") ? status_of(port, replaced(one.at("raw"), "PORT", number)) : send_case(one);
    CHECK((status == 421 || status == 403));
  }
  CHECK(HttpClient(port).ask("GET", "/api/nodes").body == R"(["cache-node-1","cache-node-2","cache-node-3"])");
  CHECK(daemon.stop() == 0);
}
