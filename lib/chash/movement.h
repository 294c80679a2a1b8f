// Movement: what share of all keys goes from which node to which when one placement takes the place of another.
//
//   before   ───a───┬──b──┬──────a──────     The circle is cut wherever either of the two may change its answer, and
//   after    ───a───┬──b──┬──c──┬───a───     both are asked once for each piece: exact, and never by samples.
//   flows                   a→c
//
// Exact of what a hash gives that spreads evenly: the share of a piece is its length.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "chash/placement.h"

namespace chash {

// Shares of all keys, 0 to 1.
struct Flow {
  NodeIndex from;  // among the nodes before; no_node where there was none
  NodeIndex to;    // among the nodes after; no_node where there is none
  double share;

  friend bool operator==(const Flow&, const Flow&) = default;
};

// Positions from `first` to `last`, both of them included.
struct MovedRange {
  Token first, last;
  NodeIndex from, to;
};

struct Movement {
  std::vector<double> before, after;  // by node
  std::vector<Flow> flows;            // by `from`, then `to`
  double moved = 0;                   // the sum of the flows
  double minimum = 0;                 // what no placement of the same shares could have done without
  double needless = 0;                // of flows between nodes that are the same before and after
  double error = 0;                   // of `moved` where that was sampled: half of the interval of 95 %
};

// A placement with the nodes that it was built from.
struct Placed {
  const Placement& placement;
  const NodeList& nodes;
};

// Of the owners (rank 0), or of the nodes that are named second, third and so on.
// Nothing where the two do not cut the same circle: other hashes of keys, or algorithms that have none (all but rings
// and balanced); nor for ranks above 0 where a key belongs to the nearest point. Cost: ~100 ns a point, and for ranks
// above 0 that of a list for each.
std::optional<Movement> movement(const Placed& before, const Placed& after, std::size_t rank = 0);

// The same of so many keys, where nothing better is to be had; they are the same ones each time.
// Requires: samples > 0; neither placement has its own idea of the other's keys (profile.key_form).
Movement sampled_movement(const Placed& before, const Placed& after, const Profile& profile, std::size_t samples);

// What share of all keys each list of the first `count` nodes has.  As movement().
std::optional<std::map<std::vector<NodeIndex>, double>> shares_of_lists(const Placement& placement, std::size_t count);

// What share of all keys has such nodes as its first `count`.  As movement(), in constant memory.
std::optional<double> share_where(const Placement& placement, std::size_t count,
                                  const std::function<bool(const std::vector<NodeIndex>&)>& is_such);

// Where on the circle that is, in order.  As movement().
std::optional<std::vector<MovedRange>> moved_ranges(const Placed& before, const Placed& after, std::size_t rank = 0);

}  // namespace chash
