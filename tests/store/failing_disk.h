// FailingDisk: the disk as SQLite sees it. It fails when told to, and a power cut takes from it what was not synced.
//
// While one lives it stands in front of the system's VFS as SQLite's default. Syncing is modelled, not done:
//
//   write, truncate   reach the file at once (the page cache: a crash of the process loses nothing) and are pending
//   sync              makes what is pending durable
//   failed sync       forgets what is pending: as on Linux, readers still see it, and no later sync will write it
//   failed write      writes the first half, as a disk that fills up does
//
// Making and removing a file is durable at once.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace chash::store::test {

enum class Step : std::uint8_t { open, read, write, truncate, sync, remove };
enum class FileKind : std::uint8_t { main, log, journal };

struct DiskEvent {
  Step step;
  FileKind file;
  bool failed;
};

// Files by name, with their bytes.
using DiskImage = std::map<std::string, std::string>;

class FailingDisk {
 public:
  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  struct Fault {
    std::uint64_t from = 0;  // counting from 1, the steps that fit `steps`
    bool for_ever = false;   // or once
    bool full = false;       // "disk full" rather than an I/O error, where the step can say so
    std::vector<Step> steps{Step::open, Step::write, Step::truncate, Step::sync, Step::remove};
  };
  void break_at(Fault fault);
  void mend();
  // Since break_at().
  bool has_failed() const { return failed_; }

  std::vector<DiskEvent> events;

  // What a power cut now leaves of the files: what is durable, and of what is pending each 512-byte piece or not, as
  // `random` has it; without it nothing of that.
  DiskImage after_power_cut(std::mt19937_64* random = nullptr) const;
  // The same before every step from now on, until stopped.
  void record_cuts(bool on, std::uint64_t seed = 0);
  std::vector<DiskImage> cuts;

  // Used by the VFS.
  struct Change {
    std::uint64_t offset;
    std::string bytes;
    bool truncates;
  };
  struct File {
    std::string durable;
    std::vector<Change> pending;
  };
  bool fails(Step step, FileKind file);
  File& file(const std::string& path);
  void forget(const std::string& path) { files_.erase(path); }
  const Fault& fault() const { return fault_; }

 private:
  std::map<std::string, File> files_;
  Fault fault_{};
  bool armed_ = false;
  bool failed_ = false;
  bool recording_ = false;
  std::uint64_t count_ = 0;
  std::mt19937_64 random_{0};
};

// Puts the files of an image into a folder.
void write_image(const DiskImage& image, const std::filesystem::path& folder);

}  // namespace chash::store::test
