// Files of older formats: as they were written then, and what becomes of them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "store/failing_disk.h"
#include "store/past.h"

namespace chash::store::test {
namespace {

// Written by chash before it had profiles.
constexpr const char* format_1 = R"sql(
  CREATE TABLE ring(name TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, vnodes INTEGER NOT NULL,
                    next_position INTEGER NOT NULL, checksum TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE node(ring TEXT NOT NULL, name TEXT NOT NULL, weight REAL NOT NULL, position INTEGER NOT NULL,
                    PRIMARY KEY(ring, name)) STRICT, WITHOUT ROWID;
  INSERT INTO ring VALUES('default', 3, 100, 4, '85dd82523cc7c17a768a4bad0d4845bb');
  INSERT INTO node VALUES('default', 'cache-node-1', 1.0, 0);
  INSERT INTO node VALUES('default', 'heavy', 2.5, 2);
  INSERT INTO node VALUES('default', 'third', 0.1, 3);
  PRAGMA user_version = 1;
)sql";

// Written by chash before it had slots.
constexpr const char* format_2 = R"sql(
  CREATE TABLE ring(name TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, profile TEXT NOT NULL,
                    next_position INTEGER NOT NULL, checksum TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE node(ring TEXT NOT NULL, name TEXT NOT NULL, weight REAL NOT NULL, position INTEGER NOT NULL,
                    fields TEXT NOT NULL DEFAULT '', PRIMARY KEY(ring, name)) STRICT, WITHOUT ROWID;
  INSERT INTO ring VALUES('', 1, '', 0, '2ecae01fe7bfcad59f857abd37351495');
  INSERT INTO ring VALUES('default', 2, 'seed', 3, 'e08022d4950dc7cb9f6aa253cb54dacf');
  INSERT INTO ring VALUES('pool', 1, 'libketama', 2, '850190c03a4af8f4cf474dcc8035f41d');
  INSERT INTO ring VALUES('pool2', 2, 'twemproxy-ketama', 1, 'a9828fca2509a85f26dfd50271fa4946');
  INSERT INTO node VALUES('default', 'a', 2.0, 0, '');
  INSERT INTO node VALUES('default', 'c', 0.5, 2, '');
  INSERT INTO node VALUES('pool', 'n1:11211', 3.0, 0, '');
  INSERT INTO node VALUES('pool', 'n2:11211', 1.0, 1, '');
  INSERT INTO node VALUES('pool2', 'h:1', 1.0, 0, 'alias=x');
  PRAGMA user_version = 2;
)sql";

// Written by chash before it had history: with a ring that keeps its slots, and one that was deleted.
constexpr const char* format_3 = R"sql(
  CREATE TABLE ring(name TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, profile TEXT NOT NULL,
                    next_position INTEGER NOT NULL, nodes TEXT NOT NULL, slots BLOB NOT NULL,
                    checksum TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE node(ring TEXT NOT NULL, name TEXT NOT NULL, weight REAL NOT NULL, position INTEGER NOT NULL,
                    fields TEXT NOT NULL DEFAULT '', PRIMARY KEY(ring, name)) STRICT, WITHOUT ROWID;
  INSERT INTO ring VALUES('', 2, '', 0, '00000000000000000000000000000000', x'', '7a31f24069c03a2739aa669c49f6997b');
  INSERT INTO ring VALUES('default', 3, 'seed', 4, '496bee5ce1d613a41404cd06e8bec107', x'',
                          '678c558481771390883168122152d48e');
  INSERT INTO ring VALUES('pool', 3, 'twemproxy-ketama,hash_tag={}', 2, 'c073ddeeaff9395e9eb2cc8c59ce97e9', x'',
                          '2f5b68bbf299ace7aa256b6e023c7a15');
  INSERT INTO ring VALUES('slots', 5, 'balanced,slots=4096', 3, '780d81a9e5e9026d8544bf84aed9d9c1', SLOTS,
                          '6962b8e5fdce8f642fb1adaa8dfb01c7');
  INSERT INTO node VALUES('default', 'a', 2.0, 0, '');
  INSERT INTO node VALUES('default', 'c', 0.5, 2, '');
  INSERT INTO node VALUES('default', 'd', 1.0, 3, '');
  INSERT INTO node VALUES('pool', 'h:1', 1.0, 0, 'alias=x state=down');
  INSERT INTO node VALUES('pool', 'h:2', 3.0, 1, '');
  INSERT INTO node VALUES('slots', 'w', 0.5, 2, '');
  INSERT INTO node VALUES('slots', 'y', 2.0, 1, 'zone=z');
  PRAGMA user_version = 3;
)sql";

const StoredRing slots_3 = after({"slots", 3, {"balanced,slots=4096", {}}},
                                 {{{{"x", 1}, {"y", 2, {{"zone", "z"}}}}, {}}, {{{"w", 0.5}}, {"x"}}});

// Makes a file with just these tables.
void make_file(const fs::path& path, std::string sql) {
  open_store(path).reset();
  std::string hex = "x'";
  for (const NodeIndex node : slots_3.spec.slots.nodes()) hex += node == 0 ? "0000" : "0100";
  if (const auto at = sql.find("SLOTS"); at != std::string::npos) sql.replace(at, 5, hex + "'");
  tamper(path,
         "DROP TABLE ring; DROP TABLE node; DROP TABLE past_node; DROP TABLE change; DROP TABLE request;"
         "DROP TABLE pin; DROP TABLE past_pin;" +
             sql);
}

// What was before its epoch is not known of a ring from an older file; from there on it has a history like any other.
void check_history_begins(SqliteStore& store, const StoredRing& ring) {
  CAPTURE(ring.name);
  const auto extent = store.extent(ring.name);
  REQUIRE(extent);
  CHECK(extent->first == ring.epoch);
  CHECK(extent->oldest == ring.epoch);
  CHECK(is(store.spec_at(ring.name, ring.epoch), ring.spec));
  const auto older = store.spec_at(ring.name, ring.epoch - 1);
  REQUIRE(is_not_found(older));
  CHECK(older.error().message.ends_with("its history begins at epoch " + std::to_string(ring.epoch)));
  const auto changes = store.changes(ring.name, 0, for_ever);
  REQUIRE(changes);
  CHECK(changes->empty());
  CHECK(is_not_found(store.epoch_at(ring.name, 2'000'000'000'000)));
  CHECK(load_all(store).front().time_ms == 0);
}

// `delta` is committed, and told of.
void check_history_goes_on(SqliteStore& store, StoredRing& ring, const Delta& delta) {
  CAPTURE(ring.name);
  StoredRing before = ring;
  must_commit(store, ring, {delta});
  before.spec.max_move = ring.spec.max_move;  // that is always today's
  CHECK(is(store.spec_at(ring.name, before.epoch), before.spec));
  CHECK(is(store.spec_at(ring.name, ring.epoch), ring.spec));
  CHECK(is_not_found(store.spec_at(ring.name, before.epoch - 1)));
  const auto changes = store.changes(ring.name, 0, for_ever);
  REQUIRE(changes);
  REQUIRE(changes->size() == 1);
  CHECK(changes->front().epoch == ring.epoch);
  CHECK(changes->front().delta == delta);
  CHECK(is(store.epoch_at(ring.name, record_of(ring.epoch).time_ms), ring.epoch));
  CHECK(is_not_found(store.epoch_at(ring.name, record_of(ring.epoch).time_ms - 1)));
  CHECK(store.extent(ring.name)->oldest == before.epoch);
  CHECK(store.extent(ring.name)->first == before.epoch);
}

TEST_CASE("migration: a file of format 1 is brought to the present one, once") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  make_file(path, format_1);
  StoredRing ring{"default", 3, {"seed", {{"cache-node-1", 1}, {"heavy", 2.5}, {"third", 0.1}}}};
  auto store = open_store(path);
  CHECK(load_all(*store) == std::vector<StoredRing>{ring});
  check_history_begins(*store, ring);
  check_history_goes_on(*store, ring, {{{"new", 1}}, {"heavy"}, {{"third", 2}}});
  store.reset();
  CHECK(load_all(*open_store(path)) == std::vector<StoredRing>{ring});
}

TEST_CASE("migration: a file of format 2 is brought to the present one, once") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  make_file(path, format_2);
  std::vector<StoredRing> rings{{"default", 2, {"seed", {{"a", 2}, {"c", 0.5}}}},
                                {"pool", 1, {"libketama", {{"n1:11211", 3}, {"n2:11211", 1}}}},
                                {"pool2", 2, {"twemproxy-ketama", {{"h:1", 1, {{"alias", "x"}}}}}}};
  auto store = open_store(path);
  CHECK(load_all(*store) == rings);
  CHECK(floor_of(*store) == 1);
  for (const StoredRing& ring : rings) check_history_begins(*store, ring);
  check_history_goes_on(*store, rings[0], {{{"new", 1}}, {"a"}});
  check_history_goes_on(*store, rings[2], {{{"b", 1, {{"alias", "y"}}}}, {"h:1"}});
  store.reset();
  CHECK(load_all(*open_store(path)) == rings);
}

