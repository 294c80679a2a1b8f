// Rings as their profiles describe them, slowly: points in order, a look through them, and a walk over all arcs.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chash/members.h"
#include "chash/movement.h"
#include "chash/naive_states.h"
#include "chash/placement.h"
#include "chash/points.h"
#include "chash/profile.h"
#include "chash/samples.h"

namespace chash::test {

// A ring with its placement.
struct Side {
  explicit Side(RingSpec given) : spec(std::move(given)), placement(placed(spec)) {}
  operator Placed() const { return {placement, spec.nodes}; }  // NOLINT: what movement() takes
  // The name of a node, or nothing where there is none.
  std::string name(NodeIndex node) const { return node == no_node ? "" : spec.nodes[node].name; }
  std::string owner(const std::string& key) const { return placement.empty() ? "" : name(placement.owner(key)); }

  RingSpec spec;
  Placement placement;
};

inline Token circle_of(unsigned bits) { return bits == 128 ? ~Token{0} : (Token{1} << bits) - 1; }

// A ring as its profile describes it: points in order, and a look through them.
struct NaiveRing {
  explicit NaiveRing(const RingSpec& spec) : profile(parse_profile(spec.profile).value()) {
    const bool heavy = std::ranges::any_of(spec.nodes, [](const Node& node) { return node.weight > 1; });
    if (heavy && !profile.heavier.empty()) profile = heavier_profile(profile).value();
    const auto members = members_of(profile, spec.nodes).value();
    std::map<Token, std::vector<NodeIndex>> by_position;
    is_down.resize(spec.nodes.size());
    for (const Member& member : members) is_down[member.node] = naive_state(spec.nodes[member.node]) == "down";
    for (const Point& point : points_of(profile, members, spec.nodes).value().make(profile))
      by_position[point.position].push_back(members[point.member].node);
    for (const auto& [position, nodes] : by_position) {
      if (profile.tie == Profile::Tie::first) points.push_back({position, nodes.front()});
      else if (profile.tie == Profile::Tie::last) points.push_back({position, nodes.back()});
      else
        for (const NodeIndex node : nodes) points.push_back({position, node});
    }
    if (members.size() == 1 && !is_down[members.front().node] && !points.empty()) only = members.front().node;
  }

  NodeIndex owner(Token position) const {
    const std::size_t n = points.size();
    if (only != no_node || n == 0) return only;
    std::size_t following = 0, behind = 0;  // the first at or after it, and the first after it
    while (following < n && points[following].position < position) ++following;
    while (behind < n && points[behind].position <= position) ++behind;
    const Point &next = points[following % n], &previous = points[(following + n - 1) % n];
    const Token circle = circle_of(profile.hash->bits);
    switch (profile.lookup) {
      case Profile::Lookup::strict: return first_up(behind);
      case Profile::Lookup::successor: return first_up(following);
      case Profile::Lookup::predecessor: return first_up(behind + n - 1);
      case Profile::Lookup::nearest: break;
    }
    const bool back = ((position - previous.position) & circle) <= ((next.position - position) & circle);
    return (back ? previous : next).member;
  }

  // From this point on, the first whose node is not down.
  NodeIndex first_up(std::size_t point) const {
    for (std::size_t i = 0; i < points.size(); ++i)
      if (const NodeIndex node = points[(point + i) % points.size()].member; !is_down[node]) return node;
    return no_node;
  }

