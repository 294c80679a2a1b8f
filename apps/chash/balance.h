// How evenly a ring's nodes share its keys, in numbers.  Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chash/node_list.h"

namespace chash::cli {

struct NodeBalance {
  std::string name;
  double weight = 1;
  double ideal = 0;  // its part of all weights
  double share = 0;  // what it has
  std::uint64_t keys = 0;

  // 0.1 has a tenth more than it should; 0 where it should have nothing.
  double off_by() const { return ideal == 0 ? 0 : share / ideal - 1; }
};

struct Balance {
  std::vector<NodeBalance> nodes;  // in the order of the ring
  double max_mean = 0;             // of the node that has most for its weight, how often what it should have
  double stddev = 0;               // of off_by(), of the nodes that should have something
};

Balance balance_of(const NodeList& nodes, std::span<const double> shares);

// So much of so many columns, in blocks or in `#`.
std::string bar(double part, std::size_t columns, bool utf8);

}  // namespace chash::cli
