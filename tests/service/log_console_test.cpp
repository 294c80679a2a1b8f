// The log's console: a pipe, terminal or socket that nobody reads, and ends that go away; and what is said of dropped
// lines.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service/log_sinks.h"
#include "service/log_support.h"

namespace chash::service::test {
namespace {

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

}  // namespace
}  // namespace chash::service::test
