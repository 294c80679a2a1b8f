// Where log lines end up: a file that starts anew at midnight, and the console. Only the log thread writes here, and it
// must neither throw nor wait: a line that cannot be written now is dropped and counted.
//
// spdlog's own sinks do not fit. daily_file_sink names the current file by its day (the seed, and `tail -f`, know it as
// api.log) and throws at a full disk; the stderr sink waits for whoever reads the other end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/sinks/base_sink.h>

#include "chash/result.h"

namespace chash::service {

// The longest line with its newline. One byte less than PIPE_BUF, for the newline that may have to go before it: a pipe
// takes a write of PIPE_BUF whole or not at all.
inline constexpr std::size_t log_line_bytes = 4095;

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept { return std::swap(fd_, other.fd_), *this; }
  ~OwnedFd();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Takes whole lines. After a write that stopped half way the next line begins with a newline, so that the two cannot be
// read as one.
class LineWriter {
 public:
  LineWriter() = default;
  LineWriter(OwnedFd fd, bool is_socket, bool mid_line)
      : fd_(std::move(fd)), is_socket_(is_socket), mid_line_(mid_line) {}

  // `text` is a newline, then the line with its own newline. False if not all of it was taken.
  bool write(std::string_view text);
  int fd() const noexcept { return fd_.get(); }

 private:
  OwnedFd fd_;
  bool is_socket_ = false;
  bool mid_line_ = false;
};

// `<directory>/<name>`, holding the lines of one local day. The first line of a later day renames it to
// `<name>.YYYY-MM-DD`, the day it holds, and starts a new one; limits::log_files_kept of those stay. A file found at
// the start is taken to hold the day of its last change.
class LogFile {
 public:
  // Errors: storage_failed if it cannot be opened for appending, or is no regular file.
  static Result<LogFile> open(std::string directory, std::string name);

  // As LineWriter::write. The day is read from the line as printed, so that file and line cannot disagree.
  bool write(std::string_view text);

 private:
  LogFile(std::string directory, std::string name) : directory_(std::move(directory)), name_(std::move(name)) {}

  std::string path() const { return directory_ + '/' + name_; }
  void rotate(std::string_view day);
  void remove_oldest() const;
  void try_reopen();

  std::string directory_, name_;
  std::string day_;  // YYYY-MM-DD; empty while the file is empty
  LineWriter out_;   // always open: an old file is better than none
  bool reopen_wanted_ = false;
  std::chrono::steady_clock::time_point next_reopen_{};
};

class MidnightFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  MidnightFileSink();

  // Goes on in this file; nullopt: writes nothing.
  void use(std::optional<LogFile> file);
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override;
  void flush_() override {}

  std::optional<LogFile> file_;  // guarded by the sink's mutex
  std::atomic<std::uint64_t> dropped_{0};
};

// Writes to a descriptor that somebody else reads, or has stopped reading.
class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Keeps a descriptor of its own for what `fd` is now. If `fd` is closed there is no console, and nothing is counted.
  explicit ConsoleSink(int fd);

  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override;
  void flush_() override {}

  LineWriter out_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace chash::service
