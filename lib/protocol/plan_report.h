// What one ring after another comes to, as clients are told: the same words for plans, changes and epochs, whoever
// works them out.
#pragma once

#include <string>
#include <string_view>

#include "chash/placement.h"
#include "chash/result.h"
#include "chash/ring_spec.h"
#include "protocol/movement_report.h"

namespace chash::protocol {

struct PlacedRing {
  const RingSpec& spec;
  const Placement& placement;
};

struct ReportOptions {
  std::uint32_t n = 1;  // nodes of each key
  bool ranges = false;
};

// Exact where movement() is, sampled elsewhere: then without ranks and ranges.
// Errors: unpredictable (ranks or ranges that are not to be had), too_large (more ranges than an answer has room for).
Result<MovementReport> movement_report(const PlacedRing& before, const PlacedRing& after, const ReportOptions& options);

// The pins that are otherwise, or whose owner is.  Cost: O(pins).
std::vector<PinMove> pins_moved(const PlacedRing& before, const PlacedRing& after);

// The same plan of the same ring has the same id, on any machine.
std::string plan_id(std::string_view ring, Token from, Token to, double max_move);
bool is_plan_id(std::string_view text);

std::vector<Node> nodes_of(const std::vector<NodeGiven>& given);
NodeGiven given(const Node& node);

}  // namespace chash::protocol
