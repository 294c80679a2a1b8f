// FileLock: one process at a time, and the second one is told who the first is.
#include "store/file_lock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>

#include "store/scratch.h"

namespace chash::store::test {
namespace {

// A process of its own that does `work` and then waits to be ended.
class Child {
 public:
  explicit Child(const std::function<bool()>& work) {
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      std::signal(SIGTERM, SIG_DFL);  // not doctest's handler
      const char outcome = work() ? 'y' : 'n';
      if (write(ready[1], &outcome, 1) != 1) _exit(2);
      while (true) pause();
    }
    close(ready[1]);
    char outcome = 0;
    CHECK(read(ready[0], &outcome, 1) == 1);
    close(ready[0]);
    succeeded = outcome == 'y';
  }
  ~Child() { end(SIGKILL); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void end(int signal) {
    if (pid <= 0) return;
    kill(pid, signal);
    waitpid(pid, nullptr, 0);
    pid = -1;
  }

  pid_t pid = -1;
  bool succeeded = false;
};

bool can_lock(const fs::path& path) { return FileLock::acquire(path).has_value(); }

TEST_CASE("file lock: the file holds the pid of its owner, and stays when the lock is gone") {
  const Scratch scratch;
  const auto path = scratch / "chashd.lock";
  {
    const auto lock = FileLock::acquire(path);
    REQUIRE(lock);
    CHECK(read_bytes(path) == std::to_string(getpid()) + "\n");
    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  CHECK(fs::exists(path));
  CHECK(can_lock(path));
}

TEST_CASE("file lock: a second one is refused with the pid of the first, in the same process and in another") {
  const Scratch scratch;
  const auto path = scratch / "chashd.lock";
  const auto lock = FileLock::acquire(path);
  REQUIRE(lock);
  const auto second = FileLock::acquire(path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::conflict);
  CHECK(second.error().message ==
        scratch.path().string() + " is in use by the chashd with pid " + std::to_string(getpid()));
  CHECK_FALSE(second.error().hint.empty());
  CHECK(read_bytes(path) == std::to_string(getpid()) + "\n");  // the refused one did not write its own

  const Child other([&] {
    const auto refused = FileLock::acquire(path);
    return !refused && refused.error().message.ends_with("pid " + std::to_string(getppid()));
  });
  CHECK(other.succeeded);
}

TEST_CASE("file lock: it is gone with its process, however that ends") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const Scratch scratch;
    const auto path = scratch / "chashd.lock";
    Child owner([&] {
      static auto lock = FileLock::acquire(path);
      return lock.has_value();
    });
    REQUIRE(owner.succeeded);
    const auto refused = FileLock::acquire(path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.ends_with("pid " + std::to_string(owner.pid)));
    owner.end(signal);
    const auto lock = FileLock::acquire(path);
    REQUIRE(lock);
    CHECK(read_bytes(path) == std::to_string(getpid()) + "\n");
  }
}

TEST_CASE("file lock: it moves with its object, and goes with the last") {
  const Scratch scratch;
  const auto path = scratch / "chashd.lock";
  const auto other_path = scratch / "other.lock";
  auto first = FileLock::acquire(path);
  REQUIRE(first);
  {
    FileLock moved = std::move(*first);
    CHECK_FALSE(can_lock(path));
    auto second = FileLock::acquire(other_path);
    REQUIRE(second);
    *second = std::move(moved);
    CHECK_FALSE(can_lock(path));
  }
  CHECK(can_lock(path));
  CHECK(can_lock(other_path));
}

TEST_CASE("file lock: an owner that has not written its pid, or wrote something else, is unknown") {
  const Scratch scratch;
  const auto path = scratch / "chashd.lock";
  for (const std::string& text : {std::string(), std::string("not a pid"), std::string("\0\0\0\0", 4)}) {
    const auto lock = FileLock::acquire(path);
    REQUIRE(lock);
    write_bytes(path, text);
    const auto refused = FileLock::acquire(path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.ends_with("pid unknown"));
  }
}

TEST_CASE("file lock: a longer text that was there before is replaced") {
  const Scratch scratch;
  const auto path = scratch / "chashd.lock";
  write_bytes(path, "99999999999999999999999999\n");
  const auto lock = FileLock::acquire(path);
  REQUIRE(lock);
  CHECK(read_bytes(path) == std::to_string(getpid()) + "\n");
}

TEST_CASE("file lock: what is no file of ours is refused and left alone") {
  const Scratch scratch;
  const auto refusal = [](const fs::path& path) {
    const auto lock = FileLock::acquire(path);
    REQUIRE_FALSE(lock);
    CHECK(lock.error().code == Errc::storage_failed);
    CHECK(lock.error().message.find(path.string()) != std::string::npos);
    return lock.error().message;
  };
  fs::create_directory(scratch / "folder");
  CHECK(refusal(scratch / "folder").ends_with("Is a directory"));
  CHECK(refusal(scratch / "no" / "such" / "chashd.lock").ends_with("No such file or directory"));

  write_bytes(scratch / "victim", "precious");
  fs::create_symlink(scratch / "victim", scratch / "link");
  refusal(scratch / "link");
  CHECK(read_bytes(scratch / "victim") == "precious");
  fs::create_symlink(scratch / "not-there", scratch / "dangling");
  refusal(scratch / "dangling");
  CHECK_FALSE(fs::exists(scratch / "not-there"));
}

TEST_CASE("file lock: without the permission to make or open the file there is no lock") {
  const Scratch scratch;
  REQUIRE(chmod(scratch.path().c_str(), 0755) == 0);
  fs::create_directory(scratch / "closed");
  write_bytes(scratch / "theirs.lock", "");
  REQUIRE(chmod((scratch / "closed").c_str(), 0500) == 0);
  REQUIRE(chmod((scratch / "theirs.lock").c_str(), 0400) == 0);
  // Root may do everything, so somebody else tries.
  const Child nobody([&] {
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return false;
    for (const auto& path : {scratch / "closed" / "chashd.lock", scratch / "theirs.lock"}) {
      const auto lock = FileLock::acquire(path);
      if (lock || lock.error().code != Errc::storage_failed || !lock.error().message.ends_with("Permission denied"))
        return false;
    }
    return true;
  });
  CHECK(nobody.succeeded);
}

}  // namespace
}  // namespace chash::store::test
