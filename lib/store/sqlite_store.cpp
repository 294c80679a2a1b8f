#include "store/sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "store/statement.h"

namespace chash::store {
namespace {

// "chsh": file(1) and we tell our files from others by it.
constexpr std::int64_t application_id = 0x63687368;
// Of the tables below. On disk: never reuse a number; every step up needs a migration here and a test of it.
constexpr std::int64_t schema_version = 1;

constexpr const char* schema = R"sql(
  PRAGMA application_id = 1667789672;
  PRAGMA user_version = 1;
  CREATE TABLE ring(
    name TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    vnodes INTEGER NOT NULL,
    next_position INTEGER NOT NULL,
    checksum TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE node(
    ring TEXT NOT NULL,
    name TEXT NOT NULL,
    weight REAL NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY(ring, name)
  ) STRICT, WITHOUT ROWID;
)sql";

std::string hex(Token token) {
  std::string text;
  for (int shift = 124; shift >= 0; shift -= 4) text += "0123456789abcdef"[static_cast<unsigned>(token >> shift & 15)];
  return text;
}

// Of all that is kept of a ring: name, epoch, what decides placement, and the order in which nodes are listed.
std::string checksum(std::string_view ring, std::uint64_t epoch, const RingSpec& spec) {
  std::string text = std::string(ring) + '\n' + std::to_string(epoch) + '\n' + hex(fingerprint(spec));
  for (const Node& node : spec.nodes) text += '\n' + node.name;
  return hex(xxh3_128(text));
}

// SQLite takes a file of less than a page for an empty one, and would fill it.
Result<void> check_head(const std::filesystem::path& path) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  std::array<char, magic.size()> head;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0)
    return errno == ENOENT ? Result<void>() : Result<void>(make_error(Errc::storage_failed, std::strerror(errno)));
  const ssize_t size = ::read(file, head.data(), head.size());
  ::close(file);
  if (size < 0) return make_error(Errc::storage_failed, std::strerror(errno));
  if (size == 0 || std::string_view(head.data(), static_cast<std::size_t>(size)) == magic) return {};
  return make_error(Errc::storage_failed, "it is not a state file of chash");
}

Result<void> execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return make_error(Errc::storage_failed, sqlite3_errmsg(database));
}

Result<std::int64_t> pragma(sqlite3* database, const char* name) {
  Statement statement(database, std::string("PRAGMA ") + name);
  if (!statement.next()) return make_error(Errc::storage_failed, sqlite3_errmsg(database));
  return statement.integer(0);
}

Result<void> check_structure(sqlite3* database) {
  Statement statement(database, "PRAGMA quick_check(1)");
  if (!statement.next()) return make_error(Errc::storage_failed, sqlite3_errmsg(database));
  if (statement.text(0) != "ok") return make_error(Errc::storage_failed, "it is damaged: " + statement.text(0));
  return {};
}

// Ours and readable, or empty and ours to fill. Reads only.
Result<bool> check_is_ours(sqlite3* database) {
  const auto pages = pragma(database, "page_count");
  if (!pages) return pages.error();
  if (*pages == 0) return false;
  const auto id = pragma(database, "application_id");
  if (!id) return id.error();
  const auto version = pragma(database, "user_version");
  if (!version) return version.error();
  // A first start that was cut short leaves a head and nothing behind it.
  if (*id == 0 && *version == 0) {
    Statement tables(database, "SELECT count(*) FROM sqlite_schema");
    if (tables.next() && tables.integer(0) == 0) return false;
  }
  if (*id != application_id) return make_error(Errc::storage_failed, "it is not a state file of chash");
  if (*version > schema_version)
    return make_error(Errc::storage_failed, "it was written by a newer chash (format " + std::to_string(*version) +
                                                "; this one reads up to " + std::to_string(schema_version) + ")");
  if (*version < schema_version) return make_error(Errc::storage_failed, "it has no known format");
  if (auto ok = check_structure(database); !ok) return ok.error();
  return true;
}

