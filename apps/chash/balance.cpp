#include "balance.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace chash::cli {

Balance balance_of(const NodeList& nodes, std::span<const double> shares) {
  Balance balance;
  double weights = 0, squares = 0;
  std::size_t counted = 0;
  for (const Node& node : nodes) weights += node.weight;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const double ideal = weights == 0 ? 0 : nodes[i].weight / weights;
    const NodeBalance& node = balance.nodes.emplace_back(NodeBalance{nodes[i].name, nodes[i].weight, ideal, shares[i]});
    if (ideal == 0) continue;
    ++counted;
    squares += node.off_by() * node.off_by();
    balance.max_mean = std::max(balance.max_mean, 1 + node.off_by());
  }
  if (counted > 0) balance.stddev = std::sqrt(squares / static_cast<double>(counted));
  return balance;
}

std::string bar(double part, std::size_t columns, bool utf8) {
  const double length = std::clamp(part, 0.0, 1.0) * static_cast<double>(columns);
  if (!utf8) return std::string(static_cast<std::size_t>(std::lround(length)), '#');
  constexpr std::string_view full = "\u2588";
  const auto eighths = static_cast<std::size_t>(std::lround(8 * length));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += full;
  // U+258F is one eighth, and U+2589 seven.
  if (const std::size_t rest = eighths % 8; rest > 0) text += {'\xe2', '\x96', static_cast<char>(0x90 - rest)};
  return text;
}

}  // namespace chash::cli
