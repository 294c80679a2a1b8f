// What changes of a ring as a whole come to: nodes that come and go, rings as they were written down or once were.
#include "chash/resolve.h"

#include <algorithm>
#include <unordered_map>

#include "chash/limits.h"
#include "chash/members.h"
#include "chash/node_name.h"

namespace chash {

Result<void> check_node(const Profile& profile, const Node& node) {
  if (auto ok = check_node_name(node.name); !ok) return ok.error();
  if (auto ok = check_node_fields(node); !ok) return ok.error();
  if (auto ok = members_of(profile, {node}); !ok) return std::move(ok).error();
  return {};
}

namespace {

// The names of a change, sorted, so that one pass over the ring's nodes finds which of them are members.
using SortedNames = std::vector<std::string_view>;

bool contains(const SortedNames& names, std::string_view name) { return std::ranges::binary_search(names, name); }

// Errors: invalid_argument when the change is empty or names a node twice.
Result<SortedNames> sorted_once(SortedNames names) {
  if (names.empty()) return make_error(Errc::invalid_argument, "no node is named", "name at least one node");
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end())
    return make_error(Errc::invalid_argument, "node '" + std::string(*twice) + "' is named twice");
  return names;
}

SortedNames members_among(const RingSpec& spec, const SortedNames& names) {
  SortedNames members;
  for (const Node& node : spec.nodes)
    if (contains(names, node.name)) members.push_back(node.name);
  std::ranges::sort(members);
  return members;
}

Result<Delta> resolve(const RingSpec& spec, const AddNodes& change) {
  const auto profile = parse_profile(spec.profile);
  if (!profile) return profile.error();
  SortedNames asked;
  for (const Node& node : change.nodes) {
    if (auto ok = check_node(*profile, node); !ok) return std::move(ok).error();
    asked.push_back(node.name);
  }
  auto names = sorted_once(std::move(asked));
  if (!names) return std::move(names).error();

  const SortedNames members = members_among(spec, *names);
  if (!members.empty() && !change.if_missing)
    return make_error(Errc::conflict, "node '" + std::string(members.front()) + "' is already in the ring");
  Delta delta;
  for (const Node& node : change.nodes)
    if (!contains(members, node.name)) delta.added.push_back(node);
  if (spec.nodes.size() + delta.added.size() > limits::nodes)
    return make_error(Errc::too_large, "the ring would have more than " + std::to_string(limits::nodes) + " nodes");
  return delta;
}

Result<Delta> resolve(const RingSpec& spec, const RemoveNodes& change) {
  // First of all, so that no message repeats odd bytes.
  for (const std::string& name : change.names)
    if (auto ok = check_node_name(name); !ok) return std::move(ok).error();
  auto names = sorted_once({change.names.begin(), change.names.end()});
  if (!names) return std::move(names).error();

  const SortedNames members = members_among(spec, *names);
  Delta delta;
  for (const std::string& name : change.names) {
    if (contains(members, name)) {
      delta.removed.push_back(name);
    } else if (!change.if_exists) {
      return make_error(Errc::not_found, "no node '" + name + "' in the ring");
    }
  }
  return delta;
}

Result<Delta> resolve(const RingSpec& spec, const EditNodes& change) {
  if (change.remove.names.empty()) return resolve(spec, change.add);
  auto removed = resolve(spec, change.remove);
  if (!removed || change.add.nodes.empty()) return removed;
  auto added = resolve(apply(spec, *removed), change.add);
  if (!added) return added;
  return Delta{std::move(added->added), std::move(removed->removed)};
}

Result<void> check_max_move(double max_move) {
  if (max_move >= 0 && max_move <= 1) return {};
  return make_error(Errc::invalid_argument, "max_move is out of range", "it is a share from 0 to 1");
}

Result<Delta> resolve(const RingSpec& spec, const SetLimits& change) {
  if (auto ok = check_max_move(change.max_move); !ok) return ok.error();
  Delta delta;
  if (change.max_move != spec.max_move) delta.max_move = change.max_move;
  return delta;
}

Result<Delta> resolve(const RingSpec& spec, const SetNodes& change) {
  const auto profile = parse_profile(spec.profile);
  if (!profile) return profile.error();
  std::unordered_map<std::string_view, const Node*> asked;
  for (const Node& node : change.nodes) {
    if (auto ok = check_node(*profile, node); !ok) return std::move(ok).error();
    if (!asked.emplace(node.name, &node).second)
      return make_error(Errc::invalid_argument, "node '" + node.name + "' is named twice");
  }
  if (change.max_move)
    if (auto ok = check_max_move(*change.max_move); !ok) return ok.error();
  RingSpec after = spec;
  std::vector<Node> nodes;
  // Those that stay keep their places, and what is new comes behind; but where the order decides something, and all of
  // it is written down, it is the one written. Of a balanced ring the slots decide, and they go by the order there was.
  const bool has_slots = profile->algorithm == Profile::Algorithm::balanced;
  if (!change.prune || has_slots || !order_counts(*profile)) {
    for (const Node& node : spec.nodes) {
      const auto found = asked.extract(node.name);
      if (found || !change.prune) nodes.push_back(found ? *found.mapped() : node);
    }
  }
  for (const Node& node : change.nodes)
    if (asked.contains(node.name)) nodes.push_back(node);
  if (nodes.size() > limits::nodes)
    return make_error(Errc::too_large, "the ring would have more than " + std::to_string(limits::nodes) + " nodes");
  after.nodes = NodeList(std::move(nodes));
  after.max_move = change.max_move.value_or(spec.max_move);
  if (change.pins) {
    const PinList there = change.prune ? PinList() : spec.pins;
    const auto pins = new_pins(there, *change.pins);
    if (!pins) return pins.error();
    after.pins = there.changed({}, *pins);
    if (auto ok = check_pin_count(after.pins); !ok) return ok.error();
  }
  Delta delta = difference(spec, after);
  delta.slots.reset();  // nobody wrote them down
  return delta;
}

Result<Delta> resolve(const RingSpec& spec, const RestoreRing& change) {
  RingSpec after = change.spec;
  after.max_move = spec.max_move;
  return difference(spec, after);
}

}  // namespace

Result<Delta> resolve(const RingSpec& spec, const Change& change) {
  return std::visit([&](const auto& asked) { return resolve(spec, asked); }, change);
}

}  // namespace chash
