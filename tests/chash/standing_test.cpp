// Who answers: states and zones, held against the words of the manual; and what does not move when nodes become others.
#include "chash/standing.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "asked_for.h"
#include "chash/explain.h"
#include "chash/naive_ring.h"
#include "chash/naive_states.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;

// Profiles whose nodes keep their order, with few points.
std::vector<std::string> orderly_profiles() {
  std::vector<std::string> found{"ring,vnodes=3,hash=crc32", "ring,vnodes=1,hash=crc16"};
  for (const NamedProfile& named : named_profiles()) {
    const auto profile = parse_profile(named.name).value();
    if (!keeps_order(profile)) continue;
    const bool is_ring = profile.algorithm == Profile::Algorithm::ring;
    const bool is_balanced = profile.algorithm == Profile::Algorithm::balanced;
    found.push_back(is_ring || is_balanced ? small_profile(named) : std::string(named.name));
  }
  return found;
}

RingSpec random_ring(Random& random, const std::string& text) {
  const auto profile = parse_profile(text).value();
  RingSpec spec{text};
  std::vector<Node> nodes;
  for (std::size_t i = 1 + random() % 9; i-- > 0;) {
    Node node{"n" + std::to_string(i), 1};
    if (profile.weights == Profile::Weights::any) node.weight = static_cast<double>(1 + random() % 3);
    if (profile.points == Profile::Points::tokens)
      node.fields = {{"tokens", std::to_string(random() % 1000) + ',' + std::to_string(random())}};
    if (random() % 3 == 0) node.fields.emplace_back("state", random() % 2 == 0 ? "down" : "drain");
    if (random() % 4 != 0) node.labels.emplace_back("zone", "z" + std::to_string(random() % 3));
    if (random() % 2 == 0) node.labels.emplace_back("rack", "r" + std::to_string(random() % 2));
    nodes.push_back(std::move(node));
  }
  spec = apply(spec, resolve(spec, AddNodes{nodes, false}).value());
  spec.pins = random_pins(random);
  return spec;
}

// All nodes for a key, whatever their states.
NodeNames hashed_order(const RingSpec& spec, const std::string& key) {
  const RingSpec up = all_up(spec);
  const auto profile = parse_profile(spec.profile).value();
  NodeNames order;
  if (profile.algorithm != Profile::Algorithm::ring) {
    for (const NodeIndex node : build(up)->owners(key, spec.nodes.size())) order.push_back(spec.nodes[node].name);
    return order;
  }
  const NaiveRing ring(up);
  const Token position = KeyRule(profile).position(key).value();
  const std::size_t n = ring.points.size();
  std::size_t first = 0;
  const bool strict = profile.lookup == Profile::Lookup::strict;
  while (first < n && (ring.points[first].position < position || (strict && ring.points[first].position == position)))
    ++first;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string& name = spec.nodes[ring.points[(first + i) % n].member].name;
    if (std::ranges::find(order, name) == order.end()) order.push_back(name);
  }
  return order;
}

NodeNames order_of(const RingSpec& spec, const std::string& key) {
  return naive_pinned(spec, key, hashed_order(spec, key));
}

NodeNames names_in(const RingSpec& spec, const std::vector<NodeIndex>& nodes) {
  NodeNames found;
  for (const NodeIndex node : nodes) found.push_back(spec.nodes[node].name);
  return found;
}

AlterNodes to_state(NodeNames nodes, std::string state) {
  AlterNodes change;
  change.names = std::move(nodes);
  change.state = std::move(state);
  return change;
}

RingSpec changed(const RingSpec& spec, const Change& change) { return apply(spec, resolve(spec, change).value()); }

std::string refusal(const RingSpec& spec, const Change& change) {
  const auto delta = resolve(spec, change);
  return delta ? "" : delta.error().message;
}

}  // namespace

