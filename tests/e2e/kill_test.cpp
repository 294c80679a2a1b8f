// kill -9 at any moment: what was acknowledged is there afterwards, and nothing else is but what was on its way.
//
// CHASH_TEST_SEED in the environment: the random choices of the run that printed it. The moments are never the same
// twice.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "harness.h"
#include "oracle.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// Four test cases, so that they run side by side: 520 kills and at least 1,000 acknowledged changes together.
constexpr std::size_t kills = 130, least_acknowledged = 260;
constexpr std::size_t client_count = 4, names_each = 10, most_changes = 5;  // a cycle

using Members = std::vector<Node>;  // in order of adding

// One client changes nodes that are its own, so that its answers alone say which of them must be there.
struct Client {
  std::size_t number = 0;
  std::mt19937_64 random;
  Members acknowledged;               // after the last change that was answered
  std::optional<Members> pending;     // after the one that was sent and not answered
  std::vector<std::uint64_t> epochs;  // of the changes answered in this cycle
  std::string failure;
};

// A change that has an effect: some members go, or some others come.
struct Choice {
  bool adds = false;
  Members nodes;
  Members after;
};

Choice choose(Client& client, bool one_of_weight_1) {
  Choice choice;
  choice.after = client.acknowledged;
  choice.adds = client.acknowledged.empty() || (client.acknowledged.size() < names_each && client.random() % 2 == 0);
  const std::size_t count = one_of_weight_1 ? 1 : 1 + client.random() % 3;
  for (std::size_t i = 0; i < count; ++i) {
    if (!choice.adds && !choice.after.empty()) {
      const auto at = choice.after.begin() + static_cast<std::ptrdiff_t>(client.random() % choice.after.size());
      choice.nodes.push_back(*at);
      choice.after.erase(at);
    } else if (choice.adds) {
      const std::string name = "c" + std::to_string(client.number) + "-" + std::to_string(client.random() % names_each);
      if (std::ranges::find(choice.after, name, &Node::name) != choice.after.end()) continue;
      choice.nodes.push_back({name, one_of_weight_1 ? 1.0 : 0.25 * static_cast<double>(1 + client.random() % 8)});
      choice.after.push_back(choice.nodes.back());
    }
  }
  return choice.nodes.empty() ? choose(client, one_of_weight_1) : choice;
}

// The epoch of the change; nothing where the daemon was gone before it answered.
std::optional<std::uint64_t> change_by_socket(LineClient& socket, const Choice& choice) {
  json request{{"op", choice.adds ? "add" : "remove"}, {"nodes", json::array()}};
  for (const Node& node : choice.nodes)
    request["nodes"].push_back(choice.adds ? json{{"name", node.name}, {"weight", node.weight}} : json(node.name));
  if (!socket.send(request.dump() + '\n')) return std::nullopt;
  const auto line = socket.line();
  if (!line) return std::nullopt;
  const json reply = json::parse(*line);
  if (!reply.contains("ok")) throw std::logic_error(*line);
  return reply["ok"]["epoch"].get<std::uint64_t>();
}

