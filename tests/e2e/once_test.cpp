// Exactly once: a change that is sent again after its answer was lost, or after kill -9, is not made again.
//
// CHASH_TEST_SEED in the environment: the random choices of the run that printed it. CHASH_TEST_CHANGES: how many
// changes (default 200; a sanitizer takes half a minute for 1,000).
#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "asked_for.h"
#include "harness.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

struct Request {
  std::string id;
  json body;
  bool by_http = false;
};

// The reply, if the connection lives to bring it.
std::optional<json> ask(Daemon& daemon, const Request& request, bool cut) {
  try {
    if (request.by_http) {
      HttpClient http(daemon.http_port());
      const json body{{"nodes", request.body["nodes"]}};
      const std::string text = body.dump();
      const bool sent = http.send("POST /api/v1/rings/default/nodes?request_id=" + request.id +
                                  " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
                                  std::to_string(text.size()) + "\r\n\r\n" + text);
      if (!sent || cut) return std::nullopt;
      const auto reply = http.receive();
      if (!reply) return std::nullopt;
      const json answer = json::parse(reply->body);
      return reply->status == 201 ? json{{"ok", answer}} : json{{"error", answer}};
    }
    LineClient socket(daemon.socket());
    json line = request.body;
    line["op"] = "add";
    line["request_id"] = request.id;
    if (!socket.send(line.dump() + '\n') || cut) return std::nullopt;
    const auto reply = socket.line();
    return reply ? std::optional(json::parse(*reply)) : std::nullopt;
  } catch (const std::runtime_error&) {  // it could not be reached, or was killed
    return std::nullopt;
  }
}

json ask_history(Daemon& daemon, std::uint32_t n, std::optional<std::uint64_t> before) {
  LineClient socket(daemon.socket());
  json line{{"op", "history"}, {"n", n}};
  if (before) line["before"] = *before;
  return socket.ask(line.dump()).at("ok");
}

// How often each node was added, by the daemon's own history.
std::map<std::string, int> additions(Daemon& daemon) {
  std::map<std::string, int> counts;
  for (std::optional<std::uint64_t> before;;) {
    const json page = ask_history(daemon, 1000, before);
    for (const json& entry : page.at("entries"))
      for (const json& node : entry.value("added", json::array())) ++counts[node.at("name").get<std::string>()];
    if (!page.contains("next")) return counts;
    before = page.at("next").get<std::uint64_t>();
  }
}

}  // namespace

TEST_CASE("a change that is sent three times, over connections that are cut and through kill -9, is made once") {
  const std::uint64_t seed = test::asked_for("CHASH_TEST_SEED", std::random_device()());
  const std::uint64_t changes = test::asked_for("CHASH_TEST_CHANGES", 200);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Daemon daemon;
  std::map<std::string, json> answers;
  std::size_t kills = 0, lost = 0;
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::string name = "n" + std::to_string(i);
    Request request{"request-" + name, {{"nodes", {{{"name", name}}}}}, random() % 3 == 0};
    for (int attempt = 0; attempt < 3; ++attempt) {
      // The last attempt goes through, whatever became of those before.
      const bool last = attempt == 2;
      const bool kill = !last && random() % 8 == 0;
      std::thread killer;
      if (kill) {
        const auto moment = std::chrono::microseconds(random() % 2000);
        killer = std::thread([&daemon, moment] {
          std::this_thread::sleep_for(moment);
          daemon.signal(9);
        });
      }
      const auto reply = ask(daemon, request, !last && random() % 3 == 0);
      if (kill) {
        killer.join();
        daemon.wait();
        REQUIRE(daemon.start());
        ++kills;
      }
      if (!reply) {
        ++lost;
        continue;
      }
      REQUIRE_MESSAGE(reply->contains("ok"), reply->dump());
      // Whoever asks again is told the same.
      const auto [known, is_new] = answers.emplace(name, reply->at("ok"));
      if (!is_new) CHECK(known->second == reply->at("ok"));
    }
  }
  CHECK(kills > 0);
  CHECK(lost > 0);
  CHECK(answers.size() == changes);
  const auto counts = additions(daemon);
  CHECK(counts.size() == changes);
  for (const auto& [name, count] : counts) CHECK_MESSAGE(count == 1, name << " was added " << count << " times");
  std::set<std::uint64_t> epochs;
  for (const auto& [name, answer] : answers) epochs.insert(answer.at("epoch").get<std::uint64_t>());
  CHECK(epochs.size() == changes);
  CHECK(*epochs.rbegin() == changes);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("of two clients that expect the same epoch one wins, and the other is told who did") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  for (std::uint64_t epoch = 1; epoch < 40; ++epoch) {
    std::vector<json> replies(2);
    std::vector<std::thread> clients;
    for (std::size_t i = 0; i < 2; ++i)
      clients.emplace_back([&, i] {
        LineClient socket(daemon.socket());
        replies[i] =
            socket.ask(R"({"op":"add","nodes":[{"name":"e)" + std::to_string(epoch) + "-" + std::to_string(i) +
                       R"("}],"note":"by )" + std::to_string(i) + R"(","expect_epoch":)" + std::to_string(epoch) + "}");
      });
    for (std::thread& client : clients) client.join();
    const std::size_t winner = replies[0].contains("ok") ? 0 : 1;
    REQUIRE_MESSAGE(replies[winner].contains("ok"), replies[0].dump() << replies[1].dump());
    const json& loser = replies[1 - winner];
    REQUIRE_MESSAGE(loser.contains("error"), loser.dump());
    CHECK(loser["error"]["code"] == "conflict");
    const std::string message = loser["error"]["message"];
    CHECK_MESSAGE(contains(message, "made epoch " + std::to_string(epoch + 1) + " by add"), message);
    CHECK_MESSAGE(contains(message, "by " + std::to_string(winner)), message);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a request id that was used for another request is refused, whatever has happened since") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const auto ask_line = [&](const std::string& line) { return LineClient(daemon.socket()).ask(line); };
  const std::string add = R"({"op":"add","nodes":[{"name":"x"}],"request_id":"one"})";
  const json first = ask_line(add);
  REQUIRE(first.contains("ok"));
  CHECK(ask_line(R"({"op":"add","nodes":[{"name":"y"}],"request_id":"one"})")["error"]["code"] == "conflict");
  CHECK(ask_line(R"({"op":"remove","nodes":["x"],"request_id":"one"})")["error"]["code"] == "conflict");
  CHECK(ask_line(R"({"op":"remove","nodes":["x"],"request_id":"two"})").contains("ok"));
  daemon.kill9();
  REQUIRE(daemon.start());
  // The node is gone; that it was added once is answered again all the same.
  CHECK(ask_line(add) == first);
  CHECK(ask_line(R"({"op":"list"})")["ok"]["nodes"].size() == 3);
  // What was refused is not remembered.
  CHECK(ask_line(R"({"op":"add","nodes":[{"name":"cache-node-1"}],"request_id":"three"})").contains("error"));
  CHECK(ask_line(R"({"op":"remove","nodes":["cache-node-1"]})").contains("ok"));
  CHECK(ask_line(R"({"op":"add","nodes":[{"name":"cache-node-1"}],"request_id":"three"})").contains("ok"));
  CHECK(daemon.stop() == 0);
}
