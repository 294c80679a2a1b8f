// A damaged history: what is told of the past is right, or refused as damaged. That the ring of now is refused when it
// is damaged, damage_test.cpp shows; damage to the past alone does not keep the daemon from starting.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/failing_disk.h"
#include "store/past.h"

namespace chash::store::test {
namespace {

// A file with a past of every kind: nodes removed, altered, and back under their old names; limits; slots.
struct Sample {
  explicit Sample(const fs::path& path) {
    auto store = open_store(path);
    rings.emplace_back(*store, StoredRing{"default", 0, {}});
    rings.emplace_back(*store, StoredRing{"slots", 4, {"balanced,slots=4096", {{"a", 1}, {"b", 1}}}});
    for (Past& past : rings) {
      past.change(*store, {{{{"x", 1, {{"zone", "z"}}}, {"y", 2}}, {}}});
      past.change(*store, {{{{"x", 3}}, {"x"}}, {{}, {}, {{"y", 4}}}});
      past.change(*store, {{{{"z", 1}}, {}, {}, {}, 0.5}});
      past.change(*store, {{{}, {"y"}, {{"x", 2}}}});
      past.change(*store, {{{}, {}, {}, {}, 0.25}});
      const auto back = resolve(past.now.spec, RestoreRing{past.specs[1]});
      REQUIRE(back);
      past.change(*store, {*back});
      past.change(*store, {{{}, {"x"}}});
      for (const char* key : {"a", "b", "a", "c"}) {
        Delta pins;
        for (const bool is_prefix : {false, true}) pins.pinned.push_back({{key, is_prefix}, {key}, 7});
        past.change(*store, {pins});
        pins.pinned.front().expires_ms = 8;
        past.change(*store, {pins});
        Delta unpin;
        unpin.unpinned = {{key, false}, {key, true}};
        past.change(*store, {unpin});
      }
    }
    // Another one, with rows of its own beside theirs.
    Past other(*store, {"other", 2, {"seed", {{"x", 1}}}});
    other.change(*store, {{{{"y", 1}}, {"x"}}});
  }
  std::vector<Past> rings;
};

struct Outcome {
  int wrong = 0;    // told as if it were right
  int refused = 0;  // as damaged
  bool lacks_first = false;
};

template <class Told>
void judge(const Told& told, bool right, Outcome& outcome) {
  if (told) outcome.wrong += !right;
  else if (is_damaged(told)) ++outcome.refused;
  else ++outcome.wrong;
}

// `lacks_first`: of the ring `slots` the row of its making is gone. Its history then begins without it, as that of a
// ring from an older file does.
void look(SqliteStore& store, const Past& past, Outcome& outcome) {
  const std::uint64_t first = outcome.lacks_first && past.first > 0 ? past.first + 1 : 0;
  const std::string& ring = past.now.name;
  for (std::uint64_t epoch = past.first; epoch <= past.now.epoch; ++epoch) {
    const auto spec = store.spec_at(ring, epoch);
    judge(spec, spec && *spec == past.spec_at(epoch), outcome);
    for (const std::uint64_t last : {epoch, epoch + 2}) {
      const auto some = store.changes(ring, epoch, last);
      judge(some, some && are_told_right(*some, past, std::max(epoch, first), last), outcome);
    }
  }
  for (const std::int64_t time : past.times)
    for (const std::int64_t time_ms : {time - 1, time}) {
      const auto expected = naive_epoch_at(past, time_ms);
      const auto found = store.epoch_at(ring, time_ms);
      if ((!expected || *expected < first) && is_not_found(found)) continue;
      judge(found, found && expected && *found == *expected, outcome);
    }
  const auto all = store.changes(ring, 0, for_ever);
  judge(all, all && are_told_right(*all, past, first, for_ever), outcome);
}

// What comes of it when this is executed on the file of `sample`; whether it changed anything there.
bool try_sql(const Sample& sample, const std::string& bytes, const fs::path& path, const std::string& sql,
             Outcome& outcome) {
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(path.string() + end);
  write_bytes(path, bytes);
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  const bool done = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  const int changed = sqlite3_changes(database);
  const std::string why = sqlite3_errmsg(database);
  sqlite3_close(database);
  // A key that another row has.
  REQUIRE_MESSAGE((done || why.find("UNIQUE") != std::string::npos), why);
  if (!done || changed == 0) return false;
  const auto store = open_store(path);
  outcome = {};
  outcome.lacks_first = count(path, "change WHERE ring = 'slots' AND epoch = 4") == 0;
  for (const Past& past : sample.rings) look(*store, past, outcome);
  CHECK(load_all(*store).size() == 3);
  return true;
}

struct Table {
  const char* name;
  const char* key;
  std::vector<const char*> damages;  // of one row
};

const std::vector<Table> tables{
    {"past_node",
     "ring, removed, position",
     {"ring = 'other'",
      "ring = 'default'",
      "ring = 'nobody'",
      "removed = removed + 1",
      "removed = removed - 1",
      "removed = removed + 100",
      "removed = -removed",
      "position = position + 1",
      "position = position + 100",
      "position = -1",
      "name = name || 'x'",
      "name = 'x'",
      "name = ''",
      "weight = weight + 0.5",
      "weight = -weight",
      "weight = 9e999",
      "fields = fields || ' a=b'",
      "fields = 'zone=y'",
      "added = added + 1",
      "added = added - 1",
      "added = added + 100",
      "added = removed",
      "added = 0"}},
    {"past_pin",
     "ring, removed, key, is_prefix",
     {"ring = 'other'",
      "ring = 'nobody'",
      "removed = removed + 1",
      "removed = removed - 1",
      "removed = removed + 100",
      "removed = -removed",
      "key = x'ff'",
      "key = x''",
      "is_prefix = 1 - is_prefix",
      "is_prefix = 2",
      "nodes = nodes || ' z'",
      "nodes = ''",
      "nodes = 'x'",
      "expires_ms = expires_ms + 1",
      "expires_ms = -1",
      "added = added + 1",
      "added = added - 1",
      "added = added + 100",
      "added = removed",
      "added = 0"}},
    {"change",
     "ring, epoch",
     {"ring = 'other'",
      "ring = 'default'",
      "ring = 'nobody'",
      "epoch = epoch + 1",
      "epoch = epoch + 100",
      "epoch = -epoch",
      "time_ms = time_ms + 1",
      "time_ms = time_ms - 1",
      "time_ms = time_ms + 100000",
      "time_ms = 0",
      "operation = operation || 'x'",
      "operation = ''",
      "who = 'somebody'",
      "note = note || ' '",
      "note = 'because'",
      "max_move = 0.75",
      "max_move = NULL",
      "slots_before = x''",
      "slots_before = x'00'",
      "slots_before = NULL",
      "slots_before = zeroblob(12)",
      "slots_before = zeroblob(length(slots_before))",
      "slots_before = substr(slots_before, 13)",
      "slots_before = CAST(slots_before || x'ffffffff0000000000000000' AS BLOB)",
      "checksum = ''",
      "checksum = upper(checksum)"}},
};

TEST_CASE("damaged history: no column of any row can be changed so that it is told wrong") {
  const FailingDisk disk;  // takes no time to sync
  const Scratch scratch;
  const Sample sample(scratch / "sample.db");
  const std::string bytes = read_bytes(scratch / "sample.db");
  const auto path = scratch / "chash.db";
  for (const Table& table : tables) {
    int damages = 0;
    const std::string name = table.name, key = table.key;
    for (const std::string damage : table.damages)
      for (int row = 0; row < 64; ++row) {
        const std::string sql = "UPDATE " + name + " SET " + damage + " WHERE (" + key + ") = (SELECT " + key +
                                " FROM " + name + " WHERE ring <> 'other' ORDER BY " + key + " LIMIT 1 OFFSET " +
                                std::to_string(row) + ") AND NOT (" +
                                std::string(damage).replace(damage.find(" = "), 3, " IS ") + ")";
        CAPTURE(sql);
        Outcome outcome;
        if (!try_sql(sample, bytes, path, sql, outcome)) continue;
        ++damages;
        CHECK(outcome.wrong == 0);
        CHECK((outcome.refused > 0 || outcome.lacks_first));
      }
    MESSAGE(name << ": " << damages << " damages");
    CHECK(damages > 150);
  }
}

TEST_CASE("damaged history: no row can be taken away, added or given another time so that it is told wrong") {
  const FailingDisk disk;  // takes no time to sync
  const Scratch scratch;
  const Sample sample(scratch / "sample.db");
  const std::string bytes = read_bytes(scratch / "sample.db");
  const auto path = scratch / "chash.db";
  for (const Table& table : tables)
    for (int row = 0;; ++row) {
      const std::string name = table.name, key = table.key;
      const std::string sql = "DELETE FROM " + name + " WHERE (" + key + ") = (SELECT " + key + " FROM " + name +
                              " WHERE ring <> 'other' ORDER BY " + key + " LIMIT 1 OFFSET " + std::to_string(row) + ")";
      CAPTURE(sql);
      Outcome outcome;
      if (!try_sql(sample, bytes, path, sql, outcome)) break;
      CHECK(outcome.wrong == 0);
      CHECK((outcome.refused > 0 || outcome.lacks_first));
    }
  for (const std::string sql : {
           "DELETE FROM past_node",
           "DELETE FROM change",
           "UPDATE past_node SET ring = CASE ring WHEN 'slots' THEN 'default' ELSE ring END",
           "INSERT INTO past_node SELECT ring, removed, position + 50, name || 'x', weight, fields, added FROM "
           "past_node",
           "INSERT INTO past_node SELECT ring, removed + 1, position, name, weight, fields, removed FROM past_node",
       }) {
    CAPTURE(sql);
    Outcome outcome;
    if (!try_sql(sample, bytes, path, sql, outcome)) continue;
    CHECK(outcome.wrong == 0);
    CHECK((outcome.refused > 0 || outcome.lacks_first));
  }
}

TEST_CASE("damaged history: a request whose answer was changed is not taken for answered") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  const auto made = [] {
    auto changes = made_of({"default", 0, {}}, {{{{"a", 1}}, {}}});
    changes.front().request = {"id", "digest", "answer"};
    return changes;
  }();
  for (const char* damage : {"digest = 'other'", "answer = 'other'", "answer = ''", "checksum = ''",
                             "digest = 'digestanswer', answer = ''"}) {
    CAPTURE(damage);
    fs::remove(path);
    REQUIRE(commit(*open_store(path), {"default", 0, {}}, made));
    tamper(path, std::string("UPDATE request SET ") + damage);
    CHECK(is_damaged(open_store(path)->find_request("id")));
  }
}

}  // namespace
}  // namespace chash::store::test
