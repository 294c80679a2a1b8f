// RingService under many writers and readers: every answer is recomputed from the membership of its epoch by a second,
// slow implementation, and the order of all answers is checked against the order of asking.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chash/naive.h"
#include "service/answers.h"
#include "service/fake_store.h"
#include "service/handlers.h"

namespace chash::service::test {
namespace {

using chash::test::naive_points;
using chash::test::NaivePoint;

// Small enough for the slow implementation: 12 nodes, 8 points for a node of weight 1.
const std::string profile = "seed,vnodes=8";
constexpr int names = 12;
constexpr int writers = 4;
constexpr int readers = 4;
constexpr int changes_by_each = 150;

struct Seen {
  std::uint64_t started = 0;  // ticks of one clock for all threads
  std::uint64_t ended = 0;
  std::uint64_t epoch = 0;
  bool moved_on = false;  // this very change made the epoch
};

struct Lookup {
  std::uint64_t epoch = 0;
  std::string key;
  std::string node;  // empty: no node in the ring
};

struct World {
  World() : log(quiet_log()) {
    store.put({"default", 1, {profile, {}}});
    auto started = RingService::start(store, *log, {});
    REQUIRE(started);
    service = std::move(*started);
  }
  std::uint64_t tick() { return clock.fetch_add(1); }

