// FileLock: one process at a time. The file holds the owner's pid, so that the second one can be told who the first is.
#pragma once

#include <filesystem>
#include <utility>

#include "chash/result.h"

namespace chash::store {

class FileLock {
 public:
  // The kernel drops the lock with the process, however it ends; the file stays.
  // Errors: conflict, with the pid of the owner; storage_failed if the file cannot be opened.
  static Result<FileLock> acquire(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace chash::store
