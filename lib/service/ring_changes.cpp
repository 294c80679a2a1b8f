// What RingService's writer does with changes of the rings themselves, one at a time.
#include <algorithm>
#include <string_view>
#include <utility>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "chash/points.h"
#include "protocol/operations.h"
#include "service/change_spec.h"
#include "service/changes_log.h"
#include "service/ring_service.h"

namespace chash::service {

void RingService::publish(std::shared_ptr<const Snapshot> next, std::span<const MadeChange> made) {
  auto rings = std::make_shared<Rings>(*published_.latest());
  const std::string ring = next->ring;
  const std::uint64_t epoch = next->epoch;
  rings->by_name.insert_or_assign(ring, std::move(next));
  published_.publish(std::move(rings));
  feed_.append(ring, epoch - made.size() + 1, made);
  in_doubt_ = false;
}

void RingService::change_rings(Waiting& waiting) {
  Result<Committed> outcome;
  const auto made = with_store([&]() -> Result<void> {
    auto answered = find_answer(waiting.terms);
    if (!answered) return std::move(answered).error();
    if (*answered) {
      outcome = std::move(**answered);
    } else if (const auto* asked = std::get_if<DeleteRing>(&waiting.change)) {
      outcome = remove(waiting, *asked);
    } else {
      auto spec = new_spec(waiting.change, *published_.latest());
      outcome = spec ? create(waiting, std::move(*spec)) : Result<Committed>(spec.error());
    }
    return outcome ? Result<void>() : Result<void>(outcome.error());
  });
  if (!made) {
    if (in_doubt_) log_.main(LogLevel::error, "A change was not made: " + made.error().message);
    return waiting.done(made.error());
  }
  if (outcome->epoch != outcome->previous_epoch) {
    changes_made_.fetch_add(1, std::memory_order_relaxed);
    const std::string what = outcome->spec == nullptr
                                 ? "Deleting ring '" + waiting.ring + "'."
                                 : "Creating ring '" + waiting.ring + "' by the profile '" + outcome->spec->profile +
                                       "' with " + std::to_string(outcome->spec->nodes.size()) + " nodes.";
    const std::uint64_t epoch = std::max(outcome->epoch, outcome->previous_epoch);
    log_.hashing(LogLevel::info, what + asked_by(waiting.ring, epoch, waiting.caller));
  }
  waiting.done(std::move(outcome));
}

Result<Committed> RingService::create(const Waiting& asked, RingSpec spec) {
  const std::string& ring = asked.ring;
  if (auto ok = check_ring_name(ring); !ok) return std::move(ok).error();
  const auto rings = published_.latest();
  if (rings->by_name.contains(ring))
    return make_error(Errc::conflict, "ring '" + ring + "' is already there", "choose another name");
  if (asked.terms.expect_epoch && *asked.terms.expect_epoch != 0)
    return make_error(Errc::conflict, "ring '" + ring + "' is not there, and so at no epoch");
  if (rings->by_name.size() >= limits::rings)
    return make_error(Errc::too_large, "there would be more than " + std::to_string(limits::rings) + " rings");
  auto next = make_snapshot(ring, rings->epoch_floor + 1, std::move(spec), next_time(0));
  if (!next) return std::move(next).error();
  if (auto ok = check_room(*rings, **next); !ok) return std::move(ok).error();
  const RingSpec& after = (*next)->spec;
  MadeChange change{{{after.nodes.begin(), after.nodes.end()}, {}},
                    {asked.terms.operation, asked.caller.description, asked.terms.note, (*next)->time_ms, {}},
                    {},
                    std::shared_ptr<const RingSpec>(*next, &after)};
  if (after.max_move < 1) change.delta.max_move = after.max_move;
  change.delta.pinned.assign(after.pins.begin(), after.pins.end());
  Committed outcome{(*next)->epoch, 0, change.delta, change.after, ambiguous_names((*next)->profile, after.nodes)};
  if (!asked.terms.request_id.empty())
    change.request = {asked.terms.request_id, asked.terms.digest, asked.terms.answer(outcome)};
  const RingSpec nothing{after.profile, {}, {}};
  in_doubt_ = true;
  if (auto ok = store_.commit({ring, 0, (*next)->epoch, (*next)->epoch, {&change, 1}, nothing}); !ok)
    return std::move(ok).error();
  publish(std::move(*next), {&change, 1});
  return outcome;
}

Result<Committed> RingService::remove(const Waiting& asked, const DeleteRing& change) {
  const std::string& ring = asked.ring;
  if (auto ok = check_deletable(ring); !ok) return std::move(ok).error();
  const auto rings = published_.latest();
  const auto found = rings->get(ring);
  if (!found && change.if_exists) return Committed{};
  if (!found) return found.error();
  const std::uint64_t epoch = (*found)->epoch;
  if (asked.terms.expect_epoch && *asked.terms.expect_epoch != epoch)
    return moved_on(**found, *asked.terms.expect_epoch, epoch);
  Committed outcome{0, epoch, {}, nullptr, {}};
  AnsweredRequest request;
  if (!asked.terms.request_id.empty())
    request = {asked.terms.request_id, asked.terms.digest, asked.terms.answer(outcome)};
  in_doubt_ = true;
  if (auto ok = store_.remove(ring, epoch, request); !ok) return std::move(ok).error();
  auto fewer = std::make_shared<Rings>(*rings);
  fewer->by_name.erase(ring);
  fewer->epoch_floor = std::max(fewer->epoch_floor, epoch);
  published_.publish(std::move(fewer));
  feed_.forget(ring);
  in_doubt_ = false;
  return outcome;
}

}  // namespace chash::service
