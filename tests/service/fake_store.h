// FakeStore: a service::Store in memory. It keeps every spec of every epoch as it was committed, records every call,
// and fails, conflicts or waits when a test tells it to.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/log.h"
#include "service/store.h"

namespace chash::service::test {

class FakeStore final : public Store {
 public:
  struct Recorded {
    std::string ring;
    std::uint64_t expected_epoch = 0;
    std::vector<Delta> deltas;
    RingSpec after;
  };

  enum class Fate { stored, failed, failed_but_stored, conflict };

  // Called inside each commit, on the thread that commits, before anything is stored. Set before the service starts.
  std::function<void(const Commit&)> on_commit;

  // A ring at one epoch, with the change that made it.
  struct Epoch {
    std::uint64_t epoch = 0;
    RingSpec spec;
    ChangeRecord record;
    Delta delta;
  };

  // As if somebody else had written: a ring of which nothing older is known.
  void put(StoredRing ring) {
    const std::lock_guard lock(mutex_);
    Epoch now{ring.epoch, std::move(ring.spec), {"", "", "", ring.time_ms}, {}};
    rings_.insert_or_assign(std::move(ring.name), Kept{0, {std::move(now)}});
  }
  // As if it had been written with all its past.
  void put_history(const std::string& ring, std::vector<Epoch> epochs) {
    const std::lock_guard lock(mutex_);
    rings_.insert_or_assign(ring, Kept{epochs.front().epoch, std::move(epochs)});
  }
  // As a store that keeps no more than so many changes.
  void drop_history_before(const std::string& ring, std::uint64_t oldest) {
    const std::lock_guard lock(mutex_);
    std::erase_if(rings_.at(ring).epochs, [&](const Epoch& epoch) { return epoch.epoch < oldest; });
  }
  // As if an older file were put there.
  void forget_deleted_rings() {
    const std::lock_guard lock(mutex_);
    epoch_floor_ = 0;
  }
  // Of the next commits, first to last; those after them are stored.
  void fates(std::initializer_list<Fate> next) {
    const std::lock_guard lock(mutex_);
    fates_.assign(next);
  }
  void fail_next_loads(int count) {
    const std::lock_guard lock(mutex_);
    failing_loads_ = count;
  }

