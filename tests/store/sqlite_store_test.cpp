// SqliteStore: what is committed is loaded, exactly, and nothing else.
#include "store/sqlite_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "store/failing_disk.h"
#include "store/scratch.h"

namespace chash::store::test {
namespace {

const StoredRing nothing{"default", 0, {}};

TEST_CASE("sqlite store: a new file holds no ring, and is one's own from the start") {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  {
    const auto store = open_store(path);
    CHECK(load_all(*store).empty());
    CHECK(store->state().engine == "sqlite");
    CHECK(store->state().path == path.string());
    CHECK(store->state().writable);
    CHECK(store->state().commits == 0);
  }
  CHECK(load_all(*open_store(path)).empty());
  const std::string bytes = read_bytes(path);
  CHECK(bytes.substr(0, 16) == std::string("SQLite format 3\0", 16));
  CHECK(bytes.substr(68, 4) == "chsh");  // the application id, as file(1) sees it
}

TEST_CASE("sqlite store: it does not make folders, and names the file that it cannot open") {
  const Scratch scratch;
  const auto path = scratch / "no" / "such" / "chash.db";
  const auto store = SqliteStore::open(path);
  REQUIRE_FALSE(store);
  CHECK(store.error().code == Errc::storage_failed);
  CHECK(store.error().message.find(path.string()) != std::string::npos);
  CHECK_FALSE(fs::exists(scratch / "no"));

  const auto folder = SqliteStore::open(scratch.path());
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message.find(scratch.path().string()) != std::string::npos);

  open_store(scratch / "real.db");
  fs::create_symlink(scratch / "real.db", scratch / "link.db");
  CHECK_FALSE(SqliteStore::open(scratch / "link.db"));
}

TEST_CASE("sqlite store: nodes come back in the order of adding, and one that comes back goes last") {
  const Scratch scratch;
  StoredRing ring = nothing;
  for (const std::vector<Delta>& deltas : std::vector<std::vector<Delta>>{
           {{{{"c", 1}, {"a", 2}, {"b", 3}}, {}}},
           {{{}, {"c"}}},
           {{{{"c", 4}}, {}}},
           {{{{"0", 1}}, {"a"}}},
           {{{{"c", 5}}, {"c"}}},  // removed and added by one change
       }) {
    const auto store = open_store(scratch / "chash.db");
    CHECK(load_ring(*store) == ring);
    must_commit(*store, ring, deltas);
    CHECK(load_ring(*store) == ring);
  }
  CHECK(ring.spec == RingSpec{"seed", {{"b", 3}, {"0", 1}, {"c", 5}}});
  CHECK(load_ring(*open_store(scratch / "chash.db")) == ring);
}

TEST_CASE("sqlite store: several changes of one commit count one epoch each") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  StoredRing ring = nothing;
  must_commit(*store, ring, {{{{"a", 1}}, {}}, {{{"b", 1}}, {}}, {{}, {"a"}}, {{{"a", 2}}, {}}});
  CHECK(ring.epoch == 4);
  CHECK(load_ring(*store) == ring);
  CHECK(ring.spec == RingSpec{"seed", {{"b", 1}, {"a", 2}}});
  CHECK(store->state().commits == 1);
  must_commit(*store, ring, {{{}, {"a", "b"}}});
  CHECK(load_ring(*store) == StoredRing{"default", 5, {}});  // an empty ring with a history is not a new one
}

TEST_CASE("sqlite store: a commit that expects another epoch changes nothing, and the next may follow at once") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  StoredRing ring = nothing;
  must_commit(*store, ring, {{{{"a", 1}}, {}}, {{{"b", 1}}, {}}});
  for (const std::uint64_t expected : {0, 1, 3, 1000}) {
    StoredRing wrong = ring;
    wrong.epoch = expected;
    const auto refused = commit(*store, wrong, {{{{"x", 1}}, {"a"}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().message.find("2") != std::string::npos);
    CHECK(load_ring(*store) == ring);
  }
  CHECK(store->state().writable);
  CHECK(store->state().commits == 1);
  must_commit(*store, ring, {{{}, {"a"}}});
  CHECK(load_ring(*open_store(scratch / "chash.db")) == ring);
}

TEST_CASE("sqlite store: a new ring is not taken for an old one") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  StoredRing ring{"default", 1, {}};
  CHECK_FALSE(commit(*store, ring, {{{{"a", 1}}, {}}}));
  CHECK(load_all(*store).empty());
}

TEST_CASE("sqlite store: rings do not touch each other") {
  const Scratch scratch;
  const auto store = open_store(scratch / "chash.db");
  StoredRing one{"default", 0, {}};
  StoredRing two{"another", 0, {"seed,vnodes=7", {}}};
  must_commit(*store, one, {{{{"a", 1}, {"b", 1}}, {}}});
  must_commit(*store, two, {{{{"b", 2}, {"a", 2}}, {}}});
  must_commit(*store, one, {{{}, {"a"}}});
  must_commit(*store, two, {{{{"c", 1}}, {}}});
  CHECK(load_all(*store) == std::vector{two, one});
}

