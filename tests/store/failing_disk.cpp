#include "store/failing_disk.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <new>

#include <doctest/doctest.h>

namespace chash::store::test {
namespace {

constexpr std::size_t sector_bytes = 512;
constexpr const char* vfs_name = "chash-test-failing-disk";

FailingDisk* disk = nullptr;  // the one that lives
sqlite3_vfs* system_vfs = nullptr;

// What SQLite sees as an open file; the system's own lies behind it in the same memory.
struct OpenFile {
  sqlite3_file base;
  sqlite3_file* real;
  FailingDisk::File* model;
  FileKind kind;
};
constexpr std::size_t real_offset = (sizeof(OpenFile) + 15) / 16 * 16;

OpenFile* ours(sqlite3_file* file) { return reinterpret_cast<OpenFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return ours(file)->real; }

void change(std::string& bytes, const FailingDisk::Change& change) {
  if (change.truncates) return bytes.resize(change.offset);
  bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + change.bytes.size()));
  bytes.replace(change.offset, change.bytes.size(), change.bytes);
}

int close_file(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }

int read_file(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  if (disk->fails(Step::read, ours(file)->kind)) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), into, size, offset);
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const bool fails = disk->fails(Step::write, ours(file)->kind);
  if (fails) size /= 2;
  const auto* bytes = static_cast<const char*>(from);
  ours(file)->model->pending.push_back({static_cast<std::uint64_t>(offset), {bytes, bytes + size}, false});
  const int outcome = real(file)->pMethods->xWrite(real(file), from, size, offset);
  if (fails) return disk->fault().full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  return outcome;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (disk->fails(Step::truncate, ours(file)->kind)) return SQLITE_IOERR_TRUNCATE;
  ours(file)->model->pending.push_back({static_cast<std::uint64_t>(size), "", true});
  return real(file)->pMethods->xTruncate(real(file), size);
}

