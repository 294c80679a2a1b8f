#include "settings.h"

#include "command_help.h"

namespace chash::cli {

constinit const std::array<SettingRow, 9> settings_table{{
    {"socket", "s", "PATH",
     "Unix socket of the daemon (default: the first that is there of "
     "$XDG_RUNTIME_DIR/chash/chashd.sock, ~/.local/state/chash/chashd.sock, /run/chash/chashd.sock)"},
    {"url", "u", "URL", "talk HTTP instead: http://HOST:PORT"},
    {"token-file", "", "FILE", "file with the bearer token for HTTP; others must not be able to read it"},
    {"ring", "r", "NAME", field_help<protocol::GetNode::Request>("ring")},
    {"output", "o", "FORMAT", "plain, table, json or jsonl (default: lists are a table on a terminal, else plain)"},
    {"color", "", "WHEN", "auto, always or never; NO_COLOR and CLICOLOR_FORCE are heeded"},
    {"timeout", "", "TIME", "wait this long for an answer: 500ms, 5s, 2m (default: 5s)"},
    {"connect-timeout", "", "TIME", "wait this long for a connection (default: 2s)"},
    {"retry", "", "N", "try again up to N times when the daemon is unreachable or busy (default: 0)"},
}};

std::string environment_name(std::string_view setting) {
  std::string name = "CHASH_";
  for (const char c : setting) name += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
  return name;
}

Settings read_environment(const Environment& environment) {
  Settings settings;
  for (const SettingRow& row : settings_table) {
    const std::string name = environment_name(row.name);
    if (const char* value = environment(name.c_str()); value != nullptr && value[0] != '\0')
      settings[std::string(row.name)] = {value, name};
  }
  return settings;
}

}  // namespace chash::cli
