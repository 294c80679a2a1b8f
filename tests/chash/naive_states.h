// Who answers for a key, in the words of the manual: of an order of all nodes, by pins, by their states, zones and how
// many are asked for.
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

// The nodes that a pin names for the key come first: one of the key itself, or else the longest prefix. Those that the
// ring does not have are left out.
inline NodeNames naive_pinned(const RingSpec& spec, const std::string& key, const NodeNames& order) {
  const Pin* best = nullptr;
  for (const Pin& pin : spec.pins) {
    const bool is_it = pin.name.is_prefix ? key.starts_with(pin.name.key) : key == pin.name.key;
    if (!is_it || (best != nullptr && !best->name.is_prefix)) continue;
    if (best == nullptr || !pin.name.is_prefix || pin.name.key.size() > best->name.key.size()) best = &pin;
  }
  NodeNames list;
  if (best != nullptr)
    for (const std::string& name : best->nodes)
      if (std::ranges::find(spec.nodes, name, &Node::name) != spec.nodes.end()) list.push_back(name);
  for (const std::string& name : order)
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  return list;
}

// Pins of keys like those that std::to_string() makes, and of their beginnings.
template <class Random>
std::vector<Pin> random_pins(Random& random) {
  std::vector<Pin> pins;
  for (std::size_t i = random() % 6; i-- > 0;) {
    Pin pin{{std::to_string(random() % 1000), false}, {}};
    pin.name.is_prefix = random() % 2 == 0;
    if (pin.name.is_prefix) pin.name.key.resize(1 + random() % pin.name.key.size());
    for (std::size_t n = 1 + random() % 3; n-- > 0;) {
      const std::string name = "n" + std::to_string(random() % 10);
      if (std::ranges::find(pin.nodes, name) == pin.nodes.end()) pin.nodes.push_back(name);
    }
    pins.push_back(std::move(pin));
  }
  return pins;
}

inline RingSpec all_up(RingSpec spec) {
  std::vector<Node> nodes(spec.nodes.begin(), spec.nodes.end());
  for (Node& node : nodes) std::erase_if(node.fields, [](const auto& field) { return field.first == "state"; });
  spec.nodes = NodeList(std::move(nodes));
  spec.pins = {};
  return spec;
}

}  // namespace chash::test
