// Store: where membership is kept. The service declares it and lib/store implements it, so that the service's tests
// need no disk. The one virtual base of the project.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chash/ring_spec.h"
#include "protocol/operations.h"

namespace chash::service {

struct StoredRing {
  std::string name;
  std::uint64_t epoch = 0;
  RingSpec spec;
};

struct StoredRings {
  std::vector<StoredRing> rings;
  std::uint64_t epoch_floor = 0;  // the highest epoch that a deleted ring had
};

// What becomes durable of one ring, together. After it the ring is at `epoch`.
struct Commit {
  std::string_view ring;
  std::uint64_t expected_epoch = 0;  // 0: the ring must not be there yet
  std::uint64_t epoch = 0;
  std::span<const Delta> deltas;  // none is empty; there may be none where the ring is new
  const RingSpec& after;          // the spec when all are applied; its profile is that of before
};

// Threads: one at a time; the service calls it from its writer thread only, but for state().
class Store {
 public:
  virtual ~Store() = default;

  // Everything that is kept. Also the way back after a failed commit.
  // Errors: storage_failed, and nothing was changed on disk.
  virtual Result<StoredRings> load() = 0;

  // Durable when it returns, or not done.
  // Errors: storage_failed (whether the change is on disk is not known; the next commit finds out), or conflict (the
  // ring is at another epoch there: load() and look).
  virtual Result<void> commit(const Commit& commit) = 0;

  // Deletes a ring, and keeps its epoch as the floor.  Errors: as commit().
  virtual Result<void> remove(std::string_view ring, std::uint64_t expected_epoch) = 0;

  // Called when there was nothing to commit for a while: time for what need not be done before an answer.
  virtual void settle() = 0;

  // Threads: any.
  virtual protocol::Status::StoreState state() const = 0;
};

}  // namespace chash::service
