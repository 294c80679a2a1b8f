#include "offline.h"

#include <algorithm>

#include "output.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::size_t shown_bytes = 64;

std::vector<std::string> names_of(const OfflineRing& ring, std::string_view key, std::uint32_t n) {
  std::vector<std::string> names;
  for (const NodeIndex node : ring.placement.owners(key, n)) names.push_back(ring.nodes[node].name);
  return names;
}

}  // namespace

Error not_foretold(const Profile& profile, std::string_view key) {
  const std::string shown = "'" + printable(key, shown_bytes) + "'";
  if (profile.algorithm == Profile::Algorithm::slots)
    return make_error(Errc::unpredictable, "no node has the slot of key " + shown, "give all slots to nodes");
  if (profile.key_form == Profile::KeyForm::network && KeyRule(profile).hash(key) == std::nullopt)
    return make_error(Errc::unpredictable, shown + " is not an address, and " + profile.text + " places those");
  const NamedProfile* named = find_named_profile(profile.text.substr(0, profile.text.find(',')));
  if (key.empty())
    return make_error(Errc::unpredictable, "an empty key has no node of its own: " + profile.text + " balances it");
  const bool more = named != nullptr && !named->not_foretold.empty();
  return make_error(Errc::unpredictable, "the node of key " + shown + " is not a pure function of the key",
                    more ? profile.text + " does not foretell: " + std::string(named->not_foretold) : "");
}

Result<AnyResponse> OfflineRing::answer(const AnyRequest& request) const {
  // Without nodes there are still slots.
  const bool slots_alone =
      profile.algorithm == Profile::Algorithm::slots && std::holds_alternative<GetNodes::Request>(request);
  if (placement.empty() && !slots_alone) return make_error(Errc::empty_ring, "there is no node that could own a key");
  if (const auto* one = std::get_if<GetNode::Request>(&request)) {
    auto names = names_of(*this, one->key.bytes, one->n);
    if (names.empty()) return not_foretold(profile, one->key.bytes);
    return AnyResponse(GetNode::Response{one->ring, 0, names.front(), names});
  }
  const auto& many = std::get<GetNodes::Request>(request);
  GetNodes::Response response{many.ring, 0, {}};
  for (const Key& key : many.keys) response.owners.push_back(names_of(*this, key.bytes, many.n));
  return AnyResponse(std::move(response));
}

std::uint64_t OfflineRing::slot(std::string_view key) const {
  return static_cast<std::uint64_t>(KeyRule(profile).hash(key).value_or(0)) % profile.slots;
}

Result<OfflineRing> make_offline_ring(std::string_view text, std::vector<Node> nodes) {
  auto profile = parse_profile(text);
  if (!profile) return std::move(profile).error();
  auto placement = build(*profile, nodes);
  if (!placement) return std::move(placement).error();
  if (const std::string clash = ambiguous_names(*profile, nodes); !clash.empty()) say("WARNING: " + clash);
  return OfflineRing{std::move(*profile), std::move(nodes), std::move(*placement)};
}

}  // namespace chash::cli
