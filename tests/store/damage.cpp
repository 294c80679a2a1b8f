#include "store/damage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <utility>

namespace chash::store::test {

const std::vector<Delta> sample_commits{
    {{{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 2.5}}, {}},
    {{{"cache-node-4", 0.1, {{"state", "up"}}}}, {}},
    {{{"a", 1e6}, {"b", 1.0 / 3}}, {"cache-node-2"}},
    {{}, {"a"}},
    {{{"a", 7}}, {}},
};

Sample make_sample(bool closed) {
  const Scratch scratch;
  const auto path = scratch / "chash.db";
  Sample sample;
  auto store = open_store(path);
  for (const Delta& delta : sample_commits) {
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

namespace {

bool same_members(const StoredRing& a, const StoredRing& b) { return fingerprint(a.spec) == fingerprint(b.spec); }

}  // namespace

Verdict Judge::operator()(const DiskImage& files, const StoredRing& right) {
  for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(scratch_ / (std::string("chash.db") + end));
  for (const auto& [name, bytes] : files) write_bytes(scratch_ / name, bytes);
  const auto path = scratch_ / "chash.db";
  auto store = SqliteStore::open(path);
  if (!store) {
    message = store.error().message;
    CHECK(store.error().code == Errc::storage_failed);
    CHECK(message.find(path.string()) != std::string::npos);
    CHECK_FALSE(store.error().hint.empty());
    for (const auto& [name, bytes] : files) CHECK_MESSAGE(read_bytes(scratch_ / name) == bytes, name << " was changed");
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

std::vector<Damage> flipped_bits(const std::string& bytes, std::size_t step) {
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

}  // namespace chash::store::test
