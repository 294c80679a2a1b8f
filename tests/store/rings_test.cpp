// Several rings in one file; and files of older formats.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "chash/profile.h"
#include "store/scratch.h"

namespace chash::store::test {
namespace {

const std::vector<Node> pool{{"a:11211", 2, {{"alias", "x"}, {"state", "down"}}}, {"b:11211", 0}};

void must_create(SqliteStore& store, const StoredRing& ring) {
  const Delta all{{ring.spec.nodes.begin(), ring.spec.nodes.end()}, {}};
  const std::vector<Delta> deltas(ring.spec.nodes.empty() ? 0 : 1, all);
  if (auto ok = store.commit({ring.name, 0, ring.epoch, deltas, ring.spec}); !ok) FAIL(ok.error().message);
}

std::uint64_t floor_of(SqliteStore& store) {
  const auto rings = store.load();
  REQUIRE(rings);
  return rings->epoch_floor;
}

TEST_CASE("sqlite store: rings with profiles, fields and weights of their own come back as they were") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  const std::vector<StoredRing> rings{{"default", 1, {"seed", {{"n", 1}}}},
                                      {"empty", 5, {"libketama,vnodes=40", {}}},
                                      {"pool", 1, {"twemproxy-ketama,hash_tag={}", pool}}};
  auto store = open_store(path);
  for (const StoredRing& ring : rings) must_create(*store, ring);
  CHECK(load_all(*store) == rings);
  store.reset();
  store = open_store(path);
  CHECK(load_all(*store) == rings);
  StoredRing changed = rings[2];
  must_commit(*store, changed, {{{{"c", 1, {{"alias", "y=z"}}}}, {"a:11211"}}});
  store.reset();
  CHECK(load_all(*open_store(path)) == std::vector<StoredRing>{rings[0], rings[1], changed});
}

TEST_CASE("sqlite store: the slots of a ring come back as they were, and those of another table do not") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  auto store = open_store(path);
  StoredRing ring{"b", 1, {"balanced,slots=4096", {}}};
  must_create(*store, ring);
  for (const Delta& delta : {Delta{{{"x", 1}, {"y", 2, {{"zone", "z"}}}}, {}}, Delta{{{"w", 0.5}}, {"x"}}}) {
    must_commit(*store, ring, {delta});
    CHECK(ring.spec.slots.size() == 4096);
    CHECK(load_all(*store) == std::vector<StoredRing>{ring});
  }
  store.reset();
  CHECK(load_all(*open_store(path)) == std::vector<StoredRing>{ring});
  tamper(path, "UPDATE ring SET slots = zeroblob(length(slots))");
  const auto damaged = SqliteStore::open(path);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message.find("it is damaged: ") != std::string::npos);
}

TEST_CASE("sqlite store: a ring that is there is not created again, and one that is not is not removed") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  const StoredRing ring{"r", 1, {"seed", pool}};
  must_create(*store, ring);
  const RingSpec other{"libketama", {}};
  CHECK(store->commit({"r", 0, 1, {}, other}).error().code == Errc::conflict);
  CHECK(store->remove("r", 2).error().code == Errc::conflict);
  CHECK(store->remove("s", 1).error().code == Errc::conflict);
  CHECK(load_all(*store) == std::vector<StoredRing>{ring});
  CHECK(store->state().writable);
}

TEST_CASE("sqlite store: a removed ring leaves its epoch behind, and nothing else") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  auto store = open_store(path);
  CHECK(floor_of(*store) == 0);
  must_create(*store, {"r", 7, {"seed", pool}});
  must_create(*store, {"s", 3, {"seed", pool}});
  REQUIRE(store->remove("r", 7));
  CHECK(floor_of(*store) == 7);
  REQUIRE(store->remove("s", 3));
  CHECK(floor_of(*store) == 7);
  CHECK(load_all(*store).empty());
  store.reset();
  store = open_store(path);
  CHECK(floor_of(*store) == 7);
  const StoredRing again{"r", 8, {"jump", {{"only", 1}}}};
  must_create(*store, again);
  CHECK(load_all(*store) == std::vector<StoredRing>{again});
}

