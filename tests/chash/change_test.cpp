// Changes of a ring: that the way from one spec to another leads there, and what becomes of each kind of change.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "chash/naive_ring.h"
#include "chash/profile.h"
#include "chash/ring_spec.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;
using Names = std::vector<std::string>;

// Profiles that take the nodes in the order given, and such that do not.
const std::vector<std::string> some_profiles{
    "seed,vnodes=5",          "libketama,vnodes=2", "haproxy-consistent,vnodes=4",
    "envoy-maglev,table=251", "nginx-hash",         "balanced,slots=4096"};

Names names_of(const NodeList& nodes) {
  Names names;
  for (const Node& node : nodes) names.push_back(node.name);
  return names;
}

// Whether these stand in the other list in the same order.
bool in_order_of(const Names& names, const Names& others) {
  std::size_t next = 0;
  for (const std::string& other : others)
    if (next < names.size() && names[next] == other) ++next;
  return next == names.size();
}

// A ring that has had some changes, so that the slots of a balanced one are those of its history.
RingSpec random_ring(Random& random, const std::string& text) {
  const auto profile = parse_profile(text).value();
  RingSpec spec{text, {}};
  for (int steps = 1 + static_cast<int>(random() % 3); steps > 0; --steps) {
    Delta delta;
    for (const Node& node : spec.nodes)
      if (random() % 3 == 0) delta.removed.push_back(node.name);
    const Names there = names_of(spec.nodes);
    for (Node& node : random_nodes(random, profile, random() % 5, 9, false))
      if (std::ranges::find(there, node.name) == there.end()) delta.added.push_back(std::move(node));
    spec = apply(std::move(spec), delta);
  }
  spec.max_move = static_cast<double>(random() % 3) / 2;
  return spec;
}

bool is_placed_as(const RingSpec& one, const RingSpec& other, Random& random, int keys = 20) {
  const Side a(one), b(other);
  bool same = fingerprint(one) == fingerprint(other);
  for (int i = 0; i < keys; ++i) {
    const std::string key = random_bytes(random, 12);
    same &= a.owner(key) == b.owner(key);
  }
  return same;
}

Error refusal(const RingSpec& spec, const Change& change) {
  const auto delta = resolve(spec, change);
  REQUIRE_FALSE(delta);
  return delta.error();
}

RingSpec changed(const RingSpec& spec, const Change& change) {
  const auto delta = resolve(spec, change);
  REQUIRE(delta);
  return apply(spec, *delta);
}

}  // namespace

TEST_CASE("difference: leads from any ring to any other of its profile, and keeps nodes in their places") {
  Random random(71);
  for (const std::string& text : some_profiles) {
    CAPTURE(text);
    const auto profile = parse_profile(text).value();
    int wrong = 0, needless = 0;
    for (int round = 0; round < 600; ++round) {
      const RingSpec before = random_ring(random, text), after = random_ring(random, text);
      const Delta delta = difference(before, after);
      const RingSpec made = apply(before, delta);
      wrong += !is_placed_as(made, after, random);
      wrong += made.max_move != after.max_move;
      wrong += made.slots != after.slots;
      if (order_counts(profile)) {
        wrong += made.nodes != after.nodes;
      } else {
        std::map<std::string, Node> left, right;
        for (const Node& node : made.nodes) left.emplace(node.name, node);
        for (const Node& node : after.nodes) right.emplace(node.name, node);
        wrong += left != right || left.size() != made.nodes.size();
        // Whoever stays is not moved, nor taken out to be put in again.
        Names stay;
        for (const Node& node : before.nodes)
          if (right.contains(node.name)) stay.push_back(node.name);
        needless += !in_order_of(stay, names_of(made.nodes));
        for (const Node& node : delta.added)
          needless += std::ranges::find(delta.removed, node.name) != delta.removed.end();
      }
      needless += !difference(before, before).empty() || !difference(after, made).has_same_nodes();
    }
    CHECK(wrong == 0);
    CHECK(needless == 0);
  }
}

TEST_CASE("difference: of weights and fields alone, nobody leaves his place") {
  Random random(72);
  for (const std::string& text : some_profiles) {
    CAPTURE(text);
    const auto profile = parse_profile(text).value();
    for (int round = 0; round < 50; ++round) {
      const RingSpec before = random_ring(random, text);
      std::vector<Node> nodes;
      std::size_t altered = 0;
      for (const Node& node : before.nodes) {
        nodes.push_back(random() % 2 == 0 ? node : random_node(random, profile, node.name));
        altered += nodes.back() != node;
      }
      const RingSpec after = apply(before, {{}, {}, nodes});
      CHECK(after.nodes == NodeList(nodes));
      const Delta delta = difference(before, after);
      CHECK(delta.added.empty());
      CHECK(delta.removed.empty());
      CHECK(delta.altered.size() == altered);
      CHECK(apply(before, delta) == after);
    }
  }
}

