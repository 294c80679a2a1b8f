#include "chash/losses.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "chash/limits.h"
#include "chash/standing.h"

namespace chash {
namespace {

Error unknown() {
  return make_error(Errc::unpredictable, "where keys would go cannot be told of this ring",
                    "it can of rings and of balanced; of replicas not where a key belongs to the nearest point");
}

Error too_much() {
  return make_error(Errc::too_large, "the ring is too large to look at all of that",
                    "ask for one node at a time, and for fewer replicas");
}

void sort_receivers(Loss& loss) {
  std::ranges::sort(loss.receivers, [](const Loss::Receiver& a, const Loss::Receiver& b) {
    return a.share != b.share ? a.share > b.share : a.node < b.node;
  });
}

// The ring when they are lost. A node that drains is not to take what was theirs, as it would if they were removed:
// they are down then.
RingSpec without(const RingSpec& spec, const std::vector<NodeIndex>& nodes, bool as_down) {
  AlterNodes down;
  down.state = "down";
  Delta delta;
  for (const NodeIndex node : nodes) (as_down ? down.names : delta.removed).push_back(spec.nodes[node].name);
  if (as_down)
    if (const auto altered = resolve(spec, down)) delta = *altered;
  return apply(spec, delta);
}

// The share of keys whose first `replicas` nodes are all lost.
std::optional<double> sets_lost(const Placement& placement, const std::vector<bool>& is_lost, std::size_t replicas) {
  return share_where(placement, replicas, [&](const std::vector<NodeIndex>& nodes) {
    return !nodes.empty() && std::ranges::all_of(nodes, [&](NodeIndex node) { return is_lost[node]; });
  });
}

// Of one node there is nothing to look for: another one keeps the key too, unless there is none that may.
double sets_lost_alone(const Loss& loss, std::size_t replicas) {
  return replicas == 1 || loss.receivers.empty() ? loss.share : 0;
}

// One walk for all: whoever is named behind the owner has the key when that is gone.
Result<std::vector<Loss>> losses_by_lists(const RingSpec& spec, const Placement& placement) {
  const auto lists = shares_of_lists(placement, 2);
  if (!lists) return unknown();
  std::vector<Loss> losses(spec.nodes.size());
  std::vector<double> shares(spec.nodes.size());
  std::vector<std::map<NodeIndex, double>> gets(spec.nodes.size());
  for (const auto& [nodes, share] : *lists) {
    if (nodes.empty()) continue;
    shares[nodes.front()] += share;
    if (nodes.size() > 1) gets[nodes.front()][nodes[1]] += share;
  }
  for (NodeIndex node = 0; node < losses.size(); ++node) {
    losses[node].nodes = {node};
    losses[node].share = shares[node];
    for (const auto& [to, share] : gets[node]) losses[node].receivers.push_back({to, share, shares[to] + share});
    sort_receivers(losses[node]);
  }
  return losses;
}

}  // namespace

Result<Loss> loss_of(const RingSpec& spec, const Placement& placement, std::vector<NodeIndex> nodes,
                     std::size_t replicas) {
  std::ranges::sort(nodes);
  std::vector<bool> is_lost(spec.nodes.size());
  for (const NodeIndex node : nodes) is_lost[node] = true;
  const bool drains = std::ranges::any_of(spec.nodes, is_draining);
  const RingSpec rest = without(spec, nodes, drains);
  auto after = placement.changed(drains ? std::span<const NodeIndex>() : nodes, rest.nodes);
  if (!after) {
    auto built = build(rest);
    if (!built) return std::move(built).error();
    after = std::move(*built);
  }
  const auto moved = movement({placement, spec.nodes}, {*after, rest.nodes});
  if (!moved) return unknown();
  std::vector<NodeIndex> old_number;  // of a node of the rest
  for (NodeIndex node = 0; node < is_lost.size(); ++node)
    if (drains || !is_lost[node]) old_number.push_back(node);

  Loss loss{std::move(nodes), 0, 0, {}};
  for (const NodeIndex node : loss.nodes) loss.share += moved->before[node];
  std::map<NodeIndex, double> gets;
  for (const Flow& flow : moved->flows)
    if (flow.from != no_node && is_lost[flow.from] && flow.to != no_node) gets[flow.to] += flow.share;
  for (const auto& [to, share] : gets) loss.receivers.push_back({old_number[to], share, moved->after[to]});
  sort_receivers(loss);
  if (replicas == 1 || loss.nodes.size() == spec.nodes.size()) {
    loss.sets_lost = loss.share;
    return loss;
  }
  if (loss.nodes.size() == 1) {
    loss.sets_lost = sets_lost_alone(loss, replicas);
    return loss;
  }
  if (placement.points() * replicas > limits::points_of_replicas) return too_much();
  const auto lost = sets_lost(placement, is_lost, replicas);
  if (!lost) return unknown();
  loss.sets_lost = *lost;
  return loss;
}

Result<std::vector<Loss>> losses_of_each(const RingSpec& spec, const Placement& placement, std::size_t replicas,
                                         std::uint64_t most_work) {
  if (placement.goes_to_next()) {
    if (placement.points() > limits::points_of_replicas / 2) return too_much();
    auto losses = losses_by_lists(spec, placement);
    if (!losses) return losses;
    for (Loss& loss : *losses) loss.sets_lost = sets_lost_alone(loss, replicas);
    return losses;
  }
  if (placement.points() * spec.nodes.size() > most_work) return too_much();
  std::vector<Loss> losses;
  for (NodeIndex node = 0; node < spec.nodes.size(); ++node) {
    auto loss = loss_of(spec, placement, {node}, replicas);
    if (!loss) return std::move(loss).error();
    losses.push_back(std::move(*loss));
  }
  return losses;
}

}  // namespace chash
