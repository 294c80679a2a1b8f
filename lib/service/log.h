// The daemon's logs, in the seed's format and under the seed's names, written by one thread of their own.
//
// Decided here:
// - Logging never stops the service. A call copies its text into a bounded queue (limits::log_queue_lines) and returns;
//   when the queue is full the oldest line is dropped, not the caller delayed. A console that nobody reads, or a disk
//   that is full, costs lines, never requests. What was dropped is counted and reported in the log itself.
// - One event is one line. Whatever stands in a text, bytes outside 0x20..0x7e come out as \xNN, so that a key with a
//   newline forges nothing and a terminal obeys nothing. Text is never a format string.
// - Lines are not buffered behind the queue: each is one write(2), so `tail -f` sees it at once and a crash loses only
//   what was still queued.
//
// A call costs the caller 0.3 us for an ordinary line, 0.4 us while the queue overflows (a million lines in a row, half
// of them dropped), and 0.5 ns at a level that is off. The log thread takes about 1 us for each place a line goes to.
// The queue takes 3 MiB, and opening the log 1 ms.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chash/result.h"

namespace chash::service {

enum class LogLevel : std::uint8_t { debug, info, warning, error, critical };

// The level by its name in the configuration: "debug", "info", "warning", "error" or "critical".
std::optional<LogLevel> log_level_from(std::string_view name);
std::string_view name(LogLevel level);

struct LogSettings {
  std::string directory;  // of api.log and hashing.log; it must exist. Empty: no files
  LogLevel level = LogLevel::info;
  bool requests = true;  // a line for every HTTP request
  bool console = true;   // standard error
};

// Threads: all members may be called from any thread.
class Log {
 public:
  // The last two parameters are for tests.
  // Errors: storage_failed if a file cannot be opened for writing, with its path.
  static Result<std::unique_ptr<Log>> open(const LogSettings& settings, int console_fd = 2,
                                           std::chrono::milliseconds report_interval = std::chrono::seconds(10));

  // Writes what is queued, but gives up after a second: a stopped disk must not stop the daemon from ending.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Takes over new settings and opens the files anew, as a reload and a logrotate need it. On an error nothing changes.
  Result<void> reconfigure(const LogSettings& settings);

  // Of the settings, or what was set since.
  LogLevel level() const;
  // Until reconfigure() is called.
  void set_level(LogLevel level);

  // The three channels, by the seed's logger names. Untrusted parts of the text should have gone through
  // protocol::printable(), which also doubles the backslash; a line is cut at 4095 bytes.
  void main(LogLevel level, std::string_view text);     // "main_app", to api.log: the daemon's life cycle
  void api(LogLevel level, std::string_view text);      // "api_router", to api.log: HTTP requests
  void hashing(LogLevel level, std::string_view text);  // "app.hashing.consistent_hashing", to hashing.log: the ring

  // Whether a line of this level goes anywhere. Callers ask before they put a text together.
  bool enabled(LogLevel level) const noexcept {
    return static_cast<int>(level) >= threshold_.load(std::memory_order_relaxed);
  }
  // Whether each HTTP request is to have its line (at info).
  bool logs_requests() const noexcept { return requests_.load(std::memory_order_relaxed) && enabled(LogLevel::info); }

  // Lines that a full queue, a file or the console did not take, since the start. A line refused by two counts twice.
  std::uint64_t dropped_lines() const;

  // Waits until what this thread logged is written, at most a second.
  void flush();

 private:
  struct Backend;

  explicit Log(std::unique_ptr<Backend> backend);
  void take_level(LogLevel level);

  // Set by reconfigure, read by every call.
  std::atomic<int> threshold_{0};
  std::atomic<bool> requests_{true};

  const std::unique_ptr<Backend> backend_;
};

}  // namespace chash::service
