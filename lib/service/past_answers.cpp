// What Studies answers of the past: who changed a ring, and what that did to a key.
#include <algorithm>
#include <utility>

#include "chash/limits.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "protocol/time_text.h"
#include "service/changes_told.h"
#include "service/lookups.h"
#include "service/studies.h"

namespace chash::service {

using namespace protocol;

ChangeEntry entry_of(const PastChange& change) {
  ChangeEntry entry{change.epoch,
                    time_text(change.record.time_ms),
                    change.record.who,
                    change.record.operation,
                    change.record.note,
                    {},
                    change.delta.removed,
                    {},
                    {},
                    change.delta.max_move,
                    change.record.moved};
  for (const Node& node : change.delta.added) entry.added.push_back(given(node));
  for (const Node& node : change.delta.altered) entry.altered.push_back(given(node));
  for (const auto& [name, node] : change.delta.replaced) entry.replaced.push_back({name, given(node)});
  entry.pinned = given(PinList(change.delta.pinned));
  for (const PinName& name : change.delta.unpinned) entry.unpinned.push_back(named(name));
  return entry;
}

std::size_t bytes_named(const Delta& delta) {
  std::size_t bytes = 0;
  for (const Node& node : delta.added) bytes += bytes_of(node);
  for (const Node& node : delta.altered) bytes += bytes_of(node);
  for (const auto& [name, node] : delta.replaced) bytes += name.size() + bytes_of(node);
  for (const std::string& name : delta.removed) bytes += sizeof name + name.size();
  for (const PinName& name : delta.unpinned) bytes += sizeof name + name.key.size();
  return bytes + PinList(delta.pinned).bytes();
}

namespace {

bool concerns(const PastChange& change, const std::string& node) {
  const auto is_it = [&](const Node& one) { return one.name == node; };
  return std::ranges::find(change.delta.removed, node) != change.delta.removed.end() ||
         std::ranges::any_of(change.delta.added, is_it) || std::ranges::any_of(change.delta.altered, is_it) ||
         std::ranges::any_of(change.delta.replaced,
                             [&](const Replaced& one) { return one.name == node || is_it(one.node); }) ||
         std::ranges::any_of(change.delta.pinned,
                             [&](const Pin& pin) { return std::ranges::find(pin.nodes, node) != pin.nodes.end(); });
}

// Changes that were made and are no longer kept: the first one of a ring that was created made its first epoch.
std::uint64_t dropped(const HistoryExtent& extent) {
  if (extent.oldest == extent.first) return 0;
  return extent.oldest - extent.first + (extent.first > 0 ? 1 : 0);
}

// The default ring has no history until its first change.
Result<HistoryExtent> extent_of(Store& store, const Snapshot& ring) {
  return ring.epoch == 0 ? HistoryExtent{} : store.extent(ring.ring);
}

std::string owner_of(const Snapshot& ring, const std::string& key) {
  const NodeIndex owner = ring.placement.empty() ? no_node : ring.placement.owner(key);
  return owner == no_node ? "" : ring.spec.nodes[owner].name;
}

}  // namespace

Result<History::Response> Studies::handle(const History::Request& request) {
  if (auto ok = check_count(request.n, limits::listed_changes); !ok) return std::move(ok).error();
  const auto since = request.since.empty() ? std::optional<std::int64_t>(0) : parse_time(request.since);
  if (!since)
    return make_error(Errc::invalid_argument, "'" + printable(request.since, 64) + "' is not a time",
                      "such as 2026-11-23T00:12:00Z");
  const auto ring = archive_.ring(request.ring);
  if (!ring) return ring.error();
  const auto extent = extent_of(archive_.store(), **ring);
  if (!extent) return extent.error();
  History::Response response{request.ring, (*ring)->epoch, extent->oldest, dropped(*extent), {}, {}};
  std::uint64_t end = std::min(request.before.value_or((*ring)->epoch + 1), (*ring)->epoch + 1);
  constexpr std::uint64_t step = 100;  // read at once
  std::size_t bytes = 0;
  while (end > extent->oldest && end > 0) {
    const std::uint64_t first = std::max(extent->oldest, end - std::min(end, step));
    auto changes = archive_.store().changes(request.ring, first, end - 1);
    if (!changes) return std::move(changes).error();
    for (auto change = changes->rbegin(); change != changes->rend(); ++change) {
      if (change->record.time_ms < *since) return response;
      if (!request.node.empty() && !concerns(*change, request.node)) continue;
      if (response.entries.size() == request.n || bytes > limits::bytes_of_listed_changes) {
        response.next = response.entries.back().epoch;
        return response;
      }
      response.entries.push_back(entry_of(*change));
      bytes += bytes_named(change->delta);
    }
    end = first;
  }
  return response;
}

Result<Blame::Response> Studies::handle(const Blame::Request& request) {
  if (auto ok = check_count(request.n, limits::listed_changes); !ok) return std::move(ok).error();
  if (auto ok = check_key(request.key); !ok) return std::move(ok).error();
  const auto now = archive_.ring(request.ring);
  if (!now) return now.error();
  const auto extent = extent_of(archive_.store(), **now);
  if (!extent) return extent.error();
  Blame::Response response{
      request.ring, (*now)->epoch, owner_of(**now, request.key.bytes), extent->oldest, dropped(*extent), {}, {}};
  const std::uint64_t end = std::min(request.before.value_or((*now)->epoch + 1), (*now)->epoch + 1);
  if (end <= extent->oldest) return response;
  const std::uint64_t last = end - 1;
  const std::uint64_t affordable = limits::blamed_points / ((*now)->placement.points() + 1);
  const std::uint64_t some = std::min(last, std::clamp<std::uint64_t>(affordable, 10, limits::blamed_epochs));
  const std::uint64_t first = std::max(extent->oldest, last - some);

  // What made the first of these epochs, and of what, is for the next page to tell.
  auto changes = archive_.store().changes(request.ring, first > extent->oldest ? first + 1 : first, last);
  if (!changes) return std::move(changes).error();
  auto ring = archive_.ring(request.ring, first);
  if (!ring) return std::move(ring).error();
  std::string owner = owner_of(**ring, request.key.bytes);
  const bool has_slots = (*ring)->profile.algorithm == Profile::Algorithm::balanced;  // no change tells of them
  for (const PastChange& change : *changes) {
    std::string before = std::move(owner);
    if (change.epoch == first) {
      before.clear();  // it was created just then
    } else {
      auto spec = has_slots ? archive_.store().spec_at(request.ring, change.epoch)
                            : Result<RingSpec>(apply((*ring)->spec, change.delta));
      if (!spec) return std::move(spec).error();
      ring = change_snapshot(**ring, change.epoch, std::move(*spec));
      if (!ring) return std::move(ring).error();
    }
    owner = owner_of(**ring, request.key.bytes);
    if (owner == before) continue;
    response.moves.push_back({change.epoch, std::move(before), owner, time_text(change.record.time_ms),
                              change.record.who, change.record.operation, change.record.note});
  }
  std::ranges::reverse(response.moves);
  if (response.moves.size() > request.n) {
    response.moves.resize(request.n);
    response.next = response.moves.back().epoch;
  } else if (first > extent->oldest) {
    response.next = first + 1;
  }
  return response;
}

}  // namespace chash::service
