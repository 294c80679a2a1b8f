// Four clients change the ring while eight look up. Nothing is judged on the way; history.h tells how it is afterwards.
//
// CHASH_TEST_LOAD_SECONDS in the environment: for how long (default 30).
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "harness.h"
#include "history.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t changers = 4, askers = 8, pool_nodes = 8, key_count = 400;
// Below these the run has tested nothing.
constexpr std::size_t least_lookups = 2'000, least_changes = 200;

struct Client : History {
  std::size_t refused = 0;
  std::string failure;  // why it gave up
};

std::string key_text(std::size_t key) { return "user:" + std::to_string(key); }

// All that may ever be in the ring: those that stay, then those that come and go.
const Names& node_names() {
  static const Names names = [] {
    Names all = seed_nodes();
    for (std::size_t i = 0; i < pool_nodes; ++i) all.push_back("pool-" + std::to_string(i));
    return all;
  }();
  return names;
}
const std::string& pool_name(std::size_t node) { return node_names()[seed_nodes().size() + node]; }

[[noreturn]] void unexpected(const std::string& what) { throw std::runtime_error("unexpected answer: " + what); }

// A refusal that other clients are the reason for.
bool is_refusal(const std::string& code) { return code == "conflict" || code == "not_found"; }

Change parsed_change(const json& answer) {
  Change change;
  if (answer.contains("added")) change.added = answer.at("added").get<Names>();
  if (answer.contains("removed")) change.removed = answer.at("removed").get<Names>();
  const std::uint64_t before = answer.at("previous_epoch"), after = answer.at("epoch");
  if (before + 1 != after) unexpected(answer.dump());
  return change;
}

// --- The four that change --------------------------------------------------------------------------------------------

void change_by_socket(LineClient& socket, bool adds, const Names& names, Client& client, Seen& seen) {
  json request{{"op", adds ? "add" : "remove"}, {"nodes", json::array()}};
  for (const std::string& name : names) request["nodes"].push_back(adds ? json{{"name", name}} : json(name));
  const json reply = socket.ask(request.dump());
  if (reply.contains("error")) {
    if (!is_refusal(reply["error"]["code"])) unexpected(reply.dump());
    return;
  }
  seen.epoch = reply["ok"]["epoch"];
  client.changes[seen.epoch] = parsed_change(reply["ok"]);
}

void change_by_v1(HttpClient& http, bool adds, const Names& names, Client& client, Seen& seen) {
  json body{{"nodes", json::array()}};
  std::string query;
  for (const std::string& name : names) {
    body["nodes"].push_back({{"name", name}});
    query += (query.empty() ? "?nodes=" : "&nodes=") + name;
  }
  const std::string path = "/api/v1/rings/default/nodes";
  const HttpReply reply = adds ? http.ask("POST", path, "Content-Type: application/json\r\n", body.dump())
                               : http.ask("DELETE", path + query);
  const json answer = json::parse(reply.body);
  if (reply.status == 409 || reply.status == 404) {
    if (!is_refusal(answer.at("code"))) unexpected(reply.body);
    return;
  }
  if (reply.status != (adds ? 201 : 200)) unexpected(reply.body);
  seen.epoch = answer.at("epoch");
  client.changes[seen.epoch] = parsed_change(answer);
}

void change_by_seed_route(HttpClient& http, bool adds, const std::string& name, Client& client, Seen& seen) {
  const HttpReply reply = http.ask(adds ? "POST" : "DELETE", "/api/nodes/" + name);
  if (reply.status == (adds ? 409 : 404)) return;
  if (reply.status != (adds ? 201 : 200)) unexpected(reply.body);
  seen.epoch = std::stoull(reply.field("x-chash-epoch").value());
  client.changes[seen.epoch] = {adds ? Names{name} : Names{}, adds ? Names{} : Names{name},
                                json::parse(reply.body).at("current_nodes").get<Names>()};
}

void change(std::size_t which, const std::string& socket_path, std::uint16_t port, const std::atomic<bool>& go_on,
            Client& client) {
  std::mt19937_64 random(which);
  LineClient socket(socket_path);
  HttpClient http(port);
  while (go_on) {
    std::set<std::string> names;
    for (std::size_t count = 1 + random() % 3; count > 0; --count) names.insert(pool_name(random() % pool_nodes));
    const Names asked(names.begin(), names.end());
    const bool adds = random() % 2 == 0;
    Seen seen;
    seen.begin = Clock::now();
    if (which < 2) change_by_socket(socket, adds, asked, client, seen);
    else if (which == 2) change_by_v1(http, adds, asked, client, seen);
    else change_by_seed_route(http, adds, asked.front(), client, seen);
    seen.end = Clock::now();
    if (seen.epoch == 0) ++client.refused;
    else client.seen.push_back(std::move(seen));
  }
}

