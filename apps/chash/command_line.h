// The grammar of the command line: which options there are, and what argv said.
//
// CLI11 splits the words and knows which option takes a value; it converts nothing and prints nothing. All values stay
// text here, so that an option, its variable and its key in a file are read by the same code, with our own messages.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "chash/result.h"
#include "help.h"
#include "settings.h"

namespace chash::cli {

struct CommandLine {
  Command command = Command::none;
  std::vector<std::string> operands;
  bool standard_input = false;  // the one operand is `-`, and no `--` made it a literal one
  Settings flags;               // the global options that have a value
  std::string config_file;
  std::optional<std::string> format_template;
  unsigned verbose = 0;
  bool json = false, header = true, quiet = false, help = false, version = false;
  // Options of single commands, as text.
  std::optional<std::string> replicas, weight, count, profile, nodes, nodes_file, key_format, seed, from, to, keys,
      sample;
  std::vector<std::string> fields;
  bool with_key = false, no_key = false, null = false, if_missing = false, if_exists = false, slot = false,
       slots = false;
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
