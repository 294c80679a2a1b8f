#include "ring_shares.h"

#include <algorithm>

#include "chash/movement.h"

namespace chash::cli {
namespace {

constexpr std::size_t sampled_keys = 1'000'000;  // a share of 10 % is right to 0.06 % then, 95 times of 100

// A picture shows a thousandth of that; every slot of a balanced ring has its own.
constexpr unsigned look_bits = 20;

Result<void> check_not_empty(const Side& ring) {
  if (!ring.placement.empty()) return {};
  return make_error(Errc::empty_ring, "ring '" + ring.label + "' has no node that may answer",
                    "try: chash add -r " + ring.label + " NODE");
}

}  // namespace

std::optional<std::vector<double>> exact_shares_of(const Side& ring) {
  if (ring.placement.empty()) return std::vector<double>(ring.spec.nodes.size());
  auto exact = movement(Placed{Placement(), NodeList()}, Placed{ring.placement, ring.spec.nodes});
  return exact ? std::optional(std::move(exact->after)) : std::nullopt;
}

Result<RingShares> shares_of(const Side& ring) {
  if (auto ok = check_not_empty(ring); !ok) return ok.error();
  if (auto exact = exact_shares_of(ring)) return RingShares{std::move(*exact), 0};
  const Placement nobody;
  const NodeList none;
  const Placed before{nobody, none}, after{ring.placement, ring.spec.nodes};
  const auto profile = parse_profile(ring.spec.profile);
  if (!profile) return profile.error();
  return RingShares{sampled_movement(before, after, *profile, sampled_keys).after, sampled_keys};
}

Result<std::vector<NodeIndex>> owners_round(const Side& ring) {
  const auto profile = parse_profile(ring.spec.profile);
  if (!profile) return profile.error();
  if (profile->algorithm != Profile::Algorithm::ring && profile->algorithm != Profile::Algorithm::balanced)
    return make_error(Errc::invalid_argument,
                      "ring '" + ring.label + "' has no circle to be drawn, with its profile " + ring.spec.profile +
                          ": 'draw' needs a ring or balanced",
                      "its shares: chash distribution -r " + ring.label);
  if (auto ok = check_not_empty(ring); !ok) return ok.error();

  const unsigned bits = profile->hash->bits, looked_at = std::min(bits, look_bits);
  std::vector<Token> positions(std::size_t{1} << looked_at);
  // In the middle of each part.
  const Token half = bits > looked_at ? Token{1} << (bits - looked_at - 1) : 0;
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = (Token{i} << (bits - looked_at)) + half;
  std::vector<NodeIndex> owners(positions.size());
  ring.placement.named_at(positions, 0, owners);
  return owners;
}

}  // namespace chash::cli
