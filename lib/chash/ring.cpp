#include "chash/ring.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <optional>

namespace chash {
namespace {

// nginx tries so many points and then goes round robin.
constexpr int tried_points = 21;

// Points that a walk sees for each node that it looks for, before it asks the nodes themselves.
constexpr std::size_t patience = 256;

// Keys that are hashed together: two of the widest groups of MD5.
constexpr std::size_t in_flight = 64;

// Equal positions: only the first or the last that was made stays.
void resolve_ties(Profile::Tie tie, std::vector<Point>& points) {
  if (tie == Profile::Tie::index) return;
  if (tie == Profile::Tie::last) std::ranges::reverse(points);
  std::ranges::stable_sort(points, {}, &Point::position);
  const auto rest = std::ranges::unique(points, {}, &Point::position);
  points.erase(rest.begin(), rest.end());
}

// Asked for in a look-up of billions: what a node's points are need not be kept.
LineIndex::PositionsOf positions_from(PointMaker maker, std::size_t nodes) {
  constexpr std::uint32_t no_member = 0xffffffff;
  std::vector<std::uint32_t> member_of(nodes, no_member);
  for (std::uint32_t member = 0; member < maker.members(); ++member) member_of[maker.member(member).node] = member;
  return
      [maker = std::make_shared<const PointMaker>(std::move(maker)), member_of = std::move(member_of)](NodeIndex node) {
        std::vector<Token> positions;
        if (member_of[node] != no_member) maker->append(member_of[node], positions);
        return positions;
      };
}

}  // namespace

Result<Ring> Ring::build(const Profile& profile, std::span<const Member> members, std::span<const Node> nodes) {
  auto maker = PointMaker::build(profile, members, nodes);
  if (!maker) return std::move(maker).error();
  std::vector<Point> points = maker->all();
  resolve_ties(profile.tie, points);
  std::ranges::sort(points, [](const Point& a, const Point& b) {
    return a.position != b.position ? a.position < b.position : a.member < b.member;
  });
  Ring ring;
  ring.key_rule_ = KeyRule(profile);
  ring.lookup_ = profile.lookup;
  ring.only_one_counts_ = profile.tie != Profile::Tie::index;
  ring.node_count_ = nodes.size();
  std::vector<bool> owns(nodes.size());
  for (Point& point : points) {
    point.member = members[point.member].node;
    if (!owns[point.member]) ++ring.owner_count_;
    owns[point.member] = true;
  }
  ring.index_ =
      LineIndex(points, ring.key_rule_.bits(), ring.only_one_counts_, positions_from(std::move(*maker), nodes.size()));
  for (const Member& member : members) {
    if (!member.down) continue;
    ring.down_.resize(nodes.size());
    ring.down_[member.node] = true;
  }
  return ring;
}

LineIndex::Place Ring::first_point(Token position) const {
  switch (lookup_) {
    case Profile::Lookup::strict: return index_.first(position, true);
    case Profile::Lookup::successor: return index_.first(position, false);
    case Profile::Lookup::predecessor: return index_.previous(index_.first(position, true));
    case Profile::Lookup::nearest: break;
  }
  const LineIndex::Place following = index_.first(position, false), previous = index_.previous(following);
  return previous_is_nearer(position, previous, following) ? previous : following;
}

// Distances on a circle of as many bits as the hash has; the one before wins when they are equal.
bool Ring::previous_is_nearer(Token position, LineIndex::Place previous, LineIndex::Place following) const {
  const unsigned bits = key_rule_.bits();
  const Token circle = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
  return ((position - index_.position(previous)) & circle) <= ((index_.position(following) - position) & circle);
}

NodeIndex Ring::owner(std::string_view key) const {
  const auto position = key_rule_.position(key);
  return position ? owner_at(*position) : no_node;
}

NodeIndex Ring::owner_at(Token position) const {
  assert(!empty());
  if (is_plain()) return index_.owner(position, lookup_ == Profile::Lookup::strict);
  LineIndex::Place point = first_point(position);
  for (int tried = 0; tried < tried_points; ++tried, point = index_.next(point))
    if (const NodeIndex node = index_.owner(point); !is_down(node)) return node;
  return no_node;
}

void Ring::owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const {
  assert(!empty() && keys.size() == found.size());
  std::array<Token, in_flight> positions;
  for (std::size_t done = 0; done < keys.size(); done += in_flight) {
    const auto some = keys.subspan(done, std::min(in_flight, keys.size() - done));
    const auto wanted = found.subspan(done, some.size());
    const std::span<Token> placed = std::span(positions).first(some.size());
    if (is_plain() && key_rule_.positions(some, placed)) {
      index_.owners(placed, lookup_ == Profile::Lookup::strict, wanted);
    } else {
      for (std::size_t i = 0; i < some.size(); ++i) wanted[i] = owner(some[i]);
    }
  }
}

// Nodes that no point of a long walk belonged to have few points: their next ones are found from their side.
void Ring::append_rare(Token position, std::size_t count, std::vector<NodeIndex>& found) const {
  struct Next {
    Token distance;
    NodeIndex node;
  };
  const unsigned bits = key_rule_.bits();
  const Token circle = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
  const Token from = position + (lookup_ == Profile::Lookup::strict ? 1 : 0);
  std::vector<Next> rest;
  for (NodeIndex node = 0; node < node_count_; ++node) {
    if (std::ranges::find(found, node) != found.end()) continue;
    std::optional<Next> nearest;
    for (const Token point : index_.positions_of(node)) {
      const Token distance = (point - from) & circle;
      if (nearest && nearest->distance <= distance) continue;
      // Another node's point may have taken the place of this one.
      if (only_one_counts_ && index_.owner(index_.first(point, false)) != node) continue;
      nearest = {distance, node};
    }
    if (nearest) rest.push_back(*nearest);
  }
  std::ranges::sort(rest, [&](const Next& a, const Next& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    if (a.node == b.node) return false;
    // Of points with equal positions the index has the order.
    LineIndex::Place place = index_.first((from + a.distance) & circle, false);
    while (index_.owner(place) != a.node && index_.owner(place) != b.node) place = index_.next(place);
    return index_.owner(place) == a.node;
  });
  for (std::size_t i = 0; i < rest.size() && found.size() < count; ++i) found.push_back(rest[i].node);
}

std::vector<NodeIndex> Ring::owners(std::string_view key, std::size_t count) const {
  std::vector<NodeIndex> found;
  const auto position = key_rule_.position(key);
  count = std::min(count, owner_count_);
  if (!position || count == 0) return found;
  found.reserve(count);
  if (is_plain()) {
    std::size_t left = patience + patience * count;
    index_.walk(*position, lookup_ == Profile::Lookup::strict, [&](NodeIndex node) {
      if (std::ranges::find(found, node) == found.end()) found.push_back(node);
      return found.size() < count && --left > 0;
    });
    if (found.size() < count) append_rare(*position, count, found);
    return found;
  }
  if (owner_at(*position) == no_node) return found;
  const auto take = [&](LineIndex::Place point) {
    const NodeIndex node = index_.owner(point);
    if (!is_down(node) && std::ranges::find(found, node) == found.end()) found.push_back(node);
  };
  if (lookup_ != Profile::Lookup::nearest) {
    LineIndex::Place point = first_point(*position);
    for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited, point = index_.next(point))
      take(point);
    return found;
  }
  // To both sides, the nearer point first: what would be nearest without the nodes before.
  LineIndex::Place forward = index_.first(*position, false), backward = index_.previous(forward);
  for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited) {
    const bool back = previous_is_nearer(*position, backward, forward);
    take(back ? backward : forward);
    back ? backward = index_.previous(backward) : forward = index_.next(forward);
  }
  return found;
}

}  // namespace chash
