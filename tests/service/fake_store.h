// FakeStore: a service::Store in memory. It keeps what is committed, records every call, and fails, conflicts or waits
// when a test tells it to.
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
#include <string>
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

  // As if somebody else had written.
  void put(StoredRing ring) {
    const std::lock_guard lock(mutex_);
    std::string name = ring.name;
    rings_.insert_or_assign(std::move(name), std::move(ring));
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
    return found == rings_.end() ? StoredRing{ring, 0, {}} : found->second;
  }

  Result<StoredRings> load() override {
    const std::lock_guard lock(mutex_);
    ++loads_;
    if (failing_loads_ > 0) {
      --failing_loads_;
      return make_error(Errc::storage_failed, "the fake store cannot be read");
    }
    StoredRings all;
    for (const auto& [name, ring] : rings_) all.rings.push_back(ring);
    all.epoch_floor = epoch_floor_;
    return all;
  }

  Result<void> commit(const Commit& commit) override {
    std::unique_lock lock(mutex_);
    commits_.push_back(
        {std::string(commit.ring), commit.expected_epoch, {commit.deltas.begin(), commit.deltas.end()}, commit.after});
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

  Result<void> remove(std::string_view ring, std::uint64_t expected_epoch) override {
    const std::lock_guard lock(mutex_);
    const std::string name(ring);
    return decide(name, expected_epoch, [&] {
      rings_.erase(name);
      epoch_floor_ = std::max(epoch_floor_, expected_epoch);
    });
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
    const std::uint64_t epoch = found == rings_.end() ? 0 : found->second.epoch;
    if (fate == Fate::conflict || expected_epoch != epoch)
      return make_error(Errc::conflict, "the fake store is at epoch " + std::to_string(epoch));
    if (fate != Fate::failed) act();
    if (fate != Fate::stored) return make_error(Errc::storage_failed, "the fake store failed");
    ++commits_made_;
    return {};
  }

  // What every commit promises: changes, not one of them empty, that lead from what is stored to `after`.
  void store(const Commit& commit) {
    std::string name(commit.ring);
    StoredRing& ring = rings_.try_emplace(name, StoredRing{name, 0, {commit.after.profile, {}}}).first->second;
    CHECK((!commit.deltas.empty() || commit.expected_epoch == 0));
    CHECK(commit.epoch > commit.expected_epoch);
    for (const Delta& delta : commit.deltas) {
      CHECK_FALSE(delta.empty());
      ring.spec = apply(std::move(ring.spec), delta);
    }
    CHECK(ring.spec == commit.after);
    ring.epoch = commit.epoch;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, StoredRing> rings_;
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
