// The profile `balanced`: who gets how many slots, which of them move, and where replicas are.
#include "chash/balanced.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include "chash/limits.h"
#include "chash/placement.h"
#include "chash/slot_shares.h"

using namespace chash;

namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

// Whole weights, so that quotas can be compared without rounding.
double random_weight(Random& random) {
  return static_cast<double>(below(random, 8) == 0 ? below(random, 1000) : 1 + below(random, 4));
}

// The least number of slots that a change can move, by trying all ways to round the quotas.  Cost: O(2^nodes).
std::uint32_t least_by_trying(std::uint32_t slots, const std::vector<std::uint64_t>& weights,
                              const std::vector<std::uint32_t>& held) {
  std::uint64_t total = 0;
  for (const std::uint64_t weight : weights) total += weight;
  std::uint32_t least = slots;
  for (std::uint32_t way = 0; way < 1U << weights.size(); ++way) {
    std::uint64_t sum = 0;
    std::uint32_t moved = 0;
    bool right = true;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const bool up = (way >> i & 1) != 0;
      const std::uint64_t share = slots * weights[i] / total + (up ? 1 : 0);
      right = right && (!up || slots * weights[i] % total != 0);
      sum += share;
      moved += share > held[i] ? static_cast<std::uint32_t>(share) - held[i] : 0;
    }
    if (right && sum == slots) least = std::min(least, moved);
  }
  return least;
}

// The same for any number of nodes: who holds more than his rounded-down quota already takes the first that are left
// over, for nothing; each other one costs a slot.
std::uint64_t least_moves(std::uint64_t slots, const NodeList& nodes, const std::vector<std::uint32_t>& held) {
  std::uint64_t total = 0, sum = 0, moves = 0, free_of_charge = 0;
  for (const Node& node : nodes) total += static_cast<std::uint64_t>(node.weight);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::uint64_t product = slots * static_cast<std::uint64_t>(nodes[i].weight), share = product / total;
    sum += share;
    if (share > held[i]) moves += share - held[i];
    if (product % total != 0 && held[i] > share) ++free_of_charge;
  }
  const std::uint64_t left = slots - sum;
  return moves + (left > free_of_charge ? left - free_of_charge : 0);
}

std::string name_of(std::uint64_t i) { return "node-" + std::to_string(i); }

RingSpec balanced_ring(std::size_t nodes, const std::string& parameters = "") {
  AddNodes all;
  for (std::size_t i = 0; i < nodes; ++i) all.nodes.push_back({name_of(i)});
  const RingSpec empty{"balanced" + parameters};
  return apply(empty, *resolve(empty, all));
}

// By node, how many slots it has.
std::vector<std::uint32_t> counts(const SlotTable& table, std::size_t nodes) {
  std::vector<std::uint32_t> found(nodes);
  for (const NodeIndex node : table.nodes()) ++found[node];
  return found;
}

// A change of 1 to 3 nodes of some that may be there.
Change random_change(Random& random, const RingSpec& spec, std::size_t most) {
  const bool add = spec.nodes.size() < 2 || (spec.nodes.size() < most && below(random, 2) == 0);
  std::set<std::string> names;
  for (std::uint64_t i = 1 + below(random, 3); i > 0; --i)
    names.insert(add ? name_of(below(random, 4 * most)) : spec.nodes[below(random, spec.nodes.size())].name);
  if (!add) return RemoveNodes{{names.begin(), names.end()}, true};
  AddNodes change{{}, true};
  for (const std::string& name : names) change.nodes.push_back({name, random_weight(random)});
  return change;
}

}  // namespace

TEST_CASE("balanced: shares are quotas rounded, and move the least of all ways to round") {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const std::size_t nodes = 1 + below(random, 8);
    const auto slots = static_cast<std::uint32_t>(1 + below(random, 64));
    std::vector<std::uint64_t> whole(nodes);
    for (std::uint64_t& weight : whole) weight = below(random, 6);
    whole.front() += 1;
    std::vector<std::uint32_t> held(nodes + 1);
    for (std::uint32_t slot = 0; slot < slots; ++slot) ++held[below(random, nodes + 1)];  // the last: nobody's
    held.pop_back();
    const std::vector<double> weights(whole.begin(), whole.end());
    const auto shares = slot_shares(slots, weights, held);
    std::uint32_t sum = 0, moved = 0;
    for (std::size_t i = 0; i < nodes; ++i) {
      sum += shares[i];
      moved += shares[i] - std::min(shares[i], held[i]);
    }
    REQUIRE(sum == slots);
    REQUIRE(moved == least_by_trying(slots, whole, held));
  }
}