// --- The eight that look up ------------------------------------------------------------------------------------------

std::uint16_t number_of(const std::string& node) {
  const auto at = std::ranges::find(node_names(), node);
  if (at == node_names().end()) unexpected("the owner " + node);
  return static_cast<std::uint16_t>(at - node_names().begin());
}

void ask_socket(LineClient& socket, std::uint16_t key, Client& client, Seen& seen) {
  const bool list = seen.kind == Seen::Kind::list;
  const json reply = socket.ask(list ? R"({"op":"list"})" : R"({"op":"get-node","key":")" + key_text(key) + "\"}");
  if (!reply.contains("ok")) unexpected(reply.dump());
  const json& answer = reply["ok"];
  seen.epoch = answer.at("epoch");
  if (!list) {
    seen.owner = number_of(answer.at("node"));
    return;
  }
  Names members;
  for (const json& node : answer.at("nodes")) members.push_back(node.at("name"));
  client.lists.emplace_back(seen.epoch, std::move(members));
}

void ask_http(HttpClient& http, std::uint16_t key, bool v1, Client& client, Seen& seen) {
  const bool list = seen.kind == Seen::Kind::list;
  const std::string target = list ? "/api/nodes"
                             : v1 ? "/api/v1/rings/default/node?key=" + key_text(key)
                                  : "/api/get-node/" + key_text(key);
  const HttpReply reply = http.ask("GET", target);
  if (reply.status != 200) unexpected(std::to_string(reply.status) + ' ' + reply.body);
  const json answer = json::parse(reply.body);
  seen.epoch = std::stoull(reply.field("x-chash-epoch").value());
  if (list) client.lists.emplace_back(seen.epoch, answer.get<Names>());
  else seen.owner = number_of(v1 ? answer.at("node") : answer);
  if (v1 && !list && answer.at("epoch") != seen.epoch) unexpected(reply.body);
}

void look_up(std::size_t which, const std::string& socket_path, std::uint16_t port, const std::atomic<bool>& go_on,
             Client& client) {
  std::mt19937_64 random(100 + which);
  LineClient socket(socket_path);
  HttpClient http(port);
  while (go_on) {
    Seen seen;
    seen.key = static_cast<std::uint16_t>(random() % key_count);
    seen.kind = random() % 16 == 0 ? Seen::Kind::list : Seen::Kind::owner;
    seen.begin = Clock::now();
    if (which % 2 == 0) ask_socket(socket, seen.key, client, seen);
    else ask_http(http, seen.key, which % 4 == 1, client, seen);
    seen.end = Clock::now();
    client.seen.push_back(seen);
  }
}

}  // namespace

TEST_CASE("no answer is wrong or out of order while four clients change the ring and eight look up") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--threads", "4"}});
  const char* wanted = std::getenv("CHASH_TEST_LOAD_SECONDS");
  const auto until = Clock::now() + std::chrono::seconds(wanted == nullptr ? 30 : std::atoi(wanted));
  const std::uint16_t port = daemon.http_port();

  std::vector<Client> clients(changers + askers);
  std::atomic<bool> go_on = true;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        if (i < changers) change(i, daemon.socket(), port, go_on, clients[i]);
        else look_up(i - changers, daemon.socket(), port, go_on, clients[i]);
      } catch (const std::exception& e) {
        clients[i].failure = e.what();
        go_on = false;
      }
    });
  }
  while (go_on && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  go_on = false;
  for (std::thread& thread : threads) thread.join();
  Names keys;
  for (std::size_t key = 0; key < key_count; ++key) keys.push_back(key_text(key));
  std::vector<History> histories;
  std::size_t refused = 0;
  for (Client& client : clients) {
    CHECK(client.failure == "");
    refused += client.refused;
    histories.push_back(std::move(client));
  }
  const Verdict verdict = judge(histories, seed_nodes(), keys, node_names());
  MESSAGE(verdict.lookups << " look-ups and " << verdict.changes << " changes, " << refused << " refused");
  CHECK(verdict.impossible_changes == 0);
  CHECK(verdict.unknown_epochs == 0);
  CHECK(verdict.wrong_owners == 0);
  CHECK(verdict.wrong_lists == 0);
  CHECK(verdict.steps_back == 0);
  CHECK(verdict.out_of_order == 0);
  CHECK_MESSAGE(verdict.lookups >= least_lookups, "did too little");
  CHECK_MESSAGE(verdict.changes >= least_changes, "did too little");
  CHECK(daemon.stop() == 0);
}
