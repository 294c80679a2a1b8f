#include "store/sqlite_store.h"

#include <sqlite3.h>

#include <string>

#include "store/history_rows.h"
#include "store/ring_rows.h"
#include "store/state_file.h"

namespace chash::store {
namespace {

std::int64_t to_row(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::string quoted(std::string_view ring) { return "'" + std::string(ring) + "'"; }

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::filesystem::path path, std::uint64_t history) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(path), history));
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

template <class Read>
auto SqliteStore::looking(Read read) -> decltype(read(static_cast<sqlite3*>(nullptr))) {
  const std::lock_guard lock(mutex_);
  if (!database_)
    if (auto ok = reopen(); !ok) return std::move(ok).error();
  auto found = read(database_.get());
  if (!found && found.error().code == Errc::storage_failed) return failed("read", found.error().message);
  return found;
}

Result<service::StoredRings> SqliteStore::load() {
  return looking([](sqlite3* database) { return read_rings(database); });
}

Result<void> SqliteStore::commit(const service::Commit& commit) {
  const std::lock_guard lock(mutex_);
  return transaction(commit.ring, commit.expected_epoch,
                     [&](sqlite3* database, const Head& head) { return write_commit(database, commit, head); });
}

bool SqliteStore::write_commit(sqlite3* database, const service::Commit& commit, Head head) const {
  if (commit.expected_epoch == 0) head.first = head.oldest = to_row(commit.first);
  head.epoch = to_row(commit.epoch - commit.changes.size());
  const RingSpec* before = &commit.before;
  for (const service::MadeChange& change : commit.changes) {
    ++head.epoch;
    const bool has_slots = !before->slots.empty() || !change.after->slots.empty();
    Step step{*before, head.nodes};
    const auto were = has_slots ? read_positions(database, commit.ring) : Positions();
    if (!were || !write_delta(database, commit.ring, change.delta, head)) return false;
    const auto are = has_slots ? read_positions(database, commit.ring) : Positions();
    if (!are) return false;
    step.nodes_after = head.nodes;
    step.slots_taken = slots_taken(*before, *were, *change.after, *are);
    if (!write_change(database, commit.ring, head.epoch, change, step)) return false;
    if (!change.request.id.empty() && !write_request(database, change.request, limits::remembered_requests))
      return false;
    before = change.after.get();
  }
  if (const std::int64_t oldest = head.epoch - to_row(history_); oldest > head.oldest) {
    head.oldest = oldest;
    if (!forget(database, commit.ring, oldest)) return false;
  }
  return write_head(database, commit.ring, head, *before);
}

Result<void> SqliteStore::remove(std::string_view ring, std::uint64_t expected_epoch,
                                 const service::AnsweredRequest& request) {
  const std::lock_guard lock(mutex_);
  return transaction(ring, expected_epoch, [&](sqlite3* database, const Head& head) {
    return erase_ring(database, ring, head.epoch) &&
           (request.id.empty() || write_request(database, request, limits::remembered_requests));
  });
}

Result<std::optional<service::AnsweredRequest>> SqliteStore::find_request(std::string_view id) {
  return looking([&](sqlite3* database) { return read_request(database, id); });
}

Result<service::HistoryExtent> SqliteStore::extent(std::string_view ring) {
  return looking([&](sqlite3* database) -> Result<service::HistoryExtent> {
    const auto head = read_head(database, ring);
    if (!head) return head.error();
    if (head->epoch == 0) return make_error(Errc::not_found, "no ring " + quoted(ring));
    return service::HistoryExtent{static_cast<std::uint64_t>(head->first), static_cast<std::uint64_t>(head->oldest)};
  });
}

Result<std::vector<service::PastChange>> SqliteStore::changes(std::string_view ring, std::uint64_t first,
                                                              std::uint64_t last) {
  return looking([&](sqlite3* database) -> Result<std::vector<service::PastChange>> {
    const auto head = read_head(database, ring);
    if (!head) return head.error();
    return read_changes(database, ring, *head, to_row(first), to_row(last));
  });
}

Result<RingSpec> SqliteStore::spec_at(std::string_view ring, std::uint64_t epoch) {
  return looking([&](sqlite3* database) -> Result<RingSpec> {
    const auto head = read_head(database, ring);
    if (!head) return head.error();
    if (head->epoch == 0) return make_error(Errc::not_found, "no ring " + quoted(ring));
    if (epoch > static_cast<std::uint64_t>(head->epoch))
      return make_error(Errc::not_found, "ring " + quoted(ring) + " has not come to epoch " + std::to_string(epoch) +
                                             ": it is at " + std::to_string(head->epoch));
    if (to_row(epoch) < head->oldest)
      return make_error(Errc::not_found, "epoch " + std::to_string(epoch) + " of ring " + quoted(ring) +
                                             " is not known: its history begins at epoch " +
                                             std::to_string(head->oldest));
    return read_spec_at(database, ring, *head, to_row(epoch));
  });
}

Result<std::uint64_t> SqliteStore::epoch_at(std::string_view ring, std::int64_t time_ms) {
  return looking([&](sqlite3* database) -> Result<std::uint64_t> {
    const auto head = read_head(database, ring);
    if (!head) return head.error();
    if (head->epoch == 0) return make_error(Errc::not_found, "no ring " + quoted(ring));
    const auto epoch = read_epoch_at(database, ring, *head, time_ms);
    if (!epoch) return epoch.error();
    if (*epoch) return static_cast<std::uint64_t>(**epoch);
    // Before its first change the default ring was empty; others were not there.
    if (head->first == 0 && head->oldest == 0) return std::uint64_t{0};
    return make_error(Errc::not_found, "ring " + quoted(ring) + " is not known to have been there at that time",
                      "its history begins at epoch " + std::to_string(head->oldest));
  });
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
  const std::lock_guard lock(mutex_);
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