  FakeStore store;
  std::unique_ptr<Log> log;
  std::unique_ptr<RingService> service;
  DaemonState daemon;
  std::atomic<std::uint64_t> clock = 0;
  std::atomic<int> writers_left = writers;
};

RingChange random_change(std::mt19937_64& random) {
  constexpr double weights[] = {0.5, 1, 2};
  const auto name = [&] { return "n" + std::to_string(random() % names); };
  switch (random() % 4) {
    case 0: return AddNodes{{{name(), weights[random() % 3]}}, random() % 2 == 0};
    case 1: return RemoveNodes{{name()}, random() % 2 == 0};
    case 2: return AddNodes{{{name(), weights[random() % 3]}, {name(), 1}, {name(), 1}}, true};
    default: return RemoveNodes{{name(), name()}, true};
  }
}

struct Writer {
  void run(World& world, unsigned seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < changes_by_each; ++i) {
      Seen seen{world.tick(), 0, 0, false};
      const auto answer = ask(*world.service, random_change(random));
      seen.ended = world.tick();
      if (!answer) continue;
      seen.epoch = answer->epoch;
      seen.moved_on = answer->epoch != answer->previous_epoch;
      if (answer->epoch != answer->previous_epoch + (seen.moved_on ? 1 : 0)) ++faults;
      if (seen.moved_on == answer->delta.empty()) ++faults;
      if (seen.moved_on) deltas.emplace_back(answer->epoch, answer->delta);
      members.emplace_back(answer->epoch, answer->spec);
      events.push_back(seen);
    }
    --world.writers_left;
  }
  std::vector<Seen> events;
  std::vector<std::pair<std::uint64_t, Delta>> deltas;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const RingSpec>>> members;
  int faults = 0;
};

struct Reader {
  void run(World& world, unsigned seed) {
    Handlers handlers(*world.service, world.daemon);
    std::mt19937_64 random(seed);
    while (world.writers_left > 0) {
      for (int i = 0; i < 8; ++i) {
        protocol::GetNode::Request request;
        request.key.bytes = "key " + std::to_string(random() % 5000);
        Seen seen{world.tick(), 0, 0, false};
        const auto answer = handlers.handle(request);
        seen.ended = world.tick();
        if (!answer) {
          if (answer.error().code != Errc::empty_ring) ++faults;
          continue;
        }
        seen.epoch = answer->epoch;
        events.push_back(seen);
        lookups.push_back({answer->epoch, request.key.bytes, answer->node});
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
  std::vector<Seen> events;
  std::vector<Lookup> lookups;
  int faults = 0;
};

// If one ended before another began, its epoch is not the later one; and a change that moved the ring on is later than
// all.
void check_order(std::vector<Seen> events) {
  std::ranges::sort(events, {}, &Seen::started);
  std::vector<const Seen*> by_end;
  for (const Seen& event : events) by_end.push_back(&event);
  std::ranges::sort(by_end, {}, &Seen::ended);
  std::uint64_t newest_ended = 0;
  std::size_t next = 0;
  int wrong = 0;
  for (const Seen& event : events) {
    for (; next < by_end.size() && by_end[next]->ended < event.started; ++next)
      newest_ended = std::max(newest_ended, by_end[next]->epoch);
    if (event.epoch < newest_ended || (event.moved_on && event.epoch == newest_ended)) ++wrong;
  }
  CHECK(wrong == 0);
}

std::map<std::uint64_t, RingSpec> history_of(const std::vector<Writer>& all) {
  std::map<std::uint64_t, Delta> deltas;
  for (const Writer& writer : all)
    for (const auto& [epoch, delta] : writer.deltas)
      CHECK_MESSAGE(deltas.emplace(epoch, delta).second, "epoch " << epoch << " twice");
  std::map<std::uint64_t, RingSpec> history{{1, {profile, {}}}};
  for (const auto& [epoch, delta] : deltas) {
    REQUIRE(epoch == history.rbegin()->first + 1);  // no gap
    history.emplace(epoch, apply(history.rbegin()->second, delta));
  }
  return history;
}

// The points of a node depend on nothing but itself.
std::vector<NaivePoint> points_of(const RingSpec& spec) {
  static std::map<std::pair<std::string, double>, std::vector<NaivePoint>> known;
  std::vector<NaivePoint> points;
  for (const Node& node : spec.nodes) {
    auto [found, is_new] = known.try_emplace({node.name, node.weight});
    if (is_new) found->second = naive_points({spec.profile, {node}});
    points.insert(points.end(), found->second.begin(), found->second.end());
  }
  return points;
}

TEST_CASE("ring service: four writers and four readers make one gapless history, and every answer fits its epoch") {
  World world;
  std::vector<Writer> all_writers(writers);
  std::vector<Reader> all_readers(readers);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < writers; ++i) threads.emplace_back([&, i] { all_writers[i].run(world, 100 + i); });
  for (unsigned i = 0; i < readers; ++i) threads.emplace_back([&, i] { all_readers[i].run(world, 200 + i); });
  for (std::thread& thread : threads) thread.join();

  const auto history = history_of(all_writers);
  const std::uint64_t last = history.rbegin()->first;
  CHECK(last > 200);  // else nothing much was tried
  CHECK(default_snapshot(*world.service)->epoch == last);
  CHECK(default_snapshot(*world.service)->spec == history.at(last));
  CHECK(world.store.stored().epoch == last);
  CHECK(world.store.stored().spec == history.at(last));
  CHECK(world.service->changes_made() == last - 1);

  std::vector<Seen> events;
  std::map<std::uint64_t, std::vector<Lookup>> lookups;
  std::size_t count = 0;
  for (const Writer& writer : all_writers) {
    CHECK(writer.faults == 0);
    events.insert(events.end(), writer.events.begin(), writer.events.end());
    int wrong = 0;
    for (const auto& [epoch, spec] : writer.members) wrong += *spec != history.at(epoch);
    CHECK(wrong == 0);
  }
  for (const Reader& reader : all_readers) {
    CHECK(reader.faults == 0);
    events.insert(events.end(), reader.events.begin(), reader.events.end());
    count += reader.lookups.size();
    for (const Lookup& lookup : reader.lookups) lookups[lookup.epoch].push_back(lookup);
  }
  CHECK(count > 500);
  check_order(std::move(events));

  int wrong = 0;
  for (const auto& [epoch, asked] : lookups) {
    const auto points = points_of(history.at(epoch));
    for (const Lookup& lookup : asked)
      wrong += points.empty() || chash::test::naive_owner(points, lookup.key) != lookup.node;
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace chash::service::test
