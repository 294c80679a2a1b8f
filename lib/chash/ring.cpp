#include "chash/ring.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "chash/limits.h"
#include "chash/position_sort.h"

namespace chash {
namespace {

// nginx tries so many points and then goes round robin.
constexpr int tried_points = 21;

// Points that a walk sees for each node that it looks for, before it asks the nodes themselves.
constexpr std::size_t patience = 256;

// Longer lists mark their nodes instead of looking through them for each point.
constexpr std::size_t marked_above = 64;

// Keys that are hashed together: two of the widest groups of MD5.
constexpr std::size_t in_flight = 64;

// Of equal positions only the first or the last that was configured stays. Returns the others.
// Requires: points in order.
std::vector<Point> resolve_ties(Profile::Tie tie, std::vector<Point>& points) {
  std::vector<Point> covered;
  if (tie == Profile::Tie::index) return covered;
  std::size_t kept = 0;
  for (const Point& point : points) {
    if (kept == 0 || points[kept - 1].position != point.position) {
      points[kept++] = point;
    } else if (tie == Profile::Tie::first) {
      covered.push_back(point);
    } else {
      covered.push_back(std::exchange(points[kept - 1], point));
    }
  }
  points.resize(kept);
  return covered;
}

}  // namespace

std::vector<Token> Ring::Slots::positions(NodeIndex slot) const {
  std::vector<Token> found;
  if (members[slot] != nullptr) members[slot]->append(profile, found);
  return found;
}

// Asked for in a look-up of billions: what a node's points are need not be kept.
LineIndex::PositionsOf Ring::positions_from(std::shared_ptr<const Slots> slots) {
  return [slots = std::move(slots)](NodeIndex slot) { return slots->positions(slot); };
}

Result<Ring> Ring::build(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                         std::uint64_t most_points) {
  auto all = points_of(profile, members, nodes, most_points);
  if (!all) return std::move(all).error();
  std::vector<Point> points = all->make(profile);
  sort_by_position(
      profile.hash->bits, points, [](const Point& point) { return point.position; }, by_position);
  Ring ring;
  ring.key_rule_ = KeyRule(profile);
  ring.lookup_ = profile.lookup;
  ring.only_one_counts_ = profile.tie != Profile::Tie::index;
  ring.covered_ = resolve_ties(profile.tie, points);
  for (std::vector<Point>* some : {&points, &ring.covered_})
    for (Point& point : *some) point.member = members[point.member].node;
  std::ranges::sort(ring.covered_, by_position);
  ring.nodes_ = nodes.size();
  auto slots = std::make_shared<Slots>(Slots{profile, {}, all->text_bytes, most_points});
  slots->members.resize(nodes.size());
  for (MemberPoints& made : all->members) {
    const NodeIndex node = made.member.node;
    ring.members_ += made.count > 0 ? 1 : 0;
    if (made.member.down) {
      ring.down_.resize(nodes.size());
      ring.down_[node] = true;
    }
    slots->members.own(node) = std::make_shared<const MemberPoints>(std::move(made));
  }
  ring.slots_ = std::move(slots);
  ring.count_owners();
  ring.index_ = LineIndex(points, ring.key_rule_.bits(), ring.only_one_counts_, positions_from(ring.slots_));
  return ring;
}

// Whether the points of one node count before those of another where their positions are equal: in the order that the
// profile has, or in the opposite one.
bool Ring::wins(NodeIndex slot, NodeIndex other) const {
  const auto comes_before = [&](NodeIndex left, NodeIndex right) {
    const std::string &a = slots_->members[left]->member.identity, &b = slots_->members[right]->member.identity;
    if (slots_->profile.order == Profile::Order::given) return node_of(left) < node_of(right);
    if (slots_->profile.order == Profile::Order::length && a.size() != b.size()) return a.size() < b.size();
    return a < b;
  };
  return slots_->profile.tie == Profile::Tie::last ? comes_before(other, slot) : comes_before(slot, other);
}

// Of the nodes that have points, those whose points are all covered own nothing.
void Ring::count_owners() {
  owner_count_ = members_;
  if (covered_.empty()) return;
  std::vector<std::uint32_t> covered(slots_->members.size());
  for (const Point& point : covered_) ++covered[point.member];
  for (NodeIndex slot = 0; slot < covered.size(); ++slot)
    if (covered[slot] > 0 && covered[slot] == slots_->members[slot]->points(slots_->profile)) --owner_count_;
}

void Ring::count_points(std::vector<std::uint64_t>& by_node) const {
  if (only_one_counts_) index_.for_each_owner([&](NodeIndex slot) { ++by_node[node_of(slot)]; });
  if (only_one_counts_ || slots_ == nullptr) return;
  const Profile& profile = slots_->profile;
  for (NodeIndex slot = 0; slot < slots_->members.size(); ++slot)
    if (const auto& made = slots_->members[slot]; made != nullptr) by_node[node_of(slot)] += made->points(profile);
}

// --- Look-ups -------------------------------------------------------------------------------------------------------

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
  if (is_plain()) return node_of(index_.owner(position, lookup_ == Profile::Lookup::strict));
  LineIndex::Place point = first_point(position);
  for (int tried = 0; tried < tried_points; ++tried, point = index_.next(point))
    if (const NodeIndex slot = index_.owner(point); !is_down(slot)) return node_of(slot);
  return no_node;
}

