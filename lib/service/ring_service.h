// RingService: rings in time. One writer thread makes changes, one after the other; everyone else reads snapshots.
//
//   change ──> queue ──> writer: resolve, apply, build ──> store.commit ──> publish ──> answers
//                                 pure                      durable          visible
//
// What is waiting in the queue for one ring is applied together, built once and committed once. Nothing is visible
// before it is durable, so no reader ever sees what a crash could undo; nothing is answered before it is visible, so a
// client reads its writes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "chash/ring_spec.h"
#include "service/feed.h"
#include "service/log.h"
#include "service/plan_book.h"
#include "service/published.h"
#include "service/ring_change.h"
#include "service/rings.h"
#include "service/store.h"
#include "service/studies.h"

namespace chash::service {

// Who asks for a change: for the log, and whether they may.
struct Caller {
  std::string description;       // "uid 1000 pid 4711" or "127.0.0.1:40312", printable
  std::optional<Error> refusal;  // why this caller may not change anything
};

class RingService {
 public:
  using Done = std::function<void(Result<Committed>)>;

  // Reads the rings from the store; a default ring without any history gets `initial_nodes` as its first change.
  // Requires: store and log outlive the service.  Errors: those of the store and of resolve().
  static Result<std::unique_ptr<RingService>> start(Store& store, Log& log, const std::vector<Node>& initial_nodes);

  // Finishes what is queued, then stops the writer.
  ~RingService();

  // Queues a change. `done` is called exactly once: on the writer thread when the change is durable and visible or was
  // refused, or at once on this one when the queue is full or the service is stopping.  Threads: any.
  void change(std::string ring, RingChange change, Caller caller, Done done, ChangeTerms terms = {});

  // Questions that are answered aside.
  Studies& studies() { return studies_; }
  const PlanBook& plans() const { return plans_; }
  // Questions that wait for a change.
  Feed& feed() { return feed_; }

  // Threads: any.
  const Published<Rings>& rings() const { return published_; }
  const Store& store() const { return store_; }
  Log& log() const { return log_; }
  std::uint64_t changes_made() const { return changes_made_.load(std::memory_order_relaxed); }

 private:
  struct Waiting {
    std::string ring;
    RingChange change;
    Caller caller;
    Done done;
    ChangeTerms terms{};
  };
  struct Batch;

  RingService(Store& store, Log& log, std::shared_ptr<const Rings> first);

  void run_writer();
  void make_changes(std::vector<Waiting>& waiting);
  std::span<Waiting> first_batch(std::span<Waiting> waiting) const;
  std::ptrdiff_t most_changes(const std::string& ring) const;
  Result<void> with_store(const std::function<Result<void>()>& attempt);
  Result<void> reload();

  // pin_expiry.cpp
  std::chrono::milliseconds until_expiry() const;
  void expire_pins();

  // member_changes.cpp
  void change_members(std::span<Waiting> waiting);
  Result<Batch> resolve_all(const std::shared_ptr<const Snapshot>& current, std::span<const Waiting> waiting);
  Result<void> answer_without_ring(std::span<const Waiting> waiting, const Error& no_ring, Batch& batch);
  Result<Committed> resolve_one(const Snapshot& current, const std::shared_ptr<const RingSpec>& before,
                                std::uint64_t epoch, const Waiting& asked);
  static bool has_drain(const Snapshot& current, const Batch& batch);
  Result<void> commit_and_publish(const Rings& rings, const Snapshot& current, std::span<const Waiting> waiting,
                                  Batch& batch);
  void log_members(const Batch& batch, std::span<const Waiting> waiting) const;
  Result<std::optional<Committed>> find_answer(const ChangeTerms& terms);
  Error moved_on(const Snapshot& current, std::uint64_t expected, std::uint64_t epoch);

  // ring_changes.cpp
  void change_rings(Waiting& waiting);
  Result<Committed> create(const Waiting& asked, RingSpec spec);
  Result<Committed> remove(const Waiting& asked, const DeleteRing& change);
  void publish(std::shared_ptr<const Snapshot> next, std::span<const MadeChange> made);

  Store& store_;
  Log& log_;
  Published<Rings> published_;
  PlanBook plans_;
  Studies studies_;
  Feed feed_;
  std::atomic<std::uint64_t> changes_made_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> queue_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_

  std::int64_t expiry_retry_ms_ = 0;  // the writer's: pins were to expire and the store failed; not before this

  bool in_doubt_ = false;  // the writer's: a commit failed, so that the store may be ahead of what is published

  std::thread writer_;  // last: it uses all of the above
};

}  // namespace chash::service
