// The log files: rotation, what is found there at the start, and full disks.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "chash/limits.h"
#include "service/log_sinks.h"
#include "service/log_support.h"

namespace chash::service::test {
namespace {

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

}  // namespace
}  // namespace chash::service::test
