// A damaged state file: it is refused with a message that names it and left as it is, or what is loaded is exactly
// right.
//
// What is promised of the log (chash.db-wal) is another thing, see "damage to the log" below.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/failing_disk.h"
#include "store/scratch.h"

namespace chash::store::test {
namespace {

const std::vector<Delta> commits{
    {{{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 2.5}}, {}},
    {{{"cache-node-4", 0.1}}, {}},
    {{{"a", 1e6}, {"b", 1.0 / 3}}, {"cache-node-2"}},
    {{}, {"a"}},
    {{{"a", 7}}, {}},
};

// The files of a state folder, and what was stored in them: before the first commit, after it, and so on.
struct Sample {
  DiskImage files;
  std::vector<StoredRing> history{{"default", 0, {}}};
  const StoredRing& last() const { return history.back(); }
};

// Closed in good order, all is in the one file. As kill -9 leaves it, there is a log, too; the first commit was before
// a restart.
Sample make_sample(bool closed) {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  Sample sample;
  auto store = open_store(path);
  for (const Delta& delta : commits) {
    sample.history.push_back(sample.last());
    must_commit(*store, sample.history.back(), {delta});
    if (sample.history.size() != 2) continue;
    store.reset();
    store = open_store(path);
  }
  if (closed) store.reset();
  sample.files["chash.db"] = read_bytes(path);
  if (!closed) sample.files["chash.db-wal"] = read_bytes(scratch / "chash.db-wal");
  return sample;
}

// `later`: what was loaded was right, but the next change made another ring of it, or a file that is refused.
enum class Verdict { refused, right, later, other_order, other_ring };

// Puts files into a folder, opens them, and looks at what comes of it. A refusal must name the file and change nothing.
class Judge {
 public:
  Verdict operator()(const DiskImage& files, const StoredRing& right) {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(scratch_ / (std::string("chash.db") + end));
    for (const auto& [name, bytes] : files) write_bytes(scratch_ / name, bytes);
    const auto path = scratch_ / "chash.db";
    auto store = SqliteStore::open(path);
    if (!store) {
      message = store.error().message;
      CHECK(store.error().code == Errc::storage_failed);
      CHECK(message.find(path.string()) != std::string::npos);
      CHECK_FALSE(store.error().hint.empty());
      for (const auto& [name, bytes] : files)
        CHECK_MESSAGE(read_bytes(scratch_ / name) == bytes, name << " was changed");
      ++refused;
      return Verdict::refused;
    }
    ++accepted;
    const auto rings = load_all(**store);
    if (rings.size() > 1) return Verdict::other_ring;
    loaded = rings.empty() ? StoredRing{"default", 0, {}} : rings.front();
    if (loaded != right)
      return loaded.epoch == right.epoch && same_members(loaded, right) ? Verdict::other_order : Verdict::other_ring;

    // What is right must stay right with the next change.
    const Delta next{{{"next", 3}, {"one-more", 1}}, {right.spec.nodes.front().name}};
    const auto outcome = commit(**store, right, {next});
    if (!outcome) CHECK(outcome.error().code == Errc::storage_failed);
    store->reset();
    const auto again = SqliteStore::open(path);
    if (!again) return outcome ? Verdict::later : Verdict::refused;
    return load_ring(**again) == (outcome ? after(right, {next}) : right) ? Verdict::right : Verdict::later;
  }

  std::string message;  // of the last refusal
  StoredRing loaded;    // if there was none
  int refused = 0;
  int accepted = 0;

 private:
  static bool same_members(const StoredRing& a, const StoredRing& b) {
    return fingerprint(a.spec) == fingerprint(b.spec);
  }

