// The command line: what argv said.
//
// CLI11 splits the words and knows which option takes a value; it converts nothing and prints nothing. All values stay
// text here, so that an option, its variable and its key in a file are read by the same code, with our own messages.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "chash/result.h"
#include "help.h"
#include "option_table.h"
#include "settings.h"

namespace chash::cli {

struct CommandLine {
  Command command = Command::none;
  std::vector<std::string> operands;
  bool standard_input = false;  // the one operand is `-`, and no `--` made it a literal one
  Settings flags;               // the global options that have a value
  // All others that are given, with their values; a flag has one for each time.
  std::map<Option, std::vector<std::string>> given;

  // An option that the command does not have is one that is not given.
  bool has(Option option) const { return given.contains(option); }
  // The last value, which holds.
  std::optional<std::string> text(Option option) const;
  // All values; none, where it is not given.
  const std::vector<std::string>& all(Option option) const;
};

// What could be read, and what was wrong, if anything: how to tell the error stands among the options.
struct ParsedLine {
  CommandLine line;
  std::optional<Error> error;
};
ParsedLine read_command_line(const Arguments& arguments);

// The options of a command, or the global ones: how they are written, and their help.
std::vector<std::pair<std::string, std::string>> options_of(Command command);

}  // namespace chash::cli
