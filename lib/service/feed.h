// Feed: the changes of rings as they come, for those that watch. Each of them is told every change once, in order.
//
// A watcher asks from an epoch on, and waits until there is something to tell. What is there is known by the published
// rings alone; the last changes are kept in memory only so that many watchers need not read the store for each of them.
// A watcher that waits is one entry in a list, and gets one answer: what it does not ask for is not kept for it, and
// however slow it is, neither the writer nor other watchers notice.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "protocol/operations.h"
#include "service/published.h"
#include "service/rings.h"
#include "service/store.h"

namespace chash::service {

class Feed {
 public:
  using Done = std::function<void(Result<protocol::AnyResponse>)>;

  // Requires: both outlive it.
  Feed(Store& store, const Published<Rings>& published) : store_(store), published_(published) {}
  ~Feed();

  // `done` is called once: on the feed's thread, or at once on this one where the request is refused. A client that
  // goes away while it waits is not noticed before: it holds its place for limits::watch_seconds at most. Threads: any.
  void watch(protocol::Watch::Request request, Done done);

  // Tells those that wait that chashd is stopping, as all who ask from now on.  Threads: any.
  void stop();

  // The writer's, after it has published what they tell of. None of them waits for a watcher.
  // `made` are consecutive, and the first of them made the epoch `first`.
  void append(const std::string& ring, std::uint64_t first, std::span<const MadeChange> made);
  void forget(const std::string& ring);  // one that was deleted
  void look();                           // after more was published than it was told of

 private:
  using Clock = std::chrono::steady_clock;
  struct Watcher {
    protocol::Watch::Request request;  // its `from` is known
    Clock::time_point deadline;
    Done done;
  };
  struct Recent {
    std::shared_ptr<const PastChange> change;
    std::size_t bytes = 0;
  };

  void run();
  std::optional<Result<protocol::AnyResponse>> answer(const Rings& rings, const Watcher& watcher,
                                                      Clock::time_point now);
  Result<protocol::Watch::Response> changes_from(const Snapshot& ring, const protocol::Watch::Request& request);
  std::vector<std::shared_ptr<const PastChange>> recent_from(const std::string& ring, std::uint64_t from,
                                                             std::uint64_t last);
  Error no_longer_kept(const Snapshot& ring, std::uint64_t from);
  void remember(const std::string& ring, std::uint64_t first, std::span<const MadeChange> made);
  void drop(const std::string& ring);
  void drop_oldest();

  Store& store_;
  const Published<Rings>& published_;

  // Guarded by mutex_, which is held for moments only.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::deque<Recent>, std::less<>> recent_;  // by ring: consecutive epochs, none of them empty
  std::deque<std::string> order_;                                  // the rings of all of them, the oldest first
  std::size_t bytes_ = 0;                                          // of all of them
  std::vector<Watcher> arrived_;
  std::size_t watchers_ = 0;  // that are not answered yet, with those that arrived
  bool changed_ = false;      // since the thread looked last
  bool stopping_ = false;
  std::thread thread_;  // started when first asked

  std::vector<Watcher> waiting_;  // the thread's
};

}  // namespace chash::service
