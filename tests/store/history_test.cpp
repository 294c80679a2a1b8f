// The history that the store keeps, against one that keeps everything; what it forgets, and the requests that it
// remembers.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "store/failing_disk.h"
#include "store/past.h"

namespace chash::store::test {
namespace {

void check_past(SqliteStore& store, const Past& past, std::mt19937_64& random) {
  const std::string& ring = past.now.name;
  CAPTURE(ring);
  if (past.now.epoch == 0) return;  // nothing of it is stored yet
  const auto extent = store.extent(ring);
  REQUIRE(extent);
  CHECK(extent->first == past.first);
  CHECK(extent->oldest == past.first);

  int wrong = 0;
  for (std::uint64_t epoch = past.first; epoch <= past.now.epoch; ++epoch) {
    const auto spec = store.spec_at(ring, epoch);
    wrong += !spec || *spec != past.spec_at(epoch);
  }
  CHECK(wrong == 0);
  CHECK(is_not_found(store.spec_at(ring, past.now.epoch + 1)));
  if (past.first > 0) CHECK(is_not_found(store.spec_at(ring, past.first - 1)));

  const auto all = store.changes(ring, 0, for_ever);
  REQUIRE(all);
  CHECK(are_told_right(*all, past, 0, for_ever));
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t from = random() % (past.now.epoch + 2), to = random() % (past.now.epoch + 2);
    CAPTURE(from);
    CAPTURE(to);
    const auto some = store.changes(ring, from, to);
    REQUIRE(some);
    CHECK(are_told_right(*some, past, from, to));
  }

  for (int i = 0; i < 8; ++i) {
    const std::int64_t time_ms = past.times[random() % past.times.size()] + static_cast<int>(random() % 3) - 1;
    const auto expected = naive_epoch_at(past, time_ms);
    const auto found = store.epoch_at(ring, time_ms);
    if (expected) CHECK((found && *found == *expected));
    else CHECK(is_not_found(found));
  }
}

TEST_CASE("history: after random changes, commits and restarts every epoch is as it was, and so is every change") {
  const FailingDisk disk;  // takes no time to sync
  std::size_t added = 0, removed = 0, altered = 0, again = 0, limits = 0, restored = 0, replaced = 0;
  for (const unsigned seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const Scratch scratch;
    auto store = open_store(scratch / "chash.db");
    std::vector<Past> rings;
    rings.emplace_back(*store, StoredRing{"default", 0, {}});
    rings.emplace_back(*store, StoredRing{"pool", 1, {"libketama", {{"n1", 2}, {"n2", 1}}}});
    rings.emplace_back(*store, StoredRing{"balancer", 7, {"haproxy-consistent", {{"n1", 1}}}});
    rings.emplace_back(*store, StoredRing{"slots", 3, {"balanced,slots=4096", {}}});
    for (int round = 0; round < 160; ++round) {
      Past& past = rings[random() % rings.size()];
      past.change_at_random(*store, random);
      if (round % 16 != 0) continue;
      for (const Past& one : rings) check_past(*store, one, random);
    }
    store.reset();
    store = open_store(scratch / "chash.db");
    for (const Past& past : rings) {
      check_past(*store, past, random);
      CHECK(past.now.epoch > 60);
      for (const Delta& delta : past.deltas) {
        added += !delta.added.empty();
        removed += !delta.removed.empty();
        altered += !delta.altered.empty();
        limits += delta.max_move.has_value();
        replaced += !delta.replaced.empty();
        for (const Node& node : delta.added) again += std::ranges::count(delta.removed, node.name) > 0;
      }
    }
    std::size_t tables = 0;
    for (const RingSpec& spec : rings[3].specs) tables += !spec.slots.empty();
    restored += tables;
  }
  // The dice came to all of them.
  for (const std::size_t times : {added, removed, altered, again, limits, restored, replaced}) CHECK(times > 50);
}

TEST_CASE("history: a delta with a table of slots of its own gives that one, and the older ones stay") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  auto store = open_store(path);
  Past past(*store, {"slots", 5, {"balanced,slots=4096", {{"a", 1}, {"b", 1}}}});
  past.change(*store, {{{{"c", 1}}, {}}});
  past.change(*store, {{{}, {"a"}}});
  past.change(*store, {{{}, {"b", "c"}}});  // without nodes there is no table
  CHECK(past.now.spec.slots.empty());
  const auto back = resolve(past.now.spec, RestoreRing{past.specs[1]});
  REQUIRE(back);
  REQUIRE(back->slots);
  past.change(*store, {*back, {{{"d", 3}}, {}}});
  CHECK(past.specs[4] == past.specs[1]);
  store.reset();
  store = open_store(path);
  for (std::uint64_t epoch = past.first; epoch <= past.now.epoch; ++epoch) {
    CAPTURE(epoch);
    const auto spec = store->spec_at("slots", epoch);
    REQUIRE(spec);
    CHECK(*spec == past.spec_at(epoch));
  }
}

