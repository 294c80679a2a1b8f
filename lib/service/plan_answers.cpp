// What Studies answers of changes that have not been made, of differences and of losses.
#include <algorithm>
#include <utility>

#include "chash/limits.h"
#include "chash/losses.h"
#include "chash/node_identity.h"
#include "chash/node_name.h"
#include "chash/points.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "service/change_spec.h"
#include "service/lookups.h"
#include "service/studies.h"

namespace chash::service {

using namespace protocol;

namespace {

using SharedSnapshot = std::shared_ptr<const Snapshot>;

// A ring before and after a change that has not been made.
struct Foreseen {
  SharedSnapshot before, after;
  Delta delta;
};

Result<Foreseen> foresee_rings(const std::string& ring, const RingChange& change, const Rings& rings) {
  Foreseen foreseen;
  if (const auto* deletion = std::get_if<DeleteRing>(&change)) {
    if (auto ok = check_deletable(ring); !ok) return std::move(ok).error();
    const auto found = rings.get(ring);
    if (!found && !deletion->if_exists) return found.error();
    auto there = found ? rings.by_name.find(ring)->second : make_snapshot(ring, 0, RingSpec{});
    if (!there) return std::move(there).error();
    foreseen.before = std::move(*there);
    for (const Node& node : foreseen.before->spec.nodes) foreseen.delta.removed.push_back(node.name);
  } else {
    if (auto ok = check_ring_name(ring); !ok) return std::move(ok).error();
    if (rings.by_name.contains(ring))
      return make_error(Errc::conflict, "ring '" + ring + "' is already there", "choose another name");
    auto spec = new_spec(change, rings);
    if (!spec) return std::move(spec).error();
    auto made = make_snapshot(ring, 0, std::move(*spec));
    if (!made) return std::move(made).error();
    if (auto ok = check_room(rings, **made); !ok) return std::move(ok).error();
    foreseen.after = std::move(*made);
  }
  const Snapshot& there = foreseen.before ? *foreseen.before : *foreseen.after;
  auto nothing = make_snapshot(ring, there.epoch, RingSpec{there.spec.profile, {}, {}});
  if (!nothing) return std::move(nothing).error();
  (foreseen.before ? foreseen.after : foreseen.before) = std::move(*nothing);
  return foreseen;
}

Result<Foreseen> foresee_members(const RingChange& change, const std::string& ring, const Rings& rings, Store& store,
                                 const PlanBook& plans) {
  if (const auto found = rings.get(ring); !found) return found.error();
  Foreseen foreseen{rings.by_name.find(ring)->second, nullptr, {}};
  const Snapshot& before = *foreseen.before;
  const auto asked = members_change(change, ring, before.spec, store, plans);
  if (!asked) return asked.error();
  auto delta = resolve(before.spec, *asked);
  if (!delta) return std::move(delta).error();
  foreseen.delta = std::move(*delta);
  auto after = change_snapshot(before, before.epoch + 1, apply(before.spec, foreseen.delta));
  if (!after) return std::move(after).error();
  if (auto ok = check_room(rings, **after); !ok) return std::move(ok).error();
  foreseen.after = std::move(*after);
  return foreseen;
}

// The names that stand for what is lost: a node, zone=NAME, or several nodes.
Result<std::vector<NodeIndex>> nodes_lost(const std::string& ring, const RingSpec& spec,
                                          const std::vector<std::string>& lose) {
  std::vector<NodeIndex> lost;
  for (const std::string& word : lose) {
    const bool is_zone = word.starts_with("zone=");
    const std::size_t before = lost.size();
    for (NodeIndex node = 0; node < spec.nodes.size(); ++node)
      if (is_zone ? node_label(spec.nodes[node], "zone") == word.substr(5) : spec.nodes[node].name == word)
        lost.push_back(node);
    if (lost.size() == before)
      return make_error(Errc::not_found,
                        is_zone ? "no node of this ring has " + printable(word, limits::name_bytes)
                                : "no node '" + printable(word, limits::name_bytes) + "' in the ring",
                        ring == default_ring ? "try: chash list" : "try: chash list -r " + ring);
  }
  std::ranges::sort(lost);
  const auto twice = std::ranges::unique(lost);
  lost.erase(twice.begin(), twice.end());
  return lost;
}

WhatIf::Case case_of(const Loss& loss, std::string label, const RingSpec& spec, std::size_t most) {
  WhatIf::Case found{std::move(label), loss.nodes.size(), loss.share, loss.sets_lost, {}, 0};
  for (const Loss::Receiver& receiver : loss.receivers) {
    if (found.receivers.size() == most) break;
    found.receivers.push_back({spec.nodes[receiver.node].name, receiver.gets, receiver.share});
  }
  found.receivers_left_out = loss.receivers.size() - found.receivers.size();
  return found;
}

}  // namespace

Result<Plan> Studies::plan_now(const std::string& ring, const RingChange& change, std::uint32_t n, bool ranges) {
  const auto rings = published_.latest();
  const bool of_members = concerns_members(change);
  const auto foreseen = of_members ? foresee_members(change, ring, *rings, archive_.store(), plans_)
                                   : foresee_rings(ring, change, *rings);
  if (!foreseen) return foreseen.error();
  const Snapshot &before = *foreseen->before, &after = *foreseen->after;
  auto report =
      movement_report({before.spec, before.placement}, {after.spec, after.placement}, ReportOptions{n, ranges});
  if (!report) return std::move(report).error();
  const Token from = digest(before.spec), to = digest(after.spec);
  Plan plan{std::move(*report)};
  plan.ring = ring;
  plan.epoch = before.epoch;
  plan.from = hex(fingerprint(before.spec));
  plan.to = hex(fingerprint(after.spec));
  plan.max_move = before.spec.max_move;
  plan.over_budget = of_members && !before.placement.empty() && plan.moved > plan.max_move + 1e-12 &&
                     !takes_down_only(before.spec, foreseen->delta);
  if (!plan.added.empty())
    if (std::string warning = ambiguous_names(after.profile, after.spec.nodes); !warning.empty())
      plan.warnings.push_back(std::move(warning));
  if (of_members)
    if (std::string fault = drain_fault(before, after); !fault.empty())
      plan.warnings.push_back(std::move(fault) + ": it must be forced");
  if (of_members && !foreseen->delta.empty()) {
    const auto* planned = std::get_if<ApplyPlan>(&change);
    plan.id = plan_id(ring, from, to, after.spec.max_move);
    if (planned == nullptr) plans_.put(plan.id, {ring, change, from, to});
  }
  return plan;
}

Result<Plan> Studies::handle(const PlanChange::Request& request) {
  if (auto ok = check_count(request.n, limits::replicas); !ok) return std::move(ok).error();
  const auto change = change_from(request);
  if (!change) return change.error();
  return plan_now(request.ring, *change, request.n, request.ranges);
}

Result<Diff::Response> Studies::handle(const Diff::Request& request) {
  if (auto ok = check_count(request.n, limits::replicas); !ok) return std::move(ok).error();
  const auto before = archive_.ring(request.ring, request.from);
  if (!before) return before.error();
  const auto after = archive_.ring(request.other.empty() ? request.ring : request.other, request.to);
  if (!after) return after.error();
  auto report = movement_report({(*before)->spec, (*before)->placement}, {(*after)->spec, (*after)->placement},
                                ReportOptions{request.n, request.ranges});
  if (!report) return std::move(report).error();
  Diff::Response response{std::move(*report)};
  response.ring = (*before)->ring;
  response.epoch = (*before)->epoch;
  response.other = (*after)->ring;
  response.other_epoch = (*after)->epoch;
  response.from = hex(fingerprint((*before)->spec));
  response.to = hex(fingerprint((*after)->spec));
  return response;
}

Result<WhatIf::Response> Studies::handle(const WhatIf::Request& request) {
  if (auto ok = check_count(request.n, limits::replicas); !ok) return std::move(ok).error();
  const auto found = archive_.ring(request.ring);
  if (!found) return found.error();
  const RingSpec& spec = (*found)->spec;
  const Placement& placement = (*found)->placement;
  WhatIf::Response response{request.ring, (*found)->epoch, {}};
  if (request.lose == std::vector<std::string>{"each"}) {
    auto losses = losses_of_each(spec, placement, request.n, limits::points_of_losses);
    if (!losses) return std::move(losses).error();
    for (const Loss& loss : *losses)
      response.cases.push_back(case_of(loss, spec.nodes[loss.nodes.front()].name, spec, limits::listed_receivers));
  } else {
    if (request.lose.empty() || std::ranges::find(request.lose, "each") != request.lose.end())
      return make_error(Errc::invalid_argument, "'lose' names nothing, or each and something else",
                        "each stands alone");
    auto lost = nodes_lost(request.ring, spec, request.lose);
    if (!lost) return std::move(lost).error();
    auto loss = loss_of(spec, placement, std::move(*lost), request.n);
    if (!loss) return std::move(loss).error();
    std::string label;
    for (const std::string& word : request.lose) label += (label.empty() ? "" : " ") + word;
    response.cases.push_back(case_of(*loss, std::move(label), spec, limits::listed_flows));
  }
  const auto worst = [](const WhatIf::Case& one) { return one.receivers.empty() ? 0 : one.receivers.front().share; };
  std::ranges::stable_sort(response.cases, std::ranges::greater(), worst);
  return response;
}

}  // namespace chash::service
