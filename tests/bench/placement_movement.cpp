// What a plan costs: the exact movement between two rings, beside asking both of them for as many keys as are needed to
// come near it.
#include <cmath>
#include <string>
#include <vector>

#include "chash/movement.h"
#include "placement_sections.h"

namespace placement_bench {
namespace {

using chash::NodeList;
using chash::Placed;
using chash::Placement;

constexpr const char* profile = "seed,vnodes=160";

Placement ring_of(const NodeList& nodes) { return chash::build(*chash::parse_profile(profile), nodes).value(); }

}  // namespace

void movements(Report& report, std::size_t count, bool is_smoke) {
  const NodeList before = named_nodes(count);
  NodeList after = before;
  after.push_back({"node-new"});
  const Placement ring = ring_of(before);
  // A ring that shares nothing with the other, as one of another epoch is.
  const Placement next = ring_of(after);
  const Placed from{ring, before}, to{next, after};
  const chash::Profile keys_of = *chash::parse_profile(profile);
  const auto exact = [&](std::size_t times) {
    std::uint64_t flows = 0;
    for (std::size_t i = 0; i < times; ++i) flows += movement(from, to)->flows.size();
    return flows;
  };
  const auto sampled = [&](std::size_t samples) {
    return [&, samples](std::size_t times) {
      std::uint64_t flows = 0;
      for (std::size_t i = 0; i < times; ++i) flows += sampled_movement(from, to, keys_of, samples).flows.size();
      return flows;
    };
  };
  const std::string title = std::to_string(count) + " nodes x 160 points, one more";
  std::vector<std::size_t> sizes{10'000, 100'000, 1'000'000};
  if (is_smoke) sizes = {1'000};
  std::vector<Row> rows{{"exact", exact}};
  for (const std::size_t samples : sizes)
    rows.push_back({std::to_string(samples) + " keys asked of both", sampled(samples)});
  report.table("movement, " + title, rows);
  const double moved = movement(from, to)->moved;
  for (const std::size_t samples : sizes)
    report.figure("off by, " + std::to_string(samples) + " keys, " + title,
                  100 * std::abs(sampled_movement(from, to, keys_of, samples).moved / moved - 1), "% of what moves");
}

}  // namespace placement_bench
