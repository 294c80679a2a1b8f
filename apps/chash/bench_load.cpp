#include "bench_load.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "interrupt.h"
#include "net/client_errors.h"
#include "net/client_http.h"
#include "net/client_stream.h"
#include "redraw.h"

namespace chash::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Outcome = net::ClientStream::Outcome;

constexpr std::chrono::milliseconds progress_pause{200};
constexpr std::size_t reply_bytes = 1024 * 1024;  // more than any answer to one key

// One connection with its look-ups on their way.
class Lane {
 public:
  Lane(const Load& load, net::ClientStream stream, std::size_t first)
      : load_(load), stream_(std::move(stream)), next_(first % load.requests.size()) {}

  // Until then, and until all that was sent is answered.
  Result<void> run(Clock::time_point end) {
    while (Clock::now() < end && !Interrupt::came()) {
      if (auto ok = top_up(); !ok) return ok;
      if (auto ok = take(); !ok) return ok;
    }
    while (!sent_.empty())
      if (auto ok = take(); !ok) return ok;
    return {};
  }

  LoadOutcome& outcome() { return outcome_; }

 private:
  Result<void> top_up() {
    std::string bytes;
    const auto now = Clock::now();
    while (sent_.size() < load_.pipeline) {
      bytes += load_.requests[next_];
      next_ = (next_ + 1) % load_.requests.size();
      sent_.push_back(now);
    }
    std::size_t written = 0;
    return check(stream_.write(bytes, written, incoming_, now + load_.timeout));
  }

  // At least one reply.
  Result<void> take() {
    for (const std::size_t before = sent_.size(); !sent_.empty() && sent_.size() == before;) {
      if (incoming_.empty() || is_partial_)
        if (auto ok = check(stream_.read(incoming_, Clock::now() + load_.timeout)); !ok) return ok;
      if (auto ok = is_http() ? take_http() : take_lines(); !ok) return ok;
      if (incoming_.size() > reply_bytes) return net::not_a_chashd(load_.endpoint, "an endless reply");
    }
    return {};
  }

  Result<void> take_lines() {
    std::string_view rest = incoming_;
    for (std::size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      if (sent_.empty()) return net::not_a_chashd(load_.endpoint, "a reply that nobody asked for");
      count(rest.starts_with("{\"ok\":"));
    }
    incoming_.erase(0, incoming_.size() - rest.size());
    is_partial_ = true;
    return {};
  }

  Result<void> take_http() {
    const auto progress = reader_.feed(incoming_);
    incoming_.clear();
    if (progress == net::HttpReplyReader::Progress::invalid)
      return net::not_a_chashd(load_.endpoint, "what is no HTTP");
    if (progress == net::HttpReplyReader::Progress::complete) count(reader_.take().status == 200);
    return {};
  }

  void count(bool is_good) {
    const auto took = Clock::now() - sent_.front();
    sent_.pop_front();
    outcome_.latencies.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
    if (!is_good) ++outcome_.refused;
  }

  bool is_http() const { return std::holds_alternative<net::HttpEndpoint>(load_.endpoint); }

  Result<void> check(Outcome outcome) const {
    if (outcome == Outcome::done) return {};
    return outcome == Outcome::late ? net::no_answer_in_time(load_.endpoint, load_.timeout)
                                    : net::closed_early(load_.endpoint);
  }

  const Load& load_;
  net::ClientStream stream_;
  net::HttpReplyReader reader_;
  std::size_t next_;
  std::string incoming_;
  bool is_partial_ = false;  // what is in it has no end yet
  std::deque<Clock::time_point> sent_;
  LoadOutcome outcome_;
};

}  // namespace

void Latencies::add(const Latencies& other) {
  for (std::size_t i = 0; i < size; ++i) counts_[i] += other.counts_[i];
}

std::uint64_t Latencies::count() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_) sum += count;
  return sum;
}

// In the middle of the bucket.
double Latencies::value_ns(std::size_t bucket) {
  if (bucket < (std::size_t{2} << fine_bits)) return static_cast<double>(bucket);
  const std::size_t shift = (bucket >> fine_bits) - 1;
  const std::uint64_t first = (bucket - (shift << fine_bits)) << shift;
  return static_cast<double>(first) + static_cast<double>(std::uint64_t{1} << shift) / 2;
}

double Latencies::percentile_us(double part) const {
  const std::uint64_t all = count();
  const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(all));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < size; ++i) {
    seen += counts_[i];
    if (seen > 0 && seen >= wanted) return value_ns(i) / 1000;
  }
  return 0;
}

Result<LoadOutcome> run_load(const Load& load, const std::function<void(double)>& show_progress) {
  std::deque<Lane> lanes;
  for (std::uint32_t i = 0; i < load.connections; ++i) {
    auto stream = net::ClientStream::open(load.endpoint, load.timeout);
    if (!stream) return std::move(stream).error();
    // Each begins elsewhere, so that they do not ask for the same keys at once.
    lanes.emplace_back(load, std::move(*stream), i * load.requests.size() / load.connections);
  }
  const auto start = Clock::now(), end = start + load.duration;
  std::vector<Result<void>> results(lanes.size());
  std::atomic<std::size_t> running{lanes.size()};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lanes.size(); ++i)
    threads.emplace_back([&, i] {
      results[i] = lanes[i].run(end);
      lanes[i].outcome().seconds = std::chrono::duration<double>(Clock::now() - start).count();
      --running;
    });
  while (running > 0 && wait_undisturbed(progress_pause))
    show_progress(std::min(1.0, std::chrono::duration<double>(Clock::now() - start) / load.duration));
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results)
    if (!result) return result.error();
  LoadOutcome all;
  for (Lane& lane : lanes) {
    all.latencies.add(lane.outcome().latencies);
    all.refused += lane.outcome().refused;
    all.seconds = std::max(all.seconds, lane.outcome().seconds);
  }
  return all;
}

}  // namespace chash::cli
