#include "store/sqlite_store.h"

#include <sqlite3.h>

#include <string>

#include "store/ring_rows.h"
#include "store/state_file.h"

namespace chash::store {
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
  if (auto ok = migrate(database->get()); !ok) return refused(ok.error());
  if (auto rings = read_rings(database->get()); !rings) return refused(rings.error());
  if (auto ok = begin_writing(database->get()); !ok) return refused(ok.error());
  // A sync may have failed: ours, or that of a daemon before us.
  if (auto ok = copy_log_into_file(database->get()); !ok) {
    sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return refused(ok.error());
  }
  database_ = std::move(*database);
  return {};
}

Result<service::StoredRings> SqliteStore::load() {
  if (!database_)
    if (auto ok = reopen(); !ok) return std::move(ok).error();
  auto rings = read_rings(database_.get());
  if (!rings) return failed("read", rings.error().message);
  return rings;
}

Result<void> SqliteStore::commit(const service::Commit& commit) {
  return transaction(commit.ring, commit.expected_epoch, [&](sqlite3* database, Head head) {
    for (const Delta& delta : commit.deltas)
      if (!write_delta(database, commit.ring, delta, head)) return false;
    head.epoch = static_cast<std::int64_t>(commit.epoch);
    return write_head(database, commit.ring, head, commit.after);
  });
}

Result<void> SqliteStore::remove(std::string_view ring, std::uint64_t expected_epoch) {
  return transaction(ring, expected_epoch,
                     [&](sqlite3* database, const Head& head) { return erase_ring(database, ring, head.epoch); });
}

Result<void> SqliteStore::transaction(std::string_view ring, std::uint64_t expected_epoch, const Write& write) {
  Result<void> outcome = database_ ? Result<void>() : reopen();
  if (outcome) outcome = try_transaction(ring, expected_epoch, write);
  if (outcome) {
    commits_.fetch_add(1, std::memory_order_relaxed);
  } else if (outcome.error().code != Errc::conflict && database_) {
    sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    database_.reset();
  }
  writable_.store(outcome || outcome.error().code == Errc::conflict, std::memory_order_relaxed);
  return outcome;
}

Result<void> SqliteStore::try_transaction(std::string_view ring, std::uint64_t expected_epoch, const Write& write) {
  sqlite3* database = database_.get();
  int moved = 0;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
    return make_error(Errc::storage_failed, "the state file " + path_.string() + " was moved away or removed",
                      "look-ups go on; put it back, then try again");
  const auto failed_at = [&](std::string_view doing) { return failed(doing, sqlite3_errmsg(database)); };
  if (!execute(database, "BEGIN IMMEDIATE")) return failed_at("begin a change in");
  const auto head = read_head(database, ring);
  if (!head) return failed_at("read");
  if (head->epoch != static_cast<std::int64_t>(expected_epoch)) {
    if (!execute(database, "ROLLBACK")) return failed_at("leave");
    return make_error(Errc::conflict, "the state file is at epoch " + std::to_string(head->epoch));
  }
  if (!write(database, *head)) return failed_at("write");
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
