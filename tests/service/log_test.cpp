// The daemon's logs: what a line looks like, where it goes, and that nothing that goes wrong there reaches the callers.
#include "service/log.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "chash/limits.h"
#include "service/log_sinks.h"

namespace fs = std::filesystem;
using namespace chash;
using namespace chash::service;

namespace {

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

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (start < text.size()) lines.push_back(text.substr(start) + " [no newline]");
  return lines;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// As the regular expression
//   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (main_app|...) - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - [ -~]*
// (std::regex costs this file ten seconds of compiling.)
bool is_seed_line(std::string_view line) {
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

TimePoint local_time(int year, int month, int day, int hour, int minute, int second, int ms) {
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

TimePoint noon(int day_of_november) { return local_time(2026, 11, day_of_november, 12, 0, 0, 0); }

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

LogSettings files_only(const TempDir& dir) {
  return {.directory = dir.path, .level = LogLevel::info, .requests = true, .console = false};
}

std::unique_ptr<Log> open_log(const LogSettings& settings, int console_fd = 2,
                              std::chrono::milliseconds report_interval = std::chrono::seconds(10)) {
  auto log = Log::open(settings, console_fd, report_interval);
  REQUIRE(log);
  return std::move(*log);
}

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

void flood_unread_console(Channel channel) {
  const Watchdog watchdog;
  auto log = open_log({}, channel.write_end.get());
  const std::string padding(100, 'x');
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log, &padding] {
      for (int i = 0; i < 12'500; ++i) log->api(LogLevel::info, padding + std::to_string(i));
    });
  for (auto& thread : threads) thread.join();
  CHECK(log->dropped_lines() > 0);
  log->flush();
  CHECK(log->dropped_lines() < 50'000);
  log.reset();                                                           // returns
  CHECK((::fcntl(channel.write_end.get(), F_GETFL) & O_NONBLOCK) == 0);  // others share it
  for (const auto& line : lines_of(channel.drain())) CHECK(line.substr(0, 2) == "20");
}

// File writes fail as on a full disk, in this process only, once a file has grown to `bytes`.
struct FullDisk {
  explicit FullDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  rlimit before{};
  void (*old_handler)(int) = nullptr;
};

}  // namespace

TEST_CASE("log: a level is known by its name and by nothing else") {
  CHECK(log_level_from("debug") == LogLevel::debug);
  CHECK(log_level_from("info") == LogLevel::info);
  CHECK(log_level_from("warning") == LogLevel::warning);
  CHECK(log_level_from("error") == LogLevel::error);
  CHECK(log_level_from("critical") == LogLevel::critical);
  for (const char* other : {"", "INFO", "warn", "info ", "trace"}) CHECK_FALSE(log_level_from(other));
}

TEST_CASE("log: a line is what the seed wrote, to the byte") {
  const TempDir dir;
  FileSink file(dir);
  file.log(local_time(2026, 11, 23, 0, 7, 13, 463), "Service is starting up.");
  file.log(local_time(2026, 11, 23, 0, 7, 13, 7), "x");
  CHECK(read_all(dir / "api.log") ==
        "2026-11-23 00:07:13,463 - main_app - INFO - Service is starting up.\n"
        "2026-11-23 00:07:13,007 - main_app - INFO - x\n");
}

TEST_CASE("log: each channel has the seed's name and its file, and the console has all") {
  const TempDir dir;
  auto console = Channel::pipe();
  LogSettings settings{.directory = dir.path, .level = LogLevel::debug};
  auto log = open_log(settings, console.write_end.get());
  log->main(LogLevel::debug, "m");
  log->api(LogLevel::warning, "a");
  log->hashing(LogLevel::error, "h");
  log->main(LogLevel::critical, "c {} %s");
  log->main(LogLevel::info, "");
  log->flush();
  const std::string in_api = read_all(dir / "api.log"), in_hashing = read_all(dir / "hashing.log");
  for (const auto& text : {in_api, in_hashing, console.drain()})
    for (const auto& line : lines_of(text)) CHECK_MESSAGE(is_seed_line(line), line);
  const auto api_lines = lines_of(in_api);
  REQUIRE(api_lines.size() == 4);
  CHECK(api_lines[0].ends_with(" - main_app - DEBUG - m"));
  CHECK(api_lines[1].ends_with(" - api_router - WARNING - a"));
  CHECK(api_lines[2].ends_with(" - main_app - CRITICAL - c {} %s"));
  CHECK(api_lines[3].ends_with(" - main_app - INFO - "));
  REQUIRE(lines_of(in_hashing).size() == 1);
  CHECK(lines_of(in_hashing)[0].ends_with(" - app.hashing.consistent_hashing - ERROR - h"));
  log->hashing(LogLevel::info, "again");
  log->flush();
  CHECK(lines_of(console.drain()).size() == 1);
  CHECK(log->dropped_lines() == 0);
}

TEST_CASE("log: a newline in the text cannot forge a second line") {
  const TempDir dir;
  auto log = open_log(files_only(dir));
  log->api(LogLevel::info, "key 'x\n2026-01-01 00:00:00,000 - main_app - CRITICAL - forged'");
  log->flush();
  const auto lines = lines_of(read_all(dir / "api.log"));
  REQUIRE(lines.size() == 1);
  CHECK(contains(lines[0], R"(key 'x\x0a2026-01-01)"));
}

TEST_CASE("log: every byte comes out printable, and printable ones as they are") {
  const TempDir dir;
  auto log = open_log(files_only(dir));
  std::string all, expected;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    log->hashing(LogLevel::info, "one:" + one);
    all += one;
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(byte));
    expected += byte >= 0x20 && byte <= 0x7e ? one : hex;
  }
  log->hashing(LogLevel::info, all);
  log->flush();
  const std::string text = read_all(dir / "hashing.log");
  const auto lines = lines_of(text);
  REQUIRE(lines.size() == 257);
  CHECK(lines[256].ends_with(" - " + expected));
  CHECK(lines['\\'].ends_with("one:\\"));
  CHECK(lines[0xe2].ends_with("one:\\xe2"));
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7e); }));
}

