#include "service/feed.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "chash/limits.h"
#include "service/changes_told.h"
#include "service/signals_blocked.h"

namespace chash::service {

using namespace protocol;

namespace {

constexpr std::uint64_t page = 100;  // of what is read from the store at once

Error stopping() { return make_error(Errc::shutting_down, "chashd is stopping"); }

Result<void> check(const Watch::Request& request) {
  if (request.limit == 0 || request.limit > limits::listed_changes)
    return make_error(Errc::invalid_argument,
                      "'limit' must be a whole number from 1 to " + std::to_string(limits::listed_changes));
  if (request.wait_s > limits::watch_seconds)
    return make_error(Errc::invalid_argument,
                      "'wait_s' must be a whole number from 0 to " + std::to_string(limits::watch_seconds),
                      "ask again where that is not enough");
  return {};
}

}  // namespace

Feed::~Feed() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
}

// --- The writer's ---------------------------------------------------------------------------------------------------

void Feed::append(const std::string& ring, std::uint64_t first, std::span<const MadeChange> made) {
  try {
    remember(ring, first, made);
  } catch (const std::exception&) {  // out of memory: they are in the store
    look();
  }
  wake_.notify_one();
}

void Feed::remember(const std::string& ring, std::uint64_t first, std::span<const MadeChange> made) {
  std::vector<Recent> came;
  for (const MadeChange& one : made) {
    PastChange change{first + came.size(), one.record, one.delta};
    change.delta.slots.reset();
    const std::size_t bytes = sizeof change + bytes_named(change.delta);
    came.push_back({std::make_shared<const PastChange>(std::move(change)), bytes});
  }
  const std::lock_guard lock(mutex_);
  changed_ = true;
  if (const auto known = recent_.find(ring); known != recent_.end() && known->second.back().change->epoch + 1 != first)
    drop(ring);
  for (Recent& one : came) {
    order_.push_back(ring);
    bytes_ += one.bytes;
    recent_[ring].push_back(std::move(one));
  }
  while (order_.size() > limits::recent_changes || bytes_ > limits::bytes_of_recent_changes) drop_oldest();
}

void Feed::forget(const std::string& ring) {
  {
    const std::lock_guard lock(mutex_);
    drop(ring);
    changed_ = true;
  }
  wake_.notify_one();
}

void Feed::look() {
  {
    const std::lock_guard lock(mutex_);
    // What memory has would not lead up to what is published.
    recent_.clear();
    order_.clear();
    bytes_ = 0;
    changed_ = true;
  }
  wake_.notify_one();
}

void Feed::drop(const std::string& ring) {
  const auto known = recent_.find(ring);
  if (known == recent_.end()) return;
  for (const Recent& one : known->second) bytes_ -= one.bytes;
  recent_.erase(known);
  std::erase(order_, ring);
}

void Feed::drop_oldest() {
  const auto ring = recent_.find(order_.front());
  bytes_ -= ring->second.front().bytes;
  ring->second.pop_front();
  if (ring->second.empty()) recent_.erase(ring);
  order_.pop_front();
}

// --- Those that watch -----------------------------------------------------------------------------------------------

void Feed::watch(Watch::Request request, Done done) {
  const auto refusal = [&]() -> std::optional<Error> {
    if (auto ok = check(request); !ok) return std::move(ok).error();
    const auto rings = published_.latest();
    const auto ring = rings->get(request.ring);
    if (!ring) return ring.error();
    // No change made epoch 0.
    request.from = std::max<std::uint64_t>(1, request.from.value_or((*ring)->epoch + 1));
    const auto deadline = Clock::now() + std::chrono::seconds(request.wait_s);
    const std::lock_guard lock(mutex_);
    if (stopping_) return stopping();
    if (watchers_ >= limits::watchers)
      return make_error(Errc::busy, "as many requests wait for a change as chashd lets wait", "try again in a moment");
    arrived_.push_back({std::move(request), deadline, std::move(done)});
    ++watchers_;
    if (!thread_.joinable()) {
      const SignalsBlocked blocked;
      thread_ = std::thread([this] { run(); });
    }
    return std::nullopt;
  }();
  if (refusal) return done(*refusal);
  wake_.notify_one();
}

