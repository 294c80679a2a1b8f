// Placements as pieces of a circle: where their answers may change, and what they answer there.
#include <algorithm>
#include <functional>

#include "chash/placement.h"
#include "chash/position_sort.h"

namespace chash {

std::optional<Cuts> common_cuts(const Placement& a, const Placement& b, bool lists) {
  if (!a.is_constant() && !b.is_constant() && a.key_rule() != b.key_rule()) return std::nullopt;
  Cuts cuts{(a.is_constant() ? b : a).key_rule().bits(), {0}};
  const auto* const known = std::get_if<Ring>(&a.algorithm_);
  for (const bool is_second : {false, true}) {
    const Placement* const placement = is_second ? &b : &a;  // they may be one
    if (placement->is_constant()) continue;
    const auto* const ring = std::get_if<Ring>(&placement->algorithm_);
    const auto* const balanced = std::get_if<Balanced>(&placement->algorithm_);
    if (ring != nullptr && !(lists && ring->is_nearest())) {
      const bool same_rules = is_second && known != nullptr && !a.is_constant() && a.is_heavy_ == b.is_heavy_ &&
                              known->profile().text == ring->profile().text;
      ring->append_cuts(same_rules ? known : nullptr, cuts.positions);
    } else if (balanced != nullptr) {
      balanced->append_cuts(cuts.positions);
    } else {
      return std::nullopt;
    }
  }
  if (cuts.bits == 0) return cuts;  // nobody is asked by position
  sort_by_position(cuts.bits, cuts.positions, std::identity(), std::less());
  const auto rest = std::ranges::unique(cuts.positions);
  cuts.positions.erase(rest.begin(), rest.end());
  return cuts;
}

void Placement::named_at(std::span<const Token> positions, std::size_t rank, std::span<NodeIndex> found) const {
  std::ranges::fill(found, rank == 0 ? only_ : no_node);
  if (is_constant()) return;
  const auto name = [&](std::size_t i) {
    const auto named = owners_at(positions[i], rank + 1);
    found[i] = rank < named.size() ? named[rank] : no_node;
  };
  const auto* const ring = std::get_if<Ring>(&algorithm_);
  const auto* const balanced = std::get_if<Balanced>(&algorithm_);
  if (rank == 0 && ring != nullptr) ring->owners_at(positions, found);
  if (rank == 0 && balanced != nullptr)
    std::ranges::transform(positions, found.begin(), [&](Token position) { return balanced->owner_at(position); });
  for (std::size_t i = 0; i < positions.size(); ++i)
    if (rank > 0 || is_missing(found[i])) name(i);
}

std::vector<NodeIndex> Placement::owners_at(Token position, std::size_t count) const {
  if (only_ != no_node) return {only_};
  const auto* const ring = std::get_if<Ring>(&algorithm_);
  const auto* const balanced = std::get_if<Balanced>(&algorithm_);
  if (is_constant() || (ring == nullptr && balanced == nullptr)) return {};
  return choose(standing_.get(), nullptr, count, [&](std::size_t asked) {
    return ring != nullptr ? ring->owners_at(position, asked) : balanced->owners_at(position, asked);
  });
}

bool Placement::goes_to_next() const {
  const auto* const ring = std::get_if<Ring>(&algorithm_);
  return ring != nullptr && !is_constant() && !has_drain() && ring->goes_to_next();
}

}  // namespace chash
