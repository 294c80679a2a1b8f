// What a change of the nodes costs, those who make it and those who read meanwhile; and what a ring keeps in memory.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chash/limits.h"
#include "chash/placement.h"
#include "placement_sections.h"
#include "service/published.h"

namespace placement_bench {
namespace {

using chash::NodeIndex;
using chash::NodeList;
using chash::Placement;
using chash::RingSpec;
using Clock = std::chrono::steady_clock;

constexpr const char* profile = "seed,vnodes=160";

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

// A ring that changes as a service's does: each placement is published beside the one before, which is then let go.
class Changing {
 public:
  explicit Changing(std::size_t nodes) : spec_{profile, named_nodes(nodes)} {
    const auto start = Clock::now();
    auto built = chash::build(*chash::parse_profile(profile), spec_.nodes, {}, chash::limits::points_of_largest_ring);
    build_ms_ = milliseconds_since(start);
    published_ = std::make_unique<Published>(std::make_shared<const Placement>(std::move(built).value()));
  }

  using Published = chash::service::Published<Placement>;
  const Published& published() const { return *published_; }
  double build_ms() const { return build_ms_; }

  // One node comes or one goes. Returns how long that took, in milliseconds.
  double change() {
    chash::Delta delta;
    std::vector<NodeIndex> removed;
    if (comes_) {
      delta.added.push_back({"node-new-" + std::to_string(changes_)});
    } else {
      removed.push_back(static_cast<NodeIndex>(random_() % spec_.nodes.size()));
      delta.removed.push_back(spec_.nodes[removed.front()].name);
    }
    spec_ = chash::apply(std::move(spec_), delta);
    comes_ = !comes_;
    ++changes_;
    const auto before = published_->latest();
    const auto start = Clock::now();
    auto next = before->changed(removed, spec_.nodes);
    if (!next) return anew();
    published_->publish(std::make_shared<const Placement>(std::move(*next)));
    return milliseconds_since(start);
  }

  std::size_t built_anew() const { return anew_; }

 private:
  double anew() {
    const auto start = Clock::now();
    ++anew_;
    auto built = chash::build(*chash::parse_profile(profile), spec_.nodes, {}, chash::limits::points_of_largest_ring);
    published_->publish(std::make_shared<const Placement>(std::move(built).value()));
    return milliseconds_since(start);
  }

  RingSpec spec_;
  std::unique_ptr<Published> published_;
  std::mt19937 random_{5};
  bool comes_ = false;  // one goes first: a million nodes have as many points as a ring may
  std::size_t changes_ = 0, anew_ = 0;
  double build_ms_ = 0;
};

std::size_t available_gib() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("MemAvailable:")) return std::stoull(line.substr(13)) >> 20;
  return 0;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Look-ups on one thread until told to stop: how long each group of 64 took, in nanoseconds a look-up.
std::vector<double> read_until(const Changing::Published& published, const std::atomic<bool>& stop) {
  constexpr std::size_t group = 64;
  Changing::Published::Reader reader(published);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 4096; ++i) keys.push_back("user:" + std::to_string(i * 2'654'435'761));
  std::vector<double> times;
  times.reserve(1 << 22);
  std::uint64_t sum = 0;
  std::size_t at = 0;
  do {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < group; ++i) sum += reader.current().owner(keys[(at + i) % keys.size()]);
    if (times.size() < times.capacity()) times.push_back(milliseconds_since(start) * 1e6 / group);
    at += group;
  } while (!stop.load(std::memory_order_relaxed));
  if (sum == 1) times.clear();  // the look-ups are not left out
  return times;
}

// From the text of a key to its node, whatever the size of the ring.
void ask(Report& report, const std::string& ring, const Placement& placement) {
  constexpr std::size_t keys = 1 << 18;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < keys; ++i) texts.push_back("user:" + std::to_string(i * 2'654'435'761));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<NodeIndex> found(keys);
  const auto figure = [&](const char* how, const auto& work) {
    work();
    const auto start = Clock::now();
    work();
    report.figure(ring + "key to node, " + how, milliseconds_since(start) * 1e6 / keys, "ns");
  };
  figure("single", [&] {
    for (std::size_t i = 0; i < keys; ++i) found[i] = placement.owner(views[i]);
  });
  figure("batch", [&] { placement.owners_of(views, found); });
}

}  // namespace

chash::NodeList named_nodes(std::size_t count) {
  std::vector<chash::Node> nodes;
  nodes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) nodes.push_back({"node-" + std::to_string(i)});
  return nodes;
}

void changing(Report& report, std::size_t count, bool is_smoke) {
  const std::string ring = std::to_string(count) + " nodes x 160: ";
  const std::size_t needed_gib = count / 80'000;  // while it is built
  if (available_gib() < needed_gib) {
    std::printf("  %s not measured, for it needs %zu GiB of memory\n", ring.c_str(), needed_gib);
    return;
  }
  Changing changing(count);
  ask(report, ring, *changing.published().latest());
  std::vector<double> times;
  for (int i = 0; i < (is_smoke ? 4 : 600); ++i) times.push_back(changing.change());
  report.figure(ring + "building it", changing.build_ms(), "ms");
  report.figure(ring + "a node comes or goes", quantile(times, 0.5), "ms");
  report.figure(ring + "p99 of that", quantile(times, 0.99), "ms");
  report.figure(ring + "times as fast as building", changing.build_ms() / quantile(times, 0.5), "x");
  if (changing.built_anew() > 0)
    report.figure(ring + "built anew", static_cast<double>(changing.built_anew()), "times");
}

// Beside changes of another ring, too: what the other processor takes from this one by being at work.
void reading_while_changing(Report& report, bool is_smoke) {
  const std::size_t nodes = is_smoke ? 100 : 10'000, changes = is_smoke ? 20 : 10'000;
  Changing read(nodes), other(nodes);
  for (Changing* changed : {static_cast<Changing*>(nullptr), &other, &read}) {
    std::atomic<bool> stop = false;
    std::vector<double> times;
    std::thread reader([&] { times = read_until(read.published(), stop); });
    const auto start = Clock::now();
    if (changed == nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(is_smoke ? 5 : 2000));
    else
      for (std::size_t i = 0; i < changes; ++i) changed->change();
    const double ms = milliseconds_since(start);
    stop = true;
    reader.join();
    const std::string count = std::to_string(changes) + " changes of ";
    const std::string when = "look-ups " + (changed == nullptr  ? "alone: "
                                            : changed == &other ? "beside " + count + "another ring: "
                                                                : "beside " + count + "their ring: ");
    report.figure(when + "p50", quantile(times, 0.5), "ns");
    report.figure(when + "p99", quantile(times, 0.99), "ns");
    report.figure(when + "p99.9", quantile(times, 0.999), "ns");
    if (changed != nullptr) report.figure(when + "changes", static_cast<double>(changes) / ms, "thousand a second");
  }
}

void memory(Report& report, std::size_t count) {
  const NodeList nodes = named_nodes(count);
  const std::size_t before = bytes_in_use();
  const auto placement = chash::build(RingSpec{profile, nodes}).value();
  report.figure("bytes a point with all that a ring has, " + std::to_string(count) + " nodes x 160",
                static_cast<double>(bytes_in_use() - before) / static_cast<double>(placement.points()), "bytes");
}

}  // namespace placement_bench
