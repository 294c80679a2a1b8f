// Store: where membership and its history are kept. The service declares it and lib/store implements it, so that the
// service's tests need no disk. The one virtual base of the project.
//
// Of a ring's past only definitions are kept: which nodes there were from which epoch to which, and which slots a
// change took from whom. spec_at() puts them together; the rings themselves are built anew when somebody asks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
  std::int64_t time_ms = 0;  // of the last change; 0 if that is not known
};

// Which epochs of a ring are known.
struct HistoryExtent {
  std::uint64_t first = 0;   // at which it began
  std::uint64_t oldest = 0;  // the first one that spec_at() still knows
};

struct StoredRings {
  std::vector<StoredRing> rings;
  std::uint64_t epoch_floor = 0;  // the highest epoch that a deleted ring had
};

// What is remembered of a change beside what it changed.
struct ChangeRecord {
  std::string operation;  // its name on the wire
  std::string who;
  std::string note;
  std::int64_t time_ms = 0;       // since 1970
  std::optional<double> moved{};  // share of all keys, where it was worked out
};

// A request that must not be done twice, and the answer that it got. Without an id it is not remembered.
struct AnsweredRequest {
  std::string id;
  std::string digest;  // of what was asked: another request under the same id is a mistake
  std::string answer;  // of the operation, as JSON
};

// One change of a commit: it makes `after` of what was before, at the next epoch.
struct MadeChange {
  Delta delta;
  ChangeRecord record;
  AnsweredRequest request;
  std::shared_ptr<const RingSpec> after;
};

// What becomes durable of one ring, together. After it the ring is at epoch expected_epoch + changes, or at `epoch` if
// it is new.
struct Commit {
  std::string_view ring;
  std::uint64_t expected_epoch = 0;  // 0: the ring must not be there yet
  std::uint64_t epoch = 0;           // after all changes, which are consecutive
  std::uint64_t first = 0;           // of a new ring: the epoch at which it began
  std::span<const MadeChange> changes;
  const RingSpec& before;

  const RingSpec& after() const { return *changes.back().after; }
};

struct PastChange {
  std::uint64_t epoch = 0;
  ChangeRecord record;
  Delta delta;  // without slots
};

// Threads: any.
class Store {
 public:
  virtual ~Store() = default;

  // Everything that is kept of now. Also the way back after a failed commit.
  // Errors: storage_failed, and nothing was changed on disk.
  virtual Result<StoredRings> load() = 0;

  // Durable when it returns, or not done.
  // Errors: storage_failed (whether the change is on disk is not known; the next commit finds out), or conflict (the
  // ring is at another epoch there: load() and look).
  virtual Result<void> commit(const Commit& commit) = 0;

  // Deletes a ring with its history, and keeps its epoch as the floor.  Errors: as commit().
  virtual Result<void> remove(std::string_view ring, std::uint64_t expected_epoch, const AnsweredRequest& request) = 0;

  // The answer that this request got, if it is remembered.  Errors: storage_failed.
  virtual Result<std::optional<AnsweredRequest>> find_request(std::string_view id) = 0;

  // Errors: not_found (no such ring), storage_failed.
  virtual Result<HistoryExtent> extent(std::string_view ring) = 0;

  // The changes that made the epochs from `first` to `last`, in order; those that are no longer kept are left out.
  // Errors: storage_failed.
  virtual Result<std::vector<PastChange>> changes(std::string_view ring, std::uint64_t first, std::uint64_t last) = 0;

  // The ring as it was, with its max_move as it is now. Its slots, too.
  // Errors: not_found (no such ring, or an epoch that it has not come to, or that is no longer kept), storage_failed.
  virtual Result<RingSpec> spec_at(std::string_view ring, std::uint64_t epoch) = 0;

  // The last epoch at this time or before it.  Errors: as spec_at().
  virtual Result<std::uint64_t> epoch_at(std::string_view ring, std::int64_t time_ms) = 0;

  // Called when there was nothing to commit for a while: time for what need not be done before an answer.
  virtual void settle() = 0;

  virtual protocol::Status::StoreState state() const = 0;
};

}  // namespace chash::service