TEST_CASE("log: a very long text is one line of at most 4095 bytes that says it was cut") {
  const TempDir dir;
  auto log = open_log(files_only(dir));
  log->api(LogLevel::info, std::string(70'000, 'k'));
  log->api(LogLevel::info, std::string(70'000, '\n'));
  log->api(LogLevel::info, "next");
  log->flush();
  const auto lines = lines_of(read_all(dir / "api.log"));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].size() == log_line_bytes - 1);
  CHECK(lines[0].ends_with("kkk..."));
  CHECK(lines[1].size() == log_line_bytes - 1);
  CHECK(lines[1].ends_with("..."));
  CHECK(lines[2].ends_with("next"));
}

TEST_CASE("log: a level below the threshold writes nothing, and reconfigure moves the threshold") {
  const TempDir dir;
  auto log = open_log(files_only(dir));
  CHECK_FALSE(log->enabled(LogLevel::debug));
  CHECK(log->enabled(LogLevel::info));
  CHECK(log->logs_requests());
  log->main(LogLevel::debug, "hidden");
  auto settings = files_only(dir);
  settings.level = LogLevel::debug;
  settings.requests = false;
  REQUIRE(log->reconfigure(settings));
  CHECK_FALSE(log->logs_requests());
  log->main(LogLevel::debug, "shown");
  settings.level = LogLevel::error;
  settings.requests = true;
  REQUIRE(log->reconfigure(settings));
  CHECK_FALSE(log->logs_requests());
  log->main(LogLevel::warning, "hidden");
  log->flush();
  const auto lines = lines_of(read_all(dir / "api.log"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("DEBUG - shown"));
}

TEST_CASE("log: the console can be turned off and on again") {
  const TempDir dir;
  auto console = Channel::pipe();
  auto settings = files_only(dir);
  auto log = open_log(settings, console.write_end.get());
  log->main(LogLevel::info, "quiet");
  log->flush();
  CHECK(console.drain().empty());
  settings.console = true;
  REQUIRE(log->reconfigure(settings));
  log->main(LogLevel::info, "loud");
  log->flush();
  CHECK(console.drain().ends_with("INFO - loud\n"));
  CHECK(lines_of(read_all(dir / "api.log")).size() == 2);
}

TEST_CASE("log: with neither files nor console no level is enabled") {
  auto log = open_log({.directory = "", .console = false});
  CHECK_FALSE(log->enabled(LogLevel::critical));
  log->main(LogLevel::critical, "nowhere");
  log->flush();
  CHECK(log->dropped_lines() == 0);
}

TEST_CASE("log: reconfigure moves to another directory, and reopens a file that was renamed") {
  const TempDir first, second;
  auto log = open_log(files_only(first));
  log->main(LogLevel::info, "one");
  log->flush();
  fs::rename(first / "api.log", first / "api.log.old");
  REQUIRE(log->reconfigure(files_only(first)));
  log->main(LogLevel::info, "two");
  log->flush();
  REQUIRE(log->reconfigure(files_only(second)));
  log->main(LogLevel::info, "three");
  log->flush();
  CHECK(read_all(first / "api.log.old").ends_with("one\n"));
  CHECK(read_all(first / "api.log").ends_with("two\n"));
  CHECK(lines_of(read_all(first / "api.log")).size() == 1);
  CHECK(read_all(second / "api.log").ends_with("three\n"));
}

TEST_CASE("log: a directory that cannot be written is an error that names it, and reconfigure then changes nothing") {
  const TempDir dir;
  const std::string missing = dir / "missing";
  const auto refused = Log::open({.directory = missing, .console = false});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::storage_failed);
  CHECK(contains(refused.error().message, missing));
  CHECK_FALSE(refused.error().hint.empty());

  auto log = open_log(files_only(dir));
  auto worse = files_only(dir);
  worse.level = LogLevel::critical;
  worse.requests = false;
  worse.directory = missing;
  CHECK_FALSE(log->reconfigure(worse));
  const TempDir half;  // the first file opens, the second does not
  fs::create_directory(half / "hashing.log");
  worse.directory = half.path;
  CHECK_FALSE(log->reconfigure(worse));
  CHECK(log->logs_requests());
  log->main(LogLevel::info, "still here");
  log->flush();
  CHECK(read_all(dir / "api.log").ends_with("still here\n"));
  CHECK(read_all(half / "api.log").empty());
}

TEST_CASE("log: a symbolic link, a directory or a FIFO in the place of a log file is refused at once") {
  const Watchdog watchdog;
  const TempDir link, directory, fifo;
  fs::create_symlink(link / "target", link / "api.log");
  fs::create_directory(directory / "api.log");
  REQUIRE(::mkfifo((fifo / "api.log").c_str(), 0600) == 0);
  for (const auto* dir : {&link, &directory, &fifo}) {
    const auto refused = Log::open(files_only(*dir));
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().message, *dir / "api.log"));
  }
  CHECK_FALSE(fs::exists(link / "target"));
}

