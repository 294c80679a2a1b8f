#include "chash/members.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "chash/limits.h"
#include "chash/node_identity.h"
#include "chash/standing.h"

namespace chash {
namespace {

Error refused(const Node& node, std::string why, std::string hint = {}) {
  return make_error(Errc::invalid_argument, "node '" + node.name + "': " + std::move(why), std::move(hint));
}

// The weight that counts; 0 for a node that has no share at all.
Result<double> weight_of(const Profile& profile, const Node& node) {
  using Weights = Profile::Weights;
  const double weight = node.weight;
  if (!(weight >= 0 && weight <= limits::max_weight))
    return refused(node, "its weight is out of range", "a weight is at most 1000000");
  if (profile.weights == Weights::ignored) return 1.0;
  if (profile.weights == Weights::whole && weight != std::floor(weight))
    return refused(node, "its weight is not a whole number", profile.text + " has whole weights only");
  if (profile.weights == Weights::fraction && weight > 1)
    return refused(node, "its weight is above 1", profile.text + " has weights from 0 to 1");
  if (weight > 0) return weight;
  if (profile.zero_weight == Profile::ZeroWeight::one) return 1.0;
  if (profile.zero_weight == Profile::ZeroWeight::none) return 0.0;
  return refused(node, "its weight is 0", "leave the node out");
}

Result<NodeState> state_of(const Profile& profile, const Node& node) {
  if (node.fields.empty()) return NodeState::up;
  const auto state = node_state(node);
  if (state && *state == NodeState::drain && !keeps_order(profile))
    return refused(node, "it cannot drain: " + profile.text + " places keys anew when a node is down",
                   "take it down, or give it less weight");
  return state;
}

// ex_hash_ring's number of points of a node.
Result<void> check_replicas(const Node& node) {
  if (node.fields.empty()) return {};
  const std::string text = node_field(node, "replicas");
  std::size_t count = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool good = error == std::errc() && end == text.data() + text.size() && count >= 1 && count <= limits::points;
  if (text.empty() || good) return {};
  return refused(node, "replicas is not a number from 1 to " + std::to_string(limits::points));
}

Result<void> check_fields(const Node& node, const std::vector<std::string>& known) {
  for (const auto& [name, value] : node.fields) {
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string all;
    for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
    return refused(node, "there is no field '" + name.substr(0, 64) + "' in this profile", "it has: " + all);
  }
  return {};
}

// What the profile reads is none: it would not be read there.
Result<void> check_labels(const Node& node, const std::vector<std::string>& known) {
  for (const auto& [name, value] : node.labels)
    if (name != "zone" && std::ranges::find(known, name) != known.end())
      return refused(node, "'" + name + "' is no label: it is a field of this profile", "give it as a field");
  return {};
}

// Two nodes with one identity are found side by side when all are sorted by its hash: at most half the time of sorting
// by itself (100,000 names: 8 ms instead of 17), unless that is their order already, and then no more.
Result<void> check_distinct(const std::vector<Member>& members, const NodeList& nodes) {
  struct Hashed {
    Token hash;
    const Member* member;
  };
  std::vector<Hashed> all;
  all.reserve(members.size());
  for (const Member& member : members) all.push_back({xxh3_128(member.identity), &member});
  std::ranges::sort(all, [](const Hashed& a, const Hashed& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return std::tie(a.member->identity, a.member->node) < std::tie(b.member->identity, b.member->node);
  });
  const auto twice =
      std::ranges::adjacent_find(all, {}, [](const Hashed& one) -> const std::string& { return one.member->identity; });
  if (twice == all.end()) return {};
  return refused(nodes[std::next(twice)->member->node],
                 "it is the same as '" + nodes[twice->member->node].name + "' to this profile");
}

// Whether nodes have their keys by where they stand among all of them, whatever they are called.
bool goes_by_place(const Profile& profile) {
  using P = Profile;
  if (profile.order != P::Order::given) return false;
  switch (profile.algorithm) {
    case P::Algorithm::ring: return profile.points == P::Points::haproxy || profile.points == P::Points::tokens;
    case P::Algorithm::maglev:
    case P::Algorithm::rendezvous:
    case P::Algorithm::partitions:
    case P::Algorithm::probes: return false;
    default: return true;
  }
}

bool has_alias_field(const Profile& profile) { return profile.identity == "{name}" && !goes_by_place(profile); }

bool length_then_bytes(const Member& a, const Member& b) {
  return a.identity.size() != b.identity.size() ? a.identity.size() < b.identity.size() : a.identity < b.identity;
}

}  // namespace

std::vector<std::string> known_fields(const Profile& profile) {
  std::vector<std::string> known = fields_given(profile.identity);
  known.emplace_back("state");
  if (has_alias_field(profile)) known.emplace_back(alias_field);
  if (profile.dialect == Profile::Dialect::haproxy) known.insert(known.end(), {"id", "addr", "guid"});
  if (profile.points == Profile::Points::tokens) known.emplace_back("tokens");
  if (profile.count == Profile::Count::replicas) known.emplace_back("replicas");
  if (profile.algorithm == Profile::Algorithm::slots) known.emplace_back("slots");
  if (profile.algorithm == Profile::Algorithm::balanced) known.emplace_back("zone");
  return known;
}

Result<std::vector<Member>> members_of(const Profile& profile, const NodeList& nodes) {
  const std::vector<std::string> known = known_fields(profile);
  const bool in_order = keeps_order(profile);
  std::vector<Member> members;
  members.reserve(nodes.size());
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (auto ok = check_fields(node, known); !ok) return std::move(ok).error();
    if (auto ok = check_replicas(node); !ok) return std::move(ok).error();
    if (auto ok = check_labels(node, known); !ok) return std::move(ok).error();
    const auto weight = weight_of(profile, node);
    if (!weight) return weight.error();
    const auto state = state_of(profile, node);
    if (!state) return state.error();
    auto identity = node_identity(profile.identity, node);
    if (!identity) return std::move(identity).error();
    const bool is_down = *state == NodeState::down && !in_order;
    if (is_down && profile.down == Profile::Down::absent) continue;
    members.push_back({std::move(*identity), *weight, i, is_down});
  }
  if (auto ok = check_distinct(members, nodes); !ok) return std::move(ok).error();
  if (profile.order == Profile::Order::bytes) std::ranges::sort(members, {}, &Member::identity);
  if (profile.order == Profile::Order::length) std::ranges::sort(members, length_then_bytes);
  return members;
}

Result<Node> replacement(const Profile& profile, const Node& old, const std::string& name) {
  const bool has_template = profile.identity.starts_with("{alias}|");
  const std::string alias(has_template ? "alias" : alias_field);
  Node node = old;
  node.name = name;
  std::erase_if(node.fields, [](const auto& field) { return field.first == "state"; });
  if (goes_by_place(profile)) return node;
  std::erase_if(node.fields, [&](const auto& field) { return field.first == alias; });
  const auto was = node_identity(profile.identity, old), now = node_identity(profile.identity, node);
  if (!was) return was.error();
  if (!now) return now.error();
  if (*was == *now) return node;
  if (!has_template && !has_alias_field(profile))
    return refused(old,
                   "it cannot be replaced: " + profile.text + " hashes the name itself, and '" + name + "' is another",
                   "add the new node and remove the old one");
  node.fields.emplace_back(alias, *was);
  return node;
}

}  // namespace chash