Result<RingSpec> load_spec(sqlite3* database, const std::string& ring, std::int64_t vnodes) {
  if (vnodes < 1 || vnodes > 1'000'000) return make_error(Errc::storage_failed, "it is damaged: a number of vnodes");
  RingSpec spec{static_cast<std::uint32_t>(vnodes), {}};
  Statement nodes(database, "SELECT name, weight FROM node WHERE ring = ?1 ORDER BY position");
  nodes.bind(1, ring);
  while (nodes.next()) {
    Node node{nodes.text(0), nodes.real(1)};
    if (!check_node_name(node.name) || !(node.weight > 0 && node.weight <= limits::max_weight))
      return make_error(Errc::storage_failed, "it is damaged: a node's name or weight");
    spec.nodes.push_back(std::move(node));
  }
  if (!nodes.done()) return make_error(Errc::storage_failed, sqlite3_errmsg(database));
  return spec;
}

Result<std::vector<service::StoredRing>> load_rings(sqlite3* database) {
  std::vector<service::StoredRing> found;
  Statement rings(database, "SELECT name, epoch, vnodes, checksum FROM ring ORDER BY name");
  while (rings.next()) {
    service::StoredRing ring{rings.text(0), static_cast<std::uint64_t>(rings.integer(1)), {}};
    auto spec = load_spec(database, ring.name, rings.integer(2));
    if (!spec) return std::move(spec).error();
    if (rings.text(3) != checksum(ring.name, ring.epoch, *spec))
      return make_error(Errc::storage_failed, "it is damaged: the checksum of ring '" + ring.name + "' does not fit");
    ring.spec = std::move(*spec);
    found.push_back(std::move(ring));
  }
  if (!rings.done()) return make_error(Errc::storage_failed, sqlite3_errmsg(database));
  return found;
}

// After a failed fsync the kernel may call pages clean that never reached the disk, and a second fsync of the same file
// says yes to them. Copying the log into the main file writes every page anew and syncs that file instead.
Result<void> copy_log_into_file(sqlite3* database) {
  Statement statement(database, "PRAGMA wal_checkpoint(TRUNCATE)");
  if (statement.next() && statement.integer(0) == 0) return {};
  return make_error(Errc::storage_failed, std::string("its log cannot be written back: ") + sqlite3_errmsg(database));
}

// What the row of a ring says of its history; all zero for a ring that is not there yet.
struct Head {
  std::int64_t epoch = 0;
  std::int64_t next_position = 0;
};

Result<Head> read_head(sqlite3* database, std::string_view ring) {
  Statement row(database, "SELECT epoch, next_position FROM ring WHERE name = ?1");
  row.bind(1, ring);
  if (row.next()) return Head{row.integer(0), row.integer(1)};
  if (row.done()) return Head{};
  return make_error(Errc::storage_failed, sqlite3_errmsg(database));
}

bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec) {
  Statement row(database,
                "INSERT INTO ring(name, epoch, vnodes, next_position, checksum) VALUES(?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT(name) DO UPDATE SET epoch = ?2, vnodes = ?3, next_position = ?4, checksum = ?5");
  row.bind(1, ring);
  row.bind(2, head.epoch);
  row.bind(3, std::int64_t{spec.vnodes});
  row.bind(4, head.next_position);
  row.bind(5, checksum(ring, static_cast<std::uint64_t>(head.epoch), spec));
  return row.run();
}

bool write_delta(sqlite3* database, std::string_view ring, const Delta& delta, std::int64_t& next_position) {
  Statement erase(database, "DELETE FROM node WHERE ring = ?1 AND name = ?2");
  for (const std::string& name : delta.removed) {
    erase.bind(1, ring);
    erase.bind(2, name);
    if (!erase.run()) return false;
  }
  Statement insert(database, "INSERT INTO node(ring, name, weight, position) VALUES(?1, ?2, ?3, ?4)");
  for (const Node& node : delta.added) {
    insert.bind(1, ring);
    insert.bind(2, node.name);
    insert.bind(3, node.weight);
    insert.bind(4, next_position++);
    if (!insert.run()) return false;
  }
  return true;
}

}  // namespace

