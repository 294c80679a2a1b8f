#include "store/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "store/statement.h"

namespace chash::store {
namespace {

namespace fs = std::filesystem;

// "chsh": file(1) and we tell our files from others by it.
constexpr std::int64_t application_id = 0x63687368;
constexpr std::int64_t oldest_format = 1;

fs::path beside(fs::path path, const char* ending) { return path += ending; }

Error failed(std::string message) { return make_error(Errc::storage_failed, std::move(message)); }
Error failed_system_call() { return failed(std::strerror(errno)); }

bool sync_path(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = fsync(descriptor) == 0;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return synced;
}

Result<Database> open_database(const fs::path& path) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  const int outcome = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (outcome != SQLITE_OK) return failed(sqlite3_errstr(outcome));
  sqlite3_busy_timeout(opened, busy_timeout_ms);
  return database;
}

Result<void> fill_new_file(const fs::path& path) {
  // SQLite gives its log and index the mode of the main file, and would leave that to the umask.
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made < 0) return failed_system_call();
  ::close(made);
  auto database = open_database(path);
  if (!database) return std::move(database).error();
  const std::string sql =
      "PRAGMA synchronous = FULL; BEGIN; PRAGMA application_id = " + std::to_string(application_id) +
      "; PRAGMA user_version = " + std::to_string(present_format) + ';' + schema + pin_tables + "COMMIT";
  if (auto ok = execute(database->get(), sql.c_str()); !ok) return ok;
  database->reset();
  if (!sync_path(path, O_RDWR)) return failed_system_call();
  return {};
}

// SQLite takes a file of less than a page for an empty one, and would fill it.
Result<void> check_first_bytes(const fs::path& path) {
  constexpr std::string_view magic("SQLite format 3\0", 16);
  std::array<char, magic.size()> head;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return failed_system_call();
  const ssize_t size = ::read(file, head.data(), head.size());
  const int reason = errno;
  ::close(file);
  if (size < 0) return failed(std::strerror(reason));
  if (size == 0) return failed("it is empty");
  if (std::string_view(head.data(), static_cast<std::size_t>(size)) == magic) return {};
  return failed("it is not a state file of chash");
}

Result<std::int64_t> pragma(sqlite3* database, const char* name) {
  Statement statement(database, std::string("PRAGMA ") + name);
  if (!statement.next()) return failed(sqlite3_errmsg(database));
  return statement.integer(0);
}

Result<void> check_structure(sqlite3* database) {
  Statement statement(database, "PRAGMA integrity_check(1)");
  if (!statement.next()) return failed(sqlite3_errmsg(database));
  if (statement.text(0) != "ok") return failed("it is damaged: " + statement.text(0));
  return {};
}

Result<void> check_is_ours(sqlite3* database) {
  const auto id = pragma(database, "application_id");
  if (!id) return id.error();
  if (*id != application_id) return failed("it is not a state file of chash");
  const auto version = pragma(database, "user_version");
  if (!version) return version.error();
  if (*version > present_format)
    return failed("it was written by a newer chash (format " + std::to_string(*version) + "; this one reads up to " +
                  std::to_string(present_format) + ")");
  if (*version < oldest_format) return failed("it has no known format");
  // Forbidden by its mode, its file system, or by a damaged byte of its head.
  if (sqlite3_db_readonly(database, "main") != 0) return failed("it can be read, but not written");
  return check_structure(database);
}

}  // namespace

Result<void> make_state_file(const fs::path& path) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) return {};
  if (error && error != std::errc::no_such_file_or_directory) return failed(error.message());
  const fs::path log = beside(path, "-wal");
  if (fs::exists(fs::symlink_status(log, error)))
    return failed("it is gone, but its log " + log.string() + " is there");

  const fs::path unfinished = beside(path, ".new");
  for (const char* ending : {"", "-journal"}) fs::remove(beside(unfinished, ending), error);
  if (auto ok = fill_new_file(unfinished); !ok) return ok;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (std::rename(unfinished.c_str(), path.c_str()) != 0 || !sync_path(folder, O_RDONLY | O_DIRECTORY))
    return failed_system_call();
  return {};
}

Result<Database> open_state_file(const fs::path& path) {
  if (auto ok = check_first_bytes(path); !ok) return std::move(ok).error();
  auto database = open_database(path);
  if (!database) return database;
  // Until the file has shown itself sound, closing it must not write the log back into it.
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto ok = check_is_ours(database->get()); !ok) return std::move(ok).error();
  return database;
}

Result<void> begin_writing(sqlite3* database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  // SQLite 3.40 leaves a transaction open when it turns to WAL after an integrity check; an empty one closes it.
  return execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT");
}

Result<void> copy_log_into_file(sqlite3* database) {
  Statement statement(database, "PRAGMA wal_checkpoint(TRUNCATE)");
  if (!statement.next()) return failed(std::string("its log cannot be written back: ") + sqlite3_errmsg(database));
  if (statement.integer(0) != 0) return failed("its log cannot be written back while another program reads it");
  return {};
}

Result<void> execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return failed(sqlite3_errmsg(database));
}

}  // namespace chash::store