TEST_CASE("standing: random rings of nodes in all states and zones, with pins, answer as the manual says") {
  Random random(71);
  const auto profiles = orderly_profiles();
  const std::uint64_t rings = asked_for("CHASH_TEST_CHANGES", 1'000);
  for (std::uint64_t round = 0; round < rings; ++round) {
    const RingSpec spec = random_ring(random, profiles[round % profiles.size()]);
    const Placement placement = build(spec).value();
    const Zones zones = zones_of(spec.nodes, "zone"), racks = zones_of(spec.nodes, "rack");
    CAPTURE(spec.profile);
    CAPTURE(round);
    for (int i = 0; i < 6; ++i) {
      const std::string key = std::to_string(i % 2 == 0 ? random() : random() % 1000);
      const NodeNames order = order_of(spec, key);
      const NodeNames owner = naive_list(spec, order, 1);
      if (placement.empty()) {
        CHECK(owner.empty());
        continue;
      }
      const NodeIndex found = placement.owner(key);
      CHECK((found == no_node ? NodeNames() : NodeNames{spec.nodes[found].name}) == owner);
      std::vector<NodeIndex> many(2);
      placement.owners_of(std::vector<std::string_view>{key, key}, many);
      CHECK(many == std::vector<NodeIndex>{found, found});
      for (std::size_t n = 0; n <= spec.nodes.size() + 2; ++n) {
        CAPTURE(n);
        CHECK(names_in(spec, placement.owners(key, n)) == naive_list(spec, order, n));
        CHECK(names_in(spec, placement.owners(key, n, &zones)) == naive_list(spec, order, n, "zone"));
        CHECK(names_in(spec, placement.owners(key, n, &racks)) == naive_list(spec, order, n, "rack"));
      }
    }
  }
}

TEST_CASE("standing: a node that was down has all its keys again, and nobody else's keys ever moved") {
  Random random(72);
  for (const std::string& profile : orderly_profiles()) {
    CAPTURE(profile);
    for (int round = 0; round < 20; ++round) {
      RingSpec before = all_up(random_ring(random, profile));
      before.pins = random_pins(random);
      const std::string name = before.nodes[random() % before.nodes.size()].name;
      const RingSpec down = changed(before, to_state({name}, "down"));
      const RingSpec again = changed(down, to_state({name}, "up"));
      CHECK(again == before);
      const Side a(before), b(down);
      for (int i = 0; i < 50; ++i) {
        const std::string key = std::to_string(random());
        if (a.owner(key) == name) CHECK(b.owner(key) != name);
        else CHECK(b.owner(key) == a.owner(key));
      }
    }
  }
}

TEST_CASE("standing: a ring in whose nodes only states or labels change shares all its points with the one before") {
  const RingSpec before{"chash", {{"a"}, {"b"}, {"c"}}};
  const Placement placement = build(before).value();
  for (const Change& change :
       std::vector<Change>{to_state({"a"}, "down"), to_state({"b"}, "drain"),
                           AlterNodes{{"c"}, AlterNodes::Weigh::keep, 0, "", {}, {{"zone", "z"}}}}) {
    const RingSpec after = changed(before, change);
    CHECK(removed_between(*parse_profile("chash"), before.nodes, after.nodes).empty());
    const auto next = placement.changed({}, after.nodes);
    REQUIRE(next);
    CHECK(movement({*next, after.nodes}, Side(after))->moved == 0);
  }
}

TEST_CASE("standing: labels and addresses move nothing, and zones are part of the fingerprint") {
  Random random(73);
  for (const std::string& profile : orderly_profiles()) {
    const RingSpec before = random_ring(random, profile);
    AlterNodes change;
    change.names = {before.nodes.front().name};
    change.labels = {{"address", "10.0.0.1:80"}, {"team", "red"}};
    const RingSpec after = changed(before, change);
    CHECK(fingerprint(after) == fingerprint(before));
    CHECK(after.slots == before.slots);
    change.labels = {{"zone", "elsewhere"}};
    CHECK(fingerprint(changed(before, change)) != fingerprint(before));
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(random());
      CHECK(Side(after).owner(key) == Side(before).owner(key));
    }
  }
}

TEST_CASE("standing: a node that replaces another has exactly its keys, wherever the profile can say so") {
  Random random(74);
  std::size_t replaced = 0;
  for (const NamedProfile& named : named_profiles()) {
    CAPTURE(named.name);
    const auto profile = parse_profile(named.name).value();
    for (int round = 0; round < 10; ++round) {
      RingSpec before{profile.algorithm == Profile::Algorithm::balanced ? "balanced,slots=4096"
                                                                        : std::string(named.name)};
      const auto nodes = random_nodes(random, profile, 2 + random() % 4, 20, false);
      if (const auto added = resolve(before, AddNodes{nodes, false})) before = apply(before, *added);
      const std::string old = before.nodes[random() % before.nodes.size()].name;
      const auto delta = resolve(before, ReplaceNode{old, "10.9.9.9:11211", "10.9.9.9:80"});
      if (!delta) {
        CHECK(delta.error().code == Errc::invalid_argument);
        CHECK(delta.error().message.find("hashes the name itself") != std::string::npos);
        continue;
      }
      ++replaced;
      const RingSpec after = apply(before, *delta);
      const Side a(before), b(after);
      for (int i = 0; i < 100; ++i) {
        const std::string key = std::to_string(random()), was = a.owner(key);
        CHECK(b.owner(key) == (was == old ? "10.9.9.9:11211" : was));
      }
      // And back again, which needs no alias any more.
      const auto back = resolve(after, ReplaceNode{"10.9.9.9:11211", old, ""});
      REQUIRE(back);
      CHECK(fingerprint(apply(after, *back)) == fingerprint(before));
      CHECK(refusal(before, ReplaceNode{old, before.nodes.front().name, ""}).find("already in the ring") !=
            std::string::npos);
    }
  }
  CHECK(replaced > 150);
}