  FailingDisk disk_;  // takes no time to sync
  Scratch scratch_;
};

struct Damage {
  std::string what;
  std::string bytes;
};

// A bit of every `step`-th byte; of long runs of zeros, which nothing uses, of fewer.
std::vector<Damage> flipped_bits(const std::string& bytes, std::size_t step = 1) {
  std::vector<Damage> damages;
  for (std::size_t i = 0; i < bytes.size(); i += step) {
    const bool unused = bytes.find_first_not_of('\0', i < 16 ? 0 : i - 16) > i + 16;
    if (unused && i / step % 64 != 0) continue;
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    damages.push_back({"bit " + std::to_string(i % 8) + " of byte " + std::to_string(i), std::move(changed)});
  }
  return damages;
}

// Cut off, zeroed, shifted and swapped by sectors, and garbage behind.
std::vector<Damage> broken_sectors(const std::string& bytes) {
  constexpr std::size_t sector = 512;
  std::vector<Damage> damages;
  for (std::size_t at = 0; at < bytes.size(); at += sector) {
    const std::string where = " at " + std::to_string(at);
    if (at > 0) damages.push_back({"cut off" + where, bytes.substr(0, at)});
    if (at > 0) damages.push_back({"cut off one byte before" + where, bytes.substr(0, at - 1)});
    damages.push_back({"zeros" + where, std::string(bytes).replace(at, sector, sector, '\0')});
    damages.push_back({"a sector lost" + where, std::string(bytes).erase(at, sector)});
    const std::size_t other = (at + 4096) % bytes.size();
    if (at + sector > bytes.size() || other + sector > bytes.size()) continue;
    std::string swapped = bytes;
    std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(at),
                     swapped.begin() + static_cast<std::ptrdiff_t>(at + sector),
                     swapped.begin() + static_cast<std::ptrdiff_t>(other));
    damages.push_back({"sectors swapped" + where, std::move(swapped)});
  }
  std::mt19937_64 random(7);
  for (const std::size_t size : {2, 24, 511, 512, 4096, 10'000}) {
    std::string garbage(size, '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    damages.push_back({std::to_string(size) + " bytes of garbage behind", bytes + garbage});
    damages.push_back({std::to_string(size) + " bytes of garbage in front", garbage + bytes});
    damages.push_back({std::to_string(size) + " bytes of garbage", garbage});
  }
  return damages;
}

struct Tally {
  int later = 0;
  int other_order = 0;
  int other_ring = 0;
};

Tally try_each(const Sample& sample, const std::string& name, const std::vector<Damage>& damages, Judge& judge) {
  Tally tally;
  for (const Damage& damage : damages) {
    DiskImage files = sample.files;
    files[name] = damage.bytes;
    const Verdict verdict = judge(files, sample.last());
    tally.later += verdict == Verdict::later;
    tally.other_order += verdict == Verdict::other_order;
    tally.other_ring += verdict == Verdict::other_ring;
    if (verdict == Verdict::other_ring) MESSAGE(name << ", " << damage.what << ": another ring, and no word of it");
  }
  return tally;
}

// --- The file
// ---------------------------------------------------------------------------------------------------------------

TEST_CASE("damage: no flipped bit of a closed file makes another ring") {
  const Sample sample = make_sample(true);
  Judge judge;
  CHECK(try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db")), judge).other_ring == 0);
  CHECK(judge.refused > 300);
  CHECK(judge.accepted > 100);
}

TEST_CASE("damage: no flipped bit of a closed file changes the order of the nodes, or shows only later" *
          doctest::should_fail()) {
  const Sample sample = make_sample(true);
  Judge judge;
  const Tally tally = try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db")), judge);
  CHECK(tally.other_order == 0);
  CHECK(tally.later == 0);
}

TEST_CASE("damage: no broken sector of a closed file makes another ring") {
  const Sample sample = make_sample(true);
  Judge judge;
  const Tally tally = try_each(sample, "chash.db", broken_sectors(sample.files.at("chash.db")), judge);
  CHECK(tally.other_ring == 0);
  CHECK(tally.other_order == 0);
  CHECK(tally.later == 0);
  CHECK(judge.refused > 50);
}

TEST_CASE("damage: with a log beside it, a damaged file makes no other ring either") {
  const Sample sample = make_sample(false);
  Judge judge;
  CHECK(try_each(sample, "chash.db", flipped_bits(sample.files.at("chash.db"), 5), judge).other_ring == 0);
  CHECK(try_each(sample, "chash.db", broken_sectors(sample.files.at("chash.db")), judge).other_ring == 0);
}

TEST_CASE("damage: a file that is emptied is not a new one" * doctest::should_fail()) {
  Judge judge;
  for (const bool closed : {true, false})
    for (const std::size_t size : {0, 1}) {  // to SQLite, a file of one byte is an empty one, too
      Sample sample = make_sample(closed);
      sample.files["chash.db"].resize(size);
      CHECK(judge(sample.files, sample.last()) == Verdict::refused);
    }
}

TEST_CASE("damage: a log whose file is gone is not thrown away" * doctest::should_fail()) {
  Judge judge;
  Sample sample = make_sample(false);
  sample.files.erase("chash.db");
  CHECK(judge(sample.files, sample.last()) == Verdict::refused);
}

TEST_CASE("damage: a file of another kind is refused") {
  Judge judge;
  for (const std::string& bytes :
       {std::string("{\"nodes\":[]}\n"), std::string(100'000, '\0'), std::string("\n\n"),
        std::string("SQLite format 3\0", 16), std::string("SQLite format 3\0", 16) + std::string(5000, '\xff')})
    CHECK(judge({{"chash.db", bytes}}, {}) == Verdict::refused);
}

// --- What SQL can do behind our back
// ------------------------------------------------------------------------------------------

// After this was executed on a closed file.
Verdict after_sql(Judge& judge, const std::string& sql) {
  const Sample sample = make_sample(true);
  const Scratch scratch;
  write_bytes(scratch / "chash.db", sample.files.at("chash.db"));
  tamper(scratch / "chash.db", sql);
  return judge({{"chash.db", read_bytes(scratch / "chash.db")}}, sample.last());
}

TEST_CASE("damage: a database of somebody else, or of a newer chash, is refused by what it is") {
  Judge judge;
  CHECK(after_sql(judge, "PRAGMA application_id = 1") == Verdict::refused);
  CHECK(judge.message.ends_with("it is not a state file of chash"));
  CHECK(after_sql(judge, "PRAGMA user_version = 2") == Verdict::refused);
  CHECK(judge.message.ends_with("it was written by a newer chash (format 2; this one reads up to 1)"));
  CHECK(after_sql(judge, "PRAGMA user_version = 0") == Verdict::refused);
  CHECK(after_sql(judge, "PRAGMA user_version = -1") == Verdict::refused);
  CHECK(after_sql(judge, "VACUUM") == Verdict::right);
}

TEST_CASE("damage: rows that were changed behind our back are refused") {
  Judge judge;
  for (const char* sql : {
           "UPDATE node SET name = 'cache-node-9' WHERE name = 'cache-node-1'",
           "UPDATE node SET name = 'two words' WHERE name = 'cache-node-1'",
           "UPDATE node SET name = '' WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 1.0000000000000002 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = -1 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 0 WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = 9e999 WHERE name = 'cache-node-1'",
           "UPDATE node SET ring = 'another' WHERE name = 'cache-node-1'",
           "UPDATE node SET weight = CASE name WHEN 'a' THEN 2.5 ELSE 7 END WHERE name IN ('a', 'cache-node-3')",
           "INSERT INTO node VALUES('default', 'extra', 1, 99)",
           "DELETE FROM node WHERE name = 'cache-node-1'",
           "DELETE FROM node",
           "UPDATE ring SET epoch = epoch + 1",
           "UPDATE ring SET epoch = 0",
           "UPDATE ring SET epoch = -5",
           "UPDATE ring SET vnodes = 101",
           "UPDATE ring SET vnodes = 0",
           "UPDATE ring SET vnodes = 9223372036854775807",
           "UPDATE ring SET name = 'another'",
           "UPDATE ring SET checksum = ''",
           "UPDATE ring SET checksum = upper(checksum)",
           "DROP TABLE node",
           "DROP TABLE ring",
           "ALTER TABLE ring RENAME TO rings",
           "ALTER TABLE node RENAME COLUMN weight TO mass",
       }) {
    CAPTURE(sql);
    CHECK(after_sql(judge, sql) == Verdict::refused);
  }
}

TEST_CASE("damage: rows that were reordered or orphaned behind our back are refused" * doctest::should_fail()) {
  Judge judge;
  for (const char* sql : {
           "UPDATE node SET position = -position",
           "UPDATE node SET position = 0",
           "UPDATE ring SET next_position = 0",
           "DELETE FROM ring",
       }) {
    CAPTURE(sql);
    CHECK(after_sql(judge, sql) == Verdict::refused);
  }
}

TEST_CASE("damage: a row that was changed under a running store is found at the next start") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {}};
  const auto store = open_store(scratch / "chash.db");
  must_commit(*store, ring, {commits[0]});
  tamper(scratch / "chash.db", "UPDATE node SET weight = 3 WHERE name = 'cache-node-1'");
  const auto loaded = store->load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Errc::storage_failed);
  CHECK_FALSE(SqliteStore::open(scratch / "chash.db"));
}

TEST_CASE("damage: what cannot be read says why" * doctest::should_fail()) {
  const Scratch scratch;
  StoredRing ring{"default", 0, {}};
  const auto store = open_store(scratch / "chash.db");
  must_commit(*store, ring, {commits[0]});
  tamper(scratch / "chash.db", "UPDATE node SET weight = 3 WHERE name = 'cache-node-1'");
  const auto loaded = store->load();
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.ends_with("it is damaged: the checksum of ring 'default' does not fit"));
}

// --- Damage to the log
// ----------------------------------------------------------------------------------------------------------
//
// A crash leaves the log behind, and the next start reads it. SQLite ends it at the first frame whose salt or checksum
// does not fit, because that is what a commit cut short by the crash looks like; it cannot tell one from a frame that
// was damaged later. So a damaged frame takes back its commit and all that come after it in the log, without a word,
// unless the main file has them. What is promised: the ring is as it was after one of its commits, never a mixture, and
// none is missing that is in the main file or in the log before the damage.

constexpr std::size_t log_header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::size_t frame_bytes = frame_header_bytes + 4096;

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// How many commits the log has whole before this byte; -1 if the byte is in the header, without which there is no log.
int commits_before(const std::string& log, std::size_t byte) {
  if (byte < log_header_bytes) return -1;
  int count = 0;
  for (std::size_t frame = log_header_bytes; frame + frame_bytes <= byte; frame += frame_bytes)
    count += big_endian(log, frame + 4) != 0;  // the size of the file after a commit, in its last frame
  return count;
}

struct LogSample : Sample {
  LogSample() : Sample(make_sample(false)), log(files.at("chash.db-wal")) {
    // Frames of an earlier round of the log have another salt: they end it.
    while (log_end + frame_bytes <= log.size() && log.compare(log_end + 8, 8, log, 16, 8) == 0) log_end += frame_bytes;
    const auto all = static_cast<std::size_t>(commits_before(log, log_end));
    first_epoch = last().epoch - all;
    CHECK(all > 0);
    Judge judge;
    judge({{"chash.db", files.at("chash.db")}}, {});
    file_epoch = judge.loaded.epoch;
  }
  // Of the ring that a log damaged at this byte leads to.
  std::uint64_t epoch_after_damage(std::size_t byte) const {
    const int before = byte >= log_end ? commits_before(log, log_end) : commits_before(log, byte);
    return std::max(file_epoch, before < 0 ? 0 : first_epoch + static_cast<std::uint64_t>(before));
  }

