#include "chash/ring.h"

#include <algorithm>
#include <cassert>

namespace chash {
namespace {

// nginx tries so many points and then goes round robin.
constexpr int tried_points = 21;

// Equal positions: only the first or the last that was made stays.
void resolve_ties(Profile::Tie tie, std::vector<Point>& points) {
  if (tie == Profile::Tie::index) return;
  if (tie == Profile::Tie::last) std::ranges::reverse(points);
  std::ranges::stable_sort(points, {}, &Point::position);
  const auto rest = std::ranges::unique(points, {}, &Point::position);
  points.erase(rest.begin(), rest.end());
}

}  // namespace

Result<Ring> Ring::build(const Profile& profile, std::span<const Member> members, std::span<const Node> nodes) {
  auto points = points_of(profile, members, nodes);
  if (!points) return std::move(points).error();
  resolve_ties(profile.tie, *points);
  std::ranges::sort(*points, [](const Point& a, const Point& b) {
    return a.position != b.position ? a.position < b.position : a.member < b.member;
  });
  Ring ring;
  ring.key_rule_ = KeyRule(profile);
  ring.lookup_ = profile.lookup;
  ring.down_rule_ = profile.down;
  ring.node_count_ = nodes.size();
  ring.positions_.reserve(points->size());
  ring.owners_.reserve(points->size());
  std::vector<bool> owns(nodes.size());
  for (const Point& point : *points) {
    const NodeIndex node = members[point.member].node;
    ring.positions_.push_back(point.position);
    ring.owners_.push_back(node);
    ring.owner_count_ += owns[node] ? 0 : 1;
    owns[node] = true;
  }
  for (const Member& member : members) {
    if (!member.down) continue;
    ring.down_.resize(nodes.size());
    ring.down_[member.node] = true;
  }
  return ring;
}

std::size_t Ring::first_point(Token position) const {
  switch (lookup_) {
    case Profile::Lookup::strict: {
      const auto at = std::ranges::upper_bound(positions_, position);
      return at == positions_.end() ? 0 : static_cast<std::size_t>(at - positions_.begin());
    }
    case Profile::Lookup::predecessor:
      return before(static_cast<std::size_t>(std::ranges::upper_bound(positions_, position) - positions_.begin()));
    default: break;
  }
  const auto at = std::ranges::lower_bound(positions_, position);
  const std::size_t following = at == positions_.end() ? 0 : static_cast<std::size_t>(at - positions_.begin());
  if (lookup_ == Profile::Lookup::successor) return following;
  const std::size_t previous = before(following);
  return previous_is_nearer(position, previous, following) ? previous : following;
}

// Distances on a circle of as many bits as the hash has; the one before wins when they are equal.
bool Ring::previous_is_nearer(Token position, std::size_t previous, std::size_t following) const {
  const unsigned bits = key_rule_.bits();
  const Token circle = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
  return ((position - positions_[previous]) & circle) <= ((positions_[following] - position) & circle);
}

NodeIndex Ring::owner(std::string_view key) const {
  const auto position = key_rule_.position(key);
  return position ? owner_at(*position) : no_node;
}

NodeIndex Ring::owner_at(Token position) const {
  assert(!empty());
  std::size_t point = first_point(position);
  if (down_.empty()) return owners_[point];
  for (int tried = 0; tried < tried_points; ++tried, point = next(point))
    if (!down_[owners_[point]]) return owners_[point];
  return no_node;
}

std::vector<NodeIndex> Ring::owners(std::string_view key, std::size_t count) const {
  std::vector<NodeIndex> found;
  const auto position = key_rule_.position(key);
  if (empty() || !position || owner_at(*position) == no_node) return found;
  count = std::min(count, owner_count_);
  std::vector<bool> seen = down_.empty() ? std::vector<bool>(node_count_) : down_;
  const auto take = [&](std::size_t point) {
    if (seen[owners_[point]]) return;
    seen[owners_[point]] = true;
    found.push_back(owners_[point]);
  };
  std::size_t forward = first_point(*position), backward = before(forward);
  if (lookup_ == Profile::Lookup::nearest && backward != forward) {
    // To both sides, the nearer point first: what would be nearest without the nodes before.
    forward = static_cast<std::size_t>(std::ranges::lower_bound(positions_, *position) - positions_.begin());
    if (forward == points()) forward = 0;
    backward = before(forward);
    for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited) {
      const bool back = previous_is_nearer(*position, backward, forward);
      take(back ? backward : forward);
      back ? backward = before(backward) : forward = next(forward);
    }
    return found;
  }
  for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited, forward = next(forward))
    take(forward);
  return found;
}

}  // namespace chash
