// States, labels and places of nodes, as changes that the service makes.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "service/careful.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;

protocol::AlterNodes::Request to_state(std::vector<std::string> nodes, std::string state, ChangeOptions options = {}) {
  protocol::AlterNodes::Request request;
  static_cast<ChangeOptions&>(request) = std::move(options);
  request.nodes = std::move(nodes);
  request.state = std::move(state);
  return request;
}

protocol::AlterNodes::Request labelled(const std::string& node, const std::string& name, const std::string& value) {
  protocol::AlterNodes::Request request;
  request.nodes = {node};
  request.labels = {{name, value}};
  return request;
}

protocol::ReplaceNode::Request replacing(const std::string& node, const std::string& with) {
  protocol::ReplaceNode::Request request;
  request.node = node;
  request.with = with;
  return request;
}

}  // namespace

TEST_CASE("states: a change that would give a draining node keys is refused, unless it is forced") {
  World world({{"a"}, {"b"}, {"c"}});
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"a"}, "drain")));
  const auto check_refused = [&](const Error& error) {
    CHECK(error.code == Errc::conflict);
    CHECK(error.message.find("% of all keys to node 'a', which drains") != std::string::npos);
    CHECK(names_of(world.ring()->spec) == std::vector<std::string>{"a", "b", "c"});
  };
  check_refused(refusal(world.ask<protocol::RemoveNodes>({{}, "default", {"b"}, false})));
  check_refused(refusal(world.ask<ApplyChange>(setting({{"b", 0.5}}))));
  PlanChange::Request asked;
  asked.remove = {"b"};
  const auto plan = world.ask<PlanChange>(asked);
  REQUIRE(plan);
  REQUIRE(plan->warnings.size() == 1);
  CHECK(plan->warnings.front().find("to node 'a', which drains: it must be forced") != std::string::npos);
  ApplyChange::Request by_id;
  by_id.plan = plan->id;
  check_refused(refusal(world.ask<ApplyChange>(by_id)));

  // What gives it nothing goes: others down and up again, and nodes that come.
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"b"}, "down")));
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"b"}, "up")));
  REQUIRE(world.ask<protocol::AddNodes>(adding("d")));
  REQUIRE(world.ask<protocol::RemoveNodes>({forced(), "default", {"d"}, false}));
  // Its own keys come back to it only when it is up.
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"a"}, "down")));
  check_refused(refusal(world.ask<protocol::AlterNodes>(to_state({"a"}, "drain"))));
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"a"}, "up")));
}

TEST_CASE("states: of changes that wait together each is looked at, however they end") {
  World world({{"a"}, {"b"}, {"c"}});
  world.store.shut_gate();
  const auto gate = world.begin<protocol::AddNodes>(adding("gate"));
  world.store.wait_until_somebody_waits();
  const auto drain = world.begin<protocol::AlterNodes>(to_state({"a"}, "drain"));
  const auto remove = world.begin<protocol::RemoveNodes>({{}, "default", {"b"}, false});
  const auto add = world.begin<protocol::AddNodes>(adding("d"));
  const auto up = world.begin<protocol::AlterNodes>(to_state({"a"}, "up"));
  const auto again = world.begin<protocol::RemoveNodes>({{}, "default", {"b"}, false});
  world.store.open_gate();
  CHECK(gate.get());
  CHECK(drain.get());
  CHECK(refusal(remove.get()).code == Errc::conflict);
  CHECK(add.get());
  CHECK(up.get());
  CHECK(again.get());
  CHECK(names_of(world.ring()->spec) == std::vector<std::string>{"a", "c", "gate", "d"});
}

TEST_CASE("states: a ring none of whose nodes may answer says so") {
  World world({{"a"}, {"b"}});
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"a", "b"}, "down")));
  const Error error = refusal(world.read<GetNode>({"default", {"k"}, 1, {}, "", ""}));
  CHECK(error.code == Errc::empty_ring);
  CHECK(error.message == "ring 'default' has no node that may answer");
  CHECK(refusal(world.read<GetNodes>({"default", {{"k"}}, 2, {}, "", "zone"})).code == Errc::empty_ring);
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"b"}, "up")));
  CHECK(owner_of(*world.ring(), "k") == "b");
  // Whoever drains stands in for nobody.
  REQUIRE(world.ask<protocol::AlterNodes>(to_state({"b"}, "drain", forced())));
  std::size_t answered = 0;
  for (int i = 0; i < 100; ++i) {
    const auto found = world.read<GetNode>({"default", {std::to_string(i)}, 1, {}, "", ""});
    if (found) ++answered;
    else CHECK(found.error().message.find("for this key: its own is down") != std::string::npos);
  }
  CHECK(answered > 20);
  CHECK(answered < 80);
}

