// Rings: all that the daemon serves at one moment. Immutable, shared by everyone who looks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "chash/placement.h"
#include "chash/profile.h"
#include "chash/ring_spec.h"
#include "service/store.h"

namespace chash::service {

// A ring at one epoch.
struct Snapshot {
  std::string ring;
  std::uint64_t epoch = 0;
  RingSpec spec;
  Profile profile;  // of spec.profile
  Placement placement;
  std::size_t bytes = 0;     // of names, fields, slots and pins
  std::int64_t time_ms = 0;  // when it became so; 0 if that is not known
};

struct Rings {
  // By name; the default ring is always there, at epoch 0 until its first change.
  std::map<std::string, std::shared_ptr<const Snapshot>, std::less<>> by_name;
  // The highest epoch that a deleted ring had. A new ring begins above it, so that epochs under one name only grow.
  std::uint64_t epoch_floor = 0;

  // Errors: not_found, naming the rings there are.
  Result<const Snapshot*> get(std::string_view name) const;
  const Snapshot& default_ring() const;
};

// Errors: those of parse_profile() and build().
Result<std::shared_ptr<const Snapshot>> make_snapshot(std::string ring, std::uint64_t epoch, RingSpec spec,
                                                      std::int64_t time_ms = 0);

// `before` with other members, sharing with it what they do not touch.
Result<std::shared_ptr<const Snapshot>> change_snapshot(const Snapshot& before, std::uint64_t epoch, RingSpec spec,
                                                        std::int64_t time_ms = 0);

// Now, in milliseconds since 1970, or the time of the last change where the clock was set back.
std::int64_t next_time(std::int64_t last_ms);

// What the store holds. A ring that `known` has at the same epoch is taken from there and not built anew.
// Errors: those of the store; storage_failed for a ring that cannot be placed.
Result<std::shared_ptr<const Rings>> load_rings(Store& store, const Rings& known = {});

}  // namespace chash::service