TEST_CASE("log file: it is not for everybody to read") {
  const TempDir dir;
  const mode_t before = ::umask(0);
  FileSink file(dir);
  ::umask(before);
  CHECK((fs::status(dir / "api.log").permissions() & fs::perms::all) == fs::perms(0640));
}

TEST_CASE("log file: the first line after midnight starts a new file, the old one gets its day's name") {
  const TempDir dir;
  FileSink file(dir);
  file.log(local_time(2026, 11, 23, 23, 59, 59, 999), "before");
  CHECK_FALSE(fs::exists(dir / "api.log.2026-11-23"));
  file.log(local_time(2026, 11, 24, 0, 0, 0, 0), "after");
  CHECK(read_all(dir / "api.log.2026-11-23") == "2026-11-23 23:59:59,999 - main_app - INFO - before\n");
  CHECK(read_all(dir / "api.log") == "2026-11-24 00:00:00,000 - main_app - INFO - after\n");
  file.log(local_time(2026, 11, 23, 23, 59, 59, 999), "late");  // of a slower thread
  CHECK(lines_of(read_all(dir / "api.log")).size() == 2);
  CHECK(file.sink.dropped() == 0);
}

TEST_CASE("log file: ten days leave seven rotated files, and no other file is touched") {
  const TempDir dir;
  const std::vector<std::string> foreign{"api.log.2020-01-1",
                                         "api.log.2020-01-01.gz",
                                         "api.log.2020_01_01",
                                         "xapi.log.2020-01-01",
                                         "hashing.log.2020-01-01",
                                         "api.lag.2020-01-01",
                                         "api.log.20200101xx",
                                         "api.log.1.2020-01-01",
                                         "api.log.abcd-ef-gh",
                                         "api.log-2020-01-01",
                                         "api.log."};
  for (const auto& name : foreign) std::ofstream(dir / name) << name;
  std::ofstream(dir / "api.log.2020-01-01") << "ours, of long ago";
  FileSink file(dir);
  for (int day = 1; day <= 10; ++day) file.log(noon(day), "day " + std::to_string(day));
  CHECK(read_all(dir / "api.log").ends_with("day 10\n"));
  for (int day = 1; day <= 9; ++day) {
    const std::string name = std::string("api.log.2026-11-0") + std::to_string(day);
    CAPTURE(name);
    CHECK(fs::exists(dir / name) == (day > 9 - static_cast<int>(limits::log_files_kept)));
    if (fs::exists(dir / name)) CHECK(read_all(dir / name).ends_with("day " + std::to_string(day) + "\n"));
  }
  CHECK_FALSE(fs::exists(dir / "api.log.2020-01-01"));
  for (const auto& name : foreign) CHECK(read_all(dir / name) == name);
}

