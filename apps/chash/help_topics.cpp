// chash help TOPIC: what belongs to no command alone.
#include <algorithm>
#include <array>

#include "chash/error.h"
#include "help.h"
#include "net/socket_path.h"
#include "protocol/text.h"
#include "settings.h"

namespace chash::cli {
namespace {

// The meanings that an exit status has, by the names that errors in JSON have.
std::string exit_codes() {
  std::string out = "The exit statuses of chash, and the codes of errors in JSON.\n\n";
  for (const auto& [status, meaning] : exit_meanings) {
    std::string codes;
    for (const ErrcInfo& row : errc_table)
      if (row.exit_status == status) codes += (codes.empty() ? " (" : ", ") + std::string(row.name);
    append_entry(std::to_string(status), std::string(meaning) + codes + (codes.empty() ? "" : ")"), out);
  }
  append_entry("128 + n", "ended by signal n: 141, if whoever reads the output does not read on", out);
  out +=
      "\nAfter an error other than 5 a change has not been made. After a 5 that is\n"
      "unknown: run what the message says, and it is not made twice.\n"
      "\nEXAMPLES\n"
      "  chash remove cache-9 || [ $? -eq 3 ]    it need not have been there\n"
      "  chash --json list 2>&1 | jq .error.code\n";
  return out;
}

struct Placeholders {
  std::string_view command, names;
};

// The records themselves are made where they are printed; a test compares.
constexpr std::array<Placeholders, 32> placeholders{{
    {"get-node", "key node nodes ring epoch slot"},
    {"list", "name weight vnodes fields state labels ring epoch share"},
    {"add", "ring epoch previous_epoch nodes"},
    {"remove", "ring epoch previous_epoch nodes"},
    {"set", "ring epoch previous_epoch nodes"},
    {"weight", "ring epoch previous_epoch nodes"},
    {"drain", "ring epoch previous_epoch nodes"},
    {"down", "ring epoch previous_epoch nodes"},
    {"up", "ring epoch previous_epoch nodes"},
    {"replace", "ring epoch previous_epoch nodes"},
    {"pin", "kind key nodes expires"},
    {"pin KEY NODE", "ring epoch previous_epoch nodes"},
    {"unpin", "ring epoch previous_epoch nodes"},
    {"plan", "from to share"},
    {"diff", "from to share"},
    {"apply", "ring epoch previous_epoch added removed altered"},
    {"rollback", "ring epoch previous_epoch added removed altered"},
    {"history", "epoch time who operation change moved note"},
    {"blame", "epoch time from to who note operation"},
    {"whatif", "lost share sets_lost receiver receiver_gets receiver_share"},
    {"ring list", "name profile nodes points epoch"},
    {"profile list", "name software proof not_foretold"},
    {"status",
     "version protocol pid uptime_s rings nodes engine path commits listeners lookups changes connections "
     "log_lines_dropped"},
    {"stats", "lookups lookups_per_s changes changes_per_s connections log_lines_dropped uptime_s seconds"},
    {"bench", "lookups lookups_per_s p50_us p99_us p999_us seconds refused connections pipeline"},
    {"ping", "version protocol pid ms"},
    {"doctor", "verdict check text fix"},
    {"reload", "log_level"},
    {"log-level", "level previous"},
    {"version", "chash chashd protocol chashd_protocol"},
    {"distribution", "name weight ideal share off_by ring epoch"},
    {"check", "daemon ring epoch fingerprint"},
}};

std::string formats() {
  std::string out = "How chash prints; --output FORMAT, CHASH_OUTPUT or --format TEMPLATE chooses.\n\n";
  append_entry("plain", "a record a line, values with tabs between, no header, nothing shortened", out);
  append_entry("table", "columns with a header: the default of lists on a terminal", out);
  append_entry("json", "one object; errors are in JSON too. Members may be added, and none goes", out);
  append_entry("jsonl", "an object a line for each key, node, ring or change", out);
  append_entry("--format TEMPLATE", "a line a record, names in braces replaced by their values", out);
  out +=
      "\nIn a template, {name:>12} and {weight:.2f} have a width and a precision, {{ and\n"
      "}} are braces, and \\t, \\n, \\0 and \\\\ a tab, a newline, a NUL and a backslash.\n"
      "\nNAMES IN TEMPLATES\n";
  for (const auto& [command, names] : placeholders) append_entry(command, names, out);
  out +=
      "\nEXAMPLES\n"
      "  chash list --format '{name:<20}{weight:>8.1f}'\n"
      "  chash get-node --format '{key}\\t{node}' user:1 user:2\n"
      "  chash list -o jsonl | head -n 1\n";
  return out;
}

std::string environment() {
  std::string out =
      "An option wins over its variable, and that over the files. An empty variable is\n"
      "one that is not set.\n\nVARIABLES\n";
  for (const SettingRow& row : settings_table)
    append_entry(environment_name(row.name), "as --" + std::string(row.name) + ' ' + std::string(row.value), out);
  append_entry("CHASH_CONFIG", "as --config FILE", out);
  append_entry("NO_COLOR", "if it is set, no colour; --color always wins over it", out);
  append_entry("CLICOLOR_FORCE", "if it is set and not 0, colour also where there is no terminal", out);
  append_entry("CLICOLOR", "if it is 0, no colour", out);
  append_entry("TERM", "if it is dumb, no colour", out);
  append_entry("XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CONFIG_HOME, HOME", "where the files below are", out);
  out += "\nFILES\n";
  append_entry("$XDG_CONFIG_HOME/chash/config.toml", "the user's settings (default: ~/.config/chash/config.toml)", out);
  append_entry("/etc/chash/chash.toml", "those of the system, which the user's win over", out);
  out += "\nThe socket is the first of these that is there:\n";
  for (const std::string& path : net::socket_search_path()) out += "  " + protocol::printable(path, 300) + '\n';
  out +=
      "\nEXAMPLES\n"
      "  CHASH_OUTPUT=json chash list\n"
      "  echo 'url = \"http://db-1:8000\"' >>~/.config/chash/config.toml\n";
  return out;
}

}  // namespace

constinit const std::array<HelpTopic, 3> help_topics{{
    {"exit-codes", "what the exit statuses mean", exit_codes},
    {"formats", "plain, table, JSON, and names in templates", formats},
    {"environment", "variables and files", environment},
}};

Result<std::string> help_about(const std::vector<std::string>& words) {
  if (words.empty()) return help_text(Command::none);
  const std::string& word = words.front();
  if (words.size() > 1)
    return make_error(Errc::invalid_argument, "help is on one command or topic",
                      "try: chash help " + protocol::printable(word, 64));
  std::vector<std::string_view> known;
  for (const CommandRow& row : command_table) {
    if (word == row.name || (!row.alias.empty() && word == row.alias)) return help_text(row.command);
    known.insert(known.end(), {row.name, row.alias});
  }
  for (const HelpTopic& topic : help_topics) {
    if (word == topic.name) return topic.text();
    known.push_back(topic.name);
  }
  std::erase(known, "");
  const std::string_view meant = protocol::nearest(word, known);
  return make_error(Errc::invalid_argument, "there is no help on '" + protocol::printable(word, 64) + "'",
                    meant.empty() ? "" : "did you mean: " + std::string(meant));
}

}  // namespace chash::cli
