// The commands of chash, and what it says about them.
#pragma once

#include <array>
#include <string>
#include <string_view>

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
  distribution
};

struct CommandRow {
  Command command;
  std::string_view name, alias, operands;
  std::string_view group, help, examples;
};

extern const std::array<CommandRow, 21> command_table;

// nullptr for `none`.
const CommandRow* find_row(Command command);

// "usage: chash add [OPTION]... NODE[=WEIGHT]..."; `none` is chash itself.
std::string usage_line(Command command);
// "try: chash add --help"
std::string try_line(Command command);
std::string help_text(Command command);

}  // namespace chash::cli
