// A state file that is damaged, foreign or out of reach is refused by its name and left as it is. Damage that does no
// harm may be passed over; what may never be is a ring that nobody made.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <random>

#include "harness.h"
#include "shared_material.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace fs = std::filesystem;

namespace {

constexpr int storage = 1;  // exit status of storage_failed
// Where the head of an SQLite file has what PRAGMA user_version and application_id tell; big-endian, four bytes.
constexpr std::size_t user_version_at = 60, application_id_at = 68;

// A daemon that was stopped with some history, its state file, and what it answered.
struct Stopped {
  Daemon daemon{{.initial_nodes = seed_nodes(), .http = false}};
  json answer;
  std::string bytes;

  Stopped() {
    LineClient client(daemon.socket());
    client.ask(R"({"op":"add","nodes":[{"name":"10.0.0.7:11211","weight":2.5},{"name":"y"}]})");
    client.ask(R"({"op":"remove","nodes":["cache-node-2"]})");
    answer = client.ask(R"({"op":"list"})");
    REQUIRE(daemon.stop() == 0);
    bytes = test::read_file(daemon.state_file());
    REQUIRE(!fs::exists(daemon.state_file() + "-wal"));
  }

  // Starts on these bytes. Either they are refused and are there still, or the ring is the one that was.
  enum class Fate { refused, harmless };
  Fate start_on(const std::string& damaged) {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(daemon.state_file() + suffix);
    write_file(daemon.state_file(), damaged);
    const std::size_t console_before = daemon.console().size();
    if (daemon.start()) {
      CHECK(LineClient(daemon.socket()).ask(R"({"op":"list"})") == answer);
      const json added = LineClient(daemon.socket()).ask(R"({"op":"add","nodes":[{"name":"z"}]})");
      if (!added.contains("ok")) {  // SQLite may find that it can only read the file
        CHECK(added.at("error").at("code") == "storage_failed");
        CHECK(contains(added.at("error").at("message").get<std::string>(), daemon.state_file()));
        CHECK(test::read_file(daemon.state_file()) == damaged);
      }
      CHECK(daemon.stop() == 0);
      return Fate::harmless;
    }
    CHECK(daemon.wait() == storage);
    const std::string said = daemon.console().substr(console_before);
    CHECK_MESSAGE(contains(said, "chashd: cannot use the state file " + daemon.state_file() + ": "), said);
    CHECK(contains(said, "it was left as it is"));
    CHECK(test::read_file(daemon.state_file()) == damaged);
    return Fate::refused;
  }

  std::string with_number(std::size_t at, std::uint32_t number) const {
    std::string changed = bytes;
    for (std::size_t i = 0; i < 4; ++i) changed[at + i] = static_cast<char>(number >> (24 - 8 * i));
    return changed;
  }
};

std::string flipped(std::string bytes, std::size_t at, unsigned mask) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ mask);
  return bytes;
}

}  // namespace

