// What our look-ups are measured beside: the ring as most programs have it, the cost of memory itself, and
// libmemcached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chash/node_list.h"
#include "chash/points.h"
#include "placement_report.h"

namespace placement_bench {

// Positions in order, and the owners beside them: what most programs have, without their locks and health checks.
struct SortedRing {
  std::vector<chash::Token> positions;
  std::vector<chash::NodeIndex> owners;

  // Requires: `points` are in order.
  explicit SortedRing(std::span<const chash::Point> points);

  chash::NodeIndex owner(chash::Token position) const {
    const auto at = std::ranges::upper_bound(positions, position);
    return owners[at == positions.end() ? 0 : static_cast<std::size_t>(at - positions.begin())];
  }
};

// As many bytes as an index has, in lines of 64: each address is known only when the line before it was read.
struct LineCycle {
  std::vector<std::uint32_t> next;  // by line, in its first word

  explicit LineCycle(std::size_t lines);

  std::uint32_t follow(std::size_t steps) const {
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < steps; ++i) at = next[std::size_t{at} * 16];
    return at;
  }
};

// None where libmemcached is not installed, or aborts on so many nodes. The keys outlive the rows.
std::vector<Row> libmemcached_rows(const chash::NodeList& nodes, std::span<const std::string_view> keys);

}  // namespace placement_bench
