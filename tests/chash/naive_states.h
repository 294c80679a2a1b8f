// Who answers for a key, in the words of the manual: of an order of all nodes, by their states, zones and how many are
// asked for.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "chash/placement.h"

namespace chash::test {

using NodeNames = std::vector<std::string>;

inline std::string text_of(const NodeFields& texts, const std::string& name) {
  for (const auto& [known, value] : texts)
    if (known == name) return value;
  return "";
}

inline const Node& node_named(const RingSpec& spec, const std::string& name) {
  return *std::ranges::find(spec.nodes, name, &Node::name);
}

inline std::string naive_state(const Node& node) {
  const std::string state = text_of(node.fields, "state");
  return state.empty() ? "up" : state;
}

inline std::string naive_zone(const Node& node, const std::string& label) {
  std::string zone = text_of(node.labels, label);
  if (zone.empty() && label == "zone") zone = text_of(node.fields, label);
  return zone.empty() ? "only " + node.name : zone;
}

// The first n, but nodes of zones that are not yet there before the others.
inline NodeNames naive_spread(const RingSpec& spec, const NodeNames& order, std::size_t n, const std::string& label) {
  NodeNames list;
  std::set<std::string> zones;
  if (!label.empty())
    for (const std::string& name : order)
      if (list.size() < n && zones.insert(naive_zone(node_named(spec, name), label)).second) list.push_back(name);
  for (const std::string& name : order)
    if (list.size() < n && std::ranges::find(list, name) == list.end()) list.push_back(name);
  return list;
}

inline NodeNames naive_list(const RingSpec& spec, const NodeNames& order, std::size_t n,
                            const std::string& label = "") {
  const auto state = [&](const std::string& name) { return naive_state(node_named(spec, name)); };
  NodeNames able;
  // The owner: the first of the order, or the first behind it that is up.
  for (const std::string& name : order) {
    const bool stands_in = &name != &order.front();
    if (state(name) == "down" || (stands_in && state(name) == "drain")) continue;
    able.push_back(name);
    break;
  }
  const NodeNames holders = naive_spread(spec, order, n, label);
  for (const std::string& name : order) {
    const bool holds = std::ranges::find(holders, name) != holders.end();
    const bool is_owner = !able.empty() && name == able.front();
    if (!is_owner && (state(name) == "up" || (state(name) == "drain" && holds))) able.push_back(name);
  }
  return naive_spread(spec, able, n, label);
}

inline RingSpec all_up(RingSpec spec) {
  std::vector<Node> nodes(spec.nodes.begin(), spec.nodes.end());
  for (Node& node : nodes) std::erase_if(node.fields, [](const auto& field) { return field.first == "state"; });
  spec.nodes = NodeList(std::move(nodes));
  return spec;
}

}  // namespace chash::test