void Feed::run() {
  const auto is_needed = [&] { return stopping_ || changed_ || !arrived_.empty(); };
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      const auto first = std::ranges::min_element(waiting_, {}, &Watcher::deadline);
      if (first == waiting_.end()) wake_.wait(lock, is_needed);
      else wake_.wait_until(lock, first->deadline, is_needed);
      std::ranges::move(arrived_, std::back_inserter(waiting_));
      arrived_.clear();
      changed_ = false;
      last = stopping_;
    }
    const auto rings = published_.latest();
    const auto now = Clock::now();
    std::vector<Watcher> still;
    for (Watcher& watcher : waiting_) {
      auto response = last ? std::optional<Result<AnyResponse>>(stopping()) : answer(*rings, watcher, now);
      if (!response) {
        still.push_back(std::move(watcher));
        continue;
      }
      {
        const std::lock_guard lock(mutex_);
        --watchers_;
      }
      watcher.done(std::move(*response));
    }
    waiting_ = std::move(still);
  }
}

// Nothing where it is to wait on.
std::optional<Result<AnyResponse>> Feed::answer(const Rings& rings, const Watcher& watcher, Clock::time_point now) {
  const std::string& name = watcher.request.ring;
  const std::uint64_t from = *watcher.request.from;
  const auto ring = rings.get(name);
  if (!ring) return make_error(Errc::not_found, "ring '" + name + "' was deleted", ring.error().hint);
  const std::uint64_t epoch = (*ring)->epoch;
  if (from > epoch + 1)
    return make_error(
        Errc::conflict,
        "ring '" + name + "' is at epoch " + std::to_string(epoch) + ", so that epoch " + std::to_string(from) +
            " is not the next one",
        "an older state may have been put back: read the ring, then watch from epoch " + std::to_string(epoch + 1));
  if (from == epoch + 1) {
    if (now < watcher.deadline) return std::nullopt;
    return AnyResponse(Watch::Response{name, epoch, from, {}});
  }
  try {
    auto response = changes_from(**ring, watcher.request);
    return response ? Result<AnyResponse>(std::move(*response)) : Result<AnyResponse>(response.error());
  } catch (const std::exception& e) {  // out of memory
    return make_error(Errc::internal, std::string("the changes cannot be told: ") + e.what());
  }
}

Result<Watch::Response> Feed::changes_from(const Snapshot& ring, const Watch::Request& request) {
  const std::uint64_t from = *request.from, last = std::min(ring.epoch, from + request.limit - 1);
  Watch::Response response{ring.ring, ring.epoch, from, {}};
  for (std::size_t bytes = 0; response.next <= last && bytes <= limits::bytes_of_listed_changes;) {
    auto changes = recent_from(ring.ring, response.next, last);
    if (changes.empty()) {
      auto stored = store_.changes(ring.ring, response.next, std::min(last, response.next + page - 1));
      if (!stored) return std::move(stored).error();
      for (PastChange& one : *stored) changes.push_back(std::make_shared<const PastChange>(std::move(one)));
    }
    const std::uint64_t begin = response.next;
    for (const auto& change : changes) {
      if (change->epoch != response.next || bytes > limits::bytes_of_listed_changes) break;
      response.changes.push_back(entry_of(*change));
      bytes += bytes_named(change->delta);
      ++response.next;
    }
    if (response.next > begin) continue;
    if (response.changes.empty()) return no_longer_kept(ring, from);
    break;  // what is there is told first
  }
  return response;
}

// Nothing where memory does not have the first of them.
std::vector<std::shared_ptr<const PastChange>> Feed::recent_from(const std::string& ring, std::uint64_t from,
                                                                 std::uint64_t last) {
  std::vector<std::shared_ptr<const PastChange>> found;
  const std::lock_guard lock(mutex_);
  const auto known = recent_.find(ring);
  if (known == recent_.end()) return found;
  const std::uint64_t first = known->second.front().change->epoch;
  for (std::uint64_t epoch = from; epoch >= first && epoch <= last && epoch - first < known->second.size(); ++epoch)
    found.push_back(known->second[static_cast<std::size_t>(epoch - first)].change);
  return found;
}

Error Feed::no_longer_kept(const Snapshot& ring, std::uint64_t from) {
  const auto extent = store_.extent(ring.ring);
  if (!extent) return extent.error();
  // A ring that was created has a change that made its first epoch; else what is oldest is how it was found.
  const auto oldest = store_.changes(ring.ring, extent->oldest, extent->oldest);
  if (!oldest) return oldest.error();
  std::uint64_t first = extent->oldest + (oldest->empty() ? 1 : 0);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = recent_.find(ring.ring); known != recent_.end())
      first = std::min(first, known->second.front().change->epoch);
  }
  const std::string next = std::to_string(ring.epoch + 1);
  return make_error(
      Errc::not_found,
      "the change that made epoch " + std::to_string(from) + " of ring '" + ring.ring + "' is not known any more: " +
          (first > ring.epoch ? "no change is" : "the oldest that is made epoch " + std::to_string(first)),
      "read the ring, which is at epoch " + std::to_string(ring.epoch) + ", then watch from epoch " + next);
}

}  // namespace chash::service
