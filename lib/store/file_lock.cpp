#include "store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace chash::store {
namespace {

std::string owner_of(int descriptor) {
  char text[32];
  const ssize_t size = pread(descriptor, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (const auto end = pid.find_first_not_of("0123456789"); end != std::string::npos) pid.resize(end);
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.descriptor_ < 0)
    return make_error(Errc::storage_failed, "cannot open the lock file " + path.string() + ": " + std::strerror(errno));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return make_error(Errc::conflict,
                        path.parent_path().string() + " is in use by the chashd with pid " + owner_of(lock.descriptor_),
                        "stop that one first, or give this one another --state-dir and --socket");
    return make_error(Errc::storage_failed, "cannot lock " + path.string() + ": " + std::strerror(errno));
  }
  const std::string pid = std::to_string(getpid()) + '\n';
  // Only for people to read: the lock itself does not depend on it.
  if (ftruncate(lock.descriptor_, 0) != 0 || pwrite(lock.descriptor_, pid.data(), pid.size(), 0) < 0) return lock;
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace chash::store