TEST_CASE("migration: a file of format 3 is brought to the present one, once, with its slots") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  make_file(path, format_3);
  std::vector<StoredRing> rings{
      {"default", 3, {"seed", {{"a", 2}, {"c", 0.5}, {"d", 1}}}},
      {"pool", 3, {"twemproxy-ketama,hash_tag={}", {{"h:1", 1, {{"alias", "x"}, {"state", "down"}}}, {"h:2", 3}}}},
      slots_3};
  CHECK(slots_3.spec.slots.size() == 4096);
  auto store = open_store(path);
  CHECK(load_all(*store) == rings);
  CHECK(floor_of(*store) == 2);
  CHECK(rings[2].spec.max_move == 1);
  for (const StoredRing& ring : rings) check_history_begins(*store, ring);
  CHECK_FALSE(*store->find_request("any"));
  check_history_goes_on(*store, rings[0], {{{"new", 1}}, {"a"}, {}, {}, 0.5});
  check_history_goes_on(*store, rings[1], {{}, {}, {{"h:1", 2, {{"alias", "x"}}}}});
  check_history_goes_on(*store, rings[2], {{{"x", 1}}, {"w"}, {{"y", 1}}});
  store.reset();
  store = open_store(path);
  CHECK(load_all(*store) == rings);
  CHECK(is(store->spec_at("slots", 5), slots_3.spec));
  REQUIRE(store->remove("slots", 6, {}));
  CHECK(floor_of(*store) == 6);
}

