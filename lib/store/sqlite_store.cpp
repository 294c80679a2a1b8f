#include "store/sqlite_store.h"

#include <sqlite3.h>

#include <string>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "store/state_file.h"
#include "store/statement.h"

namespace chash::store {
namespace {

// What the row of a ring says of its history; all zero for a ring that is not there yet.
struct Head {
  std::int64_t epoch = 0;
  std::int64_t next_position = 0;
};

// Of all that is kept of a ring: name, history, what decides placement, and the order in which nodes are listed.
std::string checksum(std::string_view ring, const Head& head, const RingSpec& spec) {
  std::string text = std::string(ring) + '\n' + std::to_string(head.epoch) + '\n' + std::to_string(head.next_position) +
                     '\n' + hex(fingerprint(spec));
  for (const Node& node : spec.nodes) text += '\n' + node.name;
  return hex(xxh3_128(text));
}

Error damaged(const std::string& what) { return make_error(Errc::storage_failed, "it is damaged: " + what); }
Error cannot_read(sqlite3* database) { return make_error(Errc::storage_failed, sqlite3_errmsg(database)); }

Result<RingSpec> load_spec(sqlite3* database, const std::string& ring, const Head& head, std::int64_t vnodes) {
  if (vnodes < 1 || vnodes > limits::vnodes) return damaged("the number of vnodes of ring '" + ring + "'");
  RingSpec spec{static_cast<std::uint32_t>(vnodes), {}};
  Statement nodes(database, "SELECT name, weight, position FROM node WHERE ring = ?1 ORDER BY position");
  nodes.bind(1, ring);
  std::int64_t next_position = 0;
  while (nodes.next()) {
    Node node{nodes.text(0), nodes.real(1)};
    if (!check_node_name(node.name) || !(node.weight > 0 && node.weight <= limits::max_weight))
      return damaged("a node's name or weight in ring '" + ring + "'");
    if (nodes.integer(2) < next_position) return damaged("the order of the nodes of ring '" + ring + "'");
    next_position = nodes.integer(2) + 1;
    spec.nodes.push_back(std::move(node));
  }
  if (!nodes.done()) return cannot_read(database);
  if (next_position > head.next_position) return damaged("the order of the nodes of ring '" + ring + "'");
  return spec;
}

Result<std::vector<service::StoredRing>> load_rings(sqlite3* database) {
  std::vector<service::StoredRing> found;
  Statement rings(database, "SELECT name, epoch, next_position, vnodes, checksum FROM ring ORDER BY name");
  while (rings.next()) {
    const Head head{rings.integer(1), rings.integer(2)};
    service::StoredRing ring{rings.text(0), static_cast<std::uint64_t>(head.epoch), {}};
    auto spec = load_spec(database, ring.name, head, rings.integer(3));
    if (!spec) return std::move(spec).error();
    if (rings.text(4) != checksum(ring.name, head, *spec))
      return damaged("the checksum of ring '" + ring.name + "' does not fit");
    ring.spec = std::move(*spec);
    found.push_back(std::move(ring));
  }
  if (!rings.done()) return cannot_read(database);
  Statement orphan(database, "SELECT name FROM node WHERE ring NOT IN (SELECT name FROM ring) LIMIT 1");
  if (orphan.next()) return damaged("node '" + orphan.text(0) + "' is in no ring");
  if (!orphan.done()) return cannot_read(database);
  return found;
}

Result<Head> read_head(sqlite3* database, std::string_view ring) {
  Statement row(database, "SELECT epoch, next_position FROM ring WHERE name = ?1");
  row.bind(1, ring);
  if (row.next()) return Head{row.integer(0), row.integer(1)};
  if (row.done()) return Head{};
  return cannot_read(database);
}

bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec) {
  Statement row(database,
                "INSERT INTO ring(name, epoch, vnodes, next_position, checksum) VALUES(?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT(name) DO UPDATE SET epoch = ?2, vnodes = ?3, next_position = ?4, checksum = ?5");
  row.bind(1, ring);
  row.bind(2, head.epoch);
  row.bind(3, std::int64_t{spec.vnodes});
  row.bind(4, head.next_position);
  row.bind(5, checksum(ring, head, spec));
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

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::filesystem::path path) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(path)));
  if (auto ok = make_state_file(store->path_); !ok) return store->refused(ok.error());
  if (auto ok = store->reopen(); !ok) return std::move(ok).error();
  return store;
}

SqliteStore::~SqliteStore() = default;

Result<void> SqliteStore::reopen() {
  database_.reset();
  auto database = open_state_file(path_);
  if (!database) return refused(database.error());
  if (auto rings = load_rings(database->get()); !rings) return refused(rings.error());
  if (auto ok = begin_writing(database->get()); !ok) return refused(ok.error());
  // A sync may have failed: ours, or that of a daemon before us.
  if (auto ok = copy_log_into_file(database->get()); !ok) {
    sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return refused(ok.error());
  }
  database_ = std::move(*database);
  return {};
}

Result<std::vector<service::StoredRing>> SqliteStore::load() {
  if (!database_)
    if (auto ok = reopen(); !ok) return std::move(ok).error();
  auto rings = load_rings(database_.get());
  if (!rings) return failed("read", rings.error().message);
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
  }
  writable_.store(outcome || outcome.error().code == Errc::conflict, std::memory_order_relaxed);
  return outcome;
}

Result<void> SqliteStore::write(const service::Commit& commit) {
  sqlite3* database = database_.get();
  int moved = 0;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
    return make_error(Errc::storage_failed, "the state file " + path_.string() + " was moved away or removed",
                      "look-ups go on; put it back, then try again");
  const auto failed_at = [&](std::string_view doing) { return failed(doing, sqlite3_errmsg(database)); };
  if (!execute(database, "BEGIN IMMEDIATE")) return failed_at("begin a change in");
  auto head = read_head(database, commit.ring);
  if (!head) return failed_at("read");
  if (head->epoch != static_cast<std::int64_t>(commit.expected_epoch)) {
    if (!execute(database, "ROLLBACK")) return failed_at("leave");
    return make_error(Errc::conflict, "the state file is at epoch " + std::to_string(head->epoch));
  }
  for (const Delta& delta : commit.deltas)
    if (!write_delta(database, commit.ring, delta, head->next_position)) return failed_at("write");
  head->epoch += static_cast<std::int64_t>(commit.deltas.size());
  if (!write_head(database, commit.ring, *head, commit.after)) return failed_at("write");
  if (!execute(database, "COMMIT")) return failed_at("commit to");
  return {};
}

void SqliteStore::settle() {
  if (!database_) return;
  sqlite3_busy_timeout(database_.get(), 0);  // changes are not to wait for somebody who reads with sqlite3(1)
  // What fails here fails again, and is told, at the next commit or start.
  (void)copy_log_into_file(database_.get());
  sqlite3_busy_timeout(database_.get(), busy_timeout_ms);
}

protocol::Status::StoreState SqliteStore::state() const {
  return {"sqlite", path_.string(), writable_.load(std::memory_order_relaxed),
          commits_.load(std::memory_order_relaxed)};
}

Error SqliteStore::refused(const Error& why) const {
  return make_error(Errc::storage_failed, "cannot use the state file " + path_.string() + ": " + why.message,
                    "it was left as it is; move it away or restore it from a backup");
}

Error SqliteStore::failed(std::string_view doing, std::string_view why) const {
  return make_error(Errc::storage_failed,
                    "cannot " + std::string(doing) + " the state file " + path_.string() + ": " + std::string(why),
                    "look-ups go on; see whether the disk is full or failing, then try again");
}

}  // namespace chash::store