TEST_CASE("balanced: 10,000 random changes each move the least that is possible, from and to whom it must be") {
  Random random(2);
  RingSpec spec{"balanced,slots=4096"};
  for (int change = 0; change < 10'000; ++change) {
    const auto delta = resolve(spec, random_change(random, spec, 60));
    REQUIRE(delta);
    if (delta->empty()) continue;
    const RingSpec next = apply(spec, *delta);
    std::vector<std::uint32_t> held(next.nodes.size());
    std::vector<NodeIndex> now(spec.nodes.size(), no_node);
    for (NodeIndex i = 0; i < spec.nodes.size(); ++i) {
      const auto found = std::ranges::find(next.nodes, spec.nodes[i].name, &Node::name);
      if (found != next.nodes.end()) now[i] = static_cast<NodeIndex>(found - next.nodes.begin());
    }
    for (const NodeIndex node : spec.slots.nodes())
      if (now[node] != no_node) ++held[now[node]];
    const bool any = std::ranges::any_of(next.nodes, [](const Node& node) { return node.weight > 0; });
    REQUIRE(next.slots.size() == (any ? 4096 : 0));
    if (any) {
      std::uint64_t moved = 0, total = 0;
      for (const Node& node : next.nodes) total += static_cast<std::uint64_t>(node.weight);
      for (std::size_t slot = 0; slot < next.slots.size(); ++slot)
        if (spec.slots.empty() || now[spec.slots[slot]] != next.slots[slot]) ++moved;
      REQUIRE(moved == least_moves(4096, next.nodes, held));
      const auto has = counts(next.slots, next.nodes.size());
      for (std::size_t i = 0; i < has.size(); ++i) {
        const std::uint64_t product = 4096 * static_cast<std::uint64_t>(next.nodes[i].weight);
        REQUIRE(has[i] >= product / total);
        REQUIRE(has[i] <= (product + total - 1) / total);
      }
    }
    spec = next;
  }
}