TEST_CASE("a state file that is none of ours is refused and left as it is") {
  Stopped stopped;
  using Fate = Stopped::Fate;
  CHECK(stopped.start_on(
            "this is not a database, but somebody's notes, which are longer than a header of SQLite would be, "
            "so that it does not look like a file that was only begun") == Fate::refused);
  CHECK(stopped.start_on("short") == Fate::refused);
  CHECK(stopped.start_on(std::string(8'192, '\0')) == Fate::refused);
  CHECK(stopped.start_on(stopped.with_number(application_id_at, 0x12345678)) == Fate::refused);
  CHECK(stopped.start_on(stopped.with_number(application_id_at, 0)) == Fate::refused);
  CHECK(stopped.start_on(stopped.with_number(user_version_at, 6)) == Fate::refused);
  CHECK(contains(stopped.daemon.console(), "written by a newer chash (format 6"));
  CHECK(stopped.start_on(stopped.with_number(user_version_at, 0)) == Fate::refused);
  CHECK(stopped.start_on(stopped.bytes) == Fate::harmless);
}

TEST_CASE("a state file that was cut short is refused and left as it is") {
  Stopped stopped;
  const std::size_t size = stopped.bytes.size();
  // SQLite takes zeros for what is missing at the end, and so they are not lost.
  const std::size_t last_that_counts = stopped.bytes.find_last_not_of('\0');
  for (const std::size_t left : {std::size_t{1}, std::size_t{16}, std::size_t{99}, std::size_t{100}, std::size_t{4'095},
                                 std::size_t{4'096}, size / 2, size - 4'096, last_that_counts}) {
    CAPTURE(left);
    CHECK(stopped.start_on(stopped.bytes.substr(0, left)) == Stopped::Fate::refused);
  }
}

TEST_CASE("a state file of which a page was zeroed or which grew garbage is refused or read as it was") {
  Stopped stopped;
  for (std::size_t page = 0; page < stopped.bytes.size(); page += 4'096) {
    CAPTURE(page);
    std::string zeroed = stopped.bytes;
    zeroed.replace(page, 4'096, 4'096, '\0');
    CHECK(stopped.start_on(zeroed) == Stopped::Fate::refused);
  }
  stopped.start_on(stopped.bytes + std::string(4'096, 'x'));
  stopped.start_on(stopped.bytes + "x");
}

TEST_CASE("a flipped bit in the head of the state file is refused or does no harm") {
  Stopped stopped;
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at < 100; ++at) {
    CAPTURE(at);
    stopped.start_on(flipped(stopped.bytes, at, 1u << random() % 8));
  }
}

TEST_CASE("a flipped bit anywhere in the state file is refused or does no harm") {
  Stopped stopped;
  std::mt19937_64 random(2);
  std::size_t refused = 0, tried = 0;
  for (std::size_t at = 100; at < stopped.bytes.size(); ++at) {
    if (stopped.bytes[at] == '\0' && random() % 400 != 0) continue;  // mostly space that holds nothing
    if (random() % 4 != 0) continue;
    CAPTURE(at);
    ++tried;
    if (stopped.start_on(flipped(stopped.bytes, at, 1u << random() % 8)) == Stopped::Fate::refused) ++refused;
  }
  MESSAGE(tried << " flipped bits, " << refused << " refused");
  CHECK(tried >= 50);
  CHECK(refused >= 10);
}

TEST_CASE("a flipped bit in the name or the weight of a node is refused") {
  Stopped stopped;
  const std::string names = stopped.bytes;
  std::size_t found = 0;
  for (std::size_t at = names.find("10.0.0.7:11211"); at != std::string::npos;
       at = names.find("10.0.0.7:11211", at + 1)) {
    ++found;
    CHECK(stopped.start_on(flipped(names, at, 1)) == Stopped::Fate::refused);         // 00.0.0.7: as good a name
    CHECK(stopped.start_on(flipped(names, at + 7, 2)) == Stopped::Fate::refused);     // 10.0.0.5
    CHECK(stopped.start_on(flipped(names, at + 7, 0x80)) == Stopped::Fate::refused);  // no name at all
    CHECK(stopped.start_on(flipped(names, at + 15, 4)) == Stopped::Fate::refused);  // the weight stands behind the name
  }
  CHECK(found >= 1);
}

TEST_CASE("a state file that is no file or may not be read is refused") {
  Stopped stopped;
  fs::remove(stopped.daemon.state_file());
  fs::create_directory(stopped.daemon.state_file());
  CHECK_FALSE(stopped.daemon.start());
  CHECK(stopped.daemon.wait() == storage);
  CHECK(contains(stopped.daemon.console(), "cannot use the state file " + stopped.daemon.state_file()));
  CHECK(fs::is_directory(stopped.daemon.state_file()));
  fs::remove(stopped.daemon.state_file());

  write_file(stopped.daemon.dir() / "elsewhere", stopped.bytes);
  fs::create_symlink(stopped.daemon.dir() / "elsewhere", stopped.daemon.state_file());
  CHECK_FALSE(stopped.daemon.start());  // somebody else's choice of file
  CHECK(stopped.daemon.wait() == storage);
  CHECK(test::read_file(stopped.daemon.dir() / "elsewhere") == stopped.bytes);
  fs::remove(stopped.daemon.state_file());

  if (geteuid() == 0) {
    MESSAGE("NOT RUN as root, who may read everything: a state file of mode 000");
    return;
  }
  write_file(stopped.daemon.state_file(), stopped.bytes);
  chmod(stopped.daemon.state_file().c_str(), 0);
  CHECK_FALSE(stopped.daemon.start());
  CHECK(stopped.daemon.wait() == storage);
}

TEST_CASE("a log beside the state file that is damaged never makes a ring that nobody made") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  std::vector<json> answers;  // by epoch
  LineClient client(daemon.socket());
  answers.push_back(nullptr);
  for (int i = 0; i < 8; ++i) {
    answers.push_back(client.ask(R"({"op":"list"})"));
    client.ask(R"({"op":"add","nodes":[{"name":"n)" + std::to_string(i) + "\"}]}");
  }
  answers.push_back(client.ask(R"({"op":"list"})"));
  daemon.kill9();  // so that the log is not written back
  const std::string log_path = daemon.state_file() + "-wal";
  const std::string file = test::read_file(daemon.state_file()), log = test::read_file(log_path);
  REQUIRE(log.size() > 4'096);
  std::mt19937_64 random(3);
  for (int round = 0; round < 40; ++round) {
    fs::remove(daemon.state_file() + "-shm");
    write_file(daemon.state_file(), file);
    write_file(log_path, round % 4 == 0 ? log.substr(0, random() % log.size())
                                        : flipped(log, random() % log.size(), 1u << random() % 8));
    if (!daemon.start()) {
      CHECK(daemon.wait() == storage);
      continue;
    }
    const json answer = LineClient(daemon.socket()).ask(R"({"op":"list"})");
    const std::uint64_t epoch = answer.at("ok").at("epoch");
    REQUIRE(epoch < answers.size());  // SQLite ends the log where its checksums do
    if (epoch > 0) CHECK(answer == answers[epoch]);
    CHECK(daemon.stop() == 0);
  }
}