TEST_CASE("migration: a file of format 4 gets room for pins, and keeps all that it has") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  StoredRing ring{"default", 0, {}};
  {
    auto store = open_store(path);
    must_commit(*store, ring, {Delta{{{"a", 1}, {"b", 2}}, {}}});
    must_commit(*store, ring, {Delta{{}, {"a"}}});
  }
  tamper(path, "DROP TABLE pin; DROP TABLE past_pin; PRAGMA user_version = 4");
  {
    auto store = open_store(path);
    CHECK(load_all(*store) == std::vector<StoredRing>{ring});
    CHECK(is(store->spec_at("default", 1), RingSpec{"seed", {{"a", 1}, {"b", 2}}}));
    Delta pinned;
    pinned.pinned = {{{"k", false}, {"b"}, 7}};
    must_commit(*store, ring, {pinned});
  }
  CHECK(load_all(*open_store(path)) == std::vector<StoredRing>{ring});
}

TEST_CASE("migration: a file that was brought to the present format is not taken for an older one again") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  for (const char* file : {format_1, format_2, format_3}) {
    fs::remove(path);
    make_file(path, file);
    open_store(path).reset();
    const std::string bytes = read_bytes(path);
    open_store(path).reset();
    CHECK(read_bytes(path) == bytes);
    CHECK(count(path, "sqlite_master WHERE name LIKE 'old%'") == 0);
    CHECK(count(path, "sqlite_master WHERE type = 'table'") == 7);
  }
}

struct Damage {
  const char* file;
  const char* sql;
};