TEST_CASE("sqlite store: what a profile allows of a node is kept, whatever the profile") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  std::size_t rings = 0, refused = 0;
  for (const NamedProfile& named : named_profiles()) {
    for (const double weight : {-1.0, 0.0, 0.25, 1.0, 3.0, 1e6, 1e7, 1e300}) {
      for (const NodeFields& fields :
           {NodeFields{}, NodeFields{{"state", "down"}}, NodeFields{{"id", "7"}, {"state", "up"}},
            NodeFields{{"alias", "a=b,c=d"}}, NodeFields{{"a=b", "c"}}, NodeFields{{"", "c"}}}) {
        const RingSpec before{std::string(named.name), {}};
        const auto delta = resolve(before, AddNodes{{{"n", weight, fields}}, false});
        if (!delta) {
          ++refused;
          continue;
        }
        const StoredRing ring{"r" + std::to_string(rings++), 1, apply(before, *delta)};
        must_create(*store, ring);
      }
    }
  }
  CHECK(rings > 100);
  CHECK(refused > 100);
  const auto loaded = store->load();
  REQUIRE(loaded);
  CHECK(loaded->rings.size() == rings);
  for (const StoredRing& ring : loaded->rings) {
    REQUIRE(ring.spec.nodes.size() == 1);
    const Node& node = ring.spec.nodes.front();
    CHECK(resolve({ring.spec.profile, {}}, AddNodes{{node}, false}).has_value());
  }
}

// Written by chash before it had profiles.
constexpr const char* format_1 = R"sql(
  DROP TABLE ring; DROP TABLE node;
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
  DROP TABLE ring; DROP TABLE node;
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

TEST_CASE("sqlite store: a file of format 1 is brought to the present one, once") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  open_store(path).reset();
  tamper(path, format_1);
  StoredRing ring{"default", 3, {"seed", {{"cache-node-1", 1}, {"heavy", 2.5}, {"third", 0.1}}}};
  auto store = open_store(path);
  CHECK(load_all(*store) == std::vector<StoredRing>{ring});
  must_commit(*store, ring, {{{{"new", 1}}, {"heavy"}}});
  store.reset();
  CHECK(load_all(*open_store(path)) == std::vector<StoredRing>{ring});
}

TEST_CASE("sqlite store: a file of format 2 is brought to the present one, once") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  open_store(path).reset();
  tamper(path, format_2);
  std::vector<StoredRing> rings{{"default", 2, {"seed", {{"a", 2}, {"c", 0.5}}}},
                                {"pool", 1, {"libketama", {{"n1:11211", 3}, {"n2:11211", 1}}}},
                                {"pool2", 2, {"twemproxy-ketama", {{"h:1", 1, {{"alias", "x"}}}}}}};
  auto store = open_store(path);
  CHECK(load_all(*store) == rings);
  CHECK(floor_of(*store) == 1);
  must_commit(*store, rings[0], {{{{"new", 1}}, {"a"}}});
  must_commit(*store, rings[2], {{{{"b", 1, {{"alias", "y"}}}}, {"h:1"}}});
  store.reset();
  CHECK(load_all(*open_store(path)) == rings);
}

struct Damage {
  const char* file;
  const char* sql;
};

TEST_CASE("sqlite store: a file of an older format that is damaged is refused and left as it is") {
  for (const auto& [file, damage] :
       {Damage{format_1, "UPDATE node SET weight = 2 WHERE name = 'heavy'"},
        Damage{format_1, "UPDATE ring SET vnodes = 99"}, Damage{format_1, "UPDATE ring SET epoch = 4"},
        Damage{format_1, "DELETE FROM node WHERE name = 'third'"},
        Damage{format_1, "UPDATE node SET position = 9 WHERE name = 'cache-node-1'"},
        Damage{format_2, "UPDATE node SET fields = 'alias=y' WHERE name = 'h:1'"},
        Damage{format_2, "UPDATE ring SET profile = 'chash' WHERE name = 'pool'"},
        Damage{format_2, "UPDATE ring SET epoch = 2 WHERE name = ''"},
        Damage{format_2, "UPDATE node SET weight = 2 WHERE name = 'n2:11211'"}}) {
    CAPTURE(damage);
    const Scratch scratch;
    const auto path = scratch / "chash.db";
    open_store(path).reset();
    tamper(path, file);
    tamper(path, damage);
    const std::string bytes = read_bytes(path);
    const auto store = SqliteStore::open(path);
    REQUIRE_FALSE(store);
    CHECK(store.error().message.find("it is damaged: ") != std::string::npos);
    CHECK(read_bytes(path) == bytes);
  }
}

}  // namespace
}  // namespace chash::store::test
