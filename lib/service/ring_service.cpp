#include "service/ring_service.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

#include "chash/limits.h"
#include "protocol/operations.h"
#include "service/signals_blocked.h"

namespace chash::service {
namespace {

// How often a commit is tried again after somebody else moved the ring on. Only a store shared with others can conflict
// twice in a row.
constexpr int commit_attempts = 3;

// After this long without a change the store may settle. A client that adds in a loop is not to wait for it.
constexpr std::chrono::milliseconds quiet{1000};

// Whether changes like this one wait for others, to be built and committed together.
bool goes_with_others(const RingChange& change) {
  return std::holds_alternative<AddNodes>(change) || std::holds_alternative<RemoveNodes>(change);
}

}  // namespace

Result<std::unique_ptr<RingService>> RingService::start(Store& store, Log& log,
                                                        const std::vector<Node>& initial_nodes) {
  auto first = load_rings(store);
  if (!first) return std::move(first).error();
  const bool without_history = (*first)->default_ring().epoch == 0;

  std::unique_ptr<RingService> service(new RingService(store, log, std::move(*first)));
  if (without_history && !initial_nodes.empty()) {
    Result<void> outcome;
    std::vector<Waiting> waiting;
    waiting.push_back({std::string(protocol::default_ring), AddNodes{initial_nodes, false},
                       Caller{"--initial-node", {}},
                       [&](const Result<Committed>& committed) {
                         if (!committed) outcome = committed.error();
                       },
                       ChangeTerms{"add"}});
    service->make_changes(waiting);
    if (!outcome) return std::move(outcome).error();
  }
  const SignalsBlocked blocked;
  service->writer_ = std::thread([raw = service.get()] { raw->run_writer(); });
  return service;
}

RingService::RingService(Store& store, Log& log, std::shared_ptr<const Rings> first)
    : store_(store),
      log_(log),
      published_(std::move(first)),
      studies_(store, published_, plans_),
      feed_(store, published_) {}

RingService::~RingService() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (writer_.joinable()) writer_.join();
}

void RingService::change(std::string ring, RingChange change, Caller caller, Done done, ChangeTerms terms) {
  const auto refuse = [&]() -> std::optional<Error> {
    const std::lock_guard lock(mutex_);
    if (stopping_) return make_error(Errc::shutting_down, "chashd is stopping");
    if (queue_.size() >= limits::queued_changes)
      return make_error(Errc::busy, "too many changes are waiting for the store", "try again in a moment");
    queue_.push_back({std::move(ring), std::move(change), std::move(caller), std::move(done), std::move(terms)});
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
    // Not only when there is nothing else to do.
    const std::chrono::milliseconds expiry = until_expiry();
    if (expiry == expiry.zero()) {
      expire_pins();
      settled = false;
      continue;
    }
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait_for(lock, settled ? expiry : std::min(expiry, quiet), is_needed)) {
        lock.unlock();
        if (!settled) {
          store_.settle();
          published_.drop_unused();
          settled = true;
        }
        continue;
      }
      if (queue_.empty()) return;
      waiting.swap(queue_);
    }
    make_changes(waiting);
    waiting.clear();
    settled = false;
  }
}

// Changes of one ring's members are made together, up to the next change of the rings themselves. That two rings do not
// change in the order of asking nobody sees: neither change was answered yet.
void RingService::make_changes(std::vector<Waiting>& waiting) {
  auto next = waiting.begin();
  while (next != waiting.end()) {
    const auto stop =
        std::find_if_not(next, waiting.end(), [](const Waiting& w) { return concerns_members(w.change); });
    std::stable_sort(next, stop, [](const Waiting& a, const Waiting& b) { return a.ring < b.ring; });
    while (next != stop) {
      const std::span<Waiting> batch = first_batch({next, stop});
      change_members(batch);
      next += static_cast<std::ptrdiff_t>(batch.size());
    }
    if (stop == waiting.end()) return;
    change_rings(*stop);
    next = stop + 1;
  }
}

