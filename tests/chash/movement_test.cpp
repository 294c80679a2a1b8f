// Movement between placements, held against a naive walk over all arcs and against keys.
#include "chash/movement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chash/points.h"
#include "chash/profile.h"
#include "chash/samples.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;

struct Side {
  explicit Side(RingSpec given) : spec(std::move(given)), placement(placed(spec)) {}
  operator Placed() const { return {placement, spec.nodes}; }  // NOLINT: what movement() takes
  RingSpec spec;
  Placement placement;
};

double percent(double share) { return std::round(share * 1e6) / 1e4; }

Token circle_of(unsigned bits) { return bits == 128 ? ~Token{0} : (Token{1} << bits) - 1; }

// A ring as its profile describes it: points in order, and a look through them.
struct NaiveRing {
  explicit NaiveRing(const RingSpec& spec) : profile(parse_profile(spec.profile).value()) {
    const bool heavy = std::ranges::any_of(spec.nodes, [](const Node& node) { return node.weight > 1; });
    if (heavy && !profile.heavier.empty()) profile = heavier_profile(profile).value();
    const auto members = members_of(profile, spec.nodes).value();
    std::map<Token, std::vector<NodeIndex>> by_position;
    for (const Point& point : points_of(profile, members, spec.nodes).value().make(profile))
      by_position[point.position].push_back(members[point.member].node);
    for (const auto& [position, nodes] : by_position) {
      if (profile.tie == Profile::Tie::first) points.push_back({position, nodes.front()});
      else if (profile.tie == Profile::Tie::last) points.push_back({position, nodes.back()});
      else
        for (const NodeIndex node : nodes) points.push_back({position, node});
    }
  }

  NodeIndex owner(Token position) const {
    const std::size_t n = points.size();
    std::size_t following = 0, behind = 0;  // the first at or after it, and the first after it
    while (following < n && points[following].position < position) ++following;
    while (behind < n && points[behind].position <= position) ++behind;
    const Point &next = points[following % n], &previous = points[(following + n - 1) % n];
    const Token circle = circle_of(profile.hash->bits);
    switch (profile.lookup) {
      case Profile::Lookup::strict: return points[behind % n].member;
      case Profile::Lookup::successor: return next.member;
      case Profile::Lookup::predecessor: return points[(behind + n - 1) % n].member;
      case Profile::Lookup::nearest: break;
    }
    const bool back = ((position - previous.position) & circle) <= ((next.position - position) & circle);
    return (back ? previous : next).member;
  }

  Profile profile;
  std::vector<Point> points;
};

// Every place near a point of either ring or near the middle of two: a superset of all where something may change.
std::vector<Token> naive_cuts(const NaiveRing& a, const NaiveRing& b) {
  const Token circle = circle_of(a.profile.hash->bits);
  std::set<Token> points, cuts{0};
  for (const NaiveRing* ring : {&a, &b}) {
    for (std::size_t i = 0; i < ring->points.size(); ++i) {
      const Token here = ring->points[i].position, next = ring->points[(i + 1) % ring->points.size()].position;
      points.insert({here, here + (((next - here) & circle) >> 1)});
    }
  }
  for (const Token point : points)
    for (Token near = point - 1; near != point + 3; ++near) cuts.insert(near & circle);
  return {cuts.begin(), cuts.end()};
}

// What moves, as parts of a circle.
std::map<std::pair<std::string, std::string>, long double> naive_flows(const RingSpec& before, const RingSpec& after) {
  const NaiveRing a(before), b(after);
  const unsigned bits = a.profile.hash->bits;
  const auto cuts = naive_cuts(a, b);
  std::map<std::pair<std::string, std::string>, long double> flows;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Token end = i + 1 < cuts.size() ? cuts[i + 1] : circle_of(bits) + 1;
    const std::string &from = before.nodes[a.owner(cuts[i])].name, &to = after.nodes[b.owner(cuts[i])].name;
    const Token length = end - cuts[i];
    if (from != to) flows[{from, to}] += std::ldexp(static_cast<long double>(length), -static_cast<int>(bits));
  }
  return flows;
}