TEST_CASE("balanced: any weights give shares to one slot") {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> weights(1 + below(random, 300));
    for (double& weight : weights) weight = std::exp(static_cast<double>(below(random, 20'000)) / 1000 - 13);
    const std::vector<std::uint32_t> held(weights.size());
    const auto shares = slot_shares(65'536, weights, held);
    long double total = 0;
    for (const double weight : weights) total += weight;
    for (std::size_t i = 0; i < weights.size(); ++i)
      REQUIRE(std::abs(shares[i] - 65'536 * weights[i] / total) < 1.0001L);
  }
}

TEST_CASE("balanced: 100 equal nodes are within a hundredth of each other") {
  const RingSpec spec = balanced_ring(100);
  CHECK(spec.slots.size() == 65'536);
  CHECK(std::ranges::max(counts(spec.slots, 100)) <= 1.01 * 655.36);
}

// What daemons of several releases hold must be the same: a change of this number is a change of everybody's placement.
TEST_CASE("balanced: the same history gives the same table everywhere") {
  Random random(4);
  RingSpec spec{"balanced"};
  for (int change = 0; change < 300; ++change) {
    const auto delta = resolve(spec, random_change(random, spec, 40));
    REQUIRE(delta);
    if (!delta->empty()) spec = apply(spec, *delta);
  }
  CHECK(hex(fingerprint(spec)) == "922ea690e7d1b4bdc812a7deae05e955");
}

TEST_CASE("balanced: rings with other slots have other fingerprints, whatever the order of their profile") {
  for (const char* profile : {"balanced,slots=4096", "balanced,slots=4096,order=bytes"}) {
    const RingSpec empty{profile}, a = apply(empty, {{{"a"}, {"b"}}, {}}), b = apply(empty, {{{"b"}, {"a"}}, {}});
    CHECK(fingerprint(a) != fingerprint(b));
  }
}

TEST_CASE("balanced: rare zones are found among many nodes") {
  AddNodes all;
  for (int i = 0; i < 3000; ++i) all.nodes.push_back({name_of(i), 1, {{"zone", "z" + std::to_string(i % 250)}}});
  all.nodes.push_back({"alone", 1, {{"zone", "rare"}}});
  const RingSpec empty{"balanced"}, spec = apply(empty, *resolve(empty, all));
  const auto placement = build(spec);
  REQUIRE(placement);
  for (int key = 0; key < 100; ++key) {
    std::set<std::string> zones;
    for (const NodeIndex node : placement->owners(std::to_string(key), 251))
      zones.insert(spec.nodes[node].fields[0].second);
    CHECK(zones.size() == 251);
  }
}

TEST_CASE("balanced: a table is only taken with the nodes that it is of") {
  const RingSpec spec = balanced_ring(3);
  const auto refuses = [&](RingSpec other) {
    const auto made = build(other);
    return !made && made.error().code == Errc::invalid_argument;
  };
  CHECK(build(spec));
  RingSpec fewer = spec, lighter = spec, shorter = spec;
  fewer.nodes.erase_if([](const Node& node) { return node.name == "node-2"; });
  CHECK(refuses(fewer));
  lighter.nodes = {{"node-0"}, {"node-1", 0}, {"node-2"}};
  CHECK(refuses(lighter));
  shorter.slots = SlotTable(std::vector<NodeIndex>(4096, 0));
  CHECK(refuses(shorter));
  CHECK(refuses({"balanced,slots=4096", balanced_ring(4097).nodes}));
  CHECK(build({"balanced,slots=4096", balanced_ring(4096).nodes}));
}

TEST_CASE("balanced: only parameters that make sense") {
  for (const char* good : {"balanced", "balanced,slots=4096", "balanced,slots=1048576", "balanced,hash=crc32"})
    CHECK_MESSAGE(parse_profile(good), good);
  for (const char* bad : {"balanced,slots=2048", "balanced,slots=65535", "balanced,slots=2097152",
                          "balanced,hash=crc16", "balanced,hash=crc32/31", "redis-cluster,slots=32768"})
    CHECK_MESSAGE(!parse_profile(bad), bad);
}

TEST_CASE("balanced: keys go by the upper bits of their hash, alone and in batches") {
  const RingSpec spec = balanced_ring(10, ",slots=8192");
  const auto placement = build(spec);
  REQUIRE(placement);
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("key:" + std::to_string(i));
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<NodeIndex> found(keys.size());
  placement->owners_of(views, found);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t slot = static_cast<std::size_t>(*placement->key_rule().hash(keys[i])) >> (64 - 13);
    CHECK(found[i] == spec.slots[slot]);
    CHECK(placement->owner(keys[i]) == spec.slots[slot]);
  }
}

TEST_CASE("balanced: replicas are distinct, of distinct zones as far as there are any, and a longer list goes on") {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    AddNodes all;
    const std::size_t nodes = 1 + below(random, 20), zones = 1 + below(random, 6);
    for (std::size_t i = 0; i < nodes; ++i) {
      Node node{name_of(i), random_weight(random)};
      if (below(random, 10) != 0) node.fields = {{"zone", "z" + std::to_string(below(random, zones))}};
      all.nodes.push_back(std::move(node));
    }
    all.nodes.front().weight = 1;
    const RingSpec empty{"balanced,slots=4096"}, spec = apply(empty, *resolve(empty, all));
    const auto placement = build(spec);
    REQUIRE(placement);
    const auto zone_of = [&](NodeIndex node) {
      const Node& of = spec.nodes[node];
      return of.fields.empty() ? "of " + of.name : of.fields.front().second;
    };
    std::set<std::string> all_zones;
    std::size_t able = 0;
    for (NodeIndex i = 0; i < nodes; ++i) {
      if (spec.nodes[i].weight == 0) continue;
      all_zones.insert(zone_of(i));
      ++able;
    }
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(i);
      const auto whole = placement->owners(key, nodes + 1);
      REQUIRE(whole.size() == able);
      CHECK(whole.front() == placement->owner(key));
      CHECK(std::set<NodeIndex>(whole.begin(), whole.end()).size() == able);
      std::set<std::string> first_zones;
      for (std::size_t rank = 0; rank < all_zones.size(); ++rank) first_zones.insert(zone_of(whole[rank]));
      CHECK(first_zones == all_zones);
      const std::size_t count = 1 + below(random, able);
      CHECK(placement->owners(key, count) == std::vector(whole.begin(), whole.begin() + static_cast<int>(count)));
    }
  }
}

// A row of replicas is the table itself, permuted: whoever fails leaves its keys to all others alike.
TEST_CASE("balanced: what one node loses, all others get alike") {
  const RingSpec spec = balanced_ring(20, ",hash=number");
  const auto placement = build(spec);
  REQUIRE(placement);
  std::vector<std::vector<int>> second(20, std::vector<int>(20));
  for (std::uint64_t slot = 0; slot < spec.slots.size(); ++slot) {
    const auto owners = placement->owners(std::to_string(slot << 48), 2);
    REQUIRE(owners.size() == 2);
    ++second[owners[0]][owners[1]];
  }
  for (NodeIndex lost = 0; lost < 20; ++lost)
    for (NodeIndex heir = 0; heir < 20; ++heir)
      if (heir != lost) CHECK(std::abs(second[lost][heir] - 65'536.0 / 20 / 19) < 60);
}
