#include "protocol/plan_report.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "chash/limits.h"
#include "chash/movement.h"
#include "chash/profile.h"
#include "chash/standing.h"
#include "protocol/time_text.h"

namespace chash::protocol {
namespace {

std::string name_of(const RingSpec& spec, NodeIndex node) { return node == no_node ? "" : spec.nodes[node].name; }

std::vector<FlowShare> flows_of(const std::vector<Flow>& flows, const RingSpec& before, const RingSpec& after) {
  std::vector<Flow> sorted = flows;
  std::ranges::stable_sort(sorted, std::ranges::greater(), &Flow::share);
  if (sorted.size() > limits::listed_flows) sorted.resize(limits::listed_flows);
  std::vector<FlowShare> named;
  for (const Flow& flow : sorted) named.push_back({name_of(before, flow.from), name_of(after, flow.to), flow.share});
  return named;
}

// The nodes that gain or lose anything: those that were there first, in their order.
std::vector<NodeShare> shares_of(const chash::Movement& movement, const RingSpec& before, const RingSpec& after) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<NodeShare> shares;
  const auto share_of = [&](const std::string& name) -> NodeShare& {
    const auto [at, is_new] = places.emplace(name, shares.size());
    if (is_new) shares.push_back({name, 0, 0, 0, 0});
    return shares[at->second];
  };
  for (NodeIndex node = 0; node < before.nodes.size(); ++node)
    share_of(before.nodes[node].name).before = movement.before[node];
  for (NodeIndex node = 0; node < after.nodes.size(); ++node)
    share_of(after.nodes[node].name).after = movement.after[node];
  for (const Flow& flow : movement.flows) {
    if (flow.from != no_node) share_of(before.nodes[flow.from].name).loses += flow.share;
    if (flow.to != no_node) share_of(after.nodes[flow.to].name).gains += flow.share;
  }
  std::erase_if(shares, [](const NodeShare& share) { return share.gains == 0 && share.loses == 0; });
  return shares;
}

void compare_nodes(const RingSpec& before, const RingSpec& after, MovementReport& report) {
  std::unordered_map<std::string_view, const Node*> there;
  for (const Node& node : before.nodes) there.emplace(node.name, &node);
  for (const Node& node : after.nodes) {
    const auto found = there.extract(node.name);
    if (!found) report.added.push_back(given(node));
    else if (*found.mapped() != node) report.altered.push_back({given(*found.mapped()), given(node)});
  }
  for (const Node& node : before.nodes)
    if (there.contains(node.name)) report.removed.push_back(node.name);
}

Error not_exact(std::string_view what) {
  return make_error(Errc::unpredictable, "the " + std::string(what) + " that move cannot be told of these rings",
                    "they can where both have points on one circle, or are balanced; replicas not where a key belongs "
                    "to the nearest point");
}

// As many keys as cost a moment: rendezvous asks every node for each.
std::size_t samples_for(const RingSpec& spec) {
  constexpr std::size_t scores = 20'000'000;
  return std::clamp<std::size_t>(scores / std::max<std::size_t>(spec.nodes.size(), 1), 2'000, 100'000);
}

Result<std::vector<MovedArc>> arcs(const Placed& before, const Placed& after, unsigned bits) {
  const auto ranges = moved_ranges(before, after);
  if (!ranges) return not_exact("positions");
  if (ranges->size() > limits::listed_ranges)
    return make_error(Errc::too_large,
                      std::to_string(ranges->size()) + " ranges move, more than an answer has room for",
                      "look at fewer nodes at once, or write the keys that move with --keys");
  std::vector<MovedArc> found;
  for (const MovedRange& range : *ranges)
    found.push_back({hex(range.first, bits), hex(range.last, bits),
                     range.from == no_node ? "" : before.nodes[range.from].name,
                     range.to == no_node ? "" : after.nodes[range.to].name});
  return found;
}

// Who answers for the keys of a pin, or of what was one; nobody where the hash of each decides.
std::string owner_of(const PlacedRing& ring, const PinName& name) {
  if (!name.is_prefix) {
    const NodeIndex owner = ring.placement.empty() ? no_node : ring.placement.owner(name.key);
    return owner == no_node ? "" : ring.spec.nodes[owner].name;
  }
  bool is_first = true;
  for (const NodeIndex node : ring.placement.pinned(name)) {
    const auto state = node_state(ring.spec.nodes[node]);
    if (!state || *state == NodeState::up || (is_first && *state == NodeState::drain))
      return ring.spec.nodes[node].name;
    is_first = false;
  }
  return "";
}

}  // namespace

