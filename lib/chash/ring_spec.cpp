#include "chash/ring_spec.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "chash/balanced.h"
#include "chash/members.h"
#include "chash/node_identity.h"
#include "chash/profile.h"
#include "chash/standing.h"

namespace chash {
namespace {

// Whether the slots of a balanced ring are to be shared out anew: who takes another's place has his slots, and states
// and labels move none. But what a node did not take while it drained, it takes then.
bool changes_shares(const NodeList& before, const Delta& delta) {
  if (!delta.added.empty() || !delta.removed.empty()) return true;
  std::unordered_map<std::string_view, const Node*> nodes;
  if (!delta.altered.empty())
    for (const Node& node : before) nodes.emplace(node.name, &node);
  return std::ranges::any_of(delta.altered, [&](const Node& node) {
    const Node& was = *nodes.at(node.name);
    const bool drained = is_draining(was) && !is_draining(node);
    return node.weight != was.weight || drained;
  });
}

}  // namespace

RingSpec apply(RingSpec spec, const Delta& delta) {
  const auto profile = parse_profile(spec.profile);
  const bool has_slots = profile && profile->algorithm == Profile::Algorithm::balanced;
  const NodeList before = has_slots ? spec.nodes : NodeList();
  if (!delta.removed.empty()) {
    std::vector<std::string_view> removed(delta.removed.begin(), delta.removed.end());
    std::ranges::sort(removed);
    spec.nodes.erase_if([&](const Node& node) { return std::ranges::binary_search(removed, node.name); });
  }
  spec.nodes.append(delta.added);
  spec.nodes.replace(delta.altered);
  for (const auto& [name, node] : delta.replaced) spec.nodes.replace(name, node);
  if (delta.slots) spec.slots = *delta.slots;
  else if (has_slots && changes_shares(before, delta)) spec.slots = reslotted(*profile, spec.slots, before, spec.nodes);
  spec.pins = spec.pins.changed(delta.unpinned, delta.pinned);
  if (delta.max_move) spec.max_move = *delta.max_move;
  return spec;
}

Delta difference(const RingSpec& before, const RingSpec& after) {
  const auto profile = parse_profile(before.profile);
  const bool in_order = !after.slots.empty() || (profile && order_counts(*profile));
  std::unordered_map<std::string_view, std::size_t> places;  // in `before`
  for (std::size_t i = 0; i < before.nodes.size(); ++i) places.emplace(before.nodes[i].name, i);

  Delta delta;
  std::vector<bool> stays(before.nodes.size());
  std::size_t next = 0;  // where the next one that stays must be, or behind, if the order counts
  for (const Node& node : after.nodes) {
    const auto place = places.find(node.name);
    const bool is_there = place != places.end() && (!in_order || (delta.added.empty() && place->second >= next));
    if (!is_there) {
      delta.added.push_back(node);
      continue;
    }
    next = place->second + 1;
    stays[place->second] = true;
    if (before.nodes[place->second] != node) delta.altered.push_back(node);
  }
  for (std::size_t i = 0; i < before.nodes.size(); ++i)
    if (!stays[i]) delta.removed.push_back(before.nodes[i].name);
  if (before.slots != after.slots || (!delta.has_same_nodes() && !after.slots.empty())) delta.slots = after.slots;
  if (before.max_move != after.max_move) delta.max_move = after.max_move;
  if (before.pins == after.pins) return delta;
  for (const Pin& pin : before.pins)
    if (after.pins.find(pin.name) == nullptr) delta.unpinned.push_back(pin.name);
  for (const Pin& pin : after.pins)
    if (const Pin* const old = before.pins.find(pin.name); old == nullptr || *old != pin) delta.pinned.push_back(pin);
  return delta;
}

bool are_placed_alike(const Profile& profile, const Node& a, const Node& b) {
  if (&a == &b) return true;
  if (a.weight != b.weight) return false;
  const bool states_count = !keeps_order(profile);
  const auto deciding = [&](const Node& node) {
    NodeFields fields = node.fields;
    std::erase_if(fields, [&](const auto& field) {
      return field.first == alias_field || (field.first == "state" && !states_count);
    });
    std::ranges::sort(fields);
    return fields;
  };
  if (a.fields != b.fields && deciding(a) != deciding(b)) return false;
  const auto left = node_identity(profile.identity, a), right = node_identity(profile.identity, b);
  return left && right && *left == *right;
}

std::vector<NodeIndex> removed_between(const Profile& profile, const NodeList& before, const NodeList& after) {
  std::vector<NodeIndex> removed;
  std::size_t stays = 0;
  for (NodeIndex i = 0; i < before.size(); ++i) {
    const Node* const next = stays < after.size() ? &after[stays] : nullptr;
    const bool is_here = next != nullptr && are_placed_alike(profile, before[i], *next);
    if (is_here) ++stays;
    else removed.push_back(i);
  }
  return removed;
}

}  // namespace chash
