#include "whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "protocol/text.h"

namespace chash::cli {
namespace {

Error cannot_write(const std::string& path, const std::string& why, std::string hint = {}) {
  return make_error(Errc::invalid_argument, "cannot write " + protocol::printable(path, 300) + ": " + why,
                    std::move(hint));
}

// 0, or the errno.
int write_and_close(int file, std::string_view bytes) {
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count >= 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EINTR) error = errno;
  }
  // A name that leads to a file whose data is not on the disk yet would lead to an empty one after a crash.
  if (error == 0 && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

Result<void> write_whole_file(const std::string& path, std::string_view bytes) {
  struct stat there {};
  const bool exists = ::lstat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode))
    return cannot_write(path, "it is there, and no ordinary file", "another name, or - for standard output");
  const std::string unfinished = path + '.' + std::to_string(::getpid()) + ".tmp";
  const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return cannot_write(path, std::strerror(errno));
  int error = exists && ::fchmod(file, there.st_mode & 07777) != 0 ? errno : 0;
  const int written = write_and_close(file, bytes);
  if (error == 0) error = written;
  if (error == 0 && std::rename(unfinished.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(unfinished.c_str());
  return cannot_write(path, std::strerror(error));
}

}  // namespace chash::cli