  Profile profile;
  std::vector<Point> points;
  std::vector<bool> is_down;
  NodeIndex only = no_node;  // one alone has all keys
};

// Every place near a point of either ring or near the middle of two: a superset of all where something may change.
inline std::vector<Token> naive_cuts(const NaiveRing& a, const NaiveRing& b) {
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

using NaiveFlows = std::map<std::pair<std::string, std::string>, long double>;

// Of a balanced ring: who has the slot, or stands in for him.
inline std::string naive_owner(const RingSpec& spec, const Placement& all, std::size_t slot) {
  if (spec.slots.empty()) return "";
  NodeNames order{spec.nodes[spec.slots[slot]].name};
  if (naive_state(spec.nodes[spec.slots[slot]]) == "up") return order.front();
  order.clear();
  const Token position = Token{slot} << (64 - std::countr_zero(spec.slots.size()));
  for (const NodeIndex node : all.owners_at(position, spec.nodes.size())) order.push_back(spec.nodes[node].name);
  const NodeNames list = naive_list(spec, order, 1);
  return list.empty() ? "" : list.front();
}

inline NaiveFlows naive_flows_of_slots(const RingSpec& before, const RingSpec& after) {
  NaiveFlows flows;
  const Placement all_before = build(all_up(before)).value(), all_after = build(all_up(after)).value();
  const std::size_t slots = std::max(before.slots.size(), after.slots.size());
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const std::string from = naive_owner(before, all_before, slot), to = naive_owner(after, all_after, slot);
    if (from != to) flows[{from, to}] += 1.0L / static_cast<long double>(slots);
  }
  return flows;
}

// What moves from which name to which, as parts of a circle; no name where there is no node.
inline NaiveFlows naive_flows(const RingSpec& before, const RingSpec& after) {
  if (parse_profile(before.profile)->algorithm == Profile::Algorithm::balanced)
    return naive_flows_of_slots(before, after);
  const NaiveRing a(before), b(after);
  const unsigned bits = a.profile.hash->bits;
  const auto cuts = naive_cuts(a, b);
  const auto name = [](const RingSpec& spec, NodeIndex node) { return node == no_node ? "" : spec.nodes[node].name; };
  NaiveFlows flows;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Token end = i + 1 < cuts.size() ? cuts[i + 1] : circle_of(bits) + 1;
    const std::string from = name(before, a.owner(cuts[i])), to = name(after, b.owner(cuts[i]));
    const Token length = end - cuts[i];
    if (from != to) flows[{from, to}] += std::ldexp(static_cast<long double>(length), -static_cast<int>(bits));
  }
  return flows;
}

// --- Small rings under every profile --------------------------------------------------------------------------------

// The profile with so few points that a slow walk over all of them is quick.
inline std::string small_profile(const NamedProfile& named) {
  using Count = Profile::Count;
  const auto profile = parse_profile(named.name).value();
  const std::string name(named.name);
  if (profile.algorithm == Profile::Algorithm::balanced) return name + ",slots=4096";
  if (profile.points == Profile::Points::tokens) return name;
  if (profile.count == Count::fill) return name + ",min_points=24";
  return name + ",vnodes=" + std::to_string(profile.words == 1 ? 6 : 2);
}

// Rings, and balanced: whatever has a circle of its own.
inline std::vector<std::string> small_profiles_with_circle() {
  std::vector<std::string> found;
  for (const NamedProfile& named : named_profiles()) {
    const auto algorithm = parse_profile(named.name)->algorithm;
    if (algorithm == Profile::Algorithm::ring || algorithm == Profile::Algorithm::balanced)
      found.push_back(small_profile(named));
  }
  return found;
}

// One that the profile can have, of this name.
inline Node random_node(std::mt19937_64& random, const Profile& profile, std::string name, bool may_be_down = true) {
  const bool weighted = profile.weights == Profile::Weights::any || profile.weights == Profile::Weights::whole;
  Node node{std::move(name), weighted ? static_cast<double>(1 + random() % 3) : 1};
  if (profile.zero_weight == Profile::ZeroWeight::none && random() % 12 == 0) node.weight = 0;
  if (profile.points == Profile::Points::tokens)
    node.fields = {{"tokens", std::to_string(random()) + ',' + std::to_string(random())}};
  if (profile.algorithm == Profile::Algorithm::balanced && random() % 2 == 0)
    node.fields.emplace_back("zone", random() % 2 == 0 ? "east" : "west");
  if (may_be_down && random() % 10 == 0) node.fields.emplace_back("state", "down");
  return node;
}

inline std::string random_name(std::mt19937_64& random, std::size_t names) {
  return "10.0.0." + std::to_string(random() % names + 1) + ":11211";
}

// Nodes of different names out of so many, in any order.
inline std::vector<Node> random_nodes(std::mt19937_64& random, const Profile& profile, std::size_t count,
                                      std::size_t names, bool may_be_down = true) {
  std::vector<Node> nodes;
  std::set<std::string> taken;
  while (nodes.size() < count)
    if (std::string name = random_name(random, names); taken.insert(name).second)
      nodes.push_back(random_node(random, profile, std::move(name), may_be_down));
  return nodes;
}

}  // namespace chash::test
