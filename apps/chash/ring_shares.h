// What a ring's nodes have of it: exactly where that can be told, else measured.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "chash/slot_table.h"
#include "sides.h"

namespace chash::cli {

struct RingShares {
  std::vector<double> by_node;  // of all keys, 0 to 1
  std::size_t samples = 0;      // how many random keys were asked; 0 where this is exact
};

// Nothing where only a sample would tell. Of a ring without a node that may answer, every share is 0.
std::optional<std::vector<double>> exact_shares_of(const Side& ring);

// Errors: empty_ring.
Result<RingShares> shares_of(const Side& ring);

// Who owns each of so many equal parts of the circle, in order; no_node where that is nobody.
// Errors: empty_ring; invalid_argument where the ring has no circle.
Result<std::vector<NodeIndex>> owners_round(const Side& ring);

}  // namespace chash::cli