TEST_CASE("history: the default ring was empty before its first change, and others were not there") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  CHECK(is_not_found(store->extent("default")));
  CHECK(is_not_found(store->spec_at("default", 0)));
  CHECK(is_not_found(store->epoch_at("default", 0)));
  REQUIRE(store->changes("default", 0, for_ever));
  CHECK(store->changes("default", 0, for_ever)->empty());
  Past one(*store, {"default", 0, {}});
  one.change(*store, {{{{"a", 1}}, {}}});
  CHECK(is(store->spec_at("default", 0), RingSpec{}));
  CHECK(is(store->epoch_at("default", 0), std::uint64_t{0}));
  const Past other(*store, {"other", 4, {"seed", {{"a", 1}}}});
  CHECK(is_not_found(store->epoch_at("other", record_of(4).time_ms - 1)));
  CHECK(is(store->epoch_at("other", record_of(4).time_ms), std::uint64_t{4}));
  const auto too_early = store->spec_at("other", 3);
  CHECK(is_not_found(too_early));
  CHECK(too_early.error().message == "epoch 3 of ring 'other' is not known: its history begins at epoch 4");
  const auto too_late = store->spec_at("other", 5);
  CHECK(is_not_found(too_late));
  CHECK(too_late.error().message == "ring 'other' has not come to epoch 5: it is at 4");
}

TEST_CASE("history: the time of a ring's last change comes back with the ring") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  Past past(*store, {"r", 3, {"seed", {{"a", 1}}}});
  CHECK(load_all(*store)[0].time_ms == record_of(3).time_ms);
  past.change(*store, {{{{"b", 1}}, {}}, {{{"c", 1}}, {}}});
  CHECK(load_all(*store)[0].time_ms == record_of(4).time_ms);  // both are of one commit
}

// --- What is forgotten ----------------------------------------------------------------------------------------------

std::unique_ptr<SqliteStore> open_with(const fs::path& path, std::uint64_t history) {
  auto store = SqliteStore::open(path, history);
  if (!store) FAIL(store.error().message);
  return std::move(*store);
}

// The epochs from `oldest` on are known, and none before.
void check_kept(SqliteStore& store, const Past& past, std::uint64_t oldest) {
  const std::string& ring = past.now.name;
  const auto extent = store.extent(ring);
  REQUIRE(extent);
  CHECK(extent->first == past.first);
  CHECK(extent->oldest == oldest);
  int wrong = 0;
  for (std::uint64_t epoch = past.first; epoch <= past.now.epoch; ++epoch) {
    const auto spec = store.spec_at(ring, epoch);
    if (epoch >= oldest) wrong += !spec || *spec != past.spec_at(epoch);
    else wrong += !is_not_found(spec) || !spec.error().message.ends_with("begins at epoch " + std::to_string(oldest));
  }
  CHECK(wrong == 0);
  const auto changes = store.changes(ring, 0, for_ever);
  REQUIRE(changes);
  const std::uint64_t first = oldest == past.first ? past.first_change() : oldest + 1;
  CHECK(are_told_right(*changes, past, first, for_ever));
  const std::int64_t begin = past.times[past.number_of(first)];
  CHECK(is_not_found(store.epoch_at(ring, begin - 1)));
  CHECK(is(store.epoch_at(ring, begin), *naive_epoch_at(past, begin)));
}