TEST_CASE("set nodes: the ring becomes as written, and nobody moves whom the list does not move") {
  Random random(73);
  for (const std::string& text : some_profiles) {
    CAPTURE(text);
    const auto profile = parse_profile(text).value();
    const bool has_slots = profile.algorithm == Profile::Algorithm::balanced;
    for (int round = 0; round < 150; ++round) {
      const RingSpec before = random_ring(random, text);
      SetNodes change{random_nodes(random, profile, random() % 7, 9, false), random() % 2 == 0, {}};
      for (Node& node : change.nodes)  // some as they are
        for (const Node& old : before.nodes)
          if (old.name == node.name && random() % 2 == 0) node = old;
      if (random() % 4 == 0) change.max_move = 0.25;
      const RingSpec after = changed(before, change);

      std::map<std::string, Node> expected;
      if (!change.prune)
        for (const Node& node : before.nodes) expected.insert_or_assign(node.name, node);
      for (const Node& node : change.nodes) expected.insert_or_assign(node.name, node);
      std::map<std::string, Node> found;
      for (const Node& node : after.nodes) found.emplace(node.name, node);
      CHECK(found == expected);
      CHECK(after.nodes.size() == expected.size());
      CHECK(after.max_move == change.max_move.value_or(before.max_move));
      if (change.prune && order_counts(profile) && !has_slots) {
        CHECK(after.nodes == NodeList(change.nodes));
      } else {  // the old ones as they stood, then the new ones as they are written
        Names order;
        for (const Node& node : before.nodes)
          if (expected.contains(node.name)) order.push_back(node.name);
        const Names old = names_of(before.nodes);
        for (const Node& node : change.nodes)
          if (std::ranges::find(old, node.name) == old.end()) order.push_back(node.name);
        CHECK(names_of(after.nodes) == order);
      }
      // Asked for again there is nothing to do.
      const auto again = resolve(after, change);
      REQUIRE(again);
      CHECK(again->empty());
      CHECK(build(after));
    }
  }
}

TEST_CASE("set nodes: a list in another order moves no slot of a balanced ring") {
  Random random(74);
  for (int round = 0; round < 20; ++round) {
    RingSpec ring{"balanced,slots=4096", {}};
    for (const char* name : {"a", "b", "c", "d"}) ring = changed(ring, AddNodes{{{name}}});
    SetNodes change{{ring.nodes.begin(), ring.nodes.end()}, round % 2 == 0, {}};
    std::ranges::shuffle(change.nodes, random);
    CHECK(resolve(ring, change)->empty());
    change.nodes.push_back({"e"});
    std::ranges::shuffle(change.nodes, random);
    const RingSpec more = changed(ring, change);
    const auto moved = movement(Side(ring), Side(more));
    CHECK(moved->needless == 0);
    CHECK(moved->moved == doctest::Approx(0.2).epsilon(0.01));
  }
}

TEST_CASE("edit nodes: those that go are gone before others come, so that one may come back as another") {
  const RingSpec three{"seed,vnodes=5", {{"a"}, {"b", 2}, {"c"}}};
  CHECK(changed(three, EditNodes{{{"a"}}, {{{"a", 3}}}}).nodes == NodeList{{"b", 2}, {"c"}, {"a", 3}});
  CHECK(changed(three, EditNodes{{{"b", "c"}}, {{{"d"}, {"c", 2}}}}).nodes == NodeList{{"a"}, {"d"}, {"c", 2}});
  CHECK(changed(three, EditNodes{{{"b"}}, {}}).nodes == NodeList{{"a"}, {"c"}});
  CHECK(changed(three, EditNodes{{}, {{{"d"}}}}).nodes == NodeList{{"a"}, {"b", 2}, {"c"}, {"d"}});
  CHECK(changed(three, EditNodes{{{"x", "a"}, true}, {{{"b", 7}, {"a", 7}}, true}}).nodes ==
        NodeList{{"b", 2}, {"c"}, {"a", 7}});
  CHECK(resolve(three, EditNodes{{{"x"}, true}, {{{"b", 7}}, true}})->empty());

  CHECK(refusal(three, EditNodes{}).message == "no node is named");
  CHECK(refusal(three, EditNodes{{{"x"}}, {{{"d"}}}}).code == Errc::not_found);
  CHECK(refusal(three, EditNodes{{{"a"}}, {{{"b"}}}}).code == Errc::conflict);
  CHECK(refusal(three, EditNodes{{{"a", "a"}}, {{{"d"}}}}).message == "node 'a' is named twice");
  CHECK(refusal(three, EditNodes{{{"a"}}, {{{"a"}, {"a"}}}}).message == "node 'a' is named twice");
  CHECK(refusal(three, EditNodes{{{"a"}}, {{{"d", -1}}}}).code == Errc::invalid_argument);
  RingSpec full{"seed,vnodes=1", {}};
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < limits::nodes; ++i) nodes.push_back({"n" + std::to_string(i)});
  full.nodes = NodeList(nodes);
  CHECK(resolve(full, EditNodes{{{"n7"}}, {{{"m"}}}}));
  CHECK(refusal(full, EditNodes{{{"n7"}}, {{{"m"}, {"n7"}}}}).code == Errc::too_large);
  CHECK(resolve({"seed,vnodes=1", {}}, SetNodes{nodes, true, {}}));
  CHECK(refusal({"seed,vnodes=1", {{"m"}}}, SetNodes{nodes, false, {}}).code == Errc::too_large);
  nodes.push_back({"m"});
  CHECK(refusal({"seed,vnodes=1", {}}, SetNodes{nodes, true, {}}).code == Errc::too_large);
}