void SqliteStore::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::filesystem::path path) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(path)));
  if (auto ok = store->reopen(); !ok) return std::move(ok).error();
  return store;
}

SqliteStore::~SqliteStore() = default;

Result<void> SqliteStore::reopen() {
  database_.reset();
  const auto refused = [&](const Error& why) {
    database_.reset();
    return make_error(Errc::storage_failed, "cannot use the state file " + path_.string() + ": " + why.message,
                      "it was left as it is; move it away or restore it from a backup");
  };
  if (auto ok = check_head(path_); !ok) return refused(ok.error());
  // SQLite gives its log and index the mode of the main file, and that would be the umask's choice.
  if (const int made = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600); made >= 0)
    ::close(made);
  sqlite3* opened = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  const int outcome = sqlite3_open_v2(path_.c_str(), &opened, flags, nullptr);
  database_.reset(opened);
  if (outcome != SQLITE_OK) return refused(make_error(Errc::storage_failed, sqlite3_errstr(outcome)));
  sqlite3_busy_timeout(opened, 2000);  // somebody may be looking with sqlite3(1)

  // Until the file has shown itself sound, closing it must not write the log back into it.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  auto ours = check_is_ours(opened);
  if (!ours) return refused(ours.error());
  if (*ours)
    if (auto rings = load_rings(opened); !rings) return refused(rings.error());
  sqlite3_db_config(opened, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);

  if (auto ok = execute(opened, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"); !ok)
    return refused(ok.error());
  if (!*ours)
    if (auto ok = execute(opened, ("BEGIN IMMEDIATE;" + std::string(schema) + "COMMIT").c_str()); !ok)
      return refused(ok.error());
  if (suspect_)
    if (auto ok = copy_log_into_file(opened); !ok) return refused(ok.error());
  suspect_ = false;
  return {};
}

Result<std::vector<service::StoredRing>> SqliteStore::load() {
  if (!database_)
    if (auto ok = reopen(); !ok) return std::move(ok).error();
  auto rings = load_rings(database_.get());
  if (!rings) return failed("read");
  return rings;
}

Result<void> SqliteStore::commit(const service::Commit& commit) {
  Result<void> outcome = database_ ? Result<void>() : reopen();
  if (outcome) outcome = write(commit);
  if (outcome) {
    commits_.fetch_add(1, std::memory_order_relaxed);
  } else if (outcome.error().code != Errc::conflict && database_) {
    sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database_.reset();
    suspect_ = true;
  }
  writable_.store(outcome || outcome.error().code == Errc::conflict, std::memory_order_relaxed);
  return outcome;
}

Result<void> SqliteStore::write(const service::Commit& commit) {
  sqlite3* database = database_.get();
  if (!execute(database, "BEGIN IMMEDIATE")) return failed("begin a change in");
  auto head = read_head(database, commit.ring);
  if (!head) return failed("read");
  if (head->epoch != static_cast<std::int64_t>(commit.expected_epoch)) {
    if (!execute(database, "ROLLBACK")) return failed("leave");
    return make_error(Errc::conflict, "the state file is at epoch " + std::to_string(head->epoch));
  }
  for (const Delta& delta : commit.deltas)
    if (!write_delta(database, commit.ring, delta, head->next_position)) return failed("write");
  head->epoch += static_cast<std::int64_t>(commit.deltas.size());
  if (!write_head(database, commit.ring, *head, commit.after)) return failed("write");
  if (!execute(database, "COMMIT")) return failed("commit to");
  return {};
}

protocol::Status::StoreState SqliteStore::state() const {
  return {"sqlite", path_.string(), writable_.load(std::memory_order_relaxed),
          commits_.load(std::memory_order_relaxed)};
}

Error SqliteStore::failed(std::string_view doing) const {
  return make_error(
      Errc::storage_failed,
      "cannot " + std::string(doing) + " the state file " + path_.string() + ": " + sqlite3_errmsg(database_.get()),
      "look-ups go on; see whether the disk is full or failing, then try again");
}

}  // namespace chash::store