TEST_CASE("migration: a file of an older format that is damaged is refused and left as it is") {
  const FailingDisk disk;  // takes no time to sync
  for (const auto& [file, damage] :
       {Damage{format_1, "UPDATE node SET weight = 2 WHERE name = 'heavy'"},
        Damage{format_1, "UPDATE ring SET vnodes = 99"},
        Damage{format_1, "UPDATE ring SET epoch = 4"},
        Damage{format_1, "DELETE FROM node WHERE name = 'third'"},
        Damage{format_1, "UPDATE node SET position = 9 WHERE name = 'cache-node-1'"},
        Damage{format_2, "UPDATE node SET fields = 'alias=y' WHERE name = 'h:1'"},
        Damage{format_2, "UPDATE ring SET profile = 'chash' WHERE name = 'pool'"},
        Damage{format_2, "UPDATE ring SET epoch = 2 WHERE name = ''"},
        Damage{format_2, "UPDATE node SET weight = 2 WHERE name = 'n2:11211'"},
        Damage{format_3, "UPDATE node SET weight = 2 WHERE name = 'c'"},
        Damage{format_3, "UPDATE node SET weight = -1 WHERE name = 'c'"},
        Damage{format_3, "UPDATE node SET name = 'b' WHERE name = 'c'"},
        Damage{format_3, "UPDATE node SET name = 'two words' WHERE name = 'c'"},
        Damage{format_3, "UPDATE node SET fields = 'zone=y' WHERE name = 'y'"},
        Damage{format_3, "UPDATE node SET position = 1 WHERE name = 'c'"},
        Damage{format_3, "UPDATE node SET position = 4 WHERE name = 'd'"},
        Damage{format_3, "UPDATE node SET position = 2 WHERE name = 'd'"},
        Damage{format_3, "UPDATE node SET ring = 'pool' WHERE name = 'd'"},
        Damage{format_3, "UPDATE node SET ring = 'nobody' WHERE name = 'd'"},
        Damage{format_3, "DELETE FROM node WHERE name = 'h:1'"},
        Damage{format_3, "DELETE FROM node"},
        Damage{format_3, "DELETE FROM ring WHERE name = 'pool'"},
        Damage{format_3, "DELETE FROM ring"},
        Damage{format_3, "INSERT INTO node VALUES('default', 'e', 1, 1, '')"},
        Damage{format_3, "UPDATE ring SET name = 'poll' WHERE name = 'pool'"},
        Damage{format_3, "UPDATE ring SET epoch = 4 WHERE name = 'default'"},
        Damage{format_3, "UPDATE ring SET epoch = 3 WHERE name = ''"},
        Damage{format_3, "UPDATE ring SET profile = 'seed,vnodes=101' WHERE name = 'default'"},
        Damage{format_3, "UPDATE ring SET next_position = 5 WHERE name = 'default'"},
        Damage{format_3, "UPDATE ring SET slots = zeroblob(length(slots)) WHERE name = 'slots'"},
        Damage{format_3, "UPDATE ring SET slots = x'' WHERE name = 'slots'"},
        Damage{format_3, "UPDATE ring SET slots = x'00' WHERE name = 'pool'"},
        Damage{format_3, "UPDATE ring SET checksum = '' WHERE name = 'pool'"},
        Damage{format_3, "UPDATE ring SET checksum = '' WHERE name = ''"}}) {
    CAPTURE(damage);
    const Scratch scratch;
    const auto path = scratch / "chash.db";
    make_file(path, file);
    tamper(path, damage);
    const std::string bytes = read_bytes(path);
    const auto store = SqliteStore::open(path);
    REQUIRE_FALSE(store);
    CHECK(store.error().code == Errc::storage_failed);
    CHECK(store.error().message.find(path.string()) != std::string::npos);
    CHECK(store.error().message.find("it is damaged: ") != std::string::npos);
    CHECK(read_bytes(path) == bytes);
    tamper(path, "SELECT count(*) FROM node");  // closing writes a log back into it, if there is one
    CHECK(read_bytes(path) == bytes);
  }
}

TEST_CASE("migration: a sum that can be worked out anew does not keep an older file from being read") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  make_file(path, format_3);
  tamper(path, "UPDATE ring SET nodes = ''");
  CHECK(load_all(*open_store(path)).back() == slots_3);
}

TEST_CASE("migration: whichever step of the disk fails, the file is the old one or the new one") {
  for (const bool for_ever_broken : {false, true}) {
    std::uint64_t from = 1;
    for (bool broke = true; broke; ++from) {
      CAPTURE(from);
      const Scratch scratch;
      const auto path = scratch / "chash.db";
      make_file(path, format_3);
      FailingDisk disk;
      disk.break_at({.from = from, .for_ever = for_ever_broken});
      { const auto store = SqliteStore::open(path); }
      broke = disk.has_failed();
      disk.mend();
      const auto store = open_store(path);
      CHECK(load_all(*store).back() == slots_3);
      CHECK(load_all(*store).size() == 3);
      CHECK(floor_of(*store) == 2);
      check_history_begins(*store, slots_3);
    }
    CHECK(from > 5);
  }
}

}  // namespace
}  // namespace chash::store::test
