// Movement between placements, held against a naive walk over all arcs and against keys.
#include "chash/movement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "chash/naive_ring.h"
#include "chash/profile.h"
#include "chash/samples.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;

double percent(double share) { return std::round(share * 1e6) / 1e4; }

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

TEST_CASE("movement: what is sampled is as near to ten times as many keys as it says") {
  Random random(63);
  int rings = 0, near = 0;
  for (const std::string text : {"jump", "envoy-maglev,table=251", "go-rendezvous-xxhash", "mcrouter-ch3"}) {
    CAPTURE(text);
    const auto profile = parse_profile(text).value();
    for (int round = 0; round < 15; ++round) {
      RingSpec first{text, random_nodes(random, profile, 2 + random() % 8, 20, false)};
      RingSpec second = first;
      const std::string gone = first.nodes[random() % first.nodes.size()].name;
      if (round % 3 > 0) second.nodes.erase_if([&](const Node& node) { return node.name == gone; });
      if (round % 3 < 2) second.nodes.push_back(random_node(random, profile, "new:1", false));
      const Side before(first), after(second);
      REQUIRE_FALSE(movement(before, after));
      constexpr int samples = 1'000;
      const Movement found = sampled_movement(before, after, profile, samples);
      std::map<std::pair<std::string, std::string>, int> flows;
      int moved = 0;
      for (int i = 0; i < 10 * samples; ++i) {
        const std::string key = random_bytes(random, 12);
        const std::string from = before.owner(key), to = after.owner(key);
        if (from == to) continue;
        ++moved;
        ++flows[{from, to}];
      }
      const auto share = [](int keys) { return keys / (10.0 * samples); };
      const double distance = std::abs(share(moved) - found.moved);
      CHECK(found.error > 0);
      CHECK(found.error < 0.035);
      CHECK(distance < 2.2 * found.error);
      ++rings;
      near += distance <= found.error;
      double sum = 0, had = 0, has = 0;
      for (const Flow& flow : found.flows) {
        CHECK(std::abs(flow.share - share(flows[{before.name(flow.from), after.name(flow.to)}])) < 0.07);
        sum += flow.share;
      }
      for (const double one : found.before) had += one;
      for (const double one : found.after) has += one;
      CHECK(sum == doctest::Approx(found.moved));
      CHECK(had == doctest::Approx(1));
      CHECK(has == doctest::Approx(1));
      CHECK(found.minimum <= found.moved + 1e-12);
      CHECK(sampled_movement(before, before, profile, samples).moved == 0);
    }
  }
  CHECK(near >= rings * 85 / 100);
}

}  // namespace chash
