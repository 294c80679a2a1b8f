#include "option_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "command_line.h"

namespace chash::cli {
namespace {

using Words = std::vector<std::string>;

// Every command that there is, and chash itself.
std::vector<const CommandRow*> commands() {
  std::vector<const CommandRow*> rows{nullptr};
  for (const CommandRow& row : command_table) rows.push_back(&row);
  return rows;
}

Command id(const CommandRow* command) { return command == nullptr ? Command::none : command->command; }

// "-n" and "--replicas" of "-n,--replicas".
Words spellings(const OptionRow& row) {
  const std::string names(row.names);
  const std::size_t comma = names.find(',');
  return comma == names.npos ? Words{names} : Words{names.substr(0, comma), names.substr(comma + 1)};
}

ParsedLine given(const CommandRow* command, const OptionRow& row, const std::string& spelling) {
  Words argv;
  if (command != nullptr) argv.emplace_back(command->name);
  argv.push_back(spelling);
  if (!row.is_flag()) argv.emplace_back("value");
  return read_command_line(split_arguments(argv));
}

TEST_CASE("option table: each spelling of an option gives it to its commands, and to no others") {
  for (const OptionRow& row : option_table) {
    for (const CommandRow* command : commands()) {
      if (!row.commands.contains(id(command))) continue;
      for (const std::string& spelling : spellings(row)) {
        CAPTURE(spelling);
        const ParsedLine parsed = given(command, row, spelling);
        CHECK_FALSE(parsed.error.has_value());
        CHECK(parsed.line.given.size() == 1);
        CHECK(parsed.line.has(row.option));
        CHECK(parsed.line.text(row.option) == (row.is_flag() ? "true" : "value"));
      }
    }
  }
  for (const CommandRow& command : command_table)
    for (const OptionRow& row : option_table) {
      const bool has = std::ranges::any_of(option_table, [&](const OptionRow& other) {
        return other.option == row.option &&
               (other.commands.contains(command.command) || other.commands.contains(Command::none));
      });
      if (!has) CHECK_FALSE(given(&command, row, spellings(row).back()).line.has(row.option));
    }
}

TEST_CASE("option table: the help of a command has its usage, and each of its options with the explanation") {
  for (const CommandRow* command : commands()) {
    const std::string help = help_text(id(command));
    CAPTURE(help);
    CHECK(help.find(usage_line(id(command))) != std::string::npos);
    for (const OptionRow& row : option_table) {
      if (!row.commands.contains(id(command))) continue;
      CAPTURE(row.names);
      std::string label = spellings(row).back() + (row.is_flag() ? "" : " " + std::string(row.value));
      if (spellings(row).size() > 1) label.insert(0, spellings(row).front() + ", ");
      CHECK(help.find(label) != std::string::npos);
      CHECK(help.find(row.help.substr(0, row.help.find(' '))) != std::string::npos);
    }
  }
}

TEST_CASE("option table: a row has a help, and belongs to chash itself or to commands that there are") {
  for (const OptionRow& row : option_table) {
    CAPTURE(row.names);
    CHECK_FALSE(row.help.empty());
    CHECK(spellings(row).back().starts_with("--"));
    CHECK(
        std::ranges::any_of(commands(), [&](const CommandRow* command) { return row.commands.contains(id(command)); }));
    CHECK_FALSE((row.is_flag() && row.repeats));
  }
}

TEST_CASE("option table: the rows of one option are all flags, or all have a value, and repeat or do not") {
  for (const OptionRow& row : option_table)
    for (const OptionRow& other : option_table)
      if (other.option == row.option) {
        CAPTURE(row.names);
        CHECK(row.is_flag() == other.is_flag());
        CHECK(row.repeats == other.repeats);
      }
}

TEST_CASE("command line: an option that is not given has no value, whether the command has it or not") {
  const CommandLine line = read_command_line(split_arguments({"list"})).line;
  for (const OptionRow& row : option_table) {
    CHECK_FALSE(line.has(row.option));
    CHECK_FALSE(line.text(row.option).has_value());
    CHECK(line.all(row.option).empty());
  }
}

TEST_CASE("command line: an option that repeats has all its values, in order and as they were typed") {
  const auto parsed = read_command_line(split_arguments({"add", "--field", "a=1", "x", "--field=[b,c]"}));
  CHECK_FALSE(parsed.error.has_value());
  CHECK(parsed.line.all(Option::field) == Words{"a=1", "[b,c]"});
  CHECK(parsed.line.operands == Words{"x"});
}

}  // namespace
}  // namespace chash::cli
