#include "chash/movement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "chash/random_keys.h"

namespace chash {
namespace {

// How many positions: a circle of 128 bits has one more than fits a number.
struct Length {
  Token low = 0;
  std::uint64_t circles = 0;

  // 0 is a whole circle of 128 bits.
  void add(Token some) {
    low += some;
    if (low < some || some == 0) ++circles;
  }
  double share(unsigned bits) const {
    const long double upper = static_cast<long double>(static_cast<std::uint64_t>(low >> 64));
    const long double lower = static_cast<long double>(static_cast<std::uint64_t>(low));
    const long double all = std::ldexp(static_cast<long double>(circles), 128) + std::ldexp(upper, 64) + lower;
    return static_cast<double>(std::ldexp(all, -static_cast<int>(bits)));
  }
};

// Of the piece that begins at begins[i]; 0 where that is a whole circle of 128 bits.
Token length_of(const Cuts& cuts, std::size_t i) {
  const Token circle = cuts.bits == 128 ? 0 : Token{1} << cuts.bits;
  return (i + 1 < cuts.positions.size() ? cuts.positions[i + 1] : circle) - cuts.positions[i];
}

// Asked in the middle: a position that is a point's own makes the index look closer, at a hundred times the price.
Token inside_of(Token begin, Token length) { return begin + (length - 1) / 2; }

// Calls visit(first, length, from, to) for each piece, in order.
template <class Visit>
void for_each_piece(const Cuts& cuts, const Placed& before, const Placed& after, std::size_t rank, Visit visit) {
  constexpr std::size_t group = 512;
  const std::vector<Token>& begins = cuts.positions;
  std::vector<Token> inside, lengths;
  std::vector<NodeIndex> from(group), to(group);
  for (std::size_t done = 0; done < begins.size(); done += group) {
    const std::size_t some = std::min(group, begins.size() - done);
    inside.clear();
    lengths.clear();
    for (std::size_t i = done; i < done + some; ++i) {
      lengths.push_back(length_of(cuts, i));
      inside.push_back(inside_of(begins[i], lengths.back()));
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

// From counts of any kind, of which share() makes shares.
template <class Share, class Count>
Movement sum_up(const std::vector<Same>& same, Share share, const std::vector<Count>& had,
                const std::vector<Count>& has, const std::map<std::pair<NodeIndex, NodeIndex>, Count>& flows) {
  Movement found;
  std::vector<bool> unchanged(has.size());
  for (const Same& one : same)
    if (one.unchanged) unchanged[one.node] = true;
  for (const Count& count : had) found.before.push_back(share(count));
  for (const Count& count : has) found.after.push_back(share(count));
  for (const auto& [pair, count] : flows) {
    const auto [from, to] = pair;
    found.flows.push_back({from, to, share(count)});
    found.moved += share(count);
    if (from != no_node && to != no_node && same[from].unchanged && unchanged[to]) found.needless += share(count);
  }
  // Whoever has more than before must have got that from somebody.
  std::vector<double> more = found.after;
  for (NodeIndex node = 0; node < same.size(); ++node)
    if (same[node].node != no_node) more[same[node].node] -= found.before[node];
  for (const double part : more) found.minimum += std::max(0.0, part);
  double to_nobody = 0;
  for (const Flow& flow : found.flows)
    to_nobody += (flow.to == no_node ? flow.share : 0) - (flow.from == no_node ? flow.share : 0);
  found.minimum += std::max(0.0, to_nobody);
  return found;
}

}  // namespace

std::optional<Movement> movement(const Placed& before, const Placed& after, std::size_t rank) {
  const auto cuts = common_cuts(before.placement, after.placement, rank > 0);
  if (!cuts) return std::nullopt;
  const std::vector<Same> same = same_nodes(before.nodes, after.nodes);
  std::vector<Length> had(before.nodes.size()), has(after.nodes.size());
  std::map<std::pair<NodeIndex, NodeIndex>, Length> flows;
  for_each_piece(*cuts, before, after, rank, [&](Token, Token length, NodeIndex from, NodeIndex to) {
    if (from != no_node) had[from].add(length);
    if (to != no_node) has[to].add(length);
    if (!stays(same, from, to)) flows[{from, to}].add(length);
  });

  const auto share = [&](const Length& length) { return length.share(cuts->bits); };
  return sum_up(same, share, had, has, flows);
}

Movement sampled_movement(const Placed& before, const Placed& after, const Profile& profile, std::size_t samples) {
  const std::vector<Same> same = same_nodes(before.nodes, after.nodes);
  std::vector<std::uint64_t> had(before.nodes.size()), has(after.nodes.size());
  std::map<std::pair<NodeIndex, NodeIndex>, std::uint64_t> flows;
  RandomKeys keys(1, profile);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::string key = keys.next_plain();
    const NodeIndex from = before.placement.empty() ? no_node : before.placement.owner(key);
    const NodeIndex to = after.placement.empty() ? no_node : after.placement.owner(key);
    if (from != no_node) ++had[from];
    if (to != no_node) ++has[to];
    if (!stays(same, from, to)) ++flows[{from, to}];
  }
  const auto all = static_cast<double>(samples);
  const auto share = [&](std::uint64_t count) { return static_cast<double>(count) / all; };
  Movement found = sum_up(same, share, had, has, flows);
  // Three more of each kind: of a thousand keys that all stay, some others might have moved.
  const double p = (found.moved * all + 3) / (all + 6);
  found.error = 1.96 * std::sqrt(p * (1 - p) / all);
  return found;
}

std::optional<std::map<std::vector<NodeIndex>, double>> shares_of_lists(const Placement& placement, std::size_t count) {
  const auto cuts = common_cuts(placement, placement, count > 1);
  if (!cuts) return std::nullopt;
  std::map<std::vector<NodeIndex>, Length> lengths;
  for (std::size_t i = 0; i < cuts->positions.size(); ++i) {
    const Token length = length_of(*cuts, i);
    lengths[placement.owners_at(inside_of(cuts->positions[i], length), count)].add(length);
  }
  std::map<std::vector<NodeIndex>, double> shares;
  for (const auto& [nodes, length] : lengths) shares.emplace(nodes, length.share(cuts->bits));
  return shares;
}

std::optional<double> share_where(const Placement& placement, std::size_t count,
                                  const std::function<bool(const std::vector<NodeIndex>&)>& is_such) {
  const auto cuts = common_cuts(placement, placement, count > 1);
  if (!cuts) return std::nullopt;
  Length sum;
  for (std::size_t i = 0; i < cuts->positions.size(); ++i) {
    const Token length = length_of(*cuts, i);
    if (is_such(placement.owners_at(inside_of(cuts->positions[i], length), count))) sum.add(length);
  }
  return sum.share(cuts->bits);
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
