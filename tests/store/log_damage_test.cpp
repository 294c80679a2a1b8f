// A damaged log (chash.db-wal).
//
// A crash leaves the log behind, and the next start reads it. SQLite ends it at the first frame whose salt or checksum
// does not fit, because that is what a commit cut short by the crash looks like; it cannot tell one from a frame that
// was damaged later. So a damaged frame takes back its commit and all that come after it in the log, without a word,
// unless the main file has them. What is promised: the ring is as it was after one of its commits, never a mixture, and
// none is missing that is in the main file or in the log before the damage; and settle() empties the log.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "store/damage.h"

namespace chash::store::test {
namespace {

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

TEST_CASE("damage to the log: after settle() there is nothing in it that the main file does not have") {
  const Scratch scratch;
  StoredRing ring{"default", 0, {}};
  const auto store = open_store(scratch / "chash.db");
  for (const Delta& delta : sample_commits) {
    must_commit(*store, ring, {delta});
    store->settle();
    Judge judge;
    CHECK(judge({{"chash.db", read_bytes(scratch / "chash.db")}}, ring) == Verdict::right);
    CHECK(read_bytes(scratch / "chash.db-wal").empty());
  }
}

}  // namespace
}  // namespace chash::store::test
