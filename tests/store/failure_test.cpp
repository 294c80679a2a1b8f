// SqliteStore on a disk that fails and under power cuts: what was acknowledged is kept, what was refused is the ring
// before or after and found out at the next commit, and writing works again as soon as the disk does.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "store/failing_disk.h"
#include "store/scratch.h"

namespace chash::store::test {
namespace {

using Fault = FailingDisk::Fault;

constexpr int changes = 6;

Delta change_number(int i) {
  const std::string n = std::to_string(i);
  if (i % 3 == 2) return {{{"late-" + n, 0.5}}, {"node-" + std::to_string(i - 1)}};
  return {{{"node-" + n, 1.0 + i}, {"twin-" + n, 1}}, {}};
}

bool is_one_of(const StoredRing& ring, const std::vector<StoredRing>& possible) {
  return std::ranges::find(possible, ring) != possible.end();
}

// What the service is to a store: it changes the ring it knows, and when the store says conflict it looks what is
// there.
struct Client {
  StoredRing known{"default", 0, {}};       // last acknowledged or loaded
  std::vector<StoredRing> possible{known};  // what may be in the file: `known`, or it and one refused change
  int acknowledged = 0;
  int refused = 0;

  void change(SqliteStore& store, const Delta& delta) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto outcome = commit(store, known, {delta});
      if (outcome) {
        CHECK(store.state().writable);
        known = after(known, {delta});
        possible = {known};
        ++acknowledged;
        return;
      }
      if (outcome.error().code != Errc::conflict) {
        CHECK(outcome.error().code == Errc::storage_failed);
        CHECK_FALSE(store.state().writable);
        CHECK(outcome.error().message.find("chash.db") != std::string::npos);
        possible.push_back(after(known, {delta}));
        ++refused;
        return;
      }
      CHECK(possible.size() > 1);  // else there is nothing to be at odds about
      auto rings = store.load();
      if (!rings) {
        ++refused;
        return;
      }
      adopt(*rings);
      if (!resolves(delta)) return;
    }
    FAIL("two conflicts in a row");
  }

  void adopt(const std::vector<StoredRing>& rings) {
    const StoredRing there = rings.empty() ? StoredRing{"default", 0, {}} : rings.front();
    CHECK(is_one_of(there, possible));
    known = there;
    possible = {there};
  }

  // A refused change that was stored all the same cannot be made again.
  bool resolves(const Delta& delta) const {
    return std::ranges::none_of(delta.added, [&](const Node& node) {
      return std::ranges::find(known.spec.nodes, node.name, &Node::name) != known.spec.nodes.end();
    });
  }
};

// What is loaded from an image of the disk.
std::optional<StoredRing> load_image(const DiskImage& image, const Scratch& scratch) {
  const auto folder = scratch / "cut";
  write_image(image, folder);
  auto store = SqliteStore::open(folder / "chash.db");
  if (!store) {
    FAIL_CHECK(store.error().message);
    return std::nullopt;
  }
  return load_ring(**store);
}

// A store with two changes in it, and a fault in the next six.
struct Run {
  explicit Run(const Fault& fault) {
    store = open_store(path);
    client.change(*store, {{{"old-1", 1}}, {}});
    client.change(*store, {{{"old-2", 2}}, {}});
    CHECK(client.acknowledged == 2);
    disk.break_at(fault);
    for (int i = 0; i < changes; ++i) {
      const int before = client.acknowledged;
      client.change(*store, change_number(i));
      if (client.acknowledged > before) acknowledged_images.push_back({disk.after_power_cut(), client.known});
    }
  }

  // Every acknowledged change outlived a power cut right after it.
  void check_power_cuts() {
    disk.mend();  // the images are looked at on the same disk
    for (const auto& [image, ring] : acknowledged_images) {
      const auto loaded = load_image(image, scratch);
      if (loaded) CHECK(*loaded == ring);
    }
  }

  // The fault is over, and the very next change goes through, without a restart.
  void check_recovery() {
    const int before = client.acknowledged;
    client.change(*store, {{{"at-last", 3}}, {}});
    CHECK(client.acknowledged == before + 1);
    CHECK(load_ring(*store) == client.known);
    const auto durable = load_image(disk.after_power_cut(), scratch);
    if (durable) CHECK(*durable == client.known);
    store.reset();
    CHECK(load_ring(*open_store(path)) == client.known);
  }

  Scratch scratch;
  FailingDisk disk;
  fs::path path = scratch / "chash.db";
  std::unique_ptr<SqliteStore> store;
  Client client;
  std::vector<std::pair<DiskImage, StoredRing>> acknowledged_images;
};

// Breaks the first step, the second, and so on until nothing breaks any more. Returns how many there were.
std::uint64_t break_each_step(Fault fault) {
  for (fault.from = 1;; ++fault.from) {
    CAPTURE(fault.from);
    CAPTURE(fault.for_ever);
    CAPTURE(fault.full);
    Run run(fault);
    if (!run.disk.has_failed()) return fault.from - 1;
    if (fault.for_ever) {
      const int before = run.client.refused;
      run.client.change(*run.store, {{{"too-early", 1}}, {}});
      CHECK(run.client.refused == before + 1);
    }
    run.check_power_cuts();
    run.check_recovery();
  }
}