std::vector<PinMove> pins_moved(const PlacedRing& before, const PlacedRing& after) {
  std::vector<PinMove> moves;
  const auto compare = [&](const PinName& name) {
    const Pin *const was = before.spec.pins.find(name), *const is = after.spec.pins.find(name);
    PinMove move{named(name)};
    if (was != nullptr) move.before = was->nodes;
    if (is != nullptr) move.after = is->nodes;
    move.from = owner_of(before, name);
    move.to = owner_of(after, name);
    const bool is_same = was != nullptr && is != nullptr && *was == *is;
    if (is_same && move.from == move.to) return;
    if (is != nullptr) move.expires = time_text(is->expires_ms);
    moves.push_back(std::move(move));
  };
  for (const Pin& pin : before.spec.pins) compare(pin.name);
  for (const Pin& pin : after.spec.pins)
    if (before.spec.pins.find(pin.name) == nullptr) compare(pin.name);
  return moves;
}

Result<MovementReport> movement_report(const PlacedRing& before, const PlacedRing& after,
                                       const ReportOptions& options) {
  MovementReport report;
  compare_nodes(before.spec, after.spec, report);
  report.pins = pins_moved(before, after);
  if (report.pins.size() > limits::listed_pins) {
    report.pins_left_out = report.pins.size() - limits::listed_pins;
    report.pins.resize(limits::listed_pins);
  }
  const Placed from{before.placement, before.spec.nodes}, to{after.placement, after.spec.nodes};
  auto moved = movement(from, to);
  if (!moved) {
    if (options.n > 1) return not_exact("replicas");
    if (options.ranges) return not_exact("positions");
    const auto profile = parse_profile(before.spec.profile);
    if (!profile) return profile.error();
    const auto& larger = before.spec.nodes.size() > after.spec.nodes.size() ? before.spec : after.spec;
    moved = sampled_movement(from, to, *profile, samples_for(larger));
  }
  report.moved = moved->moved;
  report.minimum = moved->minimum;
  report.needless = moved->needless;
  report.error = moved->error;
  report.flows = flows_of(moved->flows, before.spec, after.spec);
  report.flows_left_out = moved->flows.size() - report.flows.size();
  report.nodes = shares_of(*moved, before.spec, after.spec);
  // The list of each rank is made anew.
  const std::uint64_t points = before.placement.points() + after.placement.points();
  if (options.n > 1 && points * options.n * (options.n + 1) / 2 > limits::points_of_replicas)
    return make_error(Errc::too_large,
                      "the rings are too large to look at " + std::to_string(options.n) + " nodes of each key",
                      "ask for fewer replicas");
  for (std::uint32_t rank = 1; rank < options.n; ++rank) {
    const auto behind = movement(from, to, rank);
    if (!behind) return not_exact("replicas");
    report.ranks.push_back(
        {rank + 1, behind->moved, behind->minimum, behind->needless, flows_of(behind->flows, before.spec, after.spec)});
  }
  if (options.ranges) {
    // One that does not hash, since it has no node or just one, has no circle of its own.
    const unsigned bits = std::max(before.placement.key_rule().bits(), after.placement.key_rule().bits());
    auto found = arcs(from, to, bits);
    if (!found) return std::move(found).error();
    report.ranges = std::move(*found);
  }
  return report;
}

std::string plan_id(std::string_view ring, Token from, Token to, double max_move) {
  const Token sum = xxh3_128(std::string(ring) + '\n' + hex(from) + '\n' + hex(to) + '\n' +
                             hex(std::bit_cast<std::uint64_t>(max_move), 64));
  return "plan-" + hex(sum & 0xffff'ffff'ffff'ffff, 64);
}

bool is_plan_id(std::string_view text) {
  constexpr std::string_view prefix = "plan-";
  return text.size() == prefix.size() + 16 && text.starts_with(prefix) &&
         text.find_first_not_of("0123456789abcdef", prefix.size()) == text.npos;
}

std::vector<Node> nodes_of(const std::vector<NodeGiven>& given) {
  std::vector<Node> nodes;
  nodes.reserve(given.size());
  for (const NodeGiven& node : given) nodes.push_back({node.name, node.weight, node.fields_given, node.labels});
  return nodes;
}

NodeGiven given(const Node& node) { return {node.name, node.weight, node.fields, node.labels}; }

}  // namespace chash::protocol
