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

// Changes of one ring that become durable together: epochs expected_epoch+1 … expected_epoch+deltas.size().
struct Commit {
  std::string_view ring;
  std::uint64_t expected_epoch = 0;  // 0: the ring may be new
  std::span<const Delta> deltas;     // none is empty
  const RingSpec& after;             // the spec when all are applied
};

// Threads: one at a time; the service calls it from its writer thread only, but for state().
class Store {
 public:
  virtual ~Store() = default;

  // Everything that is kept. Also the way back after a failed commit.
  // Errors: storage_failed, and nothing was changed on disk.
  virtual Result<std::vector<StoredRing>> load() = 0;

  // Durable when it returns, or not done.
  // Errors: storage_failed (whether the change is on disk is not known; the next commit finds out), or conflict (the
  // ring is at another epoch there: load() and look).
  virtual Result<void> commit(const Commit& commit) = 0;

  // Called when there was nothing to commit for a while: time for what need not be done before an answer.
  virtual void settle() = 0;

  // Threads: any.
  virtual protocol::Status::StoreState state() const = 0;
};

}  // namespace chash::service
