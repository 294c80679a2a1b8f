// A damaged state file: it is refused with a message that names it and left as it is, or what is loaded is exactly
// right. What is promised of the log is another thing: log_damage_test.cpp.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "store/damage.h"

namespace chash::store::test {
namespace {

struct Tally {
  int later = 0;
  int other_order = 0;
  int other_ring = 0;
};

Tally try_each(const Sample& sample, const std::string& name, const std::vector<Damage>& damages, Judge& judge) {
  Tally tally;
  for (const Damage& damage : damages) {
    DiskImage files = sample.files;
    files[name] = damage.bytes;
    const Verdict verdict = judge(files, sample.last());
    tally.later += verdict == Verdict::later;
    tally.other_order += verdict == Verdict::other_order;
    tally.other_ring += verdict == Verdict::other_ring;
    if (verdict == Verdict::other_ring) MESSAGE(name << ", " << damage.what << ": another ring, and no word of it");
  }
  return tally;
}

// --- The file -------------------------------------------------------------------------------------------------------

TEST_CASE("damage: no flipped bit of a closed file makes another ring") {
  const Sample sample = make_sample(true);
  Judge judge;
  CHECK(try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db")), judge).other_ring == 0);
  CHECK(judge.refused > 300);
  CHECK(judge.accepted > 100);
}

TEST_CASE("damage: no flipped bit of a closed file changes the order of the nodes, or shows only later") {
  const Sample sample = make_sample(true);
  Judge judge;
  const Tally tally = try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db")), judge);
  CHECK(tally.other_order == 0);
  CHECK(tally.later == 0);
}

TEST_CASE("damage: no broken sector of a closed file makes another ring") {
  const Sample sample = make_sample(true);
  Judge judge;
  const Tally tally = try_each(sample, "chash.db", broken_sectors(sample.files.at("chash.db")), judge);
  CHECK(tally.other_ring == 0);
  CHECK(tally.other_order == 0);
  CHECK(tally.later == 0);
  CHECK(judge.refused > 50);
}

TEST_CASE("damage: with a log beside it, a damaged file makes no other ring either") {
  const Sample sample = make_sample(false);
  Judge judge;
  CHECK(try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db"), 5), judge).other_ring == 0);
  CHECK(try_each(sample, "chash.db", broken_sectors(sample.files.at("chash.db")), judge).other_ring == 0);
}

TEST_CASE("damage: a file that is emptied is not a new one") {
  Judge judge;
  for (const bool closed : {true, false})
    for (const std::size_t size : {0, 1}) {  // to SQLite, a file of one byte is an empty one, too
      Sample sample = make_sample(closed);
      sample.files["chash.db"].resize(size);
      CHECK(judge(sample.files, sample.last()) == Verdict::refused);
    }
}

TEST_CASE("damage: a log whose file is gone is not thrown away") {
  Judge judge;
  Sample sample = make_sample(false);
  sample.files.erase("chash.db");
  CHECK(judge(sample.files, sample.last()) == Verdict::refused);
}

TEST_CASE("damage: a file of another kind is refused") {
  Judge judge;
  for (const std::string& bytes :
       {std::string("{\"nodes\":[]}\n"), std::string(100'000, '\0'), std::string("\n\n"),
        std::string("SQLite format 3\0", 16), std::string("SQLite format 3\0", 16) + std::string(5000, '\xff')})
    CHECK(judge({{"chash.db", bytes}}, {}) == Verdict::refused);
}

// --- What SQL can do behind our back --------------------------------------------------------------------------------

// After this was executed on a closed file.
Verdict after_sql(Judge& judge, const std::string& sql) {
  const Sample sample = make_sample(true);
  const Scratch scratch;
  write_bytes(scratch / "chash.db", sample.files.at("chash.db"));
  tamper(scratch / "chash.db", sql);
  return judge({{"chash.db", read_bytes(scratch / "chash.db")}}, sample.last());
}

TEST_CASE("damage: a database of somebody else, or of a newer chash, is refused by what it is") {
  Judge judge;
  CHECK(after_sql(judge, "PRAGMA application_id = 1") == Verdict::refused);
  CHECK(judge.message.ends_with("it is not a state file of chash"));
  CHECK(after_sql(judge, "PRAGMA user_version = 6") == Verdict::refused);
  CHECK(judge.message.ends_with("it was written by a newer chash (format 6; this one reads up to 5)"));
  CHECK(after_sql(judge, "PRAGMA user_version = 0") == Verdict::refused);
  CHECK(after_sql(judge, "PRAGMA user_version = -1") == Verdict::refused);
  CHECK(after_sql(judge, "VACUUM") == Verdict::right);
}

TEST_CASE("damage: rows that were changed behind our back are refused") {
  Judge judge;
  for (const char* sql : {
           "UPDATE node SET name = 'cache-node-9' WHERE name = 'cache-node-1'",
           "UPDATE node SET name = 'two words' WHERE name = 'cache-node-1'",
           "UPDATE node SET name = '' WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 1.0000000000000002 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = -1 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 0 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 9e999 WHERE name = 'cache-node-1'",
           "UPDATE node SET ring = 'another' WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = CASE name WHEN 'a' THEN 2.5 ELSE 7 END WHERE name IN ('a', 'cache-node-3')",
           "INSERT INTO node VALUES('default', 'extra', 1, '', 99, 1)",
           "DELETE FROM node WHERE name = 'cache-node-1'",
           "DELETE FROM node",
           "UPDATE ring SET epoch = epoch + 1",
           "UPDATE ring SET epoch = 0",
           "UPDATE ring SET epoch = -5",
           "UPDATE ring SET profile = 'seed,vnodes=101'",
           "UPDATE ring SET profile = ''",
           "UPDATE ring SET profile = 'no such'",
           "UPDATE node SET fields = 'state=down' WHERE name = 'cache-node-4'",
           "UPDATE node SET fields = ''",
           "PRAGMA user_version = 1",
           "PRAGMA user_version = 2",
           "PRAGMA user_version = 3",
           "UPDATE node SET added = added + 1 WHERE name = 'cache-node-4'",
           "UPDATE ring SET max_move = 0.5",
           "UPDATE ring SET first = 1",
           "UPDATE ring SET oldest = 1",
           "UPDATE ring SET nodes = ''",
           "UPDATE ring SET nodes = replace(nodes, substr(nodes, 1, 1), 'g')",
           "UPDATE ring SET slots = x'0000'",
           "UPDATE ring SET name = 'another'",
           "UPDATE ring SET checksum = ''",
           "UPDATE ring SET checksum = upper(checksum)",
           "DROP TABLE node",
           "DROP TABLE ring",
           "ALTER TABLE ring RENAME TO rings",
           "INSERT INTO pin VALUES('default', x'6b', 0, 'cache-node-4', 0, 1)",
           "INSERT INTO pin VALUES('nobody', x'6b', 0, 'cache-node-4', 0, 1)",
           "INSERT INTO pin VALUES('default', x'', 0, 'cache-node-4', 0, 1)",
           "DROP TABLE pin",
           "ALTER TABLE node RENAME COLUMN weight TO mass",
       }) {
    CAPTURE(sql);
    CHECK(after_sql(judge, sql) == Verdict::refused);
  }
}

TEST_CASE("damage: rows that were reordered or orphaned behind our back are refused") {
  Judge judge;
  for (const char* sql : {
           "UPDATE node SET position = -position",
           "UPDATE node SET position = 0",
           "UPDATE ring SET next_position = 0",
           "DELETE FROM ring",
       }) {
    CAPTURE(sql);
    CHECK(after_sql(judge, sql) == Verdict::refused);
  }
}

TEST_CASE("damage: a row that was changed under a running store is found at the next start") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {}};
  const auto store = open_store(scratch / "chash.db");
  must_commit(*store, ring, {sample_commits[0]});
  tamper(scratch / "chash.db", "UPDATE node SET weight = 3 WHERE name = 'cache-node-1'");
  const auto loaded = store->load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Errc::storage_failed);
  CHECK_FALSE(SqliteStore::open(scratch / "chash.db"));
}

TEST_CASE("damage: what cannot be read says why") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {}};
  const auto store = open_store(scratch / "chash.db");
  must_commit(*store, ring, {sample_commits[0]});
  tamper(scratch / "chash.db", "UPDATE node SET weight = 3 WHERE name = 'cache-node-1'");
  const auto loaded = store->load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.ends_with("it is damaged: the checksum of ring 'default' does not fit"));
}

}  // namespace
}  // namespace chash::store::test