// Those of the first one's ring that may be made together with it. A request that is sent again finds the answer of the
// one before only when that is committed; so does one that expects an epoch find who was quicker.
std::span<RingService::Waiting> RingService::first_batch(std::span<Waiting> waiting) const {
  std::set<std::string_view> requests;
  const auto goes_with_first = [&](const Waiting& w) {
    const bool is_new = w.terms.request_id.empty() || requests.insert(w.terms.request_id).second;
    if (w.terms.expect_epoch && &w != &waiting.front()) return false;
    return is_new && w.ring == waiting.front().ring && goes_with_others(w.change);
  };
  const auto end = std::ranges::find_if_not(waiting, goes_with_first);
  const auto some = std::min<std::ptrdiff_t>(end - waiting.begin(), most_changes(waiting.front().ring));
  return waiting.first(static_cast<std::size_t>(std::max<std::ptrdiff_t>(some, 1)));
}

// Each change's answer may hold the ring as it is then: not more of them than memory has room for.
std::ptrdiff_t RingService::most_changes(const std::string& ring) const {
  const auto rings = published_.latest();
  const auto found = rings->get(ring);
  if (found && (*found)->spec.max_move < 1) return 1;  // what each one moves is to be known
  constexpr std::size_t slots_in_a_member = sizeof(Node) / sizeof(NodeIndex);
  const std::size_t members = found ? (*found)->spec.nodes.size() + (*found)->spec.slots.size() / slots_in_a_member : 0;
  return static_cast<std::ptrdiff_t>(std::max<std::size_t>(8, limits::members_of_waiting / (members + 1)));
}

// Makes an attempt that commits something, and again where somebody else was quicker.
Result<void> RingService::with_store(const std::function<Result<void>()>& attempt) {
  Result<void> outcome;
  try {
    for (int count = 1; count <= commit_attempts; ++count) {
      if (in_doubt_) outcome = reload();
      if (!outcome) return outcome;
      outcome = attempt();
      if (outcome || !in_doubt_ || outcome.error().code != Errc::conflict) return outcome;
    }
  } catch (const std::exception& e) {  // out of memory; nothing was published
    outcome = make_error(Errc::internal, std::string("the change could not be made: ") + e.what());
  }
  return outcome;
}

// Goes on from where the store is: a commit whose sync failed may have reached the disk after all. Never back: what
// was answered once is not taken back because somebody put an older file there.
Result<void> RingService::reload() {
  const auto current = published_.latest();
  auto stored = load_rings(store_, *current);
  if (!stored) return std::move(stored).error();
  if ((*stored)->epoch_floor < current->epoch_floor)
    return make_error(Errc::storage_failed, "the store does not know of rings that this daemon has deleted",
                      "put the right state file back, or restart chashd to go on from the one that is there");
  for (const auto& [name, ring] : current->by_name) {
    const auto found = (*stored)->by_name.find(name);
    const bool there = found != (*stored)->by_name.end();
    const std::uint64_t epoch = there ? found->second->epoch : (*stored)->epoch_floor;
    const bool same = !there || epoch > ring->epoch || found->second->spec == ring->spec;
    if (epoch < ring->epoch || !same)
      return make_error(Errc::storage_failed,
                        "the store holds another ring '" + name + "', of epoch " + std::to_string(epoch) +
                            ", than this daemon, which is at epoch " + std::to_string(ring->epoch),
                        "put the right state file back, or restart chashd to go on from the one that is there");
    if (there && epoch > ring->epoch)
      log_.main(LogLevel::warning, "The store is at epoch " + std::to_string(epoch) + " of ring '" + name +
                                       "', not at epoch " + std::to_string(ring->epoch) + "; going on from there.");
  }
  published_.publish(std::move(*stored));
  feed_.look();
  in_doubt_ = false;
  return {};
}

}  // namespace chash::service