RingSpec random_ring(Random& random, const NamedProfile& named, std::size_t nodes) {
  const auto profile = parse_profile(named.name).value();
  const bool weighted = profile.weights == Profile::Weights::any || profile.weights == Profile::Weights::whole;
  RingSpec spec{std::string(named.name) + (named.name == "envoy-ring-hash" ? ",min_points=64" : ""), {}};
  for (std::size_t i = 0; i < nodes; ++i) {
    Node node{"10.0.0." + std::to_string(i + 1) + ":11211", weighted ? static_cast<double>(1 + random() % 3) : 1};
    if (named.name == "cassandra") node.fields = {{"tokens", std::to_string(random())}};
    spec.nodes.push_back(std::move(node));
  }
  return spec;
}

}  // namespace

TEST_CASE("movement: a fourth node of the seed's three takes 26.2509 % of the keys, and nothing else moves") {
  const Side before(RingSpec{"seed", {{"cache-node-1"}, {"cache-node-2"}, {"cache-node-3"}}});
  const Side after(RingSpec{"seed", {{"cache-node-1"}, {"cache-node-2"}, {"cache-node-3"}, {"cache-node-4"}}});
  const auto found = movement(before, after);
  REQUIRE(found);
  CHECK(percent(found->moved) == 26.2509);
  REQUIRE(found->flows.size() == 3);
  CHECK(percent(found->flows[0].share) == 8.9461);
  CHECK(percent(found->flows[1].share) == 10.2792);
  CHECK(percent(found->flows[2].share) == 7.0255);
  CHECK(found->needless == 0);
  CHECK(found->minimum == doctest::Approx(found->moved).epsilon(1e-12));
}

TEST_CASE("movement: one heavy node re-points the others of a ketama ring") {
  RingSpec ten{"libketama", {}};
  for (int i = 1; i <= 10; ++i) ten.nodes.push_back({"10.0.0." + std::to_string(i) + ":11211", static_cast<double>(i)});
  RingSpec eleven = ten;
  eleven.nodes.push_back({"10.0.0.11:11211", 50});
  const auto found = movement(Side(ten), Side(eleven));
  REQUIRE(found);
  CHECK(std::round(found->moved * 1e4) == 5978);
  CHECK(std::round(found->needless * 1e4) == 1447);
  CHECK(found->minimum == doctest::Approx(found->moved - found->needless));
}

TEST_CASE("movement: flows are those of a naive walk over all arcs, under every profile of a ring") {
  Random random(61);
  for (const NamedProfile& named : named_profiles()) {
    if (parse_profile(named.name)->algorithm != Profile::Algorithm::ring) continue;
    CAPTURE(named.name);
    for (int round = 0; round < 3; ++round) {
      RingSpec before = random_ring(random, named, 3), after = before;
      const std::string gone = before.nodes[random() % before.nodes.size()].name;
      if (round > 0) after.nodes.erase_if([&](const Node& node) { return node.name == gone; });
      Node come{"10.0.1.1:11211"};
      if (named.name == "cassandra") come.fields = {{"tokens", std::to_string(random())}};
      if (round < 2) after.nodes.push_back(std::move(come));
      const auto found = movement(Side(before), Side(after));
      REQUIRE(found);
      auto expected = naive_flows(before, after);
      double moved = 0;
      for (const Flow& flow : found->flows) {
        const long double naive = expected[{before.nodes[flow.from].name, after.nodes[flow.to].name}];
        CHECK(std::abs(static_cast<long double>(flow.share) - naive) < 1e-15L);
        moved += flow.share;
      }
      CHECK(found->flows.size() == expected.size());
      CHECK(found->moved == doctest::Approx(moved));
    }
  }
}