TEST_CASE("edit nodes: of a balanced ring, whoever comes back in a new shape costs no other node a slot") {
  RingSpec ring{"balanced,slots=4096", {}};
  for (const char* name : {"a", "b", "c", "d"}) ring = changed(ring, AddNodes{{{name}}});
  for (const char* name : {"a", "c", "d"}) {
    const RingSpec after = changed(ring, EditNodes{{{name}}, {{{name, 1, {{"zone", "east"}}}}}});
    CHECK(movement(Side(ring), Side(after))->needless == 0);
    CHECK(after.nodes.back() == Node{name, 1, {{"zone", "east"}}});
  }
}

TEST_CASE("set nodes: what the profile cannot have, or nobody can, is refused whole") {
  const RingSpec three{"libketama", {{"a:1"}, {"b:1", 2}, {"c:1"}}};
  for (const bool prune : {false, true}) {
    CHECK(refusal(three, SetNodes{{{"d:1"}, {"a:1", 1.5}}, prune, {}}).message ==
          "node 'a:1': its weight is not a whole number");
    CHECK(refusal(three, SetNodes{{{"d:1"}, {"two words"}}, prune, {}}).code == Errc::invalid_argument);
    CHECK(refusal(three, SetNodes{{{"d:1"}, {"d:1", 2}}, prune, {}}).message == "node 'd:1' is named twice");
    CHECK(refusal(three, SetNodes{{{"d:1", 1, {{"zone", "x"}}}}, prune, {}}).code == Errc::invalid_argument);
    CHECK(refusal(three, SetNodes{{}, prune, -0.1}).code == Errc::invalid_argument);
  }
  CHECK(resolve(three, SetNodes{{}, false, {}})->empty());
  CHECK(changed(three, SetNodes{{}, true, {}}).nodes.empty());
}

TEST_CASE("set limits: from 0 to 1, and nothing else changes") {
  const RingSpec three{"seed", {{"a"}, {"b"}}};
  for (const double bad :
       {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(refusal(three, SetLimits{bad}).message == "max_move is out of range");
  for (const double good : {0.0, 0.07, 1.0}) {
    RingSpec expected = three;
    expected.max_move = good;
    CHECK(changed(three, SetLimits{good}) == expected);
    CHECK(fingerprint(expected) == fingerprint(three));
    CHECK(resolve(expected, SetLimits{good})->empty());
  }
  CHECK(resolve(three, SetLimits{0.5})->has_same_nodes());
}

TEST_CASE("restore ring: it is as it was, slots and all, but for its limits") {
  Random random(75);
  for (const std::string& text : some_profiles) {
    CAPTURE(text);
    int wrong = 0;
    for (int round = 0; round < 50; ++round) {
      const RingSpec now = random_ring(random, text), old = random_ring(random, text);
      const RingSpec after = changed(now, RestoreRing{old});
      wrong += !is_placed_as(after, old, random) || after.slots != old.slots || after.max_move != now.max_move;
      wrong += !resolve(after, RestoreRing{old})->empty();
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("removed between: are those that a change took away or took out of their order") {
  using Indexes = std::vector<NodeIndex>;
  const NodeList three{{"a"}, {"b"}, {"c"}};
  CHECK(removed_between(*parse_profile("seed"), three, three).empty());
  CHECK(removed_between(*parse_profile("seed"), three, {{"a"}, {"c"}, {"d"}}) == Indexes{1});
  CHECK(removed_between(*parse_profile("seed"), three, {{"b"}, {"c"}, {"a"}}) == Indexes{0});
  CHECK(removed_between(*parse_profile("seed"), three, {{"a"}, {"b", 2}, {"c"}}) == Indexes{1, 2});
  CHECK(removed_between(*parse_profile("seed"), three, {}) == Indexes{0, 1, 2});
  CHECK(removed_between(*parse_profile("seed"), {}, three).empty());
}

}  // namespace chash
