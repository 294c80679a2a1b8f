// InputFile: a file to read that the user named, `-` for standard input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "chash/result.h"

namespace chash::cli {

class InputFile {
 public:
  // Errors: invalid_argument, with the name and the system's reason. A folder opens, and fails when it is read.
  static Result<InputFile> open(const std::string& path);

  // What there is, as read(2); 0 at the end, where it fails, and after Ctrl-C where that is only noted. Not after
  // read_line(), which has a buffer.
  std::size_t read(char* bytes, std::size_t size);
  // One line without its newline; false at the end, and where it fails.
  bool read_line(std::string& line);
  // 0 where it has none: a pipe.
  std::uint64_t size_bytes() const;
  // Asked at the end: whether that was the end.  Errors: as open().
  Result<void> check() const;

  InputFile() = default;

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  Error failed(int error) const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  int error_ = 0;
};

}  // namespace chash::cli
