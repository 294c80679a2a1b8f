// How a ring becomes the next one: by the points that come and go.
#include <algorithm>
#include <memory>
#include <numeric>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "chash/limits.h"
#include "chash/node_identity.h"
#include "chash/ring.h"

namespace chash {
namespace {

// Above this part of the nodes, building the ring anew is quicker.
constexpr std::size_t part_of_all = 64;
constexpr std::size_t always_few = 8;  // nodes

bool has_alias(const Node& node) {
  return !node.fields.empty() &&
         std::ranges::find(node.fields, alias_field, &NodeFields::value_type::first) != node.fields.end();
}

}  // namespace

// What a change comes to, while it is made.
struct Ring::Edit {
  const Slots& before;
  Slots& slots;
  std::vector<Point> gone, come;
  std::size_t replaced = 0;  // members that have other points than before
};

// Whether the points of a node depend on that node alone.
bool Ring::counts_alone() const {
  const Profile& profile = slots_->profile;
  const bool alone = profile.count == Profile::Count::fixed || profile.count == Profile::Count::weight ||
                     profile.count == Profile::Count::replicas;
  return alone && profile.points != Profile::Points::haproxy;
}

bool Ring::has_identity_of(std::span<const Member> members) const {
  if (members.empty()) return false;
  std::unordered_set<std::string_view> identities;
  for (const Member& member : members) identities.insert(member.identity);
  for (NodeIndex slot = 0; slot < slots_->members.size(); ++slot)
    if (const auto& made = slots_->members[slot]; made != nullptr && identities.contains(made->member.identity))
      return true;
  return false;
}

// Gives every slot the new position of its node, and takes out those whose nodes are gone.
void Ring::renumber(std::span<const NodeIndex> removed, Edit& edit) {
  if (removed.empty()) return;
  if (node_of_.empty()) {
    node_of_.resize(edit.slots.members.size());
    std::iota(node_of_.begin(), node_of_.end(), 0);
  }
  const auto take_out = [&](NodeIndex slot) {
    node_of_[slot] = no_node;
    replace(slot, nullptr, edit);
    if (!down_.empty()) down_[slot] = false;
  };
  if (removed.size() == 1) {  // as a rule; this takes a third of the time of the loop below, or less
    const NodeIndex gone = removed.front();
    const auto slot = std::ranges::find(node_of_, gone) - node_of_.begin();
    for (NodeIndex& position : node_of_) position -= position > gone && position != no_node ? 1 : 0;
    return take_out(static_cast<NodeIndex>(slot));
  }
  for (NodeIndex slot = 0; slot < node_of_.size(); ++slot) {
    NodeIndex& position = node_of_[slot];
    if (position == no_node) continue;
    const auto next = std::ranges::lower_bound(removed, position);
    const bool is_gone = next != removed.end() && *next == position;
    position -= static_cast<NodeIndex>(next - removed.begin());
    if (is_gone) take_out(slot);
  }
}

// Puts the nodes from `first` on where slots are free.  Returns their slots.
std::vector<NodeIndex> Ring::give_slots(std::size_t first, std::size_t nodes, Edit& edit) {
  std::vector<NodeIndex> given;
  for (NodeIndex slot = 0; slot < node_of_.size() && first + given.size() < nodes; ++slot) {
    if (node_of_[slot] != no_node) continue;
    node_of_[slot] = static_cast<NodeIndex>(first + given.size());
    given.push_back(slot);
  }
  for (auto slot = static_cast<NodeIndex>(edit.slots.members.size()); first + given.size() < nodes; ++slot) {
    if (!node_of_.empty()) node_of_.push_back(static_cast<NodeIndex>(first + given.size()));
    given.push_back(slot);
    edit.slots.members.resize(slot + 1);
  }
  if (!down_.empty()) down_.resize(edit.slots.members.size());
  return given;
}

std::vector<NodeIndex> Ring::slots_by_node() const {
  std::vector<NodeIndex> found(nodes_);
  for (NodeIndex slot = 0; slot < slots_->members.size(); ++slot)
    if (const NodeIndex node = node_of(slot); node != no_node) found[node] = slot;
  return found;
}

// A node's points become others: what both have stays.
void Ring::replace(NodeIndex slot, std::shared_ptr<const MemberPoints> made, Edit& edit) {
  auto& place = edit.slots.members.own(slot, edit.before.members);
  const auto points_of = [&](const std::shared_ptr<const MemberPoints>& some) {
    std::vector<Token> points;
    if (some != nullptr) some->append(edit.slots.profile, points);
    return points;
  };
  const std::vector<Token> old = points_of(place), now = points_of(made);
  const auto [left, right] = std::ranges::mismatch(old, now);
  std::for_each(left, old.end(), [&](Token point) { edit.gone.push_back({point, slot}); });
  std::for_each(right, now.end(), [&](Token point) { edit.come.push_back({point, slot}); });
  members_ -= old.empty() ? 0 : 1;
  members_ += now.empty() ? 0 : 1;
  place = std::move(made);
  ++edit.replaced;
}

// Of the points that go, the covered ones were not in the index; and what the others stood for comes up.
void Ring::uncover(Edit& edit) {
  if (covered_.empty()) return;
  std::vector<Point> gone;
  for (const Point& point : edit.gone) {
    const auto same = std::ranges::lower_bound(covered_, point, by_position);
    const bool is_covered = same != covered_.end() && !by_position(point, *same);
    if (is_covered) covered_.erase(same);
    else gone.push_back(point);
  }
  for (const Point& point : gone) {
    const auto waiting = std::ranges::equal_range(covered_, point.position, {}, &Point::position);
    if (waiting.empty()) continue;
    const auto best =
        std::ranges::min_element(waiting, [&](const Point& a, const Point& b) { return wins(a.member, b.member); });
    edit.come.push_back(*best);
    covered_.erase(best);
  }
  edit.gone = std::move(gone);
}

std::optional<Ring> Ring::changed(std::span<const NodeIndex> removed, const NodeList& after) const {
  if (slots_ == nullptr) return std::nullopt;
  const std::size_t stays = nodes_ - removed.size();
  const std::size_t few = always_few + nodes_ / part_of_all;
  if (after.size() - stays + removed.size() > few) return std::nullopt;
  const Profile& profile = slots_->profile;
  const std::size_t first = counts_alone() ? stays : 0;  // from here on nodes may have other points than before
  const NodeList asked = after.from(first);
  const auto members = members_of(profile, asked);
  // Where nodes are what they are called, names were compared before.
  const bool may_clash = profile.identity != "{name}" || std::ranges::any_of(after, has_alias);
  if (!members || (counts_alone() && may_clash && has_identity_of(*members))) return std::nullopt;
  auto made = points_of(profile, *members, asked, slots_->most_points);
  if (!made) return std::nullopt;
  // So many are better built anew, or are too many: before they are hashed.
  if (counts_alone() && made->points > 1024 + index_.points() / 2) return std::nullopt;

  auto slots = std::make_shared<Slots>(*slots_);
  Edit edit{*slots_, *slots, {}, {}};
  Ring next;
  next.key_rule_ = key_rule_;
  next.node_of_ = node_of_;
  next.nodes_ = after.size();
  next.lookup_ = lookup_;
  next.down_ = down_;
  next.only_one_counts_ = only_one_counts_;
  next.covered_ = covered_;
  next.members_ = members_;
  next.renumber(removed, edit);
  const std::vector<NodeIndex> given = next.give_slots(stays, after.size(), edit);
  next.slots_ = slots;
  const std::vector<NodeIndex> slot_of = counts_alone() ? given : next.slots_by_node();

  for (MemberPoints& one : made->members) {
    const NodeIndex slot = slot_of[one.member.node];
    const auto& old = slots->members[slot];
    if (old != nullptr && old->count == one.count && old->seed == one.seed) continue;
    if (one.member.down) {
      next.down_.resize(slots->members.size());
      next.down_[slot] = true;
    }
    next.replace(slot, std::make_shared<const MemberPoints>(std::move(one)), edit);
    if (edit.replaced > 2 * few) return std::nullopt;
  }
  // Without holes a slot is its node's position, and look-ups are spared a step.
  NodeIndex slot = 0;
  if (std::ranges::all_of(next.node_of_, [&](NodeIndex node) { return node == slot++; })) next.node_of_.clear();
  if (std::ranges::find(next.down_, true) == next.down_.end()) next.down_.clear();
  // Of those that count alone, what went is not taken off: at the limit the ring is built anew.
  slots->text_bytes = made->text_bytes + (counts_alone() ? slots->text_bytes : 0);
  if (slots->members.size() > LineIndex::most_owners || slots->text_bytes > most_text_bytes(slots_->most_points))
    return std::nullopt;

  next.uncover(edit);
  std::vector<Point> covered;
  auto index = index_.changed(
      edit.gone, edit.come, positions_from(slots), [&](NodeIndex a, NodeIndex b) { return next.wins(a, b); }, covered);
  if (!index || index->points() + next.covered_.size() + covered.size() > slots_->most_points) return std::nullopt;
  next.index_ = std::move(*index);
  std::ranges::sort(covered, by_position);
  const auto middle = next.covered_.insert(next.covered_.end(), covered.begin(), covered.end());
  std::inplace_merge(next.covered_.begin(), middle, next.covered_.end(), by_position);
  next.count_owners();
  return next;
}

}  // namespace chash
