#include "service/rings.h"

#include <utility>

#include "chash/limits.h"
#include "protocol/operations.h"
#include "protocol/text.h"

namespace chash::service {
namespace {

constexpr std::size_t rings_named = 8;  // in a hint; of more, the user is told how to list them

Error no_ring(std::string_view name, const Rings& rings) {
  std::string known;
  for (const auto& [other, snapshot] : rings.by_name) known += (known.empty() ? "" : ", ") + other;
  return make_error(Errc::not_found, "no ring '" + protocol::printable(name, limits::name_bytes) + "'",
                    rings.by_name.size() > rings_named ? "try: chash ring list" : "the rings are: " + known);
}

std::size_t bytes_of(const RingSpec& spec) {
  return spec.profile.size() + spec.nodes.bytes() + spec.slots.size() * sizeof(NodeIndex) + spec.pins.bytes();
}

}  // namespace

Result<const Snapshot*> Rings::get(std::string_view name) const {
  const auto found = by_name.find(name);
  if (found == by_name.end()) return no_ring(name, *this);
  return found->second.get();
}

const Snapshot& Rings::default_ring() const { return *by_name.find(protocol::default_ring)->second; }

Result<std::shared_ptr<const Snapshot>> make_snapshot(std::string ring, std::uint64_t epoch, RingSpec spec,
                                                      std::int64_t time_ms) {
  auto profile = parse_profile(spec.profile);
  if (!profile) return std::move(profile).error();
  auto placement = build(spec);
  if (!placement) return std::move(placement).error();
  const std::size_t bytes = bytes_of(spec);
  return std::shared_ptr<const Snapshot>(std::make_shared<Snapshot>(
      Snapshot{std::move(ring), epoch, std::move(spec), std::move(*profile), std::move(*placement), bytes, time_ms}));
}

Result<std::shared_ptr<const Snapshot>> change_snapshot(const Snapshot& before, std::uint64_t epoch, RingSpec spec,
                                                        std::int64_t time_ms) {
  auto placement = before.placement.changed(removed_between(before.profile, before.spec.nodes, spec.nodes), spec.nodes);
  if (!placement) return make_snapshot(before.ring, epoch, std::move(spec), time_ms);
  placement->pin(before.profile, spec.nodes, spec.pins);
  const std::size_t bytes = bytes_of(spec);
  return std::shared_ptr<const Snapshot>(std::make_shared<Snapshot>(
      Snapshot{before.ring, epoch, std::move(spec), before.profile, std::move(*placement), bytes, time_ms}));
}

Result<std::shared_ptr<const Rings>> load_rings(Store& store, const Rings& known) {
  auto stored = store.load();
  if (!stored) return std::move(stored).error();
  auto rings = std::make_shared<Rings>();
  rings->epoch_floor = stored->epoch_floor;
  for (StoredRing& ring : stored->rings) {
    const auto same = known.by_name.find(ring.name);
    if (same != known.by_name.end() && same->second->epoch == ring.epoch && same->second->spec == ring.spec) {
      rings->by_name.insert(*same);
      continue;
    }
    auto snapshot = make_snapshot(ring.name, ring.epoch, std::move(ring.spec), ring.time_ms);
    if (!snapshot)
      return make_error(Errc::storage_failed,
                        "ring '" + ring.name + "' of the store cannot be placed: " + snapshot.error().message,
                        "a newer chashd may have made it");
    rings->by_name.emplace(ring.name, std::move(*snapshot));
  }
  const std::string name(protocol::default_ring);
  if (!rings->by_name.contains(name)) {
    auto empty = make_snapshot(name, 0, RingSpec{});
    if (!empty) return std::move(empty).error();
    rings->by_name.emplace(name, std::move(*empty));
  }
  return std::shared_ptr<const Rings>(std::move(rings));
}

}  // namespace chash::service
