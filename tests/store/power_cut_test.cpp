// SqliteStore and the loss of what was not synced: by a power cut, and by a sync that failed.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "store/client.h"

namespace chash::store::test {
namespace {

constexpr int changes = 12;

// --- Power cuts -----------------------------------------------------------------------------------------------------

// Cuts the power before every step of twelve changes and a restart: the file opens with what was acknowledged, or with
// that and the change that was being made. `first_start`: from the making of the file on.
void cut_power_everywhere(bool first_start) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Scratch scratch;
    FailingDisk disk;
    if (!first_start) open_store(scratch / "chash.db");
    disk.record_cuts(true, seed);
    std::vector<std::pair<std::size_t, StoredRing>> known_from;  // from this cut on, this was acknowledged
    Client client;
    known_from.emplace_back(0, client.known);
    auto store = open_store(scratch / "chash.db");
    for (int i = 0; i < changes; ++i) {
      client.change(*store, change_number(i));
      known_from.emplace_back(disk.cuts.size(), client.known);
      if (i == changes / 2) {  // a restart in between: closing copies the log into the file
        store.reset();
        store = open_store(scratch / "chash.db");
      }
    }
    store.reset();
    disk.record_cuts(false);
    const std::vector<DiskImage> cuts = std::move(disk.cuts);
    CHECK(cuts.size() > 100);
    CHECK(client.acknowledged == changes);
    std::size_t now = 0;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      CAPTURE(i);
      while (now + 1 < known_from.size() && known_from[now + 1].first <= i) ++now;
      std::vector<StoredRing> possible{known_from[now].second};
      if (now + 1 < known_from.size()) possible.push_back(known_from[now + 1].second);
      const auto loaded = load_image(cuts[i], scratch);
      if (loaded) CHECK(is_one_of(*loaded, possible));
    }
  }
}

TEST_CASE("power cut: whenever it comes, the file opens with what was acknowledged or was being done") {
  cut_power_everywhere(false);
}

TEST_CASE("power cut: whenever it comes in the first start, the same") { cut_power_everywhere(true); }

// --- A sync that failed ---------------------------------------------------------------------------------------------

// After `from`, the main file was written and then synced, both without a failure.
bool main_file_was_made_anew(const std::vector<DiskEvent>& events, std::size_t from) {
  bool written = false;
  for (std::size_t i = from; i < events.size(); ++i) {
    if (events[i].file != FileKind::main || events[i].failed) continue;
    if (events[i].step == Step::write) written = true;
    if (events[i].step == Step::sync && written) return true;
  }
  return false;
}

std::size_t first_failure(const FailingDisk& disk) {
  const auto found = std::ranges::find(disk.events, true, &DiskEvent::failed);
  REQUIRE(found != disk.events.end());
  return static_cast<std::size_t>(found - disk.events.begin());
}

TEST_CASE("failed sync: nothing is acknowledged after it before the main file was written and synced anew") {
  for (int before = 1; before <= 3; ++before) {
    const Scratch scratch;
    FailingDisk disk;
    const auto store = open_store(scratch / "chash.db");
    Client client;
    for (int i = 0; i < before; ++i) client.change(*store, change_number(i));
    disk.events.clear();
    disk.break_at({.from = 1, .steps = {Step::sync}});
    client.change(*store, {{{"unlucky", 1}}, {}});
    CHECK(client.refused == 1);
    const std::size_t failed = first_failure(disk);
    CHECK_FALSE(main_file_was_made_anew(disk.events, failed));
    client.change(*store, {{{"lucky", 1}}, {}});
    CHECK(client.acknowledged == before + 1);
    CHECK(main_file_was_made_anew(disk.events, failed));
    const auto durable = load_image(disk.after_power_cut(), scratch);
    if (durable) CHECK(*durable == client.known);
  }
}

TEST_CASE("failed sync: nor is it by a daemon that was started after it") {
  const Scratch scratch;
  FailingDisk disk;
  const auto path = scratch / "chash.db";
  Client client;
  auto store = open_store(path);
  for (int i = 0; i < 2; ++i) client.change(*store, change_number(i));
  disk.break_at({.from = 1, .steps = {Step::sync}});
  client.change(*store, {{{"unlucky", 1}}, {}});
  CHECK(client.refused == 1);
  store.reset();  // or kill -9: nothing is written on the way out

  store = open_store(path);
  client.adopt(load_all(*store));  // the kernel still shows the change that it will never write
  client.change(*store, {{{"lucky", 1}}, {}});
  CHECK(client.acknowledged == 3);
  const auto durable = load_image(disk.after_power_cut(), scratch);
  if (durable) CHECK(*durable == client.known);
}

}  // namespace
}  // namespace chash::store::test
