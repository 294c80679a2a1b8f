// Pins, as changes that the service makes, and as one that it makes by itself.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "protocol/time_text.h"
#include "service/careful.h"
#include "service/rings.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;

PinKeys::Request pinning(const std::string& key, std::vector<std::string> nodes, std::string expires = "") {
  PinKeys::Request request;
  PinGiven pin;
  pin.key.bytes = key;
  pin.nodes = std::move(nodes);
  pin.expires = std::move(expires);
  request.pins = {pin};
  return request;
}

std::string owner(World& world, const std::string& key) {
  const auto found = world.ask<GetNode>({"default", {key}});
  return found ? found->node : found.error().message;
}

}  // namespace

TEST_CASE("pins: one that would give a draining node a key is refused, unless it is forced") {
  World world({{"a"}, {"b"}});
  REQUIRE(world.ask<PinKeys>(pinning("held", {"a"})));
  protocol::AlterNodes::Request drain;
  drain.nodes = {"a"};
  drain.state = "drain";
  REQUIRE(world.ask<protocol::AlterNodes>(drain));
  CHECK(owner(world, "held") == "a");
  std::string other = "0";
  while (owner(world, other) == "a") other += "0";
  const Error error = refusal(world.ask<PinKeys>(pinning(other, {"a"})));
  CHECK(error.code == Errc::conflict);
  CHECK(error.message == "this would give key '" + other + "' to node 'a', which drains");
  auto forced = pinning(other, {"a"});
  forced.force = true;
  CHECK(world.ask<PinKeys>(forced));
  CHECK(owner(world, other) == "a");
}

TEST_CASE("pins: an old ring has the pins that it had, and a rollback brings them back") {
  World world({{"a"}, {"b"}});
  const std::string by_hash = owner(world, "k"), by_hand = by_hash == "a" ? "b" : "a";
  REQUIRE(world.ask<PinKeys>(pinning("k", {by_hand})));
  const std::uint64_t pinned = world.ring()->epoch;
  UnpinKeys::Request unpin;
  unpin.pins.resize(1);
  unpin.pins.front().key.bytes = "k";
  REQUIRE(world.ask<UnpinKeys>(unpin));
  CHECK(owner(world, "k") == by_hash);
  CHECK(world.ask<GetNode>({"default", {"k"}, 1, pinned})->node == by_hand);
  const auto blame = world.ask<Blame>({"default", {"k"}});
  REQUIRE(blame);
  REQUIRE(blame->moves.size() >= 2);
  CHECK(blame->moves[0].operation == "unpin");
  CHECK(blame->moves[1].operation == "pin");
  RollBack::Request back;
  back.epoch = pinned;
  REQUIRE(world.ask<RollBack>(back));
  CHECK(owner(world, "k") == by_hand);
  const auto copied = world.ask<RingCopy>({{}, "default", "copy"});
  REQUIRE(copied);
  CHECK(world.ask<GetNode>({"copy", {"k"}})->node == by_hand);
  const auto history = world.ask<History>({"copy"});
  REQUIRE(history);
  CHECK(history->entries.front().pinned.size() == 1);
}

TEST_CASE("pins: one whose time is over is taken away by a change of its own") {
  World world({{"a"}, {"b"}});
  const std::string by_hash = owner(world, "k"), by_hand = by_hash == "a" ? "b" : "a";
  REQUIRE(world.ask<PinKeys>(pinning("for ever", {by_hand})));
  REQUIRE(world.ask<PinKeys>(pinning("k", {by_hand}, time_text(next_time(0) + 300))));
  while (owner(world, "k") != by_hash) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto history = world.ask<History>({"default", 1});
  REQUIRE(history);
  CHECK(history->entries.front().operation == "expire");
  CHECK(history->entries.front().who == "chashd");
  CHECK(history->entries.front().unpinned.front().key.bytes == "k");
  CHECK(owner(world, "for ever") == by_hand);
  const Error late = refusal(world.ask<PinKeys>(pinning("k", {by_hand}, "2020-01-01T00:00:00Z")));
  CHECK(late.message.find("would be over already") != std::string::npos);
}

}  // namespace chash::service::test