void Ring::owners_at(std::span<const Token> positions, std::span<NodeIndex> found) const {
  if (!is_plain()) {
    for (std::size_t i = 0; i < positions.size(); ++i) found[i] = owner_at(positions[i]);
    return;
  }
  index_.owners(positions, lookup_ == Profile::Lookup::strict, found);
  if (node_of_.empty()) return;
  for (NodeIndex& owner : found) owner = node_of_[owner];
}

void Ring::owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const {
  assert(!empty() && keys.size() == found.size());
  std::array<Token, in_flight> positions;
  for (std::size_t done = 0; done < keys.size(); done += in_flight) {
    const auto some = keys.subspan(done, std::min(in_flight, keys.size() - done));
    const auto wanted = found.subspan(done, some.size());
    const std::span<Token> placed = std::span(positions).first(some.size());
    if (is_plain() && key_rule_.positions(some, placed)) {
      owners_at(placed, wanted);
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
  for (NodeIndex node = 0; node < slots_->members.size(); ++node) {
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
  const auto position = key_rule_.position(key);
  return position ? owners_at(*position, count) : std::vector<NodeIndex>();
}

std::vector<NodeIndex> Ring::owners_at(Token position, std::size_t count) const {
  std::vector<NodeIndex> found = slots_at(position, count);
  for (NodeIndex& owner : found) owner = node_of(owner);
  return found;
}

std::vector<NodeIndex> Ring::slots_at(Token position, std::size_t count) const {
  std::vector<NodeIndex> found;
  count = std::min(count, owner_count_);
  if (count == 0) return found;
  found.reserve(count);
  if (is_plain()) {
    std::size_t left = patience + patience * count;
    std::vector<bool> marks(count > marked_above ? slots_->members.size() : 0);
    index_.walk(position, lookup_ == Profile::Lookup::strict, [&](NodeIndex node) {
      const bool is_new = marks.empty() ? std::ranges::find(found, node) == found.end() : !marks[node];
      if (is_new) found.push_back(node);
      if (!marks.empty()) marks[node] = true;
      return found.size() < count && --left > 0;
    });
    if (found.size() < count) append_rare(position, count, found);
    return found;
  }
  if (owner_at(position) == no_node) return found;
  const auto take = [&](LineIndex::Place point) {
    const NodeIndex node = index_.owner(point);
    if (!is_down(node) && std::ranges::find(found, node) == found.end()) found.push_back(node);
  };
  if (lookup_ != Profile::Lookup::nearest) {
    LineIndex::Place point = first_point(position);
    for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited, point = index_.next(point))
      take(point);
    return found;
  }
  // To both sides, the nearer point first: what would be nearest without the nodes before.
  LineIndex::Place forward = index_.first(position, false), backward = index_.previous(forward);
  for (std::size_t visited = 0; visited < points() && found.size() < count; ++visited) {
    const bool back = previous_is_nearer(position, backward, forward);
    take(back ? backward : forward);
    back ? backward = index_.previous(backward) : forward = index_.next(forward);
  }
  return found;
}

// --- Cuts -----------------------------------------------------------------------------------------------------------

void Ring::append_cuts(const Ring* known, std::vector<Token>& cuts) const {
  if (slots_ == nullptr) return;
  std::unordered_map<std::string_view, const MemberPoints*> others;
  if (known != nullptr && known->slots_ != nullptr && lookup_ != Profile::Lookup::nearest)
    for (NodeIndex slot = 0; slot < known->slots_->members.size(); ++slot)
      if (const auto& made = known->slots_->members[slot]; made != nullptr)
        others.emplace(made->member.identity, made.get());
  std::vector<Token> points;
  for (NodeIndex slot = 0; slot < slots_->members.size(); ++slot) {
    const auto& made = slots_->members[slot];
    if (made == nullptr) continue;
    const auto other = others.find(made->member.identity);
    if (other == others.end() || !other->second->has_points_of(*made)) made->append(slots_->profile, points);
  }
  const unsigned bits = key_rule_.bits();
  const Token circle = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
  if (lookup_ != Profile::Lookup::nearest) {
    const Token behind = lookup_ == Profile::Lookup::successor ? 1 : 0;
    for (const Token point : points) cuts.push_back((point + behind) & circle);
    return;
  }
  // A point owns its own position and up to half the way to the next; of equal ones, each its side.
  sort_by_position(bits, points, std::identity(), std::less());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Token next = points[i + 1 < points.size() ? i + 1 : 0];
    for (const Token cut : {points[i], points[i] + 1, points[i] + (((next - points[i]) & circle) >> 1) + 1})
      cuts.push_back(cut & circle);
  }
}

}  // namespace chash
