#include "chash/slot_shares.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "chash/hash.h"

namespace chash {
namespace {

// Weights as whole numbers in the same proportions, to 2^-53 of the largest.
std::vector<std::uint64_t> whole_weights(std::span<const double> weights) {
  int exponent = 0;
  (void)std::frexp(std::ranges::max(weights), &exponent);
  std::vector<std::uint64_t> whole;
  whole.reserve(weights.size());
  for (const double weight : weights) whole.push_back(static_cast<std::uint64_t>(std::ldexp(weight, 53 - exponent)));
  return whole;
}

// slot_shares() where some take nothing: they keep what they hold if their part is more, and the others share the rest.
std::vector<std::uint32_t> capped_shares(std::uint32_t slots, std::span<const double> weights,
                                         std::span<const std::uint32_t> held, const std::vector<bool>& takes_nothing) {
  std::vector<double> open(weights.begin(), weights.end());
  std::vector<std::uint32_t> kept(weights.size());
  std::uint32_t left = slots;
  while (true) {
    std::vector<std::uint32_t> shares = slot_shares(left, open, held);
    bool all_fit = true;
    for (NodeIndex node = 0; node < shares.size(); ++node) {
      if (!takes_nothing[node] || shares[node] <= held[node]) continue;
      kept[node] = held[node];
      left -= held[node];
      open[node] = 0;
      all_fit = false;
    }
    if (all_fit) {
      for (NodeIndex node = 0; node < shares.size(); ++node) shares[node] += kept[node];
      return shares;
    }
    if (left > 0 && std::ranges::max(open) <= 0) return slot_shares(slots, weights, held);
  }
}

}  // namespace

std::vector<std::uint32_t> slot_shares(std::uint32_t slots, std::span<const double> weights,
                                       std::span<const std::uint32_t> held) {
  std::vector<std::uint32_t> shares(weights.size());
  if (weights.empty() || std::ranges::max(weights) <= 0) return shares;
  const std::vector<std::uint64_t> whole = whole_weights(weights);
  const Token total = std::accumulate(whole.begin(), whole.end(), Token{0});

  std::vector<Token> rests(weights.size());
  std::vector<NodeIndex> rounded;  // those whose quota is not a whole number
  std::uint32_t left = slots;
  for (NodeIndex node = 0; node < weights.size(); ++node) {
    const Token quota = Token{whole[node]} * slots;
    shares[node] = static_cast<std::uint32_t>(quota / total);
    rests[node] = quota % total;
    left -= shares[node];
    if (rests[node] > 0) rounded.push_back(node);
  }
  const auto goes_up_first = [&](NodeIndex a, NodeIndex b) {
    const bool a_holds = held[a] > shares[a], b_holds = held[b] > shares[b];
    if (a_holds != b_holds) return a_holds;
    return rests[a] != rests[b] ? rests[a] > rests[b] : a < b;
  };
  const auto end = rounded.begin() + left;
  std::nth_element(rounded.begin(), end, rounded.end(), goes_up_first);
  std::for_each(rounded.begin(), end, [&](NodeIndex node) { ++shares[node]; });
  return shares;
}

std::vector<NodeIndex> share_out(std::vector<NodeIndex> table, std::span<const double> weights,
                                 const std::vector<bool>& takes_nothing) {
  std::vector<std::uint32_t> held(weights.size());
  for (const NodeIndex node : table)
    if (node != no_node) ++held[node];
  const auto slots = static_cast<std::uint32_t>(table.size());
  const bool all_take = std::ranges::find(takes_nothing, true) == takes_nothing.end();
  std::vector<std::uint32_t> lacks =
      all_take ? slot_shares(slots, weights, held) : capped_shares(slots, weights, held, takes_nothing);
  if (std::ranges::all_of(lacks, [](std::uint32_t share) { return share == 0; })) return {};
  std::vector<std::uint32_t> too_many(weights.size());
  for (NodeIndex node = 0; node < weights.size(); ++node) {
    too_many[node] = held[node] - std::min(held[node], lacks[node]);
    lacks[node] -= std::min(held[node], lacks[node]);
  }
  for (auto slot = table.rbegin(); slot != table.rend(); ++slot) {
    if (*slot == no_node || too_many[*slot] == 0) continue;
    --too_many[*slot];
    *slot = no_node;
  }
  NodeIndex next = 0;
  for (NodeIndex& node : table) {
    if (node != no_node) continue;
    while (lacks[next] == 0) ++next;
    --lacks[next];
    node = next;
  }
  return table;
}

}  // namespace chash
