// The state file as a file: made whole or not at all, opened only if it is ours and sound, and left as it is otherwise.
// What its rows mean is SqliteStore's.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include "chash/result.h"

namespace chash::store {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// On disk: never reuse a number; every step up needs a migration (migrate.cpp) and a test of it.
inline constexpr std::int64_t present_format = 5;

// Together they make the tables of the present format: schema.cpp. Format 4 did not have the latter.
extern const char* const schema;
extern const char* const pin_tables;

// How long a statement waits for somebody who looks with sqlite3(1).
inline constexpr int busy_timeout_ms = 2000;

// Makes `path` with empty tables, unless there is one; its folder must exist. It is built beside its place and then
// renamed: a crash leaves no file or a whole one, so that an empty one is always damage.
// Errors: storage_failed; also when there is a log without its file, which only damage leaves.
Result<void> make_state_file(const std::filesystem::path& path);

// Opens what is there, never makes it. Until begin_writing(), closing does not touch the file either.
// Errors: storage_failed, with what is wrong.
Result<Database> open_state_file(const std::filesystem::path& path);

// Errors: storage_failed.
Result<void> begin_writing(sqlite3* database);

// Copies the log into the main file and syncs that.
// After a failed fsync the kernel may call pages of the log clean that never reached the disk, and a second fsync says
// yes to them; this writes every page anew, to another file.  Errors: storage_failed.
Result<void> copy_log_into_file(sqlite3* database);

// Runs statements that have no rows.  Errors: storage_failed.
Result<void> execute(sqlite3* database, const char* sql);

}  // namespace chash::store
