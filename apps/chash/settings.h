// Settings: the global options that have a value, named once for the command line, the environment and the files.
//
//   --connect-timeout 2s     CHASH_CONNECT_TIMEOUT=2s     connect-timeout = "2s"
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chash/result.h"

namespace chash::cli {

struct SettingRow {
  std::string_view name;        // the long option
  std::string_view short_name;  // one letter, or none
  std::string_view value;       // what help calls its value
  std::string_view help;
};

extern const std::array<SettingRow, 9> settings_table;

std::string environment_name(std::string_view setting);

struct Setting {
  std::string text;
  std::string origin;  // "--ring", "CHASH_RING", "/etc/chash/chash.toml:3": for messages
};

// What one source says, by name of the setting.
using Settings = std::map<std::string, Setting, std::less<>>;

using Environment = std::function<const char*(const char* name)>;

// An empty variable is one that is not set.
Settings read_environment(const Environment& environment);

// Strongest first. With `named` that file alone, which must be there; else the user's and the system's, if they are.
// Errors: invalid_argument, with file and line: what TOML does not allow, unknown keys, values of the wrong type.
Result<std::vector<Settings>> read_config_files(std::string_view named, const Environment& environment);

// One file's text. Pure.
Result<Settings> parse_config(std::string_view text, const std::string& path);

}  // namespace chash::cli
