// What RingService's writer does with changes of a ring's members, many at once.
#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "chash/limits.h"
#include "chash/movement.h"
#include "chash/points.h"
#include "chash/standing.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "protocol/time_text.h"
#include "service/change_spec.h"
#include "service/changes_log.h"
#include "service/ring_service.h"

namespace chash::service {
namespace {

// What moves from one ring to the next, if that is more than may.
Result<void> check_budget(const Snapshot& before, const Snapshot& after) {
  auto report = protocol::movement_report({before.spec, before.placement}, {after.spec, after.placement}, {});
  if (!report) return std::move(report).error();
  // Shares are sums of fractions of a power of two: the last digit of a limit that is just met is not to matter.
  if (report->moved <= before.spec.max_move + 1e-12) return {};
  protocol::Plan plan{std::move(*report)};
  plan.ring = before.ring;
  plan.epoch = before.epoch;
  plan.from = hex(fingerprint(before.spec));
  plan.to = hex(fingerprint(after.spec));
  plan.max_move = before.spec.max_move;
  plan.over_budget = true;
  Error error = make_error(Errc::over_budget,
                           "this would move " + percent(plan.moved) + " of all keys, and ring '" + before.ring +
                               "' allows " + percent(plan.max_move) + " for one change",
                           "make it in smaller steps, or force it");
  error.plan = protocol::encode_plan(plan);
  return error;
}

Result<void> check_drains(const Snapshot& before, const Snapshot& after) {
  std::string fault = drain_fault(before, after);
  if (fault.empty()) return {};
  return make_error(Errc::conflict, std::move(fault),
                    "it takes nothing new until it is up: take other nodes down instead of removing them, or force it");
}

// Of rings so small that it costs nearly nothing.
std::optional<double> moved_share(const Snapshot& before, const Snapshot& after) {
  if (before.placement.points() + after.placement.points() > limits::points_of_told_moves) return std::nullopt;
  const auto moved = movement({before.placement, before.spec.nodes}, {after.placement, after.spec.nodes});
  return moved ? std::optional(moved->moved) : std::nullopt;
}

}  // namespace

std::int64_t next_time(std::int64_t last_ms) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::max<std::int64_t>(last_ms, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// One round for one ring: what each waiting change comes to, and the ring after all of them.
struct RingService::Batch {
  std::vector<Result<Committed>> outcomes{};  // by position among those that wait
  std::vector<MadeChange> made{};             // those that change something, in order
  std::vector<std::size_t> makers{};          // and whose they are
  std::shared_ptr<const RingSpec> after{};
  bool unplaceable = false;  // the ring that they would make
};

void RingService::change_members(std::span<Waiting> waiting) {
  Batch batch;
  const auto committed = with_store([&]() -> Result<void> {
    const auto rings = published_.latest();
    const auto current = rings->get(waiting.front().ring);
    if (!current) {
      batch = Batch();
      return answer_without_ring(waiting, current.error(), batch);
    }
    auto resolved = resolve_all({rings, *current}, waiting);
    if (!resolved) return std::move(resolved).error();
    batch = std::move(*resolved);
    return commit_and_publish(*rings, **current, waiting, batch);
  });
  // Whose fault that is shows when each is made alone.
  if (batch.unplaceable && waiting.size() > 1) {
    for (Waiting& one : waiting) change_members({&one, 1});
    return;
  }
  if (committed) {
    log_members(batch, waiting);
  } else {
    if (!batch.unplaceable && committed.error().code != Errc::not_found)
      log_.main(LogLevel::error, "A change was not made: " + committed.error().message);
    // Refusals too: they judged a ring that did not come to be.
    batch.outcomes.assign(waiting.size(), committed.error());
  }
  for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i].done(std::move(batch.outcomes[i]));
}

Result<RingService::Batch> RingService::resolve_all(const std::shared_ptr<const Snapshot>& current,
                                                    std::span<const Waiting> waiting) {
  Batch batch;
  batch.after = {current, &current->spec};
  std::uint64_t epoch = current->epoch;
  for (const Waiting& asked : waiting) {
    auto outcome = resolve_one(*current, batch.after, epoch, asked);
    if (!outcome && outcome.error().code == Errc::storage_failed) return std::move(outcome).error();
    if (outcome && outcome->repeated.empty()) {
      if (!outcome->delta.empty()) {
        batch.made.push_back({outcome->delta, {}, {}, outcome->spec});
        batch.makers.push_back(batch.outcomes.size());
        batch.after = outcome->spec;
        outcome->epoch = ++epoch;
      }
    }
    batch.outcomes.push_back(std::move(outcome));
  }
  return batch;
}

// A change that was made before the ring was deleted is not one that cannot be made.
Result<void> RingService::answer_without_ring(std::span<const Waiting> waiting, const Error& no_ring, Batch& batch) {
  for (const Waiting& asked : waiting) {
    auto answered = find_answer(asked.terms);
    if (!answered && answered.error().code == Errc::storage_failed) return std::move(answered).error();
    if (!answered) batch.outcomes.push_back(std::move(answered).error());
    else if (*answered) batch.outcomes.push_back(std::move(**answered));
    else batch.outcomes.push_back(no_ring);
  }
  return {};
}

// What one change comes to on top of those before it, at `epoch`.
Result<Committed> RingService::resolve_one(const Snapshot& current, const std::shared_ptr<const RingSpec>& before,
                                           std::uint64_t epoch, const Waiting& asked) {
  auto answered = find_answer(asked.terms);
  if (!answered) return std::move(answered).error();
  if (*answered) return std::move(**answered);
  if (const auto expected = asked.terms.expect_epoch; expected && *expected != epoch)
    return moved_on(current, *expected, epoch);
  const auto change = members_change(asked.change, asked.ring, *before, store_, plans_);
  if (!change) return change.error();
  auto delta = resolve(*before, *change);
  if (!delta) return std::move(delta).error();
  Committed outcome{epoch, epoch, std::move(*delta), before, {}};
  if (outcome.delta.empty()) return outcome;
  outcome.spec = std::make_shared<const RingSpec>(apply(*before, outcome.delta));
  const auto* planned = std::get_if<ApplyPlan>(&asked.change);
  const auto plan = planned != nullptr ? plans_.find(planned->id) : std::nullopt;
  if (plan && digest(*outcome.spec) != plan->to)
    return make_error(Errc::conflict, "plan '" + planned->id + "' now leads to another ring than it did",
                      "look at the new plan, then apply that one");
  return outcome;
}

// The answer that this request got before, if it is one that was sent again.
Result<std::optional<Committed>> RingService::find_answer(const ChangeTerms& terms) {
  if (terms.request_id.empty()) return std::optional<Committed>();
  auto known = store_.find_request(terms.request_id);
  if (!known) return std::move(known).error();
  if (!*known) return std::optional<Committed>();
  if ((*known)->digest != terms.digest)
    return make_error(Errc::conflict, "the request id '" + terms.request_id + "' was used for another request",
                      "every request needs its own");
  Committed repeated;
  repeated.repeated = std::move((*known)->answer);
  return std::optional(std::move(repeated));
}

// Names whoever was quicker.
Error RingService::moved_on(const Snapshot& current, std::uint64_t expected, std::uint64_t epoch) {
  const std::string ring = "ring '" + current.ring + "' ";
  const std::string hint = "look at it, then try again with --expect-epoch " + std::to_string(epoch);
  std::string message = ring + "is at epoch " + std::to_string(epoch) + ", not at " + std::to_string(expected);
  const auto later = expected < current.epoch ? store_.changes(current.ring, expected + 1, expected + 1)
                                              : Result<std::vector<PastChange>>(std::vector<PastChange>());
  if (later && !later->empty()) {
    const ChangeRecord& winner = later->front().record;
    message += ": " + winner.who + " made epoch " + std::to_string(expected + 1) + " by " + winner.operation + " at " +
               protocol::time_text(winner.time_ms);
    if (!winner.note.empty()) message += " (" + winner.note + ")";
  }
  return make_error(Errc::conflict, std::move(message), hint);
}

bool RingService::has_drain(const Snapshot& current, const Batch& batch) {
  return current.placement.has_drain() || std::ranges::any_of(batch.made, [](const MadeChange& made) {
           return std::ranges::any_of(made.delta.added, is_draining) ||
                  std::ranges::any_of(made.delta.altered, is_draining);
         });
}

Result<void> RingService::commit_and_publish(const Rings& rings, const Snapshot& current,
                                             std::span<const Waiting> waiting, Batch& batch) {
  if (batch.made.empty()) return {};
  // Where there is a limit, or a node drains, changes are made one by one. That there is one may have been found only
  // now, in the store.
  if ((current.spec.max_move < 1 || has_drain(current, batch)) && batch.made.size() > 1) {
    batch.unplaceable = true;
    return make_error(Errc::internal, "changes of a ring with a limit were to be made together");
  }
  const std::int64_t time_ms = next_time(current.time_ms);
  auto next = change_snapshot(current, current.epoch + batch.made.size(), *batch.after, time_ms);
  Result<void> fits = next ? check_room(rings, **next) : Result<void>(next.error());
  // Keys that nobody has do not move.
  const bool is_limited = current.spec.max_move < 1 && !current.placement.empty() &&
                          !waiting[batch.makers.front()].terms.force &&
                          !takes_down_only(current.spec, batch.made.front().delta);
  if (fits && is_limited) fits = check_budget(current, **next);
  if (fits && !waiting[batch.makers.front()].terms.force) fits = check_drains(current, **next);
  batch.unplaceable = !fits;
  if (!fits) return fits;
  const std::optional<double> moved = batch.made.size() == 1 ? moved_share(current, **next) : std::nullopt;
  const bool adds = std::ranges::any_of(batch.made, [](const MadeChange& made) { return !made.delta.added.empty(); });
  const std::string warning = adds ? ambiguous_names((*next)->profile, (*next)->spec.nodes) : "";
  for (std::size_t i = 0; i < batch.made.size(); ++i) {
    const Waiting& asked = waiting[batch.makers[i]];
    Committed& outcome = *batch.outcomes[batch.makers[i]];
    if (!outcome.delta.added.empty()) outcome.warning = warning;
    outcome.moved = moved;
    batch.made[i].record = {asked.terms.operation, asked.caller.description, asked.terms.note, time_ms, moved};
    if (!asked.terms.request_id.empty())
      batch.made[i].request = {asked.terms.request_id, asked.terms.digest, asked.terms.answer(outcome)};
  }
  in_doubt_ = true;
  if (auto ok = store_.commit({current.ring, current.epoch, (*next)->epoch, current.epoch, batch.made, current.spec});
      !ok)
    return ok;
  publish(std::move(*next), batch.made);
  changes_made_.fetch_add(batch.made.size(), std::memory_order_relaxed);
  return {};
}

void RingService::log_members(const Batch& batch, std::span<const Waiting> waiting) const {
  if (!log_.enabled(LogLevel::info) || batch.made.empty()) return;
  const auto rings = published_.latest();
  const Snapshot& after = *rings->by_name.find(waiting.front().ring)->second;
  const auto& nodes = after.spec.nodes;
  const auto points = after.placement.points_by_node(nodes.size());
  // What came is behind what was there.
  std::size_t came = 0;
  for (const MadeChange& made : batch.made) came += made.delta.added.size();
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t i = nodes.size() - std::min(came, nodes.size()); i < nodes.size(); ++i)
    place.emplace(nodes[i].name, i);
  // One that another change took away at once has no points.
  const auto points_of = [&](const std::string& name) {
    const auto found = place.find(name);
    return found == place.end() ? 0 : points[found->second];
  };
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (!batch.outcomes[i] || !batch.outcomes[i]->repeated.empty()) continue;
    const Committed& outcome = *batch.outcomes[i];
    // The seed's words, then ours.
    const std::string behind = asked_by(after.ring, outcome.epoch, waiting[i].caller);
    for (const Node& node : outcome.delta.added)
      log_.hashing(LogLevel::info, "Adding node '" + node.name + "' with " + std::to_string(points_of(node.name)) +
                                       " replicas to the ring." + behind);
    for (const Node& node : outcome.delta.altered)
      log_.hashing(LogLevel::info, "Altering node '" + node.name + "' of the ring." + behind);
    for (const auto& [name, node] : outcome.delta.replaced)
      log_.hashing(LogLevel::info, "Putting node '" + node.name + "' in the place of '" + name + "'." + behind);
    for (const std::string& name : outcome.delta.removed)
      log_.hashing(LogLevel::info, "Removing node '" + name + "' from the ring." + behind);
    for (const Pin& pin : outcome.delta.pinned)
      log_.hashing(LogLevel::info, "Pinning " + pin_text(pin.name) + " to node '" + pin.nodes.front() + "'." + behind);
    for (const PinName& name : outcome.delta.unpinned)
      log_.hashing(LogLevel::info, "Unpinning " + pin_text(name) + "." + behind);
    if (outcome.delta.max_move)
      log_.hashing(LogLevel::info, "Setting max_move to " + std::to_string(*outcome.delta.max_move) + "." + behind);
    if (!outcome.warning.empty())
      log_.hashing(LogLevel::warning, "Names are ambiguous: " + outcome.warning + "." + behind);
  }
}

}  // namespace chash::service
