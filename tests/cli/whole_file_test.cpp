#include "whole_file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace chash::cli {
namespace {

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "whole_file_XXXXXX").string();

  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string read(const std::string& name) const {
    std::ifstream file(path + '/' + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator());
  }
};

// No file of this process gets larger. A full disk looks alike.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST_CASE("a whole file is there, and nothing beside it") {
  const Folder folder;
  CHECK(write_whole_file(folder.path + "/a", std::string(100'000, 'x')));
  CHECK(folder.read("a").size() == 100'000);
  CHECK(write_whole_file(folder.path + "/a", "new"));
  CHECK(folder.read("a") == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("a whole file for which there is no room leaves the old one, and nothing beside it") {
  const Folder folder;
  REQUIRE(write_whole_file(folder.path + "/a", "old"));
  Result<void> outcome;
  {
    const SmallFiles small(1000);
    outcome = write_whole_file(folder.path + "/a", std::string(100'000, 'x'));
  }
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == Errc::invalid_argument);
  CHECK(outcome.error().message == "cannot write " + folder.path + "/a: File too large");
  CHECK(folder.read("a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("a whole file does not replace what is no file") {
  const Folder folder;
  std::filesystem::create_directory(folder.path + "/d");
  std::filesystem::create_symlink("nowhere", folder.path + "/link");
  CHECK_FALSE(write_whole_file(folder.path + "/d", "x").has_value());
  CHECK_FALSE(write_whole_file(folder.path + "/link", "x").has_value());
  CHECK_FALSE(write_whole_file(folder.path + "/none/a", "x").has_value());
  CHECK(folder.files() == 2);
}

}  // namespace
}  // namespace chash::cli
