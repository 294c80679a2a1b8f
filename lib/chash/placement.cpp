#include "chash/placement.h"

#include <algorithm>
#include <string>

#include "chash/limits.h"

namespace chash {
namespace {

// libmemcached turns to weighted points as soon as a weight is above 1, and keeps the hash of keys that it had.
bool is_heavy(const Profile& profile, const NodeList& nodes) {
  return !profile.heavier.empty() && std::ranges::any_of(nodes, [](const Node& node) { return node.weight > 1; });
}

template <class To, class Variant>
Result<void> assign(Variant& variant, Result<To> made) {
  if (!made) return std::move(made).error();
  variant = std::move(*made);
  return {};
}

}  // namespace

std::optional<Placement> Placement::changed(std::span<const NodeIndex> removed, const NodeList& after) const {
  const auto* ring = std::get_if<Ring>(&algorithm_);
  if (ring == nullptr || only_ != no_node || after.size() < 2) return std::nullopt;
  if (!ring->empty() && is_heavy(ring->profile(), after) != is_heavy_) return std::nullopt;
  auto next = ring->changed(removed, after);
  if (!next || next->owner_count() < 2) return std::nullopt;  // one alone is another case; see only_
  Placement made;
  const Ring& made_ring = made.algorithm_.emplace<Ring>(std::move(*next));
  made.is_heavy_ = is_heavy_;
  made.standing_ = Standing::of(made_ring.profile(), after);
  return made;
}

std::vector<NodeIndex> Placement::order(std::string_view key, std::size_t count) const {
  auto behind = order_by_hash(key, count);
  const auto first = pinned(key);
  if (first.empty()) return behind;
  std::vector<NodeIndex> nodes(first.begin(), first.end());
  for (const NodeIndex node : behind)
    if (std::ranges::find(first, node) == first.end()) nodes.push_back(node);
  if (nodes.size() > count) nodes.resize(count);
  return nodes;
}

// The first that may answer, where that is not the one of the ring.
NodeIndex Placement::stand_in(std::string_view key) const {
  const std::vector<NodeIndex> owner = owners(key, 1);
  return owner.empty() ? no_node : owner.front();
}

void Placement::owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const {
  const auto* const ring = std::get_if<Ring>(&algorithm_);
  const auto* const balanced = std::get_if<Balanced>(&algorithm_);
  // One after the other where there is nothing to gain.
  if (only_ != no_node || (ring == nullptr && balanced == nullptr)) {
    for (std::size_t i = 0; i < keys.size(); ++i) found[i] = owner(keys[i]);
    return;
  }
  ring != nullptr ? ring->owners_of(keys, found) : balanced->owners_of(keys, found);
  if (standing_ == nullptr && pins_ == nullptr) return;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (is_missing(found[i]) || is_pinned(keys[i])) found[i] = stand_in(keys[i]);
}

Result<Placement> build(const Profile& asked, const NodeList& nodes, const SlotTable& slots,
                        std::uint64_t most_points) {
  const bool heavy = is_heavy(asked, nodes);
  const auto profile = heavy ? heavier_profile(asked) : asked;
  if (!profile) return profile.error();
  const auto members = members_of(*profile, nodes);
  if (!members) return members.error();

  if (profile->algorithm == Profile::Algorithm::rendezvous && members->size() > limits::rendezvous_nodes)
    return make_error(Errc::too_large, "rendezvous scores every node for every key: there are too many",
                      "the limit is " + std::to_string(limits::rendezvous_nodes) + " nodes");

  Placement made;
  made.is_heavy_ = heavy;
  made.standing_ = Standing::of(*profile, nodes);
  Result<void> outcome;
  switch (profile->algorithm) {
    case Profile::Algorithm::ring:
      outcome = assign(made.algorithm_, Ring::build(*profile, *members, nodes, most_points));
      break;
    case Profile::Algorithm::rendezvous: made.algorithm_ = Rendezvous::build(*profile, *members); break;
    case Profile::Algorithm::furc:
    case Profile::Algorithm::jump: made.algorithm_ = Indexed::build(*profile, *members); break;
    case Profile::Algorithm::probes: made.algorithm_ = Probes::build(*profile, *members); break;
    case Profile::Algorithm::balanced:
      outcome = assign(made.algorithm_, Balanced::build(*profile, *members, nodes, slots));
      break;
    default: outcome = assign(made.algorithm_, Table::build(*profile, *members, nodes)); break;
  }
  if (!outcome) return std::move(outcome).error();
  const bool alone = members->size() == 1 && !members->front().down;
  if (alone && !made.empty() && profile->algorithm != Profile::Algorithm::slots) made.only_ = members->front().node;
  return made;
}

Result<Placement> build(const RingSpec& spec) {
  const auto profile = parse_profile(spec.profile);
  if (!profile) return profile.error();
  auto placement = build(*profile, spec.nodes, spec.slots);
  if (placement) placement->pin(*profile, spec.nodes, spec.pins);
  return placement;
}

}  // namespace chash