TEST_CASE("movement: of a balanced ring it is the slots, and just the least") {
  const RingSpec before{"balanced,slots=4096", {{"a"}, {"b"}, {"c"}}};
  const RingSpec first = apply({"balanced,slots=4096", {}}, {{{"a"}, {"b"}, {"c"}}, {}});
  const RingSpec second = apply(first, {{{"d", 2}}, {"b"}});
  std::map<std::pair<NodeIndex, NodeIndex>, double> expected;
  for (std::size_t slot = 0; slot < 4096; ++slot) {
    const NodeIndex from = first.slots[slot], to = second.slots[slot];
    if (first.nodes[from].name != second.nodes[to].name) expected[{from, to}] += 1.0 / 4096;
  }
  const auto found = movement(Side(first), Side(second));
  REQUIRE(found);
  CHECK(found->flows.size() == expected.size());
  for (const Flow& flow : found->flows) CHECK(flow.share == expected[{flow.from, flow.to}]);
  CHECK(found->needless == 0);
  CHECK(found->moved == found->minimum);
}

TEST_CASE("movement: of every rank it is what keys do") {
  Random random(62);
  for (const std::string profile : {"seed,vnodes=20", "nginx-hash-consistent", "libketama", "balanced,slots=4096"}) {
    CAPTURE(profile);
    const RingSpec first = apply({profile, {}}, {{{"a:1"}, {"b:1", 2}, {"c:1"}, {"d:1"}, {"e:1"}}, {}});
    const RingSpec second = apply(first, {{{"f:1"}}, {"b:1"}});
    const Side before(first), after(second);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      const auto found = movement(before, after, rank);
      REQUIRE(found);
      constexpr int keys = 20'000;
      int moved = 0;
      for (int i = 0; i < keys; ++i) {
        const std::string key = random_bytes(random, 12);
        const NodeIndex from = before.placement.owners(key, rank + 1)[rank];
        const NodeIndex to = after.placement.owners(key, rank + 1)[rank];
        moved += first.nodes[from].name != second.nodes[to].name;
      }
      const double error = std::sqrt(found->moved * (1 - found->moved) / keys);
      CHECK(std::abs(moved / double{keys} - found->moved) < 4.5 * error);
      double sum = 0;
      const auto ranges = moved_ranges(before, after, rank);
      for (const MovedRange& range : *ranges)
        sum += std::ldexp(static_cast<double>(range.last - range.first + 1),
                          -static_cast<int>(before.placement.key_rule().bits()));
      CHECK(sum == doctest::Approx(found->moved));
    }
  }
}

TEST_CASE("movement: to and from a ring of nobody or of one node, and between what cannot be compared") {
  const Side none(RingSpec{"seed", {}}), one(RingSpec{"seed", {{"a"}}}), two(RingSpec{"seed", {{"a"}, {"b"}}});
  const auto all = movement(none, one);
  REQUIRE(all);
  CHECK(all->flows == std::vector<Flow>{{no_node, 0, 1}});
  CHECK(movement(one, none)->flows == std::vector<Flow>{{0, no_node, 1}});
  CHECK(movement(one, one)->flows.empty());
  CHECK(movement(none, none)->moved == 0);
  const double b = movement(one, two)->moved;
  CHECK(b > 0.3);
  CHECK(b == doctest::Approx(movement(two, one)->moved));
  CHECK_FALSE(movement(two, Side(RingSpec{"chash", {{"a"}, {"b"}}})));
  CHECK_FALSE(movement(Side(RingSpec{"jump", {{"a"}, {"b"}}}), Side(RingSpec{"jump", {{"a"}, {"b"}, {"c"}}})));
  CHECK_FALSE(movement(Side(RingSpec{"haproxy-consistent", {{"a"}, {"b"}}}),
                       Side(RingSpec{"haproxy-consistent", {{"a"}, {"c"}}}), 1));
}

}  // namespace chash
