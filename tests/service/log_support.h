// What the tests of the log share.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "service/log.h"
#include "service/log_sinks.h"

namespace chash::service::test {

namespace fs = std::filesystem;

struct TempDir {
  TempDir() {
    std::string pattern = (fs::temp_directory_path() / "chash-log-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return path + '/' + name; }
  std::string path;
};

// Ends the process if a test that must not hang does.
struct Watchdog {
  Watchdog() { ::alarm(120); }
  ~Watchdog() { ::alarm(0); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
};

inline std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (start < text.size()) lines.push_back(text.substr(start) + " [no newline]");
  return lines;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// As the regular expression
//   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (main_app|...) - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - [ -~]*
// (std::regex costs this file ten seconds of compiling.)
inline bool is_seed_line(std::string_view line) {
  constexpr std::string_view shape = "0000-00-00 00:00:00,000";
  const auto fits = [](char want, char c) { return want == '0' ? c >= '0' && c <= '9' : c == want; };
  if (line.size() < shape.size() || !std::equal(shape.begin(), shape.end(), line.begin(), fits)) return false;
  line.remove_prefix(shape.size());
  const auto skip_one_of = [&line](std::initializer_list<std::string_view> words) {
    for (const auto word : words)
      if (line.starts_with(word)) return line.remove_prefix(word.size()), true;
    return false;
  };
  return skip_one_of({" - main_app", " - api_router", " - app.hashing.consistent_hashing"}) &&
         skip_one_of({" - DEBUG - ", " - INFO - ", " - WARNING - ", " - ERROR - ", " - CRITICAL - "}) &&
         std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

using TimePoint = std::chrono::system_clock::time_point;

inline TimePoint local_time(int year, int month, int day, int hour, int minute, int second, int ms) {
  std::tm local{};
  local.tm_year = year - 1900;
  local.tm_mon = month - 1;
  local.tm_mday = day;
  local.tm_hour = hour;
  local.tm_min = minute;
  local.tm_sec = second;
  local.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&local)) + std::chrono::milliseconds(ms);
}

inline TimePoint noon(int day_of_november) { return local_time(2026, 11, day_of_november, 12, 0, 0, 0); }

inline LogSettings files_only(const TempDir& dir) {
  return {.directory = dir.path, .level = LogLevel::info, .requests = true, .console = false};
}

inline std::unique_ptr<Log> open_log(const LogSettings& settings, int console_fd = 2,
                                     std::chrono::milliseconds report_interval = std::chrono::seconds(10)) {
  auto log = Log::open(settings, console_fd, report_interval);
  REQUIRE(log);
  return std::move(*log);
}

// A file sink under the test's own clock.
struct FileSink {
  explicit FileSink(const TempDir& dir) {
    auto file = LogFile::open(dir.path, "api.log");
    REQUIRE(file);
    sink.use(std::move(*file));
  }
  void log(TimePoint time, const std::string& text) { sink.log({time, {}, "main_app", spdlog::level::info, text}); }
  MidnightFileSink sink;
};

// Two ends of something that is written on one side and read, or not, on the other.
struct Channel {
  static Channel pipe() {
    Channel channel;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    channel.read_end = OwnedFd(ends[0]);
    channel.write_end = OwnedFd(ends[1]);
    return channel;
  }
  static Channel terminal() {
    Channel channel;
    int master = -1, slave = -1;
    REQUIRE(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
    channel.read_end = OwnedFd(master);
    channel.write_end = OwnedFd(slave);
    return channel;
  }
  static Channel socket() {
    Channel channel;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    channel.read_end = OwnedFd(ends[0]);
    channel.write_end = OwnedFd(ends[1]);
    return channel;
  }

  // What can be read at once.
  std::string drain() {
    std::string text;
    char buffer[65536];
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    for (ssize_t n = 0; (n = ::read(read_end.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }

  OwnedFd read_end, write_end;
};

}  // namespace chash::service::test