TEST_CASE("standing: two nodes cannot stand for one name") {
  const RingSpec ring = changed({"seed", {{"a"}, {"b"}}}, ReplaceNode{"a", "c", ""});
  CHECK(ring.nodes.front().name == "c");
  const RingSpec both = changed(ring, AddNodes{{{"a"}}, false});
  const auto built = build(both);
  REQUIRE_FALSE(built);
  CHECK(built.error().message == "node 'a': it is the same as 'c' to this profile");
  // Also where the ring would be changed in place.
  CHECK_FALSE(build(ring)->changed({}, both.nodes));
}

TEST_CASE("standing: what cannot be said of a node is refused") {
  const RingSpec ring{"seed", {{"a", 1, {}, {{"zone", "x"}}}, {"b", 2}}};
  CHECK(refusal(ring, to_state({"a"}, "away")) == "node 'a': state is neither up, drain nor down");
  CHECK(refusal(ring, to_state({"z"}, "down")) == "no node 'z' in the ring");
  CHECK(refusal(ring, to_state({"zone=y"}, "down")) == "no node of the ring has zone=y");
  CHECK(refusal(ring, to_state({}, "down")) == "no node is named");
  CHECK(resolve(ring, to_state({"zone=x", "a"}, "down"))->altered.size() == 1);
  CHECK(resolve(ring, to_state({"a", "b"}, "up"))->empty());
  AlterNodes weigh{{"b"}, AlterNodes::Weigh::add, -3};
  CHECK(refusal(ring, weigh) == "node 'b': its weight is out of range");
  weigh.weight = -2;
  CHECK(refusal(ring, weigh) == "node 'b': its weight is 0");
  weigh = {{"a", "b"}, AlterNodes::Weigh::scale, 0.5};
  CHECK(resolve(ring, weigh)->altered.back().weight == 1);
  AlterNodes label;
  label.names = {"a"};
  label.labels = {{"state", "x"}};
  CHECK(refusal(ring, label) == "node 'a': 'state' is no label: it is a field of this profile");
  label.labels = {{"zone", ""}};
  CHECK(resolve(ring, label)->altered.front().labels.empty());
  label.labels = {{"a b", "x"}};
  CHECK_FALSE(refusal(ring, label).empty());
  const RingSpec ketama{"libketama", {{"a:1"}, {"b:1"}}};
  CHECK(refusal(ketama, to_state({"a:1"}, "drain")).starts_with("node 'a:1': it cannot drain"));
  CHECK(refusal(ketama, to_state({"a:1"}, "down")).empty());
}

TEST_CASE("standing: a draining node of a balanced ring gets no slot, whatever comes and goes") {
  Random random(75);
  for (int round = 0; round < 30; ++round) {
    RingSpec ring{"balanced,slots=4096"};
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < 3 + random() % 5; ++i) nodes.push_back({"n" + std::to_string(i), 1});
    ring = apply(ring, resolve(ring, AddNodes{nodes, false}).value());
    ring = changed(ring, to_state({"n0"}, "drain"));
    for (int step = 0; step < 10; ++step) {
      const RingSpec before = ring;
      const std::string name = "n" + std::to_string(1 + random() % 9);
      const bool is_there = std::ranges::find(ring.nodes, name, &Node::name) != ring.nodes.end();
      if (!is_there) ring = changed(ring, AddNodes{{{name, 1}}, false});
      else if (random() % 2 == 0) ring = changed(ring, AlterNodes{{name}, AlterNodes::Weigh::set, 0.5});
      else if (ring.nodes.size() > 2) ring = changed(ring, RemoveNodes{{name}, false});
      for (std::size_t slot = 0; slot < ring.slots.size(); ++slot) {
        if (ring.nodes[ring.slots[slot]].name != "n0") continue;
        REQUIRE(before.nodes[before.slots[slot]].name == "n0");
      }
    }
    // When it may take again, it has what its weight gives it.
    const auto held = build(changed(ring, to_state({"n0"}, "up")))->points_by_node(ring.nodes.size());
    double total = 0;
    for (const Node& node : ring.nodes) total += node.weight;
    CHECK(static_cast<double>(held[0]) == doctest::Approx(4096 / total).epsilon(0.01));
  }
}