  // While shut, a commit waits at the gate, as at a disk that takes its time.
  void shut_gate() {
    const std::lock_guard lock(mutex_);
    gate_open_ = false;
  }
  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      gate_open_ = true;
    }
    changed_.notify_all();
  }
  void wait_until_somebody_waits() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }

  std::vector<Recorded> commits() const {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  int loads() const {
    const std::lock_guard lock(mutex_);
    return loads_;
  }
  StoredRing stored(const std::string& ring = std::string(protocol::default_ring)) const {
    const std::lock_guard lock(mutex_);
    const auto found = rings_.find(ring);
    return found == rings_.end() ? StoredRing{ring, 0, {}} : as_it_is(ring, found->second);
  }
  std::vector<AnsweredRequest> requests() const {
    const std::lock_guard lock(mutex_);
    std::vector<AnsweredRequest> all;
    for (const auto& [id, request] : requests_) all.push_back(request);
    return all;
  }

  Result<StoredRings> load() override {
    const std::lock_guard lock(mutex_);
    ++loads_;
    if (failing_loads_ > 0) {
      --failing_loads_;
      return make_error(Errc::storage_failed, "the fake store cannot be read");
    }
    StoredRings all;
    for (const auto& [name, ring] : rings_) all.rings.push_back(as_it_is(name, ring));
    all.epoch_floor = epoch_floor_;
    return all;
  }

  Result<void> commit(const Commit& commit) override {
    std::unique_lock lock(mutex_);
    commits_.push_back({std::string(commit.ring), commit.expected_epoch, {}, commit.after()});
    for (const MadeChange& change : commit.changes) commits_.back().deltas.push_back(change.delta);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return gate_open_; });
    --waiting_;
    if (on_commit) {
      lock.unlock();
      on_commit(commit);
      lock.lock();
    }
    return decide(std::string(commit.ring), commit.expected_epoch, [&] { store(commit); });
  }

  Result<void> remove(std::string_view ring, std::uint64_t expected_epoch, const AnsweredRequest& request) override {
    const std::lock_guard lock(mutex_);
    const std::string name(ring);
    return decide(name, expected_epoch, [&] {
      rings_.erase(name);
      epoch_floor_ = std::max(epoch_floor_, expected_epoch);
      remember(request);
    });
  }

  Result<std::optional<AnsweredRequest>> find_request(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(std::string(id));
    return found == requests_.end() ? std::optional<AnsweredRequest>() : std::optional(found->second);
  }

  Result<HistoryExtent> extent(std::string_view ring) override {
    const std::lock_guard lock(mutex_);
    const Kept* const kept = find(ring);
    if (kept == nullptr) return unknown(ring);
    return HistoryExtent{kept->first, kept->epochs.front().epoch};
  }

  Result<std::vector<PastChange>> changes(std::string_view ring, std::uint64_t first, std::uint64_t last) override {
    const std::lock_guard lock(mutex_);
    std::vector<PastChange> found;
    const Kept* const kept = find(ring);
    if (kept == nullptr) return found;
    for (const Epoch& epoch : kept->epochs) {
      const bool is_made = epoch.epoch == kept->first ? epoch.epoch > 0 : &epoch != &kept->epochs.front();
      if (!is_made || epoch.epoch < first || epoch.epoch > last) continue;
      found.push_back({epoch.epoch, epoch.record, epoch.delta});
      found.back().delta.slots.reset();
    }
    return found;
  }

  Result<RingSpec> spec_at(std::string_view ring, std::uint64_t epoch) override {
    const std::lock_guard lock(mutex_);
    const Kept* const kept = find(ring);
    if (kept != nullptr)
      for (const Epoch& one : kept->epochs)
        if (one.epoch == epoch) {
          RingSpec spec = one.spec;
          spec.max_move = kept->epochs.back().spec.max_move;
          return spec;
        }
    return unknown(ring);
  }

  Result<std::uint64_t> epoch_at(std::string_view ring, std::int64_t time_ms) override {
    const std::lock_guard lock(mutex_);
    std::optional<std::uint64_t> last;
    if (const Kept* const kept = find(ring))
      for (const Epoch& epoch : kept->epochs)
        if (epoch.record.time_ms <= time_ms) last = epoch.epoch;
    return last ? Result<std::uint64_t>(*last) : unknown(ring);
  }

  void settle() override {
    const std::lock_guard lock(mutex_);
    settled_ = true;
    changed_.notify_all();
  }
  void wait_until_settled() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return settled_; });
  }

  protocol::Status::StoreState state() const override {
    const std::lock_guard lock(mutex_);
    return {"fake", "/nowhere", true, commits_made_};
  }

 private:
  template <class Act>
  Result<void> decide(const std::string& ring, std::uint64_t expected_epoch, Act act) {
    Fate fate = Fate::stored;
    if (!fates_.empty()) {
      fate = fates_.front();
      fates_.pop_front();
    }
    const auto found = rings_.find(ring);
    const std::uint64_t epoch = found == rings_.end() ? 0 : found->second.epochs.back().epoch;
    if (fate == Fate::conflict || expected_epoch != epoch)
      return make_error(Errc::conflict, "the fake store is at epoch " + std::to_string(epoch));
    if (fate != Fate::failed) act();
    if (fate != Fate::stored) return make_error(Errc::storage_failed, "the fake store failed");
    ++commits_made_;
    return {};
  }

  // What every commit promises: changes, not one of them empty, that lead from what is stored to `after`.
  void store(const Commit& commit) {
    const bool is_new = commit.expected_epoch == 0;
    Kept& kept = rings_[std::string(commit.ring)];
    if (is_new) {
      kept.first = commit.first;
      // The default ring is there before its first change.
      if (commit.first == 0) kept.epochs.push_back({0, {commit.after().profile, {}}, {}, {}});
    }
    CHECK_FALSE(commit.changes.empty());
    CHECK(commit.epoch > commit.expected_epoch);
    RingSpec before = kept.epochs.empty() ? RingSpec{commit.after().profile, {}} : kept.epochs.back().spec;
    CHECK(before == commit.before);
    const bool is_copy = is_new && commit.first > 0;  // of a ring that may have got its slots in another way
    std::uint64_t epoch = commit.epoch - commit.changes.size();
    CHECK((is_new || epoch == commit.expected_epoch));
    for (const MadeChange& change : commit.changes) {
      CHECK((!change.delta.empty() || is_copy));
      RingSpec after = apply(before, change.delta);
      if (is_copy) after.slots = change.after->slots;
      CHECK(after == *change.after);
      kept.epochs.push_back({++epoch, after, change.record, change.delta});
      before = std::move(after);
      remember(change.request);
    }
    CHECK(before == commit.after());
  }

  // Of a ring: all its epochs that are known, in order.
  struct Kept {
    std::uint64_t first = 0;
    std::vector<Epoch> epochs;
  };
  static StoredRing as_it_is(const std::string& name, const Kept& kept) {
    const Epoch& now = kept.epochs.back();
    return {name, now.epoch, now.spec, now.record.time_ms};
  }
  const Kept* find(std::string_view ring) const {
    const auto found = rings_.find(std::string(ring));
    return found == rings_.end() ? nullptr : &found->second;
  }
  static Error unknown(std::string_view ring) {
    return make_error(Errc::not_found, "the fake store does not know this of ring '" + std::string(ring) + "'");
  }
  void remember(const AnsweredRequest& request) {
    if (!request.id.empty()) CHECK(requests_.emplace(request.id, request).second);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Kept> rings_;
  std::map<std::string, AnsweredRequest> requests_;
  std::vector<Recorded> commits_;
  std::uint64_t epoch_floor_ = 0;
  std::deque<Fate> fates_;
  std::uint64_t commits_made_ = 0;
  int failing_loads_ = 0;
  int loads_ = 0;
  bool settled_ = false;
  int waiting_ = 0;
  bool gate_open_ = true;
};

// A log that goes nowhere.
inline std::unique_ptr<Log> quiet_log(LogLevel level = LogLevel::critical) {
  auto log = Log::open({"", level, false, false});
  REQUIRE(log);
  return std::move(*log);
}

}  // namespace chash::service::test
