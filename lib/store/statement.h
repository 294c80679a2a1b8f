// Statement: one prepared SQL statement. A failure at any step is remembered, so that callers check once.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace chash::store {

class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql) {
    status_ = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The text must live until run() or the last next().
  void bind(int index, std::string_view text) {
    keep(sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC));
  }
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, std::string&& text) {
    keep(sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
  }
  void bind_bytes(int index, std::string_view bytes) {
    keep(sqlite3_bind_blob(statement_, index, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC));
  }
  void bind(int index, std::int64_t number) { keep(sqlite3_bind_int64(statement_, index, number)); }
  void bind(int index, double number) { keep(sqlite3_bind_double(statement_, index, number)); }

  // The next row, or false: then done() tells the end from a failure.
  bool next() {
    if (status_ != SQLITE_OK && status_ != SQLITE_ROW) return false;
    status_ = sqlite3_step(statement_);
    return status_ == SQLITE_ROW;
  }
  bool done() const { return status_ == SQLITE_DONE; }

  // Executes a statement without rows and makes it ready for the next bind.
  bool run() {
    while (next()) continue;
    const bool ok = done();
    sqlite3_reset(statement_);
    if (ok) status_ = SQLITE_OK;
    return ok;
  }

  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  void keep(int status) {
    if (status != SQLITE_OK) status_ = status;
  }

  sqlite3_stmt* statement_ = nullptr;
  int status_ = SQLITE_OK;
};

}  // namespace chash::store