TEST_CASE("failing disk: whichever step fails once, nothing acknowledged is lost and nothing else appears") {
  CHECK(break_each_step({}) > 10);
  CHECK(break_each_step({.full = true}) > 10);
}

TEST_CASE("failing disk: whichever step fails and all after it, changes are refused until the disk is well") {
  CHECK(break_each_step({.for_ever = true}) > 10);
  CHECK(break_each_step({.for_ever = true, .full = true}) > 10);
}

TEST_CASE("failing disk: whichever sync fails, the same") {
  CHECK(break_each_step({.steps = {Step::sync}}) >= changes);
  CHECK(break_each_step({.for_ever = true, .steps = {Step::sync}}) >= changes);
}

TEST_CASE("failing disk: a file that cannot be opened is left as it is, and opens when the disk is well") {
  for (const bool for_ever : {false, true})
    for (const std::vector<Step>& steps : {std::vector{Step::read}, Fault().steps}) {
      std::uint64_t from = 1;
      for (bool broke = true; broke; ++from) {
        CAPTURE(from);
        const Scratch scratch;
        FailingDisk disk;
        const auto path = scratch / "chash.db";
        Client client;
        {
          const auto store = open_store(path);
          for (int i = 0; i < 3; ++i) client.change(*store, change_number(i));
          // As kill -9 leaves it: with its log.
          fs::create_directory(scratch / "copy");
          fs::copy_file(path, scratch / "copy" / "chash.db");
          fs::copy_file(path.string() + "-wal", scratch / "copy" / "chash.db-wal");
        }
        const auto copy = scratch / "copy" / "chash.db";
        disk.break_at({.from = from, .for_ever = for_ever, .steps = steps});
        {
          auto store = SqliteStore::open(copy);
          if (store) {
            if (auto rings = (*store)->load()) client.adopt(*rings);
          } else {
            CHECK(store.error().code == Errc::storage_failed);
            CHECK(store.error().message.find(copy.string()) != std::string::npos);
          }
        }
        broke = disk.has_failed();
        disk.mend();
        CHECK(load_ring(*open_store(copy)) == client.known);
      }
    }
}

TEST_CASE("failing disk: a new file that could not be made is made by the next start" * doctest::should_fail()) {
  std::uint64_t from = 1;
  for (bool broke = true; broke; ++from) {
    CAPTURE(from);
    const Scratch scratch;
    FailingDisk disk;
    disk.break_at({.from = from, .for_ever = true});
    { const auto store = SqliteStore::open(scratch / "chash.db"); }
    broke = disk.has_failed();
    disk.mend();
    const auto store = open_store(scratch / "chash.db");
    Client client;
    client.adopt(load_all(*store));
    client.change(*store, change_number(0));
    CHECK(client.acknowledged == 1);
  }
  CHECK(from > 10);
}

// --- Power cuts
// -----------------------------------------------------------------------------------------------------------

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
    for (int i = 0; i < 2 * changes; ++i) {
      client.change(*store, change_number(i));
      known_from.emplace_back(disk.cuts.size(), client.known);
      if (i == changes) {  // a restart in between: closing copies the log into the file
        store.reset();
        store = open_store(scratch / "chash.db");
      }
    }
    store.reset();
    disk.record_cuts(false);
    const std::vector<DiskImage> cuts = std::move(disk.cuts);
    CHECK(cuts.size() > 100);
    CHECK(client.acknowledged == 2 * changes);
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

TEST_CASE("power cut: whenever it comes in the first start, the same" * doctest::should_fail()) {
  cut_power_everywhere(true);
}

// --- A sync that failed
// ---------------------------------------------------------------------------------------------------

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

TEST_CASE("failed sync: nor is it by a daemon that was started after it" * doctest::should_fail()) {
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

// --- The file is taken away
// ------------------------------------------------------------------------------------------------

TEST_CASE("state file: one that is gone after a failed commit is not replaced by an empty one" *
          doctest::should_fail()) {
  const Scratch scratch;
  FailingDisk disk;
  const auto store = open_store(scratch / "chash.db");
  Client client;
  client.change(*store, change_number(0));
  disk.break_at({.from = 1, .steps = {Step::sync}});
  client.change(*store, change_number(1));
  CHECK(client.refused == 1);
  disk.mend();
  for (const char* end : {"", "-wal", "-shm"})
    fs::rename(scratch / (std::string("chash.db") + end), scratch / (std::string("away.db") + end));

  const auto outcome = commit(*store, client.known, {change_number(3)});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Errc::storage_failed);  // not conflict: nobody made the ring empty
  CHECK_FALSE(fs::exists(scratch / "chash.db"));
  for (const char* end : {"", "-wal", "-shm"})
    fs::rename(scratch / (std::string("away.db") + end), scratch / (std::string("chash.db") + end));
  client.change(*store, change_number(3));
  CHECK(client.acknowledged == 2);
}

TEST_CASE("state file: a change is not acknowledged into a file that is no longer there" * doctest::should_fail()) {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  Client client;
  client.change(*store, change_number(0));
  fs::rename(scratch / "chash.db", scratch / "away.db");
  const auto outcome = commit(*store, client.known, {change_number(1)});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Errc::storage_failed);
}

}  // namespace
}  // namespace chash::store::test