TEST_CASE("states: labels of nodes are told, planned and kept, and two plans of labels are two") {
  World world({{"a"}, {"b"}});
  const auto before = fingerprint(world.ring()->spec);
  const auto asked = labelled("a", "team", "red");
  auto dry = asked;
  dry.dry_run = true;
  const auto red = world.ask<protocol::AlterNodes>(dry);
  dry.labels = {{"team", "blue"}};
  const auto blue = world.ask<protocol::AlterNodes>(dry);
  REQUIRE(red);
  REQUIRE(blue);
  CHECK(red->plan->id != blue->plan->id);
  CHECK(red->plan->from == red->plan->to);
  CHECK(red->plan->moved == 0);
  ApplyChange::Request apply;
  apply.plan = red->plan->id;
  REQUIRE(world.ask<ApplyChange>(apply));
  CHECK(world.ring()->spec.nodes[0].labels == NodeFields{{"team", "red"}});
  CHECK(fingerprint(world.ring()->spec) == before);
  CHECK(refusal(world.ask<ApplyChange>(apply)).code == Errc::conflict);
  const auto history = world.ask<History>({"default", 1, {}, "", ""});
  REQUIRE(history);
  REQUIRE(history->entries.front().altered.size() == 1);
  CHECK(history->entries.front().altered.front().labels == Texts{{"team", "red"}});
  CHECK(world.ask<protocol::AlterNodes>(asked)->altered.empty());
}

TEST_CASE("states: a node that takes another's place is told so in the history, and a rollback takes it back") {
  World world({{"a"}, {"b"}, {"c"}});
  const auto first = world.ring()->epoch;
  const RingSpec before = world.ring()->spec;
  const auto done = world.ask<protocol::ReplaceNode>(replacing("b", "d"));
  REQUIRE(done);
  CHECK(names_of(world.ring()->spec) == std::vector<std::string>{"a", "d", "c"});
  for (int i = 0; i < 100; ++i) {
    const std::string key = std::to_string(i), was = before.nodes[build(before)->owner(key)].name;
    CHECK(owner_of(*world.ring(), key) == (was == "b" ? "d" : was));
  }
  for (const char* name : {"b", "d"}) {
    const auto history = world.ask<History>({"default", 5, {}, "", name});
    REQUIRE(history);
    REQUIRE_FALSE(history->entries.empty());
    REQUIRE(history->entries.front().replaced.size() == 1);
    CHECK(history->entries.front().replaced.front().name == "b");
    CHECK(history->entries.front().replaced.front().with.name == "d");
  }
  CHECK(refusal(world.ask<protocol::AddNodes>(adding("b"))).message.find("the same as") != std::string::npos);
  CHECK(refusal(world.ask<protocol::ReplaceNode>(replacing("b", "e"))).code == Errc::not_found);
  CHECK(refusal(world.ask<protocol::ReplaceNode>(replacing("a", "c"))).code == Errc::conflict);
  RollBack::Request back;
  back.epoch = first;
  REQUIRE(world.ask<RollBack>(back));
  CHECK(fingerprint(world.ring()->spec) == fingerprint(before));
}

TEST_CASE("states: replicas are spread over zones, and too few of them are told") {
  World world({{"a"}, {"b"}, {"c"}});
  for (const char* node : {"a", "b"}) REQUIRE(world.ask<protocol::AlterNodes>(labelled(node, "zone", "x")));
  const auto two = world.read<GetNode>({"default", {"k"}, 2, {}, "", "zone"});
  REQUIRE(two);
  CHECK(two->warnings.empty());
  CHECK((two->nodes[0] == "c") != (two->nodes[1] == "c"));
  const auto three = world.read<GetNodes>({"default", {{"k"}}, 3, {}, "", "zone"});
  REQUIRE(three);
  CHECK(three->owners.front().size() == 3);
  REQUIRE(three->warnings.size() == 1);
  CHECK(three->warnings.front() == "asked for nodes of 3 zones, and ring 'default' has 2 where a node is up");
  CHECK(refusal(world.read<GetNode>({"default", {"k"}, 2, {}, "", "team"})).code == Errc::invalid_argument);
}

}  // namespace chash::service::test
