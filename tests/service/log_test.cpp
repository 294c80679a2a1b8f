// The daemon's log: what a line looks like, where it goes, and how settings change.
#include "service/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chash/limits.h"
#include "service/log_sinks.h"
#include "service/log_support.h"

namespace chash::service::test {
namespace {

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

}  // namespace
}  // namespace chash::service::test
