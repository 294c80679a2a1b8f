// What chashd is told: by flags, by the environment, by a file — in that order of precedence — and what it assumes.
//
// Each setting has one name, everywhere: --log-level, CHASHD_LOG_LEVEL, and `log-level` in the file. The table of
// settings below is the only list of them; flags, environment, file, --help and the test of the manual are made from
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "chash/ring_spec.h"
#include "net/access.h"
#include "service/log.h"

namespace chashd {

struct Config {
  std::string socket;
  std::vector<std::string> http{"127.0.0.1:8000"};
  std::string state_dir;
  std::uint64_t history = chash::limits::history;
  std::string log_dir;  // empty: no files
  chash::service::LogLevel log_level = chash::service::LogLevel::info;
  bool log_requests = true;
  std::vector<chash::Node> initial_nodes;
  chash::net::HttpWrites http_writes = chash::net::HttpWrites::loopback;
  std::string token_file;
  std::vector<std::string> allowed_hosts;
  unsigned threads = 1;
};

struct Setting {
  std::string_view name;
  std::string_view value;  // placeholder in --help
  bool repeatable;
  std::string_view help;
  // Requires: at least one value, and just one unless repeatable.
  chash::Result<void> (*set)(Config& config, const std::vector<std::string>& values);
};
std::span<const Setting> settings();

// Defaults for this user: the system's directories for root, systemd's where it sets them, else XDG's.
Config default_config();

struct CommandLine {
  enum class Action : unsigned char { run, check_config, show };  // show: `text` was asked for (--help, --version)
  Action action = Action::run;
  std::string text;
  Config config;
};

// Reads all sources.  Errors: invalid_argument that names the source (the flag, the variable, or the file and line).
chash::Result<CommandLine> read_command_line(int argc, const char* const* argv);

}  // namespace chashd
