#include "chash/ring.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <memory>
#include <numeric>
#include <optional>

#include "chash/limits.h"

namespace chash {
namespace {

// nginx tries so many points and then goes round robin.
constexpr int tried_points = 21;

// Points that a walk sees for each node that it looks for, before it asks the nodes themselves.
constexpr std::size_t patience = 256;

// Keys that are hashed together: two of the widest groups of MD5.
constexpr std::size_t in_flight = 64;

bool by_position(const Point& a, const Point& b) {
  return a.position != b.position ? a.position < b.position : a.member < b.member;
}

// Hashes spread: by their upper bits the points fall into heaps of a few each, which are then put in order one by one.
// Building 1.6 million points takes 118 ms with it, and 192 with std::sort.
void sort_points(unsigned bits, std::vector<Point>& points) {
  constexpr std::size_t heap = 8;  // points, on average
  const auto upper = static_cast<unsigned>(std::bit_width(points.size() / heap));
  if (upper < 2) return void(std::ranges::sort(points, by_position));
  const auto heap_of = [&](const Point& point) { return static_cast<std::size_t>(point.position >> (bits - upper)); };
  std::vector<std::size_t> ends((std::size_t{1} << upper) + 1);
  for (const Point& point : points) ++ends[heap_of(point) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<Point> sorted(points.size());
  for (const Point& point : points) sorted[ends[heap_of(point)]++] = point;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(begin), sorted.begin() + static_cast<std::ptrdiff_t>(end),
              by_position);
    begin = end;
  }
  points = std::move(sorted);
}

// Of equal positions only the first or the last that was configured stays.  Requires: points in order.
void resolve_ties(Profile::Tie tie, std::vector<Point>& points) {
  if (tie == Profile::Tie::index) return;
  if (tie == Profile::Tie::last) std::ranges::reverse(points);
  const auto rest = std::ranges::unique(points, {}, &Point::position);
  points.erase(rest.begin(), rest.end());
  if (tie == Profile::Tie::last) std::ranges::reverse(points);
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

Result<Ring> Ring::build(const Profile& profile, std::span<const Member> members, std::span<const Node> nodes) {
  auto all = points_of(profile, members, nodes);
  if (!all) return std::move(all).error();
  std::vector<Point> points = all->make(profile);
  sort_points(profile.hash->bits, points);
  resolve_ties(profile.tie, points);
  Ring ring;
  ring.key_rule_ = KeyRule(profile);
  ring.lookup_ = profile.lookup;
  ring.only_one_counts_ = profile.tie != Profile::Tie::index;
  auto slots = std::make_shared<Slots>(Slots{profile, {}, all->text_bytes});
  slots->members.resize(nodes.size());
  std::vector<bool> owns(members.size());
  for (Point& point : points) {
    owns[point.member] = true;
    point.member = members[point.member].node;
  }
  ring.owner_count_ = static_cast<std::size_t>(std::ranges::count(owns, true));
  for (MemberPoints& made : all->members) {
    const NodeIndex node = made.member.node;
    if (made.member.down) {
      ring.down_.resize(nodes.size());
      ring.down_[node] = true;
    }
    slots->members[node] = std::make_shared<const MemberPoints>(std::move(made));
  }
  ring.slots_ = std::move(slots);
  ring.index_ = LineIndex(points, ring.key_rule_.bits(), ring.only_one_counts_, positions_from(ring.slots_));
  return ring;
}

// --- Changes --------------------------------------------------------------------------------------------------------

bool Ring::may_change_in_place(const Delta& delta) const {
  if (slots_ == nullptr || only_one_counts_ || !down_.empty()) return false;
  const Profile& profile = slots_->profile;
  const bool alone = profile.count == Profile::Count::fixed || profile.count == Profile::Count::weight ||
                     profile.count == Profile::Count::replicas;
  const bool few = delta.added.size() + delta.removed.size() <= 8 + slots_->members.size() / 16;
  return alone && few && profile.points != Profile::Points::haproxy && profile.heavier.empty();
}

// In the order that the profile has, which is also that of points with equal positions.
bool Ring::comes_before(NodeIndex slot, NodeIndex other) const {
  const std::string &a = slots_->members[slot]->member.identity, &b = slots_->members[other]->member.identity;
  switch (slots_->profile.order) {
    case Profile::Order::given: return node_of(slot) < node_of(other);
    case Profile::Order::length: return a.size() != b.size() ? a.size() < b.size() : a < b;
    case Profile::Order::bytes: break;
  }
  return a < b;
}

bool Ring::has_identity_of(std::span<const Member> members) const {
  if (slots_->profile.identity == "{name}") return false;  // names are compared before a change is made
  return std::ranges::any_of(slots_->members, [&](const auto& made) {
    return made != nullptr && std::ranges::find(members, made->member.identity, &Member::identity) != members.end();
  });
}

// Takes the members out whose nodes are gone, and gives the others the new positions of their nodes.
void Ring::take_out(const Delta& delta, std::span<const Node> before, Slots& slots, std::vector<Point>& gone) {
  std::vector<NodeIndex> moved_to(before.size());
  NodeIndex position = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool stays = delta.removed.empty() || std::ranges::find(delta.removed, before[i].name) == delta.removed.end();
    moved_to[i] = stays ? position++ : no_node;
  }
  std::vector<NodeIndex> node_of(slots.members.size());
  for (NodeIndex slot = 0; slot < node_of.size(); ++slot) {
    const NodeIndex node = this->node_of(slot);
    node_of[slot] = node == no_node ? no_node : moved_to[node];
    if (node == no_node || node_of[slot] != no_node || slots.members[slot] == nullptr) continue;
    for (const Token point : slots.positions(slot)) gone.push_back({point, slot});
    owner_count_ -= slots.members[slot]->count > 0 ? 1 : 0;
    slots.members[slot].reset();
  }
  node_of_ = std::move(node_of);
}

// Puts members in, whose nodes stand at `position` and behind, where a slot is free.
void Ring::put_in(std::span<const MemberPoints> members, NodeIndex position, Slots& slots, std::vector<Point>& come) {
  auto free_slot = node_of_.begin();
  for (const MemberPoints& made : members) {
    free_slot = std::find(free_slot, node_of_.end(), no_node);
    const auto slot = static_cast<NodeIndex>(free_slot - node_of_.begin());
    if (free_slot == node_of_.end()) {
      slots.members.emplace_back();
      node_of_.push_back(no_node);
      free_slot = node_of_.end() - 1;
    }
    slots.members[slot] = std::make_shared<const MemberPoints>(made);
    node_of_[slot] = position + made.member.node;
    owner_count_ += made.count > 0 ? 1 : 0;
    for (const Token point : slots.positions(slot)) come.push_back({point, slot});
  }
}

std::optional<Ring> Ring::changed(const Delta& delta, std::span<const Node> before) const {
  if (!may_change_in_place(delta)) return std::nullopt;
  const auto members = members_of(slots_->profile, delta.added);
  if (!members || members->size() != delta.added.size() || has_identity_of(*members)) return std::nullopt;
  const auto made = points_of(slots_->profile, *members, delta.added);
  const bool any_down = std::ranges::any_of(*members, &Member::down);
  if (!made || any_down || index_.points() + made->points > limits::points) return std::nullopt;

  Ring next = *this;
  auto slots = std::make_shared<Slots>(*slots_);
  std::vector<Point> gone, come;
  next.take_out(delta, before, *slots, gone);
  next.put_in(made->members, static_cast<NodeIndex>(before.size() - delta.removed.size()), *slots, come);
  slots->text_bytes += made->text_bytes;  // what went is not counted: at the limit the ring is built anew
  if (slots->members.size() > LineIndex::most_owners || slots->text_bytes > limits::point_text_bytes)
    return std::nullopt;
  // Without holes a slot is its node's position, and look-ups are spared a step.
  NodeIndex slot = 0;
  if (std::ranges::all_of(next.node_of_, [&](NodeIndex node) { return node == slot++; })) next.node_of_.clear();
  next.slots_ = slots;
  auto index = index_.changed(gone, come, positions_from(slots),
                              [&](NodeIndex a, NodeIndex b) { return next.comes_before(a, b); });
  if (!index) return std::nullopt;
  next.index_ = std::move(*index);
  return next;
}

void Ring::count_points(std::vector<std::uint64_t>& by_node) const {
  if (only_one_counts_) index_.for_each_owner([&](NodeIndex slot) { ++by_node[node_of(slot)]; });
  if (only_one_counts_ || slots_ == nullptr) return;
  const Profile& profile = slots_->profile;
  for (NodeIndex slot = 0; slot < slots_->members.size(); ++slot)
    if (const auto& made = slots_->members[slot]; made != nullptr)
      by_node[node_of(slot)] +=
          std::uint64_t{made->count} * (profile.points == Profile::Points::text ? profile.words : 1);
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

void Ring::owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const {
  assert(!empty() && keys.size() == found.size());
  std::array<Token, in_flight> positions;
  for (std::size_t done = 0; done < keys.size(); done += in_flight) {
    const auto some = keys.subspan(done, std::min(in_flight, keys.size() - done));
    const auto wanted = found.subspan(done, some.size());
    const std::span<Token> placed = std::span(positions).first(some.size());
    if (is_plain() && key_rule_.positions(some, placed)) {
      index_.owners(placed, lookup_ == Profile::Lookup::strict, wanted);
      if (!node_of_.empty())
        for (NodeIndex& owner : wanted) owner = node_of_[owner];
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
  std::vector<NodeIndex> found = slots_of(key, count);
  for (NodeIndex& owner : found) owner = node_of(owner);
  return found;
}

std::vector<NodeIndex> Ring::slots_of(std::string_view key, std::size_t count) const {
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
