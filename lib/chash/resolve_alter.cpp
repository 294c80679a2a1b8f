// What it comes to that nodes become otherwise, or that one takes the place of another.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "chash/members.h"
#include "chash/node_name.h"
#include "chash/profile.h"
#include "chash/resolve.h"
#include "chash/standing.h"

namespace chash {
namespace {

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

}  // namespace

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
  // What was pinned to the old one is its share, too.
  delta.pinned = renamed_in(spec.pins, change.name, change.with);
  return delta;
}

}  // namespace chash
