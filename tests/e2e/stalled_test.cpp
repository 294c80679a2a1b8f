// Clients that ask for long answers and do not take them: memory is bounded, and nobody else waits.
//
// Not under TSan: there an answer takes so long to write that the first clients are cut off before the last ask.
#if !defined(__SANITIZE_THREAD__)
#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness.h"
#include "wire.h"

using namespace chash::e2e;
using nlohmann::json;

namespace {

// One answer has 4 MB; a thread keeps 64 MiB waiting, each for half a minute.
constexpr const char* long_answer = R"({"op":"ring-show","ring":"b","slots":true})";
constexpr std::size_t clients = 30;

// By its beginning: parsing megabytes for it would take until the first clients are cut off, on a busy machine.
std::string code_of(const std::string& reply) {
  return reply.starts_with(R"({"ok":)") ? "ok" : json::parse(reply)["error"]["code"];
}
std::string ask(LineClient& client, const std::string& line) {
  client.send(line + '\n');
  return code_of(client.line().value());
}

}  // namespace

TEST_CASE("long answers that nobody takes are bounded together, and short ones are given as ever") {
  Daemon daemon({.arguments = {"--threads", "1"}});
  LineClient client(daemon.socket());
  json nodes = json::array();
  for (int i = 0; i < 1000; ++i) nodes.push_back({{"name", "node-" + std::to_string(i)}});
  const json create{{"op", "ring-create"}, {"ring", "b"}, {"profile", "balanced,slots=1048576"}, {"nodes", nodes}};
  CHECK(ask(client, create.dump()) == "ok");
  CHECK(ask(client, long_answer) == "ok");

  std::vector<std::unique_ptr<LineClient>> stalled;
  const auto stall_one = [&] {
    stalled.push_back(std::make_unique<LineClient>(daemon.socket()));
    REQUIRE(stalled.back()->send(std::string(long_answer) + '\n'));
  };
  for (std::size_t i = 0; i < clients; ++i) stall_one();
  // On a busy machine the first ones may be cut off meanwhile: others take their place.
  wait_until("a long answer is refused", [&] {
    stall_one();
    return ask(client, long_answer) == "busy";
  });
  HttpClient http(daemon.http_port());
  CHECK(http.ask("GET", "/api/v1/rings/b?slots=true").status == 503);
  CHECK(ask(client, R"({"op":"get-node","ring":"b","key":"k"})") == "ok");
  CHECK(ask(client, R"({"op":"add","ring":"b","nodes":[{"name":"new"}]})") == "ok");
  CHECK(http.ask("GET", "/api/v1/rings/b/node?key=k").status == 200);

  // Those that waited first get what they asked for; the last were told no.
  CHECK(code_of(stalled.front()->line().value()) == "ok");
  CHECK(code_of(stalled.back()->line().value()) == "busy");
  stalled.clear();
  wait_until("it is answered again", [&] { return ask(client, long_answer) == "ok"; });
  CHECK(daemon.stop() == 0);
}
#endif