TEST_CASE("sqlite store: weights and virtual nodes come back bit for bit") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {"seed,vnodes=1", {}}};
  std::vector<double> weights{1,
                              2,
                              0.1,
                              1.0 / 3,
                              1e6,
                              999'999.999999999,
                              1e-300,
                              5e-324,
                              std::numeric_limits<double>::min(),
                              std::nextafter(1.0, 2.0),
                              std::nextafter(1.0, 0.0),
                              4503599627370497.0 / 4503599627370496.0};
  std::mt19937_64 random(1);
  while (weights.size() < 2000)
    if (const auto weight = std::bit_cast<double>(random()); weight > 0 && weight <= limits::max_weight)
      weights.push_back(weight);
  Delta delta;
  for (const double weight : weights) delta.added.push_back({"n" + std::to_string(delta.added.size()), weight});
  {
    const auto store = open_store(scratch / "chash.db");
    must_commit(*store, ring, {delta});
  }
  const StoredRing loaded = load_ring(*open_store(scratch / "chash.db"));
  REQUIRE(loaded.spec.nodes.size() == weights.size());
  int wrong = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    wrong += std::bit_cast<std::uint64_t>(loaded.spec.nodes[i].weight) != std::bit_cast<std::uint64_t>(weights[i]);
  CHECK(wrong == 0);
  CHECK(loaded == ring);
}

TEST_CASE("sqlite store: names of every allowed byte and length come back") {
  const Scratch scratch;
  const std::string bytes = "azAZ09_.:@/+=~%[],-";
  Delta delta;
  for (const char c : bytes) delta.added.push_back({std::string("n") + c, 1});
  for (const char c : {'a', 'Z', '0', '_', '[', '/'}) delta.added.push_back({std::string(1, c), 1});
  delta.added.push_back({std::string(limits::name_bytes, 'x'), 1});
  for (const char* name : {"null", "NaN", "0xffffffff", "1/2", "1e5", "007", "true", "N+", "[::1]:80"})
    delta.added.push_back({name, 1});
  std::erase_if(delta.added, [seen = std::vector<std::string>()](const Node& node) mutable {
    const bool again = std::ranges::find(seen, node.name) != seen.end();
    seen.push_back(node.name);
    return again;
  });
  StoredRing ring = nothing;
  const auto store = open_store(scratch / "chash.db");
  must_commit(*store, ring, {delta});
  CHECK(load_ring(*store) == ring);
  // Upper and lower case are two names.
  must_commit(*store, ring, {{{{"case", 1}, {"CASE", 2}}, {}}});
  must_commit(*store, ring, {{{}, {"case"}}});
  CHECK(load_ring(*store) == ring);
}

TEST_CASE("sqlite store: ten thousand nodes are one commit, and each change writes only what it touches") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {"seed,vnodes=1", {}}};
  Delta all;
  for (int i = 0; i < 10'000; ++i) all.added.push_back({"node-" + std::to_string(i * 7919 % 10'000), 1.0 + i});
  {
    const auto store = open_store(scratch / "chash.db");
    must_commit(*store, ring, {all});
    CHECK(load_ring(*store) == ring);
  }
  const auto store = open_store(scratch / "chash.db");
  CHECK(load_ring(*store) == ring);
  must_commit(*store, ring, {{{{"one-more", 1}}, {"node-5000"}}});
  CHECK(fs::file_size(scratch / "chash.db-wal") < 100'000);
  CHECK(load_ring(*store) == ring);
}

TEST_CASE("sqlite store: random changes, commits and restarts always leave what apply() says") {
  const FailingDisk disk;  // takes no time to sync
  const Scratch scratch;
  constexpr unsigned sequences = 300;
  int commits = 0;
  for (unsigned seed = 0; seed < sequences; ++seed) {
    std::mt19937_64 random(seed);
    const auto path = scratch / ("chash-" + std::to_string(seed) + ".db");
    StoredRing ring = nothing;
    auto store = open_store(path);
    for (int left = 200; left > 0; ++commits) {
      std::vector<Delta> deltas;
      RingSpec spec = ring.spec;
      for (std::size_t i = random() % 6 + 1; i-- > 0 && left > 0; --left) {
        deltas.push_back(random_delta(random, spec));
        spec = apply(std::move(spec), deltas.back());
      }
      must_commit(*store, ring, deltas);
      if (random() % 16 == 0) {
        store.reset();
        store = open_store(path);
      }
      if (random() % 4 == 0) CHECK(load_ring(*store) == ring);
    }
    CHECK(load_ring(*store) == ring);
    store.reset();
    CHECK(load_ring(*open_store(path)) == ring);
  }
  CHECK(commits > 10'000);
}

}  // namespace
}  // namespace chash::store::test