TEST_CASE("history: of each ring so many changes are kept, and what is older is forgotten row by row") {
  const FailingDisk disk;  // takes no time to sync
  for (const char* profile : {"seed", "balanced,slots=4096"}) {
    const Scratch scratch;
    const auto path = scratch / "chash.db";
    constexpr std::uint64_t kept = 10;
    auto store = open_with(path, kept);
    std::mt19937_64 random(4);
    Past past(*store, {"r", 2, {profile, {{"n1", 1}, {"n2", 1}}}});
    Past other(*store, {"another", 1, {profile, {{"n1", 1}}}});
    other.change(*store, {{{{"n2", 1}}, {"n1"}}});
    for (int round = 0; round < 40; ++round) {
      past.change_at_random(*store, random);
      const std::uint64_t oldest = std::max(past.first, past.now.epoch - std::min(past.now.epoch, kept));
      if (oldest > past.first) check_kept(*store, past, oldest);
      CHECK(count(path, "change WHERE ring = 'r'") <= static_cast<std::int64_t>(kept) + (oldest == past.first));
      CHECK(count(path, "past_node WHERE ring = 'r' AND removed <= " + std::to_string(oldest)) == 0);
    }
    CHECK(past.now.epoch > 60);
    // One commit may have more changes than are kept.
    std::vector<Delta> many;
    for (int i = 0; i < 25; ++i) many.push_back({{{"many-" + std::to_string(i), 1}}, {}});
    past.change(*store, many);
    check_kept(*store, past, past.now.epoch - kept);
    CHECK(count(path, "change WHERE ring = 'r'") == kept);
    check_kept(*store, other, 1);

    // What was forgotten does not come back, and with less to be kept more is forgotten by the next change.
    const std::uint64_t oldest = past.now.epoch - kept;
    store = open_with(path, 1000);
    past.change_at_random(*store, random);
    check_kept(*store, past, oldest);
    store = open_with(path, 3);
    check_kept(*store, past, oldest);
    past.change_at_random(*store, random);
    check_kept(*store, past, past.now.epoch - 3);
  }
}

TEST_CASE("history: a ring that is deleted takes its history along, and one made anew begins above it") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  auto store = open_store(path);
  Past other(*store, {"s", 1, {"seed", {{"x", 1}}}});
  other.change(*store, {{{}, {"x"}}});
  {
    Past past(*store, {"r", 1, {"seed", {{"a", 1}}}});
    past.change(*store, {{{{"b", 1}}, {"a"}}, {{}, {}, {{"b", 3}}}});
    REQUIRE(store->remove("r", 3, {}));
  }
  CHECK(count(path, "past_node WHERE ring = 'r'") == 0);
  CHECK(count(path, "change WHERE ring = 'r'") == 0);
  CHECK(is_not_found(store->extent("r")));
  CHECK(is_not_found(store->spec_at("r", 3)));
  CHECK(is_not_found(store->epoch_at("r", record_of(3).time_ms)));
  REQUIRE(store->changes("r", 0, for_ever));
  CHECK(store->changes("r", 0, for_ever)->empty());

  Past again(*store, {"r", 4, {"libketama", {{"c", 1}}}});
  again.change(*store, {{{{"a", 1}}, {"c"}}});
  store.reset();
  store = open_store(path);
  std::mt19937_64 random(1);
  check_past(*store, again, random);
  check_past(*store, other, random);
}

// --- Requests that are not to be done twice -------------------------------------------------------------------------

Result<void> commit_as(SqliteStore& store, const StoredRing& before, const Delta& delta,
                       const service::AnsweredRequest& request) {
  auto made = made_of(before, {delta});
  made.front().request = request;
  return commit(store, before, made);
}

bool remembers(SqliteStore& store, const service::AnsweredRequest& request) {
  const auto found = store.find_request(request.id);
  REQUIRE(found);
  return *found && (**found).id == request.id && (**found).digest == request.digest &&
         (**found).answer == request.answer;
}
bool knows(SqliteStore& store, const std::string& id) {
  const auto found = store.find_request(id);
  REQUIRE(found);
  return found->has_value();
}

TEST_CASE("requests: one that was answered is found again, after a restart too, whatever it changed") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  const service::AnsweredRequest add{"add-1", "d1", R"({"epoch":1})"}, make{"make", "d2", "{}"}, drop{"drop", "d3", ""};
  auto store = open_store(path);
  CHECK_FALSE(knows(*store, "add-1"));
  CHECK_FALSE(knows(*store, ""));
  StoredRing ring{"default", 0, {}};
  REQUIRE(commit_as(*store, ring, {{{"a", 1}}, {}}, add));
  ring = load_ring(*store);
  must_commit(*store, ring, {{{{"b", 1}}, {}}});  // without an id
  const StoredRing nothing{"r", 0, {}};
  REQUIRE(commit_as(*store, nothing, {{{"a", 1}}, {}}, make));
  REQUIRE(store->remove("r", 1, drop));
  for (int restart = 0; restart < 2; ++restart) {
    for (const auto& request : {add, make, drop}) CHECK(remembers(*store, request));
    CHECK_FALSE(knows(*store, ""));
    CHECK_FALSE(knows(*store, "ADD-1"));
    store.reset();
    store = open_store(path);
  }
  CHECK(count(path, "request") == 3);
}

