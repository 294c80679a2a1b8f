// Several rings in one file.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "chash/profile.h"
#include "store/scratch.h"

namespace chash::store::test {
namespace {

const std::vector<Node> pool{{"a:11211", 2, {{"alias", "x"}, {"state", "down"}}}, {"b:11211", 0}};

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
  CHECK(create(*store, {"r", 1, {"libketama", {}}}).error().code == Errc::conflict);
  CHECK(store->remove("r", 2, {}).error().code == Errc::conflict);
  CHECK(store->remove("s", 1, {}).error().code == Errc::conflict);
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
  REQUIRE(store->remove("r", 7, {}));
  CHECK(floor_of(*store) == 7);
  REQUIRE(store->remove("s", 3, {}));
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

}  // namespace
}  // namespace chash::store::test
