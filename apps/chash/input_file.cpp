#include "input_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "interrupt.h"
#include "protocol/text.h"

namespace chash::cli {

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile input;
  input.path_ = path;
  input.file_.reset(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
  if (!input.file_) return input.failed(errno);
  return input;
}

std::size_t InputFile::read(char* bytes, std::size_t size) {
  // fread() would go on until a pipe has given all, and could not be woken by Ctrl-C.
  const int descriptor = ::fileno(file_.get());
  while (Interrupt::wait(descriptor)) {
    const ssize_t count = ::read(descriptor, bytes, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    error_ = errno;
    break;
  }
  return 0;
}

bool InputFile::read_line(std::string& line) {
  line.clear();
  std::array<char, 4096> piece;
  while (std::fgets(piece.data(), piece.size(), file_.get()) != nullptr) {
    line += piece.data();
    if (line.ends_with('\n')) return line.pop_back(), true;
  }
  if (std::ferror(file_.get()) != 0) error_ = errno;
  return !line.empty();
}

std::uint64_t InputFile::size_bytes() const {
  struct stat status {};
  if (::fstat(::fileno(file_.get()), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> InputFile::check() const { return error_ == 0 ? Result<void>() : Result<void>(failed(error_)); }

Error InputFile::failed(int error) const {
  const std::string name = path_ == "-" ? "standard input" : protocol::printable(path_, 300);
  return make_error(Errc::invalid_argument, "cannot read " + name + ": " + std::strerror(error));
}

}  // namespace chash::cli
