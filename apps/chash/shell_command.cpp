#include "shell_command.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace chash::cli {
namespace {

Error cannot_run(std::string_view what) {
  return make_error(Errc::internal, "cannot run the command: " + std::string(what) + ": " + std::strerror(errno));
}

// Not a pipe: a command that does not read it holds up nobody, and kills nobody.
Result<int> file_of(std::string_view input) {
  const int descriptor = ::memfd_create("chash-exec", MFD_CLOEXEC);
  if (descriptor < 0) return cannot_run("memfd_create");
  while (!input.empty()) {
    const ssize_t count = ::write(descriptor, input.data(), input.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Error error = cannot_run("write");
      ::close(descriptor);
      return error;
    }
    input.remove_prefix(static_cast<std::size_t>(count));
  }
  ::lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

}  // namespace

Result<int> run_shell_command(const std::string& command, std::string_view input,
                              const std::vector<std::pair<std::string, std::string>>& variables) {
  const auto file = file_of(input);
  if (!file) return file.error();
  const pid_t child = ::fork();
  if (child == 0) {  // chash has one thread, so that its copy may do anything
    ::dup2(*file, STDIN_FILENO);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  const Result<int> failed = child < 0 ? Result<int>(cannot_run("fork")) : Result<int>(0);
  ::close(*file);
  if (!failed) return failed;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return cannot_run("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace chash::cli
