#include "processes.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "failure.h"
#include "load.h"

namespace bench {
namespace {

struct Actions {
  Actions() { posix_spawn_file_actions_init(&all); }
  ~Actions() { posix_spawn_file_actions_destroy(&all); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t all;
};

pid_t spawn(const std::vector<char*>& argv, const std::vector<char*>& environment, const Actions& actions) {
  pid_t pid = 0;
  if (const int error = posix_spawn(&pid, argv.front(), &actions.all, nullptr, argv.data(), environment.data());
      error != 0)
    fail(std::string("cannot run ") + argv.front() + ": " + std::system_category().message(error));
  return pid;
}

void wait_for_success(pid_t pid, const std::string& name) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) fail(name + " failed");
}

}  // namespace

std::vector<std::string> clean_environment() {
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with("CHASH")) kept.emplace_back(*variable);
  return kept;
}

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');)
    if (const std::string file = directory + '/' + name; access(file.c_str(), X_OK) == 0) return file;
  return {};
}

std::int64_t time_program(const std::vector<std::string>& command) {
  static const std::vector<std::string> variables = clean_environment();
  static const std::vector<char*> environment = c_strings(variables);
  const auto argv = c_strings(command);
  Actions actions;
  posix_spawn_file_actions_addopen(&actions.all, 1, "/dev/null", O_WRONLY, 0);
  const std::int64_t start = now_ns();
  wait_for_success(spawn(argv, environment, actions), command.front());
  return now_ns() - start;
}

std::string output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail_with_errno("cannot make a pipe");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::vector<std::string> variables = clean_environment();
  const auto argv = c_strings(command);
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.all, writer.get(), 1);
  const pid_t pid = spawn(argv, c_strings(variables), actions);
  writer = Fd();
  std::string output;
  std::array<char, 4096> bytes;
  for (ssize_t size; (size = read(reader.get(), bytes.data(), bytes.size())) > 0;)
    output.append(bytes.data(), static_cast<std::size_t>(size));
  wait_for_success(pid, command.front());
  return output;
}

}  // namespace bench