TEST_CASE("log file: one found at the start is continued on its day and rotated on a later one") {
  const TempDir dir;
  std::ofstream(dir / "api.log") << "found\n";
  fs::last_write_time(dir / "api.log", fs::file_time_type::clock::from_sys(noon(20)));
  SUBCASE("same day") {
    FileSink file(dir);
    file.log(noon(20), "x");
    CHECK(lines_of(read_all(dir / "api.log")).size() == 2);
  }
  SUBCASE("later day") {
    FileSink file(dir);
    file.log(noon(22), "x");
    CHECK(read_all(dir / "api.log.2026-11-20") == "found\n");
    CHECK(lines_of(read_all(dir / "api.log")).size() == 1);
  }
  SUBCASE("empty") {
    fs::resize_file(dir / "api.log", 0);
    fs::last_write_time(dir / "api.log", fs::file_time_type::clock::from_sys(noon(20)));
    FileSink file(dir);
    file.log(noon(22), "x");
    CHECK_FALSE(fs::exists(dir / "api.log.2026-11-20"));
  }
}

TEST_CASE("log file: half a line left by a crash does not swallow the next one") {
  const TempDir dir;
  std::ofstream(dir / "api.log") << "half a li";
  fs::last_write_time(dir / "api.log", fs::file_time_type::clock::from_sys(noon(20)));
  FileSink file(dir);
  file.log(noon(20), "whole");
  const auto lines = lines_of(read_all(dir / "api.log"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "half a li");
  CHECK(is_seed_line(lines[1]));
}

TEST_CASE("log file: a rename that would lose an earlier file is not done, and the next midnight works again") {
  const TempDir dir;
  std::ofstream(dir / "api.log.2026-11-01") << "earlier";
  FileSink file(dir);
  for (int day = 1; day <= 3; ++day) file.log(noon(day), "day " + std::to_string(day));
  CHECK(read_all(dir / "api.log.2026-11-01") == "earlier");
  CHECK(lines_of(read_all(dir / "api.log.2026-11-02")).size() == 2);
  CHECK(lines_of(read_all(dir / "api.log")).size() == 1);
  CHECK(file.sink.dropped() == 0);
}

TEST_CASE("log file: out of descriptors at midnight it goes on in the old file, and moves over when it can") {
  const TempDir dir;
  FileSink file(dir);
  file.log(noon(1), "one");
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  file.log(noon(2), "two");
  ::setrlimit(RLIMIT_NOFILE, &before);
  file.log(noon(2), "three");  // within a second of the last attempt
  CHECK_FALSE(fs::exists(dir / "api.log"));
  CHECK(lines_of(read_all(dir / "api.log.2026-11-01")).size() == 3);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  file.log(noon(2), "four");
  CHECK(lines_of(read_all(dir / "api.log")).size() == 1);
  CHECK(file.sink.dropped() == 0);
}

TEST_CASE("log file: a full disk drops lines and counts them, and writing goes on when there is room") {
  const TempDir dir;
  FileSink file(dir);
  const std::string padding(200, 'x');
  {
    const FullDisk full(8192);
    for (int i = 0; i < 100; ++i) file.log(noon(1), padding);
  }
  const auto dropped = file.sink.dropped();
  CHECK(dropped > 50);
  CHECK(fs::file_size(dir / "api.log") == 8192);
  for (int i = 0; i < 3; ++i) file.log(noon(1), "room again");
  CHECK(file.sink.dropped() == dropped);
  const auto lines = lines_of(read_all(dir / "api.log"));
  REQUIRE(lines.size() == 100 - dropped + 1 + 3);  // one was cut by the limit
  for (std::size_t i = lines.size() - 3; i < lines.size(); ++i) {
    CHECK(is_seed_line(lines[i]));
    CHECK(lines[i].ends_with("room again"));
  }
}

TEST_CASE("log: dropped lines are reported while the daemon runs, each line once") {
  const TempDir dir;
  auto settings = files_only(dir);
  settings.console = true;
  auto console = Channel::pipe();
  auto log = open_log(settings, console.write_end.get(), std::chrono::milliseconds(0));
  const std::string padding(1000, 'x');
  for (int i = 0; i < 100; ++i) log->hashing(LogLevel::info, padding);  // the pipe holds 64 KiB
  log->flush();
  const auto reports = lines_of(read_all(dir / "api.log"));
  REQUIRE_FALSE(reports.empty());
  for (const auto& line : reports)
    CHECK(contains(line, "WARNING - 1 log line was dropped: 0 by a full queue, 0 by the files, 1 by the console."));
  CHECK(log->dropped_lines() == 2 * reports.size());  // the console takes no report either, which is not reported
}

TEST_CASE("log: between two reports of dropped lines time passes, and the end brings the last") {
  const TempDir dir;
  auto settings = files_only(dir);
  settings.console = true;
  auto console = Channel::pipe();
  auto log = open_log(settings, console.write_end.get());
  const std::string padding(1000, 'x');
  for (int i = 0; i < 200; ++i) log->hashing(LogLevel::info, padding);  // the pipe holds 64 KiB
  log->flush();
  const auto dropped = log->dropped_lines();
  CHECK(dropped > 100);
  CHECK(lines_of(read_all(dir / "hashing.log")).size() == 200);
  CHECK(read_all(dir / "api.log").empty());  // not within ten seconds of the last look
  std::ignore = console.drain();
  log.reset();  // at the end there is always a last look
  const std::string count = std::to_string(dropped);
  const std::string report = "main_app - WARNING - " + count + " log lines were dropped: 0 by a full queue, " +
                             "0 by the files, " + count + " by the console.";
  for (const auto& text : {read_all(dir / "api.log"), console.drain()}) {
    REQUIRE(lines_of(text).size() == 1);
    CHECK(is_seed_line(lines_of(text)[0]));
    CHECK(contains(text, report));
  }
}

TEST_CASE("log: a console pipe that nobody reads costs lines, not time") { flood_unread_console(Channel::pipe()); }

TEST_CASE("log: a terminal that nobody reads costs lines, not time") { flood_unread_console(Channel::terminal()); }

TEST_CASE("log: a console socket that nobody reads costs lines, not time") { flood_unread_console(Channel::socket()); }

TEST_CASE("log: a console whose reader has gone does not end the process") {  // SIGPIPE is at its default here
  auto console = Channel::pipe();
  auto log = open_log({}, console.write_end.get());
  { const OwnedFd closed = std::move(console.read_end); }
  log->main(LogLevel::info, "to nobody");
  log->flush();
  CHECK(log->dropped_lines() > 0);
}

TEST_CASE("log: the console is a descriptor of its own, so closing the given one changes nothing") {
  auto console = Channel::pipe();
  auto log = open_log({}, console.write_end.get());
  { const OwnedFd closed = std::move(console.write_end); }
  log->main(LogLevel::info, "still heard");
  log->flush();
  CHECK(contains(console.drain(), "still heard"));
}

TEST_CASE("log: a regular file as the console is appended to where it stands") {
  const TempDir dir;
  const OwnedFd file(::open((dir / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::write(file.get(), "first\n", 6) == 6);
  auto log = open_log({}, file.get());
  log->main(LogLevel::info, "second");
  log->flush();
  CHECK(read_all(dir / "out").starts_with("first\n20"));
}

TEST_CASE("log: a console that was never open is no error and drops nothing") {
  auto log = open_log({}, -1);
  log->main(LogLevel::info, "to nobody");
  log->flush();
  CHECK(log->dropped_lines() == 0);
}

TEST_CASE("log: while settings change, four threads lose no line") {
  const TempDir first, second;
  auto log = open_log(files_only(first));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log] {
      for (int i = 0; i < 1000; ++i) log->hashing(LogLevel::info, "line");
    });
  for (int i = 0; i < 50; ++i) CHECK(log->reconfigure(files_only(i % 2 == 0 ? second : first)));
  for (auto& thread : threads) thread.join();
  log.reset();
  CHECK(lines_of(read_all(first / "hashing.log")).size() + lines_of(read_all(second / "hashing.log")).size() == 4000);
}