std::optional<std::uint64_t> change_by_http(HttpClient& http, const Choice& choice) {
  const std::string verb = choice.adds ? "POST" : "DELETE";
  if (!http.send(verb + " /api/nodes/" + choice.nodes.front().name + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    return std::nullopt;
  const auto reply = http.receive();
  if (!reply) return std::nullopt;
  if (reply->status != (choice.adds ? 201 : 200))
    throw std::logic_error(std::to_string(reply->status) + ' ' + reply->body);
  return std::stoull(reply->field("x-chash-epoch").value());
}

// The last of the clients takes HTTP.
void make_changes(Client& client, const std::string& socket_path, std::uint16_t port,
                  std::atomic<std::size_t>& answered) {
  const bool by_http = client.number + 1 == client_count;
  try {
    std::optional<LineClient> socket;
    std::optional<HttpClient> http;
    if (by_http) http.emplace(port);
    else socket.emplace(socket_path);
    for (std::size_t left = 1 + client.random() % most_changes; left > 0; --left) {
      const Choice choice = choose(client, by_http);
      client.pending = choice.after;
      const auto epoch = by_http ? change_by_http(*http, choice) : change_by_socket(*socket, choice);
      if (!epoch) return;
      client.epochs.push_back(*epoch);
      client.acknowledged = choice.after;
      client.pending.reset();
      ++answered;
    }
  } catch (const std::logic_error& e) {
    client.failure = e.what();
  } catch (const std::runtime_error&) {  // could not connect any more
  }
}

struct State {
  std::uint64_t epoch = 0;
  Members members;
};

State parsed_state(const json& reply) {
  State state{reply.at("ok").at("epoch"), {}};
  for (const json& node : reply.at("ok").at("nodes")) state.members.push_back({node.at("name"), node.at("weight")});
  return state;
}

State state_of(const Daemon& daemon) { return parsed_state(LineClient(daemon.socket()).ask(R"({"op":"list"})")); }

// What was last to be seen before the daemon was killed.
void watch(const std::string& socket_path, State& seen) {
  try {
    LineClient socket(socket_path);
    while (socket.send(R"({"op":"list"})"
                       "\n")) {
      const auto line = socket.line();
      if (!line) return;
      seen = parsed_state(json::parse(*line));
    }
  } catch (const std::runtime_error&) {  // could not connect any more
  }
}

Members of_client(const State& state, std::size_t number) {
  Members members;
  for (const Node& node : state.members)
    if (node.name.starts_with("c" + std::to_string(number) + "-")) members.push_back(node);
  return members;
}

// Holds the restarted daemon against what its clients know, which from then on know the same.
std::size_t reconcile(std::array<Client, client_count>& clients, std::uint64_t epoch_before, const State& state) {
  std::size_t acknowledged = 0;
  std::uint64_t epoch = epoch_before;
  std::set<std::uint64_t> epochs;
  Members seed;
  for (const Node& node : state.members)
    if (node.name.starts_with("cache-node-")) seed.push_back(node);
  CHECK(seed == Members{{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}});
  std::size_t all = seed.size();
  for (Client& client : clients) {
    CHECK(client.failure == "");
    const Members found = of_client(state, client.number);
    const bool as_answered = found == client.acknowledged, one_more = client.pending && found == *client.pending;
    CHECK_MESSAGE((as_answered || one_more),
                  "the nodes of client " << client.number << " are not those that it was told");
    acknowledged += client.epochs.size();
    epoch += client.epochs.size() + (one_more ? 1 : 0);
    for (const std::uint64_t one : client.epochs)
      CHECK((one > epoch_before && one <= state.epoch && epochs.insert(one).second));
    all += found.size();
    client.acknowledged = found;
    client.pending.reset();
    client.epochs.clear();
  }
  CHECK(state.epoch == epoch);  // no change without an epoch, no epoch without a change
  CHECK(state.members.size() == all);
  return acknowledged;
}

void check_owners(const Daemon& daemon, const State& state) {
  const auto points = test::naive_points({"seed", state.members});
  LineClient client(daemon.socket());
  for (const std::string key : {"user:123", "my-test-key"})
    CHECK(client.ask(json{{"op", "get-node"}, {"key", key}}.dump())["ok"]["node"] == test::naive_owner(points, key));
}

std::uint64_t seed_of_run() {
  const char* chosen = std::getenv("CHASH_TEST_SEED");
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : std::random_device()();
}

void kill_again_and_again(std::size_t part) {
  const std::uint64_t seed = seed_of_run();
  MESSAGE("CHASH_TEST_SEED=" << seed);
  std::mt19937_64 random(seed + part);
  const auto up_to_ms = [&](std::uint64_t ms) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % (ms * 1000)));
  };
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--threads", "2"}});
  std::array<Client, client_count> clients;
  for (std::size_t i = 0; i < client_count; ++i) {
    clients[i].number = i;
    clients[i].random.seed(random());
  }
  State state = state_of(daemon);
  std::size_t acknowledged = 0;
  for (std::size_t kill = 0; kill < kills; ++kill) {
    const std::uint16_t port = daemon.http_port();
    std::atomic<std::size_t> answered = 0, finished = 0;
    State seen;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { watch(daemon.socket(), seen); });
    for (Client& client : clients)
      threads.emplace_back([&] {
        make_changes(client, daemon.socket(), port, answered);
        ++finished;
      });
    const std::size_t enough = random() % 10;  // then at any moment of the next few milliseconds
    wait_until("changes to be made", [&] { return answered >= enough || finished == client_count; });
    up_to_ms(4);
    daemon.kill9();
    for (std::thread& thread : threads) thread.join();
    if (random() % 4 == 0) {  // and once more, while it starts
      daemon.start_without_waiting();
      up_to_ms(40);
      daemon.kill9();
    }
    REQUIRE(daemon.start());
    const std::uint64_t before = state.epoch;
    state = state_of(daemon);
    acknowledged += reconcile(clients, before, state);
    CHECK(state.epoch >= seen.epoch);  // no reader saw what the kill undid
    if (state.epoch == seen.epoch) CHECK(state.members == seen.members);
    if (kill % 26 == 0) check_owners(daemon, state);
  }
  MESSAGE(kills << " kills, " << acknowledged << " acknowledged changes, epoch " << state.epoch);
  CHECK_MESSAGE(acknowledged >= least_acknowledged, "did too little");
  CHECK(daemon.stop() == 0);
}

}  // namespace

TEST_CASE("kill -9 loses no acknowledged change and invents none: first quarter") { kill_again_and_again(0); }
TEST_CASE("kill -9 loses no acknowledged change and invents none: second quarter") { kill_again_and_again(1); }
TEST_CASE("kill -9 loses no acknowledged change and invents none: third quarter") { kill_again_and_again(2); }
TEST_CASE("kill -9 loses no acknowledged change and invents none: fourth quarter") { kill_again_and_again(3); }

TEST_CASE("kill -9 during the very first start leaves nothing half made") {
  std::mt19937_64 random(seed_of_run());
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  for (int kill = 0; kill < 40; ++kill) {
    daemon.kill9();
    std::filesystem::remove_all(daemon.state_dir());
    daemon.start_without_waiting();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 100'000));
    daemon.kill9();
    REQUIRE(daemon.start());
    const State state = state_of(daemon);
    CHECK(state.epoch == 1);
    CHECK(state.members == Members{{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}});
  }
}
