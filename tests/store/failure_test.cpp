// SqliteStore on a disk that fails and under power cuts: what was acknowledged is kept, what was refused is the ring
// before or after and found out at the next commit, and writing works again as soon as the disk does.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "store/client.h"

namespace chash::store::test {
namespace {

using Fault = FailingDisk::Fault;

constexpr int changes = 6;

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
            if (auto rings = (*store)->load()) client.adopt(rings->rings);
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

TEST_CASE("failing disk: a new file that could not be made is made by the next start") {
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

// --- The file is taken away -----------------------------------------------------------------------------------------

TEST_CASE("state file: one that is gone after a failed commit is not replaced by an empty one") {
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

TEST_CASE("state file: a change is not acknowledged into a file that is no longer there") {
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