  std::string log;
  std::size_t log_end = log_header_bytes;
  std::uint64_t first_epoch = 0;  // before the first commit of the log
  std::uint64_t file_epoch = 0;   // of the main file alone
};

TEST_CASE("damage to the log: a flipped bit takes back what the log has from there on, and never makes a mixture") {
  const LogSample sample;
  Judge judge;
  int lost = 0;
  for (const Damage& damage : flipped_bits(sample.log, 3)) {
    const std::size_t byte = std::stoul(damage.what.substr(damage.what.rfind(' ')));
    const StoredRing& expected = sample.history.at(sample.epoch_after_damage(byte));
    const Verdict verdict =
        judge({{"chash.db", sample.files.at("chash.db")}, {"chash.db-wal", damage.bytes}}, expected);
    CHECK_MESSAGE(verdict == Verdict::right, damage.what);
    lost += expected.epoch != sample.last().epoch;
  }
  MESSAGE(lost << " of " << judge.accepted << " flipped bits took something back");
}

TEST_CASE("damage to the log: broken sectors leave the ring as it was after one of its commits") {
  const LogSample sample;
  Judge judge;
  for (const Damage& damage : broken_sectors(sample.log)) {
    const DiskImage files{{"chash.db", sample.files.at("chash.db")}, {"chash.db-wal", damage.bytes}};
    if (judge(files, sample.last()) == Verdict::refused) continue;
    CHECK_MESSAGE(judge.loaded.epoch >= sample.file_epoch, damage.what);
    CHECK_MESSAGE(judge.loaded == sample.history.at(judge.loaded.epoch), damage.what);
  }
}

TEST_CASE("damage to the log: nothing that was acknowledged is in the log alone" * doctest::should_fail()) {
  const LogSample sample;
  CHECK(sample.file_epoch == sample.last().epoch);
}

}  // namespace
}  // namespace chash::store::test
