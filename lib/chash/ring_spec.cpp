#include "chash/ring_spec.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "chash/balanced.h"
#include "chash/limits.h"
#include "chash/members.h"
#include "chash/node_identity.h"
#include "chash/node_name.h"
#include "chash/profile.h"
#include "chash/standing.h"

namespace chash {
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

// What can be said of a node alone: its name, and what the profile wants of it.
Result<void> check_node(const Profile& profile, const Node& node) {
  if (auto ok = check_node_name(node.name); !ok) return ok.error();
  if (auto ok = check_node_fields(node); !ok) return ok.error();
  if (auto ok = members_of(profile, {node}); !ok) return std::move(ok).error();
  return {};
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
  Delta delta = difference(spec, after);
  delta.slots.reset();  // nobody wrote them down
  return delta;
}

// --- Nodes that become otherwise
// --------------------------------------------------------------------------------------

bool is_in(const Node& node, std::string_view domain) {
  const std::size_t sign = domain.find('=');
  if (sign == domain.npos) return false;
  const std::string_view label = domain.substr(0, sign);
  return std::ranges::find(failure_domains, label) != std::end(failure_domains) &&
         node_label(node, label) == domain.substr(sign + 1);
}

Error no_such_node(const std::string& name) {
  const std::size_t sign = name.find('=');
  const bool is_domain = std::ranges::find(failure_domains, name.substr(0, sign)) != std::end(failure_domains);
  if (sign != name.npos && is_domain) return make_error(Errc::not_found, "no node of the ring has " + name);
  return make_error(Errc::not_found, "no node '" + name + "' in the ring");
}

// Which of the ring's nodes are meant, each once, in the ring's order.
Result<std::vector<NodeIndex>> nodes_meant(const RingSpec& spec, const std::vector<std::string>& names) {
  if (names.empty()) return make_error(Errc::invalid_argument, "no node is named", "name at least one node");
  std::unordered_map<std::string_view, NodeIndex> by_name;
  for (NodeIndex i = 0; i < spec.nodes.size(); ++i) by_name.emplace(spec.nodes[i].name, i);
  std::vector<NodeIndex> meant;
  for (const std::string& name : names) {
    if (auto ok = check_node_name(name); !ok) return ok.error();
    if (const auto node = by_name.find(name); node != by_name.end()) {
      meant.push_back(node->second);
      continue;
    }
    const std::size_t before = meant.size();
    for (NodeIndex i = 0; i < spec.nodes.size(); ++i)
      if (is_in(spec.nodes[i], name)) meant.push_back(i);
    if (meant.size() == before) return no_such_node(name);
  }
  std::ranges::sort(meant);
  const auto rest = std::ranges::unique(meant);
  meant.erase(rest.begin(), rest.end());
  return meant;
}

void set_texts(NodeFields& texts, const NodeFields& given) {
  for (const auto& [name, value] : given) {
    const auto place = std::ranges::find(texts, name, &NodeFields::value_type::first);
    if (value.empty() && place != texts.end()) texts.erase(place);
    else if (!value.empty() && place != texts.end()) place->second = value;
    else if (!value.empty()) texts.emplace_back(name, value);
  }
}

Node altered(const AlterNodes& change, Node node) {
  using Weigh = AlterNodes::Weigh;
  if (change.weigh == Weigh::set) node.weight = change.weight;
  if (change.weigh == Weigh::add) node.weight += change.weight;
  if (change.weigh == Weigh::scale) node.weight *= change.weight;
  set_texts(node.fields, change.fields);
  set_texts(node.labels, change.labels);
  // A node is up without a word.
  if (!change.state.empty()) set_texts(node.fields, {{"state", change.state == "up" ? "" : change.state}});
  return node;
}

Result<Delta> resolve(const RingSpec& spec, const AlterNodes& change) {
  const auto profile = parse_profile(spec.profile);
  if (!profile) return profile.error();
  const auto meant = nodes_meant(spec, change.names);
  if (!meant) return meant.error();
  Delta delta;
  for (const NodeIndex index : *meant) {
    Node node = altered(change, spec.nodes[index]);
    if (auto ok = check_node(*profile, node); !ok) return std::move(ok).error();
    if (node != spec.nodes[index]) delta.altered.push_back(std::move(node));
  }
  return delta;
}

Result<Delta> resolve(const RingSpec& spec, const ReplaceNode& change) {
  const auto profile = parse_profile(spec.profile);
  if (!profile) return profile.error();
  for (const std::string* name : {&change.name, &change.with})
    if (auto ok = check_node_name(*name); !ok) return ok.error();
  const auto old = std::ranges::find(spec.nodes, change.name, &Node::name);
  if (old == spec.nodes.end()) return no_such_node(change.name);
  if (std::ranges::find(spec.nodes, change.with, &Node::name) != spec.nodes.end())
    return make_error(Errc::conflict, "node '" + change.with + "' is already in the ring",
                      "a node is replaced by one that is not there yet");
  auto node = replacement(*profile, *old, change.with);
  if (!node) return std::move(node).error();
  set_texts(node->labels, {{"address", change.address}});
  if (auto ok = check_node(*profile, *node); !ok) return std::move(ok).error();
  Delta delta;
  delta.replaced.push_back({change.name, std::move(*node)});
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
    SortedNames removed(delta.removed.begin(), delta.removed.end());
    std::ranges::sort(removed);
    spec.nodes.erase_if([&](const Node& node) { return contains(removed, node.name); });
  }
  spec.nodes.append(delta.added);
  spec.nodes.replace(delta.altered);
  for (const auto& [name, node] : delta.replaced) spec.nodes.replace(name, node);
  if (delta.slots) spec.slots = *delta.slots;
  else if (has_slots && changes_shares(before, delta)) spec.slots = reslotted(*profile, spec.slots, before, spec.nodes);
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
  if (before.slots != after.slots || (!delta.is_placed_alike() && !after.slots.empty())) delta.slots = after.slots;
  if (before.max_move != after.max_move) delta.max_move = after.max_move;
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
