// RingService: a ring in time. One writer thread makes changes, one after the other; everyone else reads snapshots.
//
//   change ──> queue ──> writer: resolve, apply, build ──> store.commit ──> publish ──> answers
//                                 pure                      durable          visible
//
// What is waiting in the queue is applied together, built once and committed once. Nothing is visible before it is
// durable, so no reader ever sees what a crash could undo; nothing is answered before it is visible, so a client reads
// its writes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "chash/placement.h"
#include "chash/ring_spec.h"
#include "service/log.h"
#include "service/published.h"
#include "service/store.h"

namespace chash::service {

// A ring at one epoch. Immutable, shared by everyone who looks.
struct Snapshot {
  std::string ring;
  std::uint64_t epoch = 0;
  RingSpec spec;
  Placement placement;
};

// Who asks for a change: for the log, and whether they may.
struct Caller {
  std::string description;       // "uid 1000 pid 4711" or "127.0.0.1:40312", printable
  std::optional<Error> refusal;  // why this caller may not change anything
};

// What a change came to.
struct Committed {
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;  // equal to `epoch` if there was nothing to do
  Delta delta;
  std::shared_ptr<const RingSpec> spec;  // the members at `epoch`
};

class RingService {
 public:
  using Done = std::function<void(Result<Committed>)>;

  // Reads the ring from the store; a store without any history gets `initial_nodes` as its first change.
  // Requires: store and log outlive the service.  Errors: those of the store and of resolve().
  static Result<std::unique_ptr<RingService>> start(Store& store, Log& log, const std::vector<Node>& initial_nodes);

  // Finishes what is queued, then stops the writer.
  ~RingService();

  // Queues a change. `done` is called exactly once: on the writer thread when the change is durable and visible or was
  // refused, or at once on this one when the queue is full or the service is stopping.  Threads: any.
  void change(Change change, Caller caller, Done done);

  // Threads: any.
  const Published<Snapshot>& snapshots() const { return published_; }
  const Store& store() const { return store_; }
  Log& log() const { return log_; }
  std::uint64_t changes_made() const { return changes_made_.load(std::memory_order_relaxed); }

 private:
  struct Waiting {
    Change change;
    Caller caller;
    Done done;
  };
  struct Batch;

  RingService(Store& store, Log& log, std::shared_ptr<const Snapshot> first);

  void run_writer();
  void make_changes(std::vector<Waiting>& waiting);
  Batch resolve_all(const std::vector<Waiting>& waiting) const;
  Result<void> commit_and_publish(Batch& batch);
  Result<void> reload();
  void log_changes(const Batch& batch, const std::vector<Waiting>& waiting) const;

  Store& store_;
  Log& log_;
  Published<Snapshot> published_;
  std::atomic<std::uint64_t> changes_made_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> queue_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_

  bool in_doubt_ = false;  // the writer's: a commit failed, so that the store may be ahead of what is published

  std::thread writer_;  // last: it uses all of the above
};

}  // namespace chash::service
