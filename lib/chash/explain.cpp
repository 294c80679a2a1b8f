#include "chash/explain.h"

#include <algorithm>
#include <array>

#include "chash/points.h"

namespace chash {
namespace {

constexpr std::array<std::string_view, 5> verdict_names{"owner", "replica", "down", "drains", "other zone"};

Token circle_of(unsigned bits) { return bits == 128 ? ~Token{0} : (Token{1} << bits) - 1; }

// How far a point is from a position, the way that the profile looks for it.
Token distance(Profile::Lookup lookup, Token position, Token point, unsigned bits) {
  const Token circle = circle_of(bits), forward = (point - position) & circle, back = (position - point) & circle;
  switch (lookup) {
    case Profile::Lookup::strict: return (forward - 1) & circle;  // its own place is the farthest
    case Profile::Lookup::successor: return forward;
    case Profile::Lookup::predecessor: return back;
    case Profile::Lookup::nearest: break;
  }
  return std::min(forward, back);
}

// Of the points of the node that the order begins with, the one that it begins at.
std::optional<Explanation::Start> point_of(const Profile& asked, const NodeList& nodes, NodeIndex node,
                                           Token position) {
  const bool heavy = !asked.heavier.empty() && std::ranges::any_of(nodes, [](const Node& n) { return n.weight > 1; });
  const auto profile = heavy ? heavier_profile(asked) : asked;
  if (!profile) return std::nullopt;
  const auto members = members_of(*profile, nodes);
  if (!members) return std::nullopt;
  const auto made = points_of(*profile, *members, nodes);
  if (!made) return std::nullopt;
  const auto member = std::ranges::find(made->members, node, [](const MemberPoints& one) { return one.member.node; });
  if (member == made->members.end()) return std::nullopt;
  std::vector<Token> points;
  member->append(*profile, points);
  const auto nearest = std::ranges::min_element(
      points, {}, [&](Token point) { return distance(profile->lookup, position, point, profile->hash->bits); });
  if (nearest == points.end()) return std::nullopt;
  return Explanation::Start{*nearest, static_cast<std::uint64_t>(nearest - points.begin()), node};
}

Verdict verdict_of(NodeIndex node, const NodeList& nodes, const std::vector<NodeIndex>& list) {
  const auto place = std::ranges::find(list, node);
  if (place == list.begin() && !list.empty()) return Verdict::owner;
  if (place != list.end()) return Verdict::replica;
  const auto state = node_state(nodes[node]);
  if (state && *state == NodeState::down) return Verdict::down;
  return state && *state == NodeState::drain ? Verdict::drains : Verdict::other_zone;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) { return verdict_names[static_cast<std::size_t>(verdict)]; }

Explanation explain(const Profile& profile, const NodeList& nodes, const Placement& placement, std::string_view key,
                    std::size_t count, const Zones* zones) {
  Explanation found;
  const KeyRule& rule = placement.key_rule();
  if (rule.bits() > 0) {
    std::string scratch;
    found.hashed = rule.prepared(key, scratch);
    found.hash = rule.hash(key);
  }
  if (!placement.empty()) found.nodes = placement.owners(key, count, zones);
  // As much of the order as has the whole list; all of it where nobody answers.
  std::vector<NodeIndex> order;
  for (std::size_t asked = std::max<std::size_t>(count, 1);; asked *= 2) {
    order = placement.order(key, asked);
    const auto has = [&](NodeIndex node) { return std::ranges::find(order, node) != order.end(); };
    if (order.size() < asked || (found.nodes.size() >= count && std::ranges::all_of(found.nodes, has))) break;
  }
  found.pinned = placement.pinned(key).size();
  std::size_t left = found.nodes.size();
  for (const NodeIndex node : order) {
    if (!found.nodes.empty() && left == 0) break;
    found.walk.push_back({node, verdict_of(node, nodes, found.nodes)});
    if (found.walk.back().verdict <= Verdict::replica) --left;
  }
  const bool is_ring = profile.algorithm == Profile::Algorithm::ring;
  const bool is_balanced = profile.algorithm == Profile::Algorithm::balanced;
  if (!(is_ring || is_balanced) || !found.hash) return found;
  found.bits = rule.bits();
  found.position = rule.position_of_hash(*found.hash);
  if (is_balanced) found.slot = static_cast<std::uint64_t>(*found.position >> bits_below_slot(profile));
  else if (const auto first = placement.order_by_hash(key, 1); !first.empty())
    found.point = point_of(profile, nodes, first.front(), *found.position);
  return found;
}

}  // namespace chash
