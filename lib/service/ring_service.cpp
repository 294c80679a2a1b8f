#include "service/ring_service.h"

#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include "chash/limits.h"
#include "protocol/operations.h"
#include "protocol/text.h"

namespace chash::service {
namespace {

// How often a commit is tried again after somebody else moved the ring on. Only a store shared with others can conflict
// twice in a row.
constexpr int commit_attempts = 3;

// After this long without a change the store may settle. A client that adds in a loop is not to wait for it.
constexpr std::chrono::seconds quiet{1};

Result<std::shared_ptr<const Snapshot>> make_snapshot(std::string ring, std::uint64_t epoch, RingSpec spec) {
  auto placement = build(spec);
  if (!placement) return std::move(placement).error();
  return std::shared_ptr<const Snapshot>(
      std::make_shared<Snapshot>(Snapshot{std::move(ring), epoch, std::move(spec), std::move(*placement)}));
}

Result<std::shared_ptr<const Snapshot>> load_snapshot(Store& store) {
  auto rings = store.load();
  if (!rings) return std::move(rings).error();
  for (StoredRing& ring : *rings)
    if (ring.name == protocol::default_ring) return make_snapshot(ring.name, ring.epoch, std::move(ring.spec));
  return make_snapshot(std::string(protocol::default_ring), 0, RingSpec{});
}

}  // namespace

// One round of the writer: what each waiting change comes to, and the ring after all of them.
struct RingService::Batch {
  std::vector<Result<Committed>> outcomes;  // by position in the queue
  std::vector<Delta> deltas;                // those that change something, in order
  std::shared_ptr<const RingSpec> after;
};

Result<std::unique_ptr<RingService>> RingService::start(Store& store, Log& log,
                                                        const std::vector<Node>& initial_nodes) {
  auto first = load_snapshot(store);
  if (!first) return std::move(first).error();
  const bool without_history = (*first)->epoch == 0;

  std::unique_ptr<RingService> service(new RingService(store, log, std::move(*first)));
  if (without_history && !initial_nodes.empty()) {
    Result<void> outcome;
    std::vector<Waiting> waiting;
    waiting.push_back(
        {AddNodes{initial_nodes, false}, Caller{"--initial-node", {}}, [&](const Result<Committed>& committed) {
           if (!committed) outcome = committed.error();
         }});
    service->make_changes(waiting);
    if (!outcome) return std::move(outcome).error();
  }
  service->writer_ = std::thread([raw = service.get()] { raw->run_writer(); });
  return service;
}

RingService::RingService(Store& store, Log& log, std::shared_ptr<const Snapshot> first)
    : store_(store), log_(log), published_(std::move(first)) {}

RingService::~RingService() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (writer_.joinable()) writer_.join();
}

void RingService::change(Change change, Caller caller, Done done) {
  const auto refuse = [&]() -> std::optional<Error> {
    const std::lock_guard lock(mutex_);
    if (stopping_) return make_error(Errc::shutting_down, "chashd is stopping");
    if (queue_.size() >= limits::queued_changes)
      return make_error(Errc::busy, "too many changes are waiting for the store", "try again in a moment");
    queue_.push_back({std::move(change), std::move(caller), std::move(done)});
    return std::nullopt;
  };
  if (auto error = refuse()) return done(std::move(*error));
  wake_.notify_one();
}

void RingService::run_writer() {
  std::vector<Waiting> waiting;
  const auto is_needed = [&] { return stopping_ || !queue_.empty(); };
  bool settled = true;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!settled && !wake_.wait_for(lock, quiet, is_needed)) {
        lock.unlock();
        store_.settle();
        settled = true;
        continue;
      }
      wake_.wait(lock, is_needed);
      if (queue_.empty()) return;
      waiting.swap(queue_);
    }
    make_changes(waiting);
    waiting.clear();
    settled = false;
  }
}

