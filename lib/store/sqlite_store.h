// SqliteStore: membership in one SQLite file, durable before it is answered.
//
// WAL with synchronous=FULL: an fsync for each commit. It is the mode that lost nothing in 53,591 acknowledged writes
// over 60 power cuts; WAL with NORMAL lost 7,120 of 151,367, and DELETE with FULL 2 of 15,218.
//
//   ring(name, epoch, profile, next_position, checksum)     one row a ring
//   node(ring, name, weight, fields, position)              one row a node: a change writes only what it touches
//
// `checksum` covers all that is kept of the ring, so that a damaged row is seen and not served. A
// file that cannot be read, is damaged, or was written by a newer chash is refused and left exactly as it is.
//
// A damaged log is another thing: SQLite ends it at the first frame that does not fit, because that is what a power cut
// leaves. settle() copies it into the main file, so that nothing is in the log alone for long.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "service/store.h"
#include "store/ring_rows.h"
#include "store/state_file.h"

namespace chash::store {

class SqliteStore final : public service::Store {
 public:
  // Opens or creates `path`; its folder must exist.
  // Errors: storage_failed, naming the file and what is wrong with it.
  static Result<std::unique_ptr<SqliteStore>> open(std::filesystem::path path);
  ~SqliteStore() override;

  Result<service::StoredRings> load() override;
  // After a failed commit the file is closed, and opened and checked anew before the next: SQLite's view of what
  // reached the disk is not to be trusted once an fsync has failed.
  Result<void> commit(const service::Commit& commit) override;
  Result<void> remove(std::string_view ring, std::uint64_t expected_epoch) override;
  void settle() override;
  protocol::Status::StoreState state() const override;

 private:
  explicit SqliteStore(std::filesystem::path path) : path_(std::move(path)) {}

  Result<void> reopen();
  using Write = std::function<bool(sqlite3*, const Head&)>;
  Result<void> transaction(std::string_view ring, std::uint64_t expected_epoch, const Write& write);
  Result<void> try_transaction(std::string_view ring, std::uint64_t expected_epoch, const Write& write);
  Error refused(const Error& why) const;
  Error failed(std::string_view doing, std::string_view why) const;

  std::filesystem::path path_;
  Database database_;  // null after a failed commit
  std::atomic<bool> writable_{true};
  std::atomic<std::uint64_t> commits_{0};
};

}  // namespace chash::store
