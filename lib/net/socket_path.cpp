#include "net/socket_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace chash::net {
namespace {

constexpr std::string_view system_path = "/run/chash/chashd.sock";
constexpr std::string_view below_directory = "/chash/chashd.sock";

// XDG: a relative path in such a variable is not valid and must be ignored.
std::string directory_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

std::string below_runtime_directory() {
  const std::string directory = directory_from("XDG_RUNTIME_DIR");
  return directory.empty() ? "" : directory + std::string(below_directory);
}

std::string below_state_directory() {
  std::string directory = directory_from("XDG_STATE_HOME");
  if (directory.empty())
    if (const std::string home = directory_from("HOME"); !home.empty()) directory = home + "/.local/state";
  return directory.empty() ? "" : directory + std::string(below_directory);
}

// A directory closed to us counts as empty: after `su`, XDG_RUNTIME_DIR is often still somebody else's.
bool is_there(const std::string& path) {
  struct stat file;
  return ::stat(path.c_str(), &file) == 0;
}

}  // namespace

std::string daemon_socket_path() {
  if (std::string directory = directory_from("RUNTIME_DIRECTORY"); !directory.empty()) {
    directory.resize(std::min(directory.size(), directory.find(':')));  // systemd lists several with colons
    return directory + "/chashd.sock";
  }
  if (::geteuid() == 0) return std::string(system_path);
  for (std::string path : {below_runtime_directory(), below_state_directory()})
    if (!path.empty()) return path;
  return std::string(system_path);
}

std::vector<std::string> socket_search_path() {
  std::vector<std::string> paths;
  for (std::string path : {below_runtime_directory(), below_state_directory(), std::string(system_path)})
    if (!path.empty()) paths.push_back(std::move(path));
  return paths;
}

std::string default_socket_path() {
  for (std::string& path : socket_search_path())
    if (is_there(path)) return std::move(path);
  return std::string(system_path);
}

}  // namespace chash::net
