#include "chash/movement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace chash {
namespace {

// How many positions: a circle of 128 bits has one more than fits a number.
struct Length {
  Token low = 0;
  std::uint64_t circles = 0;

  void add(Token some) {
    low += some;
    if (low < some) ++circles;
  }
  double share(unsigned bits) const {
    const long double upper = static_cast<long double>(static_cast<std::uint64_t>(low >> 64));
    const long double lower = static_cast<long double>(static_cast<std::uint64_t>(low));
    const long double all = std::ldexp(static_cast<long double>(circles), 128) + std::ldexp(upper, 64) + lower;
    return static_cast<double>(std::ldexp(all, -static_cast<int>(bits)));
  }
};

// Calls visit(first, length, from, to) for each piece, in order; `length` is 0 where that is a whole circle of 128
// bits.
template <class Visit>
void for_each_piece(const Cuts& cuts, const Placed& before, const Placed& after, std::size_t rank, Visit visit) {
  constexpr std::size_t group = 512;
  const std::vector<Token>& begins = cuts.positions;
  std::vector<Token> inside, lengths;
  std::vector<NodeIndex> from(group), to(group);
  for (std::size_t done = 0; done < begins.size(); done += group) {
    const std::size_t some = std::min(group, begins.size() - done);
    // Asked in the middle: a position that is a point's own makes the index look closer, at a hundred times the price.
    inside.clear();
    lengths.clear();
    for (std::size_t i = done; i < done + some; ++i) {
      const Token circle = cuts.bits == 128 ? 0 : Token{1} << cuts.bits;
      lengths.push_back((i + 1 < begins.size() ? begins[i + 1] : circle) - begins[i]);
      inside.push_back(begins[i] + (lengths.back() - 1) / 2);
    }
    before.placement.named_at(inside, rank, std::span(from).first(some));
    after.placement.named_at(inside, rank, std::span(to).first(some));
    for (std::size_t i = 0; i < some; ++i) visit(begins[done + i], lengths[i], from[i], to[i]);
  }
}

// By node before, which node that is after, and whether nothing about it has changed.
struct Same {
  NodeIndex node = no_node;
  bool unchanged = false;
};
std::vector<Same> same_nodes(const NodeList& before, const NodeList& after) {
  std::vector<Same> same(before.size());
  std::unordered_map<std::string_view, NodeIndex> by_name;
  for (NodeIndex node = 0; node < after.size(); ++node) by_name.emplace(after[node].name, node);
  for (NodeIndex node = 0; node < before.size(); ++node)
    if (const auto found = by_name.find(before[node].name); found != by_name.end())
      same[node] = {found->second, before[node] == after[found->second]};
  return same;
}

bool stays(const std::vector<Same>& same, NodeIndex from, NodeIndex to) {
  return from != no_node && to != no_node ? same[from].node == to : from == to;
}

}  // namespace

std::optional<Movement> movement(const Placed& before, const Placed& after, std::size_t rank) {
  const auto cuts = common_cuts(before.placement, after.placement, rank > 0);
  if (!cuts) return std::nullopt;
  const std::vector<Same> same = same_nodes(before.nodes, after.nodes);
  std::vector<Length> had(before.nodes.size()), has(after.nodes.size());
  std::map<std::pair<NodeIndex, NodeIndex>, Length> flows;
  const auto add = [](Length& to, Token length) { length == 0 ? void(++to.circles) : to.add(length); };
  for_each_piece(*cuts, before, after, rank, [&](Token, Token length, NodeIndex from, NodeIndex to) {
    if (from != no_node) add(had[from], length);
    if (to != no_node) add(has[to], length);
    if (!stays(same, from, to)) add(flows[{from, to}], length);
  });

  Movement found;
  std::vector<bool> unchanged(after.nodes.size());
  for (const Same& one : same)
    if (one.unchanged) unchanged[one.node] = true;
  for (const Length& length : had) found.before.push_back(length.share(cuts->bits));
  for (const Length& length : has) found.after.push_back(length.share(cuts->bits));
  for (const auto& [pair, length] : flows) {
    const auto [from, to] = pair;
    const double share = length.share(cuts->bits);
    found.flows.push_back({from, to, share});
    found.moved += share;
    if (from != no_node && to != no_node && same[from].unchanged && unchanged[to]) found.needless += share;
  }
  // Whoever has more than before must have got that from somebody.
  std::vector<double> more = found.after;
  for (NodeIndex node = 0; node < before.nodes.size(); ++node)
    if (same[node].node != no_node) more[same[node].node] -= found.before[node];
  for (const double share : more) found.minimum += std::max(0.0, share);
  return found;
}

std::optional<std::vector<MovedRange>> moved_ranges(const Placed& before, const Placed& after, std::size_t rank) {
  const auto cuts = common_cuts(before.placement, after.placement, rank > 0);
  if (!cuts) return std::nullopt;
  const std::vector<Same> same = same_nodes(before.nodes, after.nodes);
  std::vector<MovedRange> ranges;
  for_each_piece(*cuts, before, after, rank, [&](Token first, Token length, NodeIndex from, NodeIndex to) {
    if (stays(same, from, to)) return;
    const Token last = first + length - 1;
    const bool goes_on =
        !ranges.empty() && ranges.back().last + 1 == first && ranges.back().from == from && ranges.back().to == to;
    if (goes_on) ranges.back().last = last;
    else ranges.push_back({first, last, from, to});
  });
  return ranges;
}

}  // namespace chash