TEST_CASE("requests: each change of a commit has its own") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  const StoredRing ring{"default", 0, {}};
  auto made = made_of(ring, {{{{"a", 1}}, {}}, {{{"b", 1}}, {}}, {{{"c", 1}}, {}}});
  made[0].request = {"one", "1", "{}"};
  made[2].request = {"three", "3", "[]"};
  REQUIRE(commit(*store, ring, made));
  CHECK(remembers(*store, made[0].request));
  CHECK(remembers(*store, made[2].request));
}

TEST_CASE("requests: the oldest are forgotten, so many are remembered") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  auto store = open_store(path);
  StoredRing ring{"default", 0, {}};
  const auto ask = [&](const std::string& id) {
    const Delta delta{{{id, 1}}, {}};
    REQUIRE(commit_as(*store, ring, delta, {id, "d", "{}"}));
    ring = after(ring, {delta});
  };
  ask("first");
  ask("second");
  store.reset();
  // As if so many had been asked that two more are the last before the first is forgotten.
  tamper(path, "UPDATE request SET number = number + 5; INSERT INTO request SELECT " +
                   std::to_string(limits::remembered_requests + 4) +
                   ", 'late', digest, answer, checksum FROM request WHERE id = 'first'");
  store = open_store(path);
  ask("last but one");
  CHECK(knows(*store, "first"));
  ask("last");
  CHECK_FALSE(knows(*store, "first"));
  CHECK(knows(*store, "second"));
  ask("one more");
  CHECK_FALSE(knows(*store, "second"));
  for (const char* id : {"last but one", "last", "one more"}) CHECK(knows(*store, id));
  CHECK(count(path, "request") == 4);
}

TEST_CASE("requests: a change that is not made is not remembered, and one under a known id is not made") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  StoredRing ring{"default", 0, {}};
  must_commit(*store, ring, {{{{"a", 1}}, {}}});
  StoredRing wrong = ring;
  wrong.epoch = 7;
  CHECK(commit_as(*store, wrong, {{{"b", 1}}, {}}, {"id", "d", "{}"}).error().code == Errc::conflict);
  CHECK(store->remove("r", 7, {"id", "d", "{}"}).error().code == Errc::conflict);
  CHECK_FALSE(knows(*store, "id"));
  REQUIRE(commit_as(*store, ring, {{{"b", 1}}, {}}, {"id", "d", "{}"}));
  ring = load_ring(*store);
  CHECK(commit_as(*store, ring, {{{"c", 1}}, {}}, {"id", "d", "other"}).error().code == Errc::storage_failed);
  CHECK(load_ring(*store) == ring);
  CHECK(remembers(*store, {"id", "d", "{}"}));
}

TEST_CASE("requests: whichever step of the disk fails, one is remembered just if its change is there") {
  using Fault = FailingDisk::Fault;
  for (const bool for_all : {false, true}) {
    std::uint64_t from = 1;
    int made = 0, not_made = 0;
    for (bool broke = true; broke; ++from) {
      CAPTURE(from);
      const Scratch scratch;
      FailingDisk disk;
      auto store = open_store(scratch / "chash.db");
      Past past(*store, {"default", 0, {}});
      past.change(*store, {{{{"a", 1}, {"b", 1}}, {}}});
      disk.break_at(Fault{.from = from, .for_ever = for_all});
      const Delta delta{{{"c", 1}}, {"a"}, {{"b", 2}}};
      const auto outcome = commit_as(*store, past.now, delta, {"id", "d", "{}"});
      broke = disk.has_failed();
      disk.mend();
      const StoredRing there = load_ring(*store);
      if (outcome) CHECK(there.epoch == 2);
      CHECK(there.epoch == (there.spec == past.now.spec ? 1 : 2));
      CHECK(knows(*store, "id") == (there.epoch == 2));
      (there.epoch == 2 ? made : not_made) += 1;
      // Its history, too.
      const auto told = store->changes("default", 0, for_ever);
      REQUIRE(told);
      CHECK(told->size() == there.epoch);
      CHECK(is(store->spec_at("default", 1), past.now.spec));
      CHECK(is(store->spec_at("default", 0), RingSpec{}));
    }
    CHECK(made > 0);
    CHECK(not_made > 3);
  }
}

}  // namespace
}  // namespace chash::store::test