void RingService::make_changes(std::vector<Waiting>& waiting) {
  Batch batch;
  Result<void> committed;
  try {
    for (int attempt = 1; attempt <= commit_attempts; ++attempt) {
      if (in_doubt_) committed = reload();
      if (!committed) break;
      batch = resolve_all(waiting);
      committed = commit_and_publish(batch);
      if (committed || committed.error().code != Errc::conflict) break;
    }
  } catch (const std::exception& e) {  // out of memory; nothing was published
    committed = make_error(Errc::internal, std::string("the change could not be made: ") + e.what());
  }
  if (committed) {
    log_changes(batch, waiting);
  } else {
    log_.main(LogLevel::error, "A change was not made: " + committed.error().message);
    batch.outcomes.assign(waiting.size(),
                          committed.error());  // refusals too: they judged a ring that did not come to be
  }
  for (std::size_t i = 0; i < waiting.size(); ++i) waiting[i].done(std::move(batch.outcomes[i]));
}

RingService::Batch RingService::resolve_all(const std::vector<Waiting>& waiting) const {
  const auto current = published_.latest();
  Batch batch;
  batch.after = std::shared_ptr<const RingSpec>(current, &current->spec);
  std::uint64_t epoch = current->epoch;
  for (const Waiting& asked : waiting) {
    auto delta = resolve(*batch.after, asked.change);
    if (!delta) {
      batch.outcomes.emplace_back(std::move(delta).error());
      continue;
    }
    Committed outcome{epoch, epoch, std::move(*delta), nullptr};
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

Result<void> RingService::commit_and_publish(Batch& batch) {
  if (batch.deltas.empty()) return {};
  const auto current = published_.latest();
  auto next = make_snapshot(current->ring, current->epoch + batch.deltas.size(), *batch.after);
  if (!next) return std::move(next).error();
  in_doubt_ = true;
  if (auto ok = store_.commit({current->ring, current->epoch, batch.deltas, *batch.after}); !ok) return ok;
  published_.publish(std::move(*next));
  in_doubt_ = false;
  changes_made_.fetch_add(batch.deltas.size(), std::memory_order_relaxed);
  return {};
}

// Goes on from where the store is: a commit whose sync failed may have reached the disk after all. Never back: what
// was answered once is not taken back because somebody put an older file there.
Result<void> RingService::reload() {
  auto stored = load_snapshot(store_);
  if (!stored) return std::move(stored).error();
  const auto current = published_.latest();
  const Snapshot& found = **stored;
  if (found.epoch < current->epoch || (found.epoch == current->epoch && found.spec != current->spec))
    return make_error(Errc::storage_failed,
                      "the store holds another ring, of epoch " + std::to_string(found.epoch) +
                          ", than this daemon, which is at epoch " + std::to_string(current->epoch),
                      "put the right state file back, or restart chashd to go on from the one that is there");
  if (found.epoch > current->epoch) {
    log_.main(LogLevel::warning, "The store is at epoch " + std::to_string(found.epoch) + ", not at epoch " +
                                     std::to_string(current->epoch) + "; going on from there.");
    published_.publish(std::move(*stored));
  }
  in_doubt_ = false;
  return {};
}

void RingService::log_changes(const Batch& batch, const std::vector<Waiting>& waiting) const {
  if (!log_.enabled(LogLevel::info)) return;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (!batch.outcomes[i]) continue;
    const Committed& outcome = *batch.outcomes[i];
    // The seed's words, then ours.
    const std::string behind =
        " Epoch " + std::to_string(outcome.epoch) + ", asked by " + waiting[i].caller.description + ".";
    for (const Node& node : outcome.delta.added)
      log_.hashing(LogLevel::info, "Adding node '" + node.name + "' with " +
                                       std::to_string(vnode_count(*outcome.spec, node.weight)) +
                                       " replicas to the ring." + behind);
    for (const std::string& name : outcome.delta.removed)
      log_.hashing(LogLevel::info, "Removing node '" + name + "' from the ring." + behind);
  }
}

}  // namespace chash::service
