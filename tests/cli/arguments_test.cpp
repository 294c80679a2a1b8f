#include "arguments.h"

#include <doctest/doctest.h>

#include "command_line.h"

namespace chash::cli {
namespace {

using Words = std::vector<std::string>;

// Keys that CLI11 alone would change, refuse or take for something else.
const Words difficult_keys{"-",
                           "",
                           "[a,b]",
                           "[]",
                           "[",
                           "{}",
                           "++",
                           "a=b",
                           "\"q\"",
                           "'q'",
                           "%%",
                           "add",
                           "list",
                           "get",
                           "a b",
                           "\t",
                           "\n",
                           "-5",
                           "/x",
                           "a:b",
                           "--=",
                           "k\xc3\xa9",
                           "\xff\xfe",
                           "[\xff]",
                           std::string(1000, '['),
                           "\x1f",
                           "[]\x1f",
                           "[a,b]\x1f\x1f",
                           "{}\x1f",
                           "++\x1f"};

CommandLine parsed(const Words& argv) {
  const ParsedLine line = read_command_line(split_arguments(argv));
  CAPTURE(line.error.value_or(Error{}).message);
  REQUIRE_FALSE(line.error.has_value());
  return line.line;
}

std::string refusal(const Words& argv) {
  const ParsedLine line = read_command_line(split_arguments(argv));
  REQUIRE(line.error.has_value());
  CHECK(line.error->code == Errc::invalid_argument);
  return line.error->message + (line.error->hint.empty() ? "" : "; " + line.error->hint);
}

TEST_CASE("arguments: what stands behind the first double dash is taken off, untouched") {
  const Arguments split = split_arguments({"get-node", "a", "--", "-x", "--", "[a,b]", "--ring="});
  CHECK(split.words == Words{"get-node", "a"});
  CHECK(split.operands == Words{"-x", "--", "[a,b]", "--ring="});
  CHECK(split_arguments({"get-node", "--"}).operands.empty());
  CHECK(split_arguments({}).words.empty());
}

TEST_CASE("arguments: restore undoes what was done to a word") {
  for (const std::string& key : difficult_keys) {
    if (key == "--=") continue;
    CAPTURE(key);
    const Arguments split = split_arguments({key});
    REQUIRE(split.words.size() == 1);
    CHECK(restore(split.words.front()) == key);
  }
}

TEST_CASE("arguments: an option with an empty value does not take the next word for it") {
  const CommandLine line = parsed({"--ring=", "get-node", "k"});
  CHECK(line.command == Command::get_node);
  CHECK(line.flags.at("ring").text.empty());
  CHECK(line.operands == Words{"k"});
}

TEST_CASE("command line: difficult keys arrive as they were typed, alone and among others") {
  for (const std::string& key : difficult_keys) {
    if (key == "--=") continue;  // an option by its looks; behind the double dash it is a key, below
    CAPTURE(key);
    CHECK(parsed({"get-node", key}).operands == Words{key});
    CHECK(parsed({"get-node", "a", key, "b"}).operands == Words{"a", key, "b"});
    CHECK(parsed({"get-node", "-n", "2", key, "--json"}).operands == Words{key});
  }
}

TEST_CASE("command line: behind the double dash everything is a key") {
  Words keys = difficult_keys;
  keys.insert(keys.end(), {"-x", "--", "--ring", "--ring=", "-n", "--help"});
  for (const std::string& key : keys) {
    CAPTURE(key);
    const CommandLine line = parsed({"get-node", "--", key});
    CHECK(line.operands == Words{key});
    CHECK_FALSE(line.standard_input);
    CHECK_FALSE(line.has(Option::help));
  }
  CHECK(parsed({"get-node", "a", "--", "-b"}).operands == Words{"a", "-b"});
}

TEST_CASE("command line: only a dash alone is standard input") {
  CHECK(parsed({"get-node", "-"}).standard_input);
  CHECK(parsed({"-q", "get-node", "-", "-n", "2"}).standard_input);
  CHECK_FALSE(parsed({"get-node", "-", "a"}).standard_input);
  CHECK_FALSE(parsed({"get-node", "--", "-"}).standard_input);
  CHECK_FALSE(parsed({"get-node", "-", "--", "a"}).standard_input);
  CHECK_FALSE(parsed({"get-node"}).standard_input);
}

TEST_CASE("command line: global options stand before the command or behind it") {
  for (const Words& argv :
       {Words{"-r", "x", "--json", "-vv", "get-node", "k"}, Words{"get-node", "k", "-r", "x", "--json", "-vv"},
        Words{"-v", "get-node", "-rx", "-v", "k", "--json"}, Words{"--ring=x", "get-node", "--json", "-vv", "k"}}) {
    const CommandLine line = parsed(argv);
    CHECK(line.command == Command::get_node);
    CHECK(line.operands == Words{"k"});
    CHECK(line.flags.at("ring").text == "x");
    CHECK(line.flags.at("ring").origin == "--ring");
    CHECK(line.has(Option::json));
    CHECK(line.all(Option::verbose).size() == 2);
  }
}

TEST_CASE("command line: of an option that is given twice, the last one holds") {
  CHECK(parsed({"-r", "x", "list", "-r", "y"}).flags.at("ring").text == "y");
  CHECK(parsed({"get-node", "-n", "2", "-n3", "k"}).text(Option::replicas) == "3");
}

TEST_CASE("command line: a value in brackets arrives as it was typed") {
  CHECK(parsed({"list", "--format", "[{name}]"}).text(Option::format) == "[{name}]");
  CHECK(parsed({"list", "--format", "{}"}).text(Option::format) == "{}");
  CHECK(parsed({"list", "-r", "[a,b]"}).flags.at("ring").text == "[a,b]");
}

TEST_CASE("command line: commands have their aliases and options") {
  CHECK(parsed({"get", "k"}).command == Command::get_node);
  CHECK(parsed({"ls"}).command == Command::list);
  CHECK(parsed({"rm", "a"}).command == Command::remove);
  const CommandLine lookup = parsed({"get-node", "-0k", "-n", "2", "a"});
  CHECK(lookup.has(Option::null));
  CHECK(lookup.has(Option::with_key));
  CHECK(lookup.text(Option::replicas) == "2");
  CHECK(parsed({"get-node", "--no-key", "a"}).has(Option::no_key));
  CHECK(parsed({"add", "--if-missing", "--weight", "2", "a"}).has(Option::if_missing));
  CHECK(parsed({"add", "a", "--weight=2"}).text(Option::weight) == "2");
  CHECK(parsed({"remove", "a", "--if-exists"}).has(Option::if_exists));
  CHECK(parsed({"ping", "-c", "3"}).text(Option::count) == "3");
  CHECK(parsed({"add", "-h"}).has(Option::help));
  CHECK(parsed({"-V"}).has(Option::version));
  CHECK(parsed({}).command == Command::none);
}

TEST_CASE("command line: a command's own option wins over the one of chash that has the same letter") {
  const CommandLine behind = parsed({"sieve", "-v", "a"});
  CHECK(behind.has(Option::invert));
  CHECK_FALSE(behind.has(Option::verbose));
  const CommandLine before = parsed({"-v", "sieve", "a"});
  CHECK_FALSE(before.has(Option::invert));
  CHECK(before.has(Option::verbose));
  const CommandLine both = parsed({"sieve", "a", "--verbose", "-0v"});
  CHECK(both.has(Option::invert));
  CHECK(both.has(Option::null));
  CHECK(both.has(Option::verbose));
  CHECK(parsed({"list", "-v"}).has(Option::verbose));
}

TEST_CASE("command line: mistakes are named, with what may have been meant") {
  CHECK(refusal({"get-nod", "k"}) == "unknown command 'get-nod'; did you mean: get-node");
  CHECK(refusal({"xyzzy"}) == "unknown command 'xyzzy'");
  CHECK(refusal({"[x]"}) == "unknown command '[x]'");
  CHECK(refusal({"list", "--rign", "x"}) == "unknown option '--rign'; did you mean: --ring");
  CHECK(refusal({"get-node", "--replica=2", "k"}) == "unknown option '--replica'; did you mean: --replicas");
  CHECK(refusal({"get-node", "-x"}) == "unknown option '-x'; a key that starts with a dash stands behind '--'");
  CHECK(refusal({"list", "-n", "2"}) == "unknown option '-n'");
  CHECK(refusal({"--profile", "seed", "get-node"}) ==
        "unknown option '--profile'; it belongs to the command, and stands behind its name");
  CHECK(refusal({"list", "extra"}) == "unexpected argument 'extra'");
  CHECK(refusal({"list", "--", "extra"}) == "unexpected argument 'extra'");
  CHECK(refusal({"status", "list"}) == "unexpected argument 'list'");
  CHECK(refusal({"list", "--ring"}) == "option --ring needs a value");
  CHECK(refusal({"get-node", "k", "-n"}) == "option --replicas needs a value");
  CHECK(refusal({"list", "--json=false"}) == "option --json takes no value");
  CHECK(refusal({"get-node", "-k", "--no-key", "a"}) == "--with-key and --no-key exclude each other");
  CHECK(refusal({"list", "--json", "--format", "{name}"}) == "--json and --format exclude each other");
  CHECK(refusal({"list", "--json", "-o", "table"}) == "--json and --output table exclude each other");
  CHECK(refusal({std::string("\x1b[31m\xff")}) == "unknown command '\\x1b[31m\\xff'");
}

TEST_CASE("command line: options are known even when something else is wrong, so that errors can be JSON") {
  const ParsedLine line = read_command_line(split_arguments({"list", "--json", "--nonsense"}));
  CHECK(line.error.has_value());
  CHECK(line.line.has(Option::json));
  CHECK(line.line.command == Command::list);
}

TEST_CASE("help: it names every command, option, variable and exit status") {
  const std::string help = help_text(Command::none);
  for (const CommandRow& row : command_table) CHECK(help.find("\n  " + std::string(row.name)) != std::string::npos);
  for (const SettingRow& row : settings_table) {
    CHECK(help.find("--" + std::string(row.name) + " " + std::string(row.value)) != std::string::npos);
    CHECK(help.find("[" + environment_name(row.name) + "]") != std::string::npos);
  }
  for (const ErrcInfo& row : errc_table)
    CHECK(help.find("  " + std::to_string(row.exit_status) + "  ") != std::string::npos);
}

TEST_CASE("help: every page has an example, fits 80 columns and ends with a newline") {
  std::vector<Command> commands{Command::none};
  for (const CommandRow& row : command_table) commands.push_back(row.command);
  for (const Command command : commands) {
    const std::string help = help_text(command);
    CAPTURE(help);
    CHECK(help.find("EXAMPLES\n  chash ") != std::string::npos);
    CHECK(help.ends_with('\n'));
    std::size_t longest = 0;
    for (std::size_t start = 0, end = 0; (end = help.find('\n', start)) != std::string::npos; start = end + 1)
      longest = std::max(longest, end - start);
    CHECK(longest <= 80);
  }
}

}  // namespace
}  // namespace chash::cli