int sync_file(sqlite3_file* file, int) {
  const bool fails = disk->fails(Step::sync, ours(file)->kind);
  FailingDisk::File& model = *ours(file)->model;
  if (!fails)
    for (const FailingDisk::Change& each : model.pending) change(model.durable, each);
  model.pending.clear();
  return fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
int lock_file(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock_file(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int check_lock(sqlite3_file* file, int* out) { return real(file)->pMethods->xCheckReservedLock(real(file), out); }
int control(sqlite3_file* file, int what, void* with) {
  return real(file)->pMethods->xFileControl(real(file), what, with);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int characteristics(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

const sqlite3_io_methods methods{2,         close_file,   read_file,       write_file,  truncate_file,
                                 sync_file, size_of_file, lock_file,       unlock_file, check_lock,
                                 control,   sector_size,  characteristics, map_shared,  lock_shared,
                                 barrier,   unmap_shared, nullptr,         nullptr};

FileKind kind_of(int flags) {
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return FileKind::main;
  return (flags & SQLITE_OPEN_WAL) != 0 ? FileKind::log : FileKind::journal;
}

int open_file(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  OpenFile* const opened = ours(file);
  opened->base.pMethods = nullptr;
  const bool makes = name != nullptr && (flags & SQLITE_OPEN_CREATE) != 0 && !std::filesystem::exists(name);
  if (makes && disk->fails(Step::open, kind_of(flags))) return SQLITE_CANTOPEN;
  opened->real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + real_offset);
  if (const int outcome = system_vfs->xOpen(system_vfs, name, opened->real, flags, out_flags); outcome != SQLITE_OK)
    return outcome;
  opened->model = &disk->file(name == nullptr ? "" : name);
  opened->kind = kind_of(flags);
  opened->base.pMethods = &methods;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs*, const char* name, int) {
  if (disk->fails(Step::remove, std::strstr(name, "-wal") != nullptr ? FileKind::log : FileKind::journal))
    return SQLITE_IOERR_DELETE;
  disk->forget(name);
  return system_vfs->xDelete(system_vfs, name, 0);
}

int access_file(sqlite3_vfs*, const char* name, int flags, int* out) {
  return system_vfs->xAccess(system_vfs, name, flags, out);
}
int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  return system_vfs->xFullPathname(system_vfs, name, size, out);
}
int random_bytes(sqlite3_vfs*, int size, char* out) { return system_vfs->xRandomness(system_vfs, size, out); }
int sleep_for(sqlite3_vfs*, int microseconds) { return system_vfs->xSleep(system_vfs, microseconds); }
int now(sqlite3_vfs*, double* out) { return system_vfs->xCurrentTime(system_vfs, out); }
int last_error(sqlite3_vfs*, int size, char* out) { return system_vfs->xGetLastError(system_vfs, size, out); }
int now_ms(sqlite3_vfs*, sqlite3_int64* out) { return system_vfs->xCurrentTimeInt64(system_vfs, out); }

sqlite3_vfs vfs = [] {
  sqlite3_vfs made{};
  made.iVersion = 2;
  made.zName = vfs_name;
  made.xOpen = open_file;
  made.xDelete = remove_file;
  made.xAccess = access_file;
  made.xFullPathname = full_path;
  made.xRandomness = random_bytes;
  made.xSleep = sleep_for;
  made.xCurrentTime = now;
  made.xGetLastError = last_error;
  made.xCurrentTimeInt64 = now_ms;
  return made;
}();

}  // namespace

FailingDisk::FailingDisk() {
  REQUIRE(disk == nullptr);
  REQUIRE(sqlite3_initialize() == SQLITE_OK);
  system_vfs = sqlite3_vfs_find(nullptr);
  vfs.szOsFile = static_cast<int>(real_offset) + system_vfs->szOsFile;
  vfs.mxPathname = system_vfs->mxPathname;
  REQUIRE(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
  disk = this;
}

FailingDisk::~FailingDisk() {
  sqlite3_vfs_unregister(&vfs);
  sqlite3_vfs_register(system_vfs, 1);
  disk = nullptr;
}

void FailingDisk::break_at(Fault fault) {
  fault_ = std::move(fault);
  armed_ = true;
  failed_ = false;
  count_ = 0;
}

void FailingDisk::mend() { armed_ = false; }

bool FailingDisk::fails(Step step, FileKind file) {
  if (recording_ && step != Step::read) {
    cuts.push_back(after_power_cut());
    cuts.push_back(after_power_cut(&random_));
  }
  bool fails = false;
  if (armed_ && std::ranges::find(fault_.steps, step) != fault_.steps.end()) {
    ++count_;
    fails = count_ == fault_.from || (fault_.for_ever && count_ > fault_.from);
    failed_ = failed_ || fails;
  }
  if (step != Step::read) events.push_back({step, file, fails});
  return fails;
}

FailingDisk::File& FailingDisk::file(const std::string& path) {
  const auto [found, is_new] = files_.try_emplace(path);
  if (is_new) {
    std::ifstream in(path, std::ios::binary);
    found->second.durable.assign(std::istreambuf_iterator<char>(in), {});
  }
  return found->second;
}

DiskImage FailingDisk::after_power_cut(std::mt19937_64* random) const {
  DiskImage image;
  for (const auto& [path, file] : files_) {
    std::string bytes = file.durable;
    if (random != nullptr)
      for (const Change& each : file.pending) {
        if (each.truncates) {
          if ((*random)() % 2 == 0) change(bytes, each);
          continue;
        }
        for (std::size_t at = 0; at < each.bytes.size();) {
          const std::size_t piece = std::min(sector_bytes - (each.offset + at) % sector_bytes, each.bytes.size() - at);
          if ((*random)() % 2 == 0) change(bytes, {each.offset + at, each.bytes.substr(at, piece), false});
          at += piece;
        }
      }
    image.emplace(std::filesystem::path(path).filename().string(), std::move(bytes));
  }
  return image;
}

void FailingDisk::record_cuts(bool on, std::uint64_t seed) {
  recording_ = on;
  random_.seed(seed);
  if (on) cuts.clear();
}

void write_image(const DiskImage& image, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : image) {
    std::ofstream out(folder / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.flush());
  }
}

}  // namespace chash::store::test
