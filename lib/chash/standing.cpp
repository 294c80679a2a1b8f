#include "chash/standing.h"

#include <unordered_map>
#include <unordered_set>

#include "chash/node_identity.h"

namespace chash {
namespace {

constexpr std::string_view state_names[] = {"up", "drain", "down"};

bool has(const std::vector<NodeIndex>& nodes, NodeIndex node) { return std::ranges::find(nodes, node) != nodes.end(); }

// Whether no node behind those of this full list could bring it another zone: every zone that has one is there.
bool has_all_zones(const std::vector<NodeIndex>& list, const Zones& zones, std::size_t count, bool of_up_nodes) {
  std::unordered_set<std::uint32_t> seen;
  std::size_t able = 0;
  for (const NodeIndex node : list) {
    const std::uint32_t zone = zones.of_node[node];
    if (seen.insert(zone).second && zones.has_up[zone]) ++able;
  }
  if (list.size() < count) return false;
  return seen.size() == count || (of_up_nodes ? able == zones.up : seen.size() == zones.has_up.size());
}

// The first `count` of the order, as if all nodes were up.
std::vector<NodeIndex> undisturbed(const std::vector<NodeIndex>& order, const Zones* zones, std::size_t count) {
  if (zones != nullptr) return spread(order, *zones, count);
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()))};
}

// Those of the order that may be in the list, the owner first.
std::vector<NodeIndex> candidates(const std::vector<NodeIndex>& order, const Standing& standing, const Zones* zones,
                                  std::size_t count) {
  std::vector<NodeIndex> holders;
  if (standing.has_drain()) holders = undisturbed(order, zones, count);
  const auto may_answer = [&](NodeIndex node) {
    return standing.is_up(node) || (!standing.is_down(node) && has(holders, node));
  };
  std::vector<NodeIndex> found;
  const auto owner = standing.is_down(order.front())
                         ? std::ranges::find_if(order, [&](NodeIndex node) { return standing.is_up(node); })
                         : order.begin();
  if (owner != order.end()) found.push_back(*owner);
  for (auto node = order.begin(); node != order.end(); ++node)
    if (node != owner && may_answer(*node)) found.push_back(*node);
  return found;
}

}  // namespace

std::string_view state_name(NodeState state) { return state_names[static_cast<std::size_t>(state)]; }

Result<NodeState> node_state(const Node& node) {
  const auto field = std::ranges::find(node.fields, "state", &NodeFields::value_type::first);
  if (field == node.fields.end() || field->second.empty()) return NodeState::up;
  const auto name = std::ranges::find(state_names, field->second);
  if (name != std::end(state_names)) return static_cast<NodeState>(name - std::begin(state_names));
  return make_error(Errc::invalid_argument, "node '" + node.name + "': state is neither up, drain nor down");
}

bool is_draining(const Node& node) {
  const auto state = node_state(node);
  return state && *state == NodeState::drain;
}

std::string node_label(const Node& node, std::string_view label) {
  for (const auto& [name, value] : node.labels)
    if (name == label) return value;
  return label == "zone" ? node_field(node, label) : "";
}

bool keeps_order(const Profile& profile) {
  using P = Profile;
  if (profile.algorithm == P::Algorithm::balanced) return true;
  if (profile.down != P::Down::absent || profile.empty_key != P::EmptyKey::hash) return false;
  if (profile.algorithm == P::Algorithm::rendezvous) return true;
  const bool alone =
      profile.count == P::Count::fixed || profile.count == P::Count::weight || profile.count == P::Count::replicas;
  const bool forward = profile.lookup == P::Lookup::strict || profile.lookup == P::Lookup::successor;
  return profile.algorithm == P::Algorithm::ring && alone && forward && profile.points != P::Points::haproxy &&
         profile.tie == P::Tie::index && profile.heavier.empty();
}

Zones zones_of(const NodeList& nodes, std::string_view label) {
  Zones zones;
  std::unordered_map<std::string, std::uint32_t> numbers;
  for (const Node& node : nodes) {
    const std::string zone = node_label(node, label);
    const auto next = static_cast<std::uint32_t>(zones.has_up.size());
    const std::uint32_t number = zone.empty() ? next : numbers.emplace(zone, next).first->second;
    zones.of_node.push_back(number);
    if (number == next) zones.has_up.push_back(false);
    const auto state = node.fields.empty() ? Result<NodeState>(NodeState::up) : node_state(node);
    if (!state || *state != NodeState::up || zones.has_up[number]) continue;
    zones.has_up[number] = true;
    ++zones.up;
  }
  return zones;
}

std::shared_ptr<const Standing> Standing::of(const Profile& profile, const NodeList& nodes) {
  const auto state_of = [](const Node& node) {
    const auto state = node.fields.empty() ? Result<NodeState>(NodeState::up) : node_state(node);
    return state ? *state : NodeState::up;
  };
  if (!keeps_order(profile) ||
      std::ranges::all_of(nodes, [&](const Node& node) { return state_of(node) == NodeState::up; }))
    return nullptr;
  auto made = std::make_shared<Standing>();
  for (const Node& node : nodes) {
    made->states_.push_back(state_of(node));
    made->has_drain_ = made->has_drain_ || made->states_.back() == NodeState::drain;
    made->all_down_ = made->all_down_ && made->states_.back() == NodeState::down;
    made->has_up_ = made->has_up_ || made->states_.back() == NodeState::up;
  }
  return made;
}

std::vector<NodeIndex> spread(const std::vector<NodeIndex>& nodes, const Zones& zones, std::size_t count) {
  std::vector<NodeIndex> found, rest;
  std::unordered_set<std::uint32_t> seen;
  for (const NodeIndex node : nodes) {
    if (found.size() == count) break;
    (seen.insert(zones.of_node[node]).second ? found : rest).push_back(node);
  }
  for (const NodeIndex node : rest)
    if (found.size() < count) found.push_back(node);
  return found;
}

std::vector<NodeIndex> choose_from(const std::vector<NodeIndex>& order, const Standing* standing, const Zones* zones,
                                   std::size_t count) {
  if (order.empty()) return {};
  return undisturbed(standing == nullptr ? order : candidates(order, *standing, zones, count), zones, count);
}

bool is_settled(const std::vector<NodeIndex>& order, const std::vector<NodeIndex>& list, const Standing* standing,
                const Zones* zones, std::size_t count) {
  const auto is_up = [&](NodeIndex node) { return standing->is_up(node); };
  if (standing != nullptr) {
    // Somebody behind may stand in for the owner.
    if (standing->is_down(order.front()) && standing->has_up() && std::ranges::none_of(order, is_up)) return false;
    // Where nobody can, those who hold the key are among the first.
    if (!standing->has_up() && zones == nullptr) return true;
  }
  if (zones == nullptr) return list.size() == count;
  const bool holders_are_known = standing == nullptr || !standing->has_drain() ||
                                 has_all_zones(undisturbed(order, zones, count), *zones, count, false);
  return holders_are_known && has_all_zones(list, *zones, count, true);
}

}  // namespace chash
