// The commands of chash, and what it says about them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "chash/result.h"

namespace chash::cli {

enum class Command : unsigned char {
  none,
  get_node,
  list,
  add,
  remove,
  status,
  ping,
  version,
  profile,
  compare,
  vectors,
  verify,
  ring,
  plan,
  apply,
  export_ring,
  diff,
  history,
  blame,
  rollback,
  whatif,
  distribution,
  sieve,
  check,
  help,
  completion,
  set,
  weight,
  drain,
  down,
  up,
  replace,
  explain,
  pin,
  unpin,
  reload,
  log_level,
  doctor,
  stats,
  bench,
  watch,
  wait
};

struct CommandRow {
  Command command;
  std::string_view name, alias, operands;
  std::string_view group, help, examples;
};

extern const std::array<CommandRow, 41> command_table;

// nullptr for `none`.
const CommandRow* find_row(Command command);

// "usage: chash add [OPTION]... NODE[=WEIGHT]..."; `none` is chash itself.
std::string usage_line(Command command);
// "try: chash add --help"
std::string try_line(Command command);
std::string help_text(Command command);

// What the exit statuses mean, once for all helps.
struct ExitMeaning {
  int status;
  std::string_view meaning;
};
extern const std::array<ExitMeaning, 11> exit_meanings;

// What `chash help TOPIC` tells of beside commands.
struct HelpTopic {
  std::string_view name, help;
  std::string (*text)();
};
extern const std::array<HelpTopic, 3> help_topics;

// `chash help [COMMAND|TOPIC]`.  Errors: invalid_argument, with what may have been meant.
Result<std::string> help_about(const std::vector<std::string>& words);

// A line of help: `label` at the left, `help` in its column, wrapped.
void append_entry(std::string_view label, std::string_view help, std::string& out);

}  // namespace chash::cli
