// Folders and files for the tests of this floor, and rings to put into them.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "chash/ring_spec.h"
#include "store/sqlite_store.h"

// For doctest's messages, and for comparing what was loaded.
namespace chash::service {
inline bool operator==(const StoredRing& a, const StoredRing& b) {
  return a.name == b.name && a.epoch == b.epoch && a.spec == b.spec;
}
}  // namespace chash::service

namespace chash::store::test {

namespace fs = std::filesystem;
using service::StoredRing;

// A folder that is gone when the test ends.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "chash-store-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.flush());
}

// Executes SQL on the file behind the store's back.
inline void tamper(const fs::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  char* message = nullptr;
  const int outcome = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message);
  const std::string why = message == nullptr ? "" : message;
  sqlite3_free(message);
  sqlite3_close(database);
  REQUIRE_MESSAGE(outcome == SQLITE_OK, sql << ": " << why);
}

// How many rows there are of `from`.
inline std::int64_t count(const fs::path& path, const std::string& from) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database, ("SELECT count(*) FROM " + from).c_str(), -1, &statement, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  const std::int64_t rows = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return rows;
}

inline std::unique_ptr<SqliteStore> open_store(const fs::path& path) {
  auto store = SqliteStore::open(path);
  if (!store) FAIL(store.error().message);
  return std::move(*store);
}

inline std::vector<StoredRing> load_all(SqliteStore& store) {
  auto rings = store.load();
  if (!rings) FAIL(rings.error().message);
  return std::move(rings->rings);
}

// The ring "default" as the store has it; epoch 0 and no nodes if it is not there.
inline StoredRing load_ring(SqliteStore& store) {
  for (StoredRing& ring : load_all(store))
    if (ring.name == "default") return std::move(ring);
  return {"default", 0, {}};
}

inline std::uint64_t floor_of(SqliteStore& store) {
  const auto rings = store.load();
  REQUIRE(rings);
  return rings->epoch_floor;
}

inline StoredRing after(StoredRing ring, const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) ring.spec = apply(std::move(ring.spec), delta);
  ring.epoch += deltas.size();
  return ring;
}

// What is remembered of the change that makes this epoch: another one each time.
inline service::ChangeRecord record_of(std::uint64_t epoch) {
  const std::string n = std::to_string(epoch);
  return {"operation-" + n, "who " + n, epoch % 3 == 0 ? "" : "note\n" + n,
          1'000'000 + 1'000 * static_cast<int>(epoch)};
}

// What makes of a ring one after the other.
inline std::vector<service::MadeChange> made_of(const StoredRing& before, const std::vector<Delta>& deltas) {
  std::vector<service::MadeChange> made;
  RingSpec spec = before.spec;
  for (const Delta& delta : deltas) {
    spec = apply(std::move(spec), delta);
    made.push_back({delta, record_of(before.epoch + made.size() + 1), {}, std::make_shared<const RingSpec>(spec)});
  }
  return made;
}

inline Result<void> commit(SqliteStore& store, const StoredRing& before, const std::vector<service::MadeChange>& made) {
  return store.commit({before.name, before.epoch, before.epoch + made.size(), before.epoch, made, before.spec});
}
inline Result<void> commit(SqliteStore& store, const StoredRing& before, const std::vector<Delta>& deltas) {
  return commit(store, before, made_of(before, deltas));
}

// Makes a ring that is not there, as a client would: at its epoch, with all of its nodes.
inline Result<void> create(SqliteStore& store, const StoredRing& ring) {
  const service::MadeChange made{{{ring.spec.nodes.begin(), ring.spec.nodes.end()}, {}},
                                 record_of(ring.epoch),
                                 {},
                                 std::make_shared<const RingSpec>(ring.spec)};
  const RingSpec nothing{ring.spec.profile, {}, {}};
  return store.commit({ring.name, 0, ring.epoch, ring.epoch, {&made, 1}, nothing});
}
inline void must_create(SqliteStore& store, const StoredRing& ring) {
  if (auto ok = create(store, ring); !ok) FAIL(ok.error().message);
}

// Commits, and moves `ring` on.
inline void must_commit(SqliteStore& store, StoredRing& ring, const std::vector<Delta>& deltas) {
  if (auto ok = commit(store, ring, deltas); !ok) FAIL(ok.error().message);
  ring = after(std::move(ring), deltas);
}

// A change that this spec allows: nodes added, removed, or both.
inline Delta random_delta(std::mt19937_64& random, const RingSpec& spec) {
  Delta delta;
  std::vector<std::string> present;
  for (const Node& node : spec.nodes) present.push_back(node.name);
  const auto may_add = [&](const std::string& name) {
    for (const std::string& other : present)
      if (other == name) return false;
    for (const Node& node : delta.added)
      if (node.name == name) return false;
    return true;
  };
  while (delta.empty()) {
    if (random() % 2 == 0)
      for (std::size_t i = random() % 3 + 1; i-- > 0;)
        if (std::string name = "node-" + std::to_string(random() % 20); may_add(name))
          delta.added.push_back({std::move(name), 0.25 * static_cast<double>(random() % 16 + 1)});
    if (random() % 2 == 0)
      for (std::size_t i = random() % 2 + 1; i-- > 0 && !present.empty();) {
        const std::size_t which = random() % present.size();
        delta.removed.push_back(present[which]);
        present.erase(present.begin() + static_cast<std::ptrdiff_t>(which));
      }
  }
  return delta;
}

}  // namespace chash::store::test
