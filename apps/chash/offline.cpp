#include "offline.h"

#include <algorithm>

#include "output.h"
#include "protocol/not_foretold.h"

namespace chash::cli {
namespace {

using namespace protocol;

std::vector<std::string> names_of(const OfflineRing& ring, std::string_view key, std::uint32_t n) {
  std::vector<std::string> names;
  for (const NodeIndex node : ring.placement.owners(key, n)) names.push_back(ring.nodes[node].name);
  return names;
}

std::vector<std::string_view> views_of(const std::vector<Key>& keys) {
  std::vector<std::string_view> views;
  views.reserve(keys.size());
  for (const Key& key : keys) views.push_back(key.bytes);
  return views;
}

}  // namespace

Result<AnyResponse> OfflineRing::answer(const AnyRequest& request) const {
  // Without nodes there are still slots.
  const bool slots_alone = has_slots(profile) && std::holds_alternative<GetNodes::Request>(request);
  if (placement.empty() && !slots_alone) return make_error(Errc::empty_ring, "there is no node that could own a key");
  if (const auto* one = std::get_if<GetNode::Request>(&request)) {
    auto names = names_of(*this, one->key.bytes, one->n);
    if (names.empty()) return not_foretold(profile, one->key.bytes);
    return AnyResponse(GetNode::Response{one->ring, 0, names.front(), names});
  }
  const auto& many = std::get<GetNodes::Request>(request);
  GetNodes::Response response{many.ring, 0, {}};
  if (many.n > 1 || placement.empty()) {
    for (const Key& key : many.keys) response.owners.push_back(names_of(*this, key.bytes, many.n));
    return AnyResponse(std::move(response));
  }
  const std::vector<std::string_view> keys = views_of(many.keys);
  std::vector<NodeIndex> found(keys.size());
  placement.owners_of(keys, found);
  for (const NodeIndex node : found)
    response.owners.push_back(node == no_node ? std::vector<std::string>()
                                              : std::vector<std::string>{nodes[node].name});
  return AnyResponse(std::move(response));
}

bool has_slots(const Profile& profile) {
  return profile.algorithm == Profile::Algorithm::slots || profile.algorithm == Profile::Algorithm::balanced;
}

std::uint64_t slot(const Profile& profile, std::string_view key) {
  const KeyRule rule(profile);
  if (profile.algorithm == Profile::Algorithm::balanced)
    return static_cast<std::uint64_t>(rule.position(key).value_or(0) >> bits_below_slot(profile));
  return static_cast<std::uint64_t>(rule.hash(key).value_or(0)) % profile.slots;
}

Result<OfflineRing> make_offline_ring(std::string_view text, std::vector<Node> nodes, SlotTable slots) {
  auto profile = parse_profile(text);
  if (!profile) return std::move(profile).error();
  if (slots.empty() && profile->algorithm == Profile::Algorithm::balanced) slots = reslotted(*profile, {}, {}, nodes);
  auto placement = build(*profile, nodes, slots);
  if (!placement) return std::move(placement).error();
  if (const std::string clash = ambiguous_names(*profile, nodes); !clash.empty()) say("WARNING: " + clash);
  return OfflineRing{std::move(*profile), std::move(nodes), std::move(slots), std::move(*placement)};
}

}  // namespace chash::cli