TEST_CASE("standing: a list looks at few nodes, also where zones are fewer than wanted, or down, or nobody is up") {
  const auto profile = parse_profile("chash").value();
  const auto looked_at = [&](const std::vector<Node>& nodes, std::size_t count, bool is_spread) {
    const NodeList list(nodes);
    const Zones zones = zones_of(list, "zone");
    const auto standing = Standing::of(profile, list);
    std::size_t most = 0;
    choose(standing.get(), is_spread ? &zones : nullptr, count, [&](std::size_t asked) {
      most = std::max(most, asked);
      std::vector<NodeIndex> order(std::min(asked, nodes.size()));
      for (NodeIndex i = 0; i < order.size(); ++i) order[i] = i;
      return order;
    });
    return most;
  };
  std::vector<Node> nodes;
  for (int i = 0; i < 1000; ++i) nodes.push_back({"n" + std::to_string(i), 1, {}, {{"zone", i % 2 == 0 ? "x" : "y"}}});
  CHECK(looked_at(nodes, 3, true) <= 8);
  CHECK(looked_at(nodes, 3, false) == 3);
  for (std::size_t i = 0; i < nodes.size(); i += 2) nodes[i].fields = {{"state", "down"}};
  CHECK(looked_at(nodes, 3, true) <= 16);
  CHECK(looked_at(nodes, 1, false) <= 4);
  for (std::size_t i = 1; i < nodes.size(); i += 2) nodes[i].fields = {{"state", "drain"}};
  CHECK(looked_at(nodes, 3, false) <= 4);
}

TEST_CASE("explain: the walk is the key's order, and each verdict is what the manual says of that node") {
  Random random(76);
  const auto profiles = orderly_profiles();
  for (int round = 0; round < 400; ++round) {
    const RingSpec spec = random_ring(random, profiles[static_cast<std::size_t>(round) % profiles.size()]);
    const auto profile = parse_profile(spec.profile).value();
    const Placement placement = build(spec).value();
    const Zones zones = zones_of(spec.nodes, "zone");
    const std::string key = std::to_string(random());
    const std::size_t n = 1 + random() % 5;
    const bool is_spread = random() % 2 == 0;
    CAPTURE(spec.profile);
    const Explanation found = explain(profile, spec.nodes, placement, key, n, is_spread ? &zones : nullptr);
    const NodeNames order = order_of(spec, key), list = naive_list(spec, order, n, is_spread ? "zone" : "");
    CHECK(names_in(spec, found.nodes) == list);
    REQUIRE(found.walk.size() <= order.size());
    std::size_t seen = 0;
    for (std::size_t i = 0; i < found.walk.size(); ++i) {
      const auto& [node, verdict] = found.walk[i];
      const std::string& name = spec.nodes[node].name;
      CHECK(name == order[i]);
      const auto place = std::ranges::find(list, name);
      seen += place != list.end() ? 1 : 0;
      if (place == list.begin() && !list.empty()) CHECK(verdict == Verdict::owner);
      else if (place != list.end()) CHECK(verdict == Verdict::replica);
      else if (naive_state(spec.nodes[node]) == "down") CHECK(verdict == Verdict::down);
      else if (naive_state(spec.nodes[node]) == "drain") CHECK(verdict == Verdict::drains);
      else CHECK(verdict == Verdict::other_zone);
    }
    CHECK(seen == list.size());
    if (list.empty()) CHECK(found.walk.size() == order.size());
    if (profile.algorithm != Profile::Algorithm::ring) continue;
    // No point of any node is nearer.
    REQUIRE(found.point);
    const Token circle = circle_of(found.bits), strict = profile.lookup == Profile::Lookup::strict ? 1 : 0;
    const auto distance = [&](Token point) { return (point - *found.position - strict) & circle; };
    for (const Point& point : NaiveRing(all_up(spec)).points)
      CHECK(distance(point.position) >= distance(found.point->position));
  }
}

}  // namespace chash
