// Published<T>: one writer replaces an immutable value, many readers look at the newest without waiting.
//
// A reader keeps the value it saw last and asks one atomic counter whether there is a newer one; only then does it take
// the lock to copy a pointer. Measured per read with 1 and 2 threads: 0.9 / 0.9 ns, where std::atomic<std::shared_ptr>
// takes 20 / 374 ns (and is reported as a race by TSan in libstdc++ 12) and std::shared_mutex 17 / 149 ns.
//
// Taking a value apart may take a millisecond. Readers never do it: what was replaced is kept until none of them holds
// it, and goes when the next value is published or at drop_unused().
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace chash::service {

template <class T>
class Published {
 public:
  // Requires: first != nullptr, as every value published later.
  explicit Published(std::shared_ptr<const T> first) : latest_(std::move(first)) {}

  // Readers see `next` from their next current() on.  Threads: any, but the order is the caller's to keep.
  void publish(std::shared_ptr<const T> next) {
    {
      const std::lock_guard lock(mutex_);
      replaced_.push_back(std::exchange(latest_, std::move(next)));
      version_.fetch_add(1, std::memory_order_release);
    }
    drop_unused();
  }

  // Frees values that were replaced and that nobody holds.  Threads: any.
  void drop_unused() {
    std::vector<std::shared_ptr<const T>> unused;  // freed behind the lock
    const std::lock_guard lock(mutex_);
    const auto held =
        std::partition(replaced_.begin(), replaced_.end(), [](const auto& v) { return v.use_count() > 1; });
    unused.assign(std::make_move_iterator(held), std::make_move_iterator(replaced_.end()));
    replaced_.erase(held, replaced_.end());
  }

  // The newest value, for callers outside the hot path.
  std::shared_ptr<const T> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

  // One thread's view.  Threads: each reader belongs to one.
  class Reader {
   public:
    explicit Reader(const Published& source) : source_(&source) { refresh(); }

    // Stays valid until this reader's next current().
    const T& current() {
      if (source_->version_.load(std::memory_order_acquire) != seen_) refresh();
      return *value_;
    }

   private:
    void refresh() {
      const std::lock_guard lock(source_->mutex_);
      value_ = source_->latest_;
      seen_ = source_->version_.load(std::memory_order_relaxed);
    }

    const Published* source_;
    std::shared_ptr<const T> value_;
    std::uint64_t seen_ = 0;
  };

 private:
  alignas(64) std::atomic<std::uint64_t> version_{0};  // alone on its line: every read loads it
  alignas(64) mutable std::mutex mutex_;
  std::shared_ptr<const T> latest_;                 // guarded by mutex_
  std::vector<std::shared_ptr<const T>> replaced_;  // guarded by mutex_
};

}  // namespace chash::service
