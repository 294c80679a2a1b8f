// What RingService's writer does: changes of a ring's members, many at once, and changes of the rings, one at a time.
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "chash/points.h"
#include "protocol/operations.h"
#include "service/ring_service.h"

namespace chash::service {
namespace {

// The seed knew one ring; its log lines stay as they were.
std::string in_ring(const std::string& ring) {
  return ring == protocol::default_ring ? "Epoch " : "Ring '" + ring + "', epoch ";
}

std::string asked_by(const std::string& ring, std::uint64_t epoch, const Caller& caller) {
  return " " + in_ring(ring) + std::to_string(epoch) + ", asked by " + caller.description + ".";
}

Change members_change(const RingChange& change) {
  if (const auto* added = std::get_if<AddNodes>(&change)) return *added;
  return std::get<RemoveNodes>(change);
}

Error too_large(std::string_view what, std::size_t size, std::size_t limit) {
  return make_error(Errc::too_large,
                    "all rings together would have " + std::to_string(size) + ' ' + std::string(what) +
                        "; the limit is " + std::to_string(limit),
                    "use smaller weights or fewer vnodes, or delete a ring");
}

Result<void> check_room(const Rings& rings, const Snapshot& next) {
  if (next.bytes > limits::ring_bytes)
    return make_error(Errc::too_large,
                      "the names, fields and slots of the ring would have " + std::to_string(next.bytes) + " bytes",
                      "the limit is " + std::to_string(limits::ring_bytes) + " bytes");
  std::size_t points = next.placement.points(), bytes = next.bytes;
  for (const auto& [name, ring] : rings.by_name) {
    if (name == next.ring) continue;
    points += ring->placement.points();
    bytes += ring->bytes;
  }
  if (points > limits::points_of_all_rings) return too_large("points", points, limits::points_of_all_rings);
  if (bytes > limits::bytes_of_all_rings)
    return too_large("bytes of names, fields and slots", bytes, limits::bytes_of_all_rings);
  return {};
}

}  // namespace

// One round for one ring: what each waiting change comes to, and the ring after all of them.
struct RingService::Batch {
  std::vector<Result<Committed>> outcomes{};  // by position among those that wait
  std::vector<Delta> deltas{};                // those that change something, in order
  std::shared_ptr<const RingSpec> after{};
  bool unplaceable = false;  // the ring that they would make
};

void RingService::change_members(std::span<Waiting> waiting) {
  Batch batch;
  const auto committed = with_store([&]() -> Result<void> {
    const auto rings = published_.latest();
    const auto current = rings->get(waiting.front().ring);
    if (!current) return current.error();
    batch = resolve_all({rings, *current}, waiting);
    return commit_and_publish(*rings, **current, batch);
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

RingService::Batch RingService::resolve_all(const std::shared_ptr<const Snapshot>& current,
                                            std::span<const Waiting> waiting) const {
  Batch batch;
  batch.after = {current, &current->spec};
  std::uint64_t epoch = current->epoch;
  for (const Waiting& asked : waiting) {
    auto delta = resolve(*batch.after, members_change(asked.change));
    if (!delta) {
      batch.outcomes.emplace_back(std::move(delta).error());
      continue;
    }
    Committed outcome{epoch, epoch, std::move(*delta), nullptr, {}};
    if (!outcome.delta.empty()) {
      batch.after = std::make_shared<const RingSpec>(apply(*batch.after, outcome.delta));
      batch.deltas.push_back(outcome.delta);
      outcome.epoch = ++epoch;
    }
    outcome.spec = batch.after;
    batch.outcomes.emplace_back(std::move(outcome));
  }
  return batch;
}

Result<void> RingService::commit_and_publish(const Rings& rings, const Snapshot& current, Batch& batch) {
  if (batch.deltas.empty()) return {};
  auto next = change_snapshot(current, current.epoch + batch.deltas.size(), *batch.after);
  const Result<void> room = next ? check_room(rings, **next) : Result<void>(next.error());
  batch.unplaceable = !room;
  if (!room) return room;
  const bool adds = std::ranges::any_of(batch.deltas, [](const Delta& delta) { return !delta.added.empty(); });
  const std::string warning = adds ? ambiguous_names((*next)->profile, (*next)->spec.nodes) : "";
  in_doubt_ = true;
  if (auto ok = store_.commit({current.ring, current.epoch, (*next)->epoch, batch.deltas, *batch.after}); !ok)
    return ok;
  publish(std::move(*next));
  changes_made_.fetch_add(batch.deltas.size(), std::memory_order_relaxed);
  for (auto& outcome : batch.outcomes)
    if (outcome && !outcome->delta.added.empty()) outcome->warning = warning;
  return {};
}

void RingService::publish(std::shared_ptr<const Snapshot> next) {
  auto rings = std::make_shared<Rings>(*published_.latest());
  rings->by_name.insert_or_assign(next->ring, std::move(next));
  published_.publish(std::move(rings));
  in_doubt_ = false;
}

void RingService::log_members(const Batch& batch, std::span<const Waiting> waiting) const {
  if (!log_.enabled(LogLevel::info) || batch.deltas.empty()) return;
  const auto rings = published_.latest();
  const Snapshot& after = *rings->by_name.find(waiting.front().ring)->second;
  const auto& nodes = after.spec.nodes;
  const auto points = after.placement.points_by_node(nodes.size());
  // What came is behind what was there.
  std::size_t came = 0;
  for (const Delta& delta : batch.deltas) came += delta.added.size();
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t i = nodes.size() - std::min(came, nodes.size()); i < nodes.size(); ++i)
    place.emplace(nodes[i].name, i);
  // One that another change took away at once has no points.
  const auto points_of = [&](const std::string& name) {
    const auto found = place.find(name);
    return found == place.end() ? 0 : points[found->second];
  };
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (!batch.outcomes[i]) continue;
    const Committed& outcome = *batch.outcomes[i];
    // The seed's words, then ours.
    const std::string behind = asked_by(after.ring, outcome.epoch, waiting[i].caller);
    for (const Node& node : outcome.delta.added)
      log_.hashing(LogLevel::info, "Adding node '" + node.name + "' with " + std::to_string(points_of(node.name)) +
                                       " replicas to the ring." + behind);
    for (const std::string& name : outcome.delta.removed)
      log_.hashing(LogLevel::info, "Removing node '" + name + "' from the ring." + behind);
    if (!outcome.warning.empty())
      log_.hashing(LogLevel::warning, "Names are ambiguous: " + outcome.warning + "." + behind);
  }
}

// --- The rings themselves -------------------------------------------------------------------------------------------

void RingService::change_rings(Waiting& waiting) {
  Result<Committed> outcome;
  const auto made = with_store([&]() -> Result<void> {
    if (const auto* asked = std::get_if<CreateRing>(&waiting.change)) outcome = create(waiting.ring, *asked);
    else if (const auto* other = std::get_if<CopyRing>(&waiting.change)) outcome = create(waiting.ring, *other);
    else outcome = remove(waiting.ring, std::get<DeleteRing>(waiting.change));
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

Result<Committed> RingService::create(const std::string& ring, const CreateRing& asked) {
  if (asked.profile.size() > limits::profile_bytes)
    return make_error(Errc::too_large, "the profile has " + std::to_string(asked.profile.size()) + " bytes",
                      "the limit is " + std::to_string(limits::profile_bytes) + " bytes");
  if (auto profile = parse_profile(asked.profile); !profile) return std::move(profile).error();
  RingSpec spec{asked.profile, {}};
  if (!asked.nodes.empty()) {
    const auto delta = resolve(spec, AddNodes{asked.nodes, false});
    if (!delta) return delta.error();
    spec = apply(std::move(spec), *delta);
  }
  return create(ring, std::move(spec));
}

Result<Committed> RingService::create(const std::string& ring, const CopyRing& asked) {
  const auto rings = published_.latest();
  const auto from = rings->get(asked.from);
  if (!from) return from.error();
  return create(ring, (*from)->spec);
}

Result<Committed> RingService::create(const std::string& ring, RingSpec spec) {
  if (auto ok = check_ring_name(ring); !ok) return std::move(ok).error();
  const auto rings = published_.latest();
  if (rings->by_name.contains(ring))
    return make_error(Errc::conflict, "ring '" + ring + "' is already there", "choose another name");
  if (rings->by_name.size() >= limits::rings)
    return make_error(Errc::too_large, "there would be more than " + std::to_string(limits::rings) + " rings");
  auto next = make_snapshot(ring, rings->epoch_floor + 1, std::move(spec));
  if (!next) return std::move(next).error();
  if (auto ok = check_room(*rings, **next); !ok) return std::move(ok).error();
  const RingSpec& after = (*next)->spec;
  const std::string warning = ambiguous_names((*next)->profile, after.nodes);
  const Delta all{{after.nodes.begin(), after.nodes.end()}, {}};
  const std::vector<Delta> deltas(after.nodes.empty() ? 0 : 1, all);
  in_doubt_ = true;
  if (auto ok = store_.commit({ring, 0, (*next)->epoch, deltas, after}); !ok) return std::move(ok).error();
  Committed outcome{(*next)->epoch, 0, all, std::shared_ptr<const RingSpec>(*next, &after), warning};
  publish(std::move(*next));
  return outcome;
}

Result<Committed> RingService::remove(const std::string& ring, const DeleteRing& asked) {
  if (ring == protocol::default_ring)
    return make_error(Errc::invalid_argument, "ring '" + ring + "' cannot be deleted: it is what /api/get-node asks",
                      "remove its nodes instead");
  const auto rings = published_.latest();
  const auto found = rings->get(ring);
  if (!found && asked.if_exists) return Committed{};
  if (!found) return found.error();
  const std::uint64_t epoch = (*found)->epoch;
  in_doubt_ = true;
  if (auto ok = store_.remove(ring, epoch); !ok) return std::move(ok).error();
  auto fewer = std::make_shared<Rings>(*rings);
  fewer->by_name.erase(ring);
  fewer->epoch_floor = std::max(fewer->epoch_floor, epoch);
  published_.publish(std::move(fewer));
  in_doubt_ = false;
  return Committed{0, epoch, {}, nullptr, {}};
}

}  // namespace chash::service
