// Slot shares: who gets how many slots, and which of them move for that — as few as can be.
//
//   slots     0    1    2    3    4    5    6    7        weights  a 1, b 1
//   before    a    a    a    a    b    b    b    b
//   c comes   a    a    a    c    b    b    c    b   a and b keep 3 each, c gets 2: 2 slots move, and none would do
//
// A node's quota is its part of all weights, of the slots; it gets that many slots, rounded down or up. Who is rounded
// up is free, and so decided for least movement: first those who hold as many already, then the largest remainder, then
// whoever is longest in the ring. Everything is counted in whole numbers, so that the same history gives the same table
// on any machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chash/slot_table.h"

namespace chash {

// How many slots each node should have, when it holds so many now.
// Shape: [nodes]; the sum is `slots`, or 0 where no weight is above 0.  Cost: O(nodes), ~40 ns each.
std::vector<std::uint32_t> slot_shares(std::uint32_t slots, std::span<const double> weights,
                                       std::span<const std::uint32_t> held);

// The table after a change of the nodes: `table` has, by slot, who holds it still, or no_node for those of a node that
// is gone. Of what somebody holds too much, his last slots go; what is free goes to those who lack some, in order.
// Empty where no weight is above 0.  Cost: O(slots + nodes), ~2 ns a slot.
// A node that takes nothing has no more slots than before, unless nobody else could have them: `takes_nothing` has one
// for each node, or is empty.
std::vector<NodeIndex> share_out(std::vector<NodeIndex> table, std::span<const double> weights,
                                 const std::vector<bool>& takes_nothing = {});

}  // namespace chash
