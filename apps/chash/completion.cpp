#include "completion.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "output.h"
#include "protocol/operations.h"

namespace chash::cli {
namespace {

using Words = std::vector<std::string>;

// An option as a word of the command line, whichever table has it.
struct Spelled {
  std::string short_name, long_name;  // the former may be empty
  std::string_view value, help;
};

// All that may stand behind the command. Its own are first, for they win.
std::vector<Spelled> options_behind(Command command) {
  std::vector<Spelled> options;
  const auto add_table = [&](Command owner) {
    for (const OptionRow& row : option_table) {
      if (!row.commands.contains(owner)) continue;
      const std::size_t comma = row.names.find(',');
      const std::string_view short_name = comma == row.names.npos ? "" : row.names.substr(0, comma);
      options.push_back({std::string(short_name), std::string(row.names.substr(comma + 1)), row.value, row.help});
    }
  };
  if (command != Command::none) add_table(command);
  for (const SettingRow& row : settings_table)
    options.push_back({row.short_name.empty() ? "" : "-" + std::string(row.short_name), "--" + std::string(row.name),
                       row.name == "ring" ? "RING" : row.value, row.help});
  add_table(Command::none);
  return options;
}

const Spelled* find_option(const std::vector<Spelled>& options, std::string_view name) {
  const auto at = std::ranges::find_if(
      options, [&](const Spelled& option) { return name == option.long_name || name == option.short_name; });
  return at == options.end() ? nullptr : &*at;
}

// `--watch` has its value only behind a `=`.
bool takes_next_word(const Spelled& option) { return !option.value.empty() && !option.value.starts_with('['); }

// The option whose value the next word is, if it is one: `--ring`, `-r`, and `-qr`.
const Spelled* awaiting_value(const std::vector<Spelled>& options, const std::string& word) {
  if (word.starts_with("--")) {
    const Spelled* option = find_option(options, word);
    return option != nullptr && takes_next_word(*option) ? option : nullptr;
  }
  for (std::size_t i = 1; i < word.size() && word.front() == '-'; ++i) {
    const Spelled* option = find_option(options, std::string{'-', word[i]});
    if (option != nullptr && takes_next_word(*option)) return i + 1 == word.size() ? option : nullptr;
  }
  return nullptr;
}

Command command_named(std::string_view word) {
  for (const CommandRow& row : command_table)
    if (word == row.name || (!row.alias.empty() && word == row.alias)) return row.command;
  return Command::none;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

Words split(std::string_view text, std::string_view separators) {
  Words parts;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find_first_of(separators), text.size());
    if (length > 0) parts.emplace_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return parts;
}

// "plain, table, json or jsonl (default: …)": what a help begins to enumerate.
Words enumerated(std::string_view help) {
  std::string text(help.substr(0, help.find_first_of("(;:")));
  const std::size_t last = text.find(" or ");
  if (last == text.npos) return {};
  text.replace(last, 4, ", ");
  Words choices = split(text, ",");
  for (std::string& choice : choices) {
    choice.erase(0, choice.find_first_not_of(' '));
    choice.erase(choice.find_last_not_of(' ') + 1);
    if (!is_word(choice)) return {};
  }
  return choices;
}

// `ring` and `create` are the operation ring-create.
std::string_view verb_help(std::string_view command, std::string_view verb) {
  for (const protocol::OperationInfo& row : protocol::operation_table)
    if (row.name.starts_with(command) && row.name.substr(command.size()) == "-" + std::string(verb)) return row.help;
  return {};
}

// "[NAME]..." is NAME; "NODE[=WEIGHT]..." is something else than NODE.
Words operand_kinds(const CommandRow& row) {
  Words kinds = split(row.operands, "| ");
  for (std::string& kind : kinds) {
    kind.erase(kind.find_last_not_of("].") + 1);
    kind.erase(0, kind.starts_with('[') ? 1 : 0);
  }
  return kinds;
}

}  // namespace

Completion::Completion(const Words& words) {
  Words before(words.begin(), words.empty() ? words.end() : words.end() - 1);
  typed_ = words.empty() ? "" : words.back();

  Command command = Command::none;
  std::vector<Spelled> options = options_behind(command);
  const Spelled* awaiting = nullptr;
  bool only_operands = false, command_stands = false;
  for (const std::string& word : before) {
    if (std::exchange(awaiting, nullptr) != nullptr || only_operands) continue;
    only_operands = word == "--";
    awaiting = awaiting_value(options, word);
    if (command_stands || word.starts_with('-')) continue;
    command_stands = true;
    command = command_named(word);
    options = options_behind(command);
  }
  if (awaiting != nullptr) before.pop_back();  // an option without its value would be an error
  line_ = read_command_line(split_arguments(before)).line;

  const std::size_t sign = typed_.find('=');
  if (awaiting != nullptr) {
    at_value(awaiting->value, awaiting->help);
  } else if (only_operands || !typed_.starts_with('-')) {
    if (command != Command::none) at_operand(*find_row(command));
    else if (!only_operands && !command_stands) want_commands();
  } else if (sign == typed_.npos) {
    for (const Spelled& option : options) add(option.long_name, std::string(option.help));
  } else {
    const Spelled* option = find_option(options, typed_.substr(0, sign));
    prefix_ = typed_.substr(0, sign + 1);
    typed_.erase(0, sign + 1);
    if (option != nullptr) at_value(option->value, option->help);
  }
}

void Completion::at_value(std::string_view kinds, std::string_view help) {
  if (const std::size_t sign = typed_.find(":@"); sign != typed_.npos && kinds.starts_with("PROFILE:NODES")) {
    prefix_ += typed_.substr(0, sign + 2);
    typed_.erase(0, sign + 2);
    files_ = true;
    return;
  }
  for (const std::string& kind : split(kinds, "|")) want(kind);
  for (const std::string& choice : enumerated(help)) add(choice, "");
}

void Completion::at_operand(const CommandRow& row) {
  const Words kinds = operand_kinds(row);
  const bool has_verbs = !kinds.empty() && is_word(kinds.front());
  if (has_verbs && !line_.operands.empty()) {
    const std::string& verb = line_.operands.front();
    const bool named = line_.operands.size() == 1 && verb != "create" && verb != "list";
    if (named && row.command == Command::ring) want("RING");
    if (named && row.command == Command::profile) want("PROFILE");
    return;
  }
  if (!line_.operands.empty() && row.operands.find("...") == row.operands.npos) return;
  for (const std::string& kind : kinds) {
    if (has_verbs && is_word(kind)) add(kind, std::string(verb_help(row.name, kind)));
    else want(kind);
  }
}

// A kind of word, as the tables name it in capitals; or a word that stands for itself.
void Completion::want(std::string_view kind) {
  if (is_word(kind)) add(kind, "");
  if (kind == "NODE") nodes_ = true;
  if (kind == "RING") rings_ = true;
  if (kind == "FILE" || kind == "DIR" || kind == "PATH" || kind == "SOCKET") files_ = true;
  if (kind == "PROFILE") profiles_ = true;
  if (kind == "PROFILE:NODES") {
    profiles_ = true;
    after_profile_ = ":";
  }
  if (kind == "COMMAND") want_commands();
  if (kind == "TOPIC")
    for (const HelpTopic& topic : help_topics) add(topic.name, std::string(topic.help));
}

void Completion::want_commands() {
  for (const CommandRow& row : command_table) {
    add(row.name, std::string(row.help));
    if (!row.alias.empty()) add(row.alias, std::string(row.help));
  }
}

void Completion::add_node(const std::string& name, std::string help) {
  if (std::ranges::find(line_.operands, name) == line_.operands.end()) add(name, std::move(help));
}

void Completion::add(std::string_view word, std::string help) {
  if (word.starts_with(typed_)) candidates_.push_back({prefix_ + std::string(word), std::move(help)});
}

std::string shell_line(const Candidate& candidate) {
  if (candidate.word.empty() || for_people(candidate.word) != candidate.word) return {};
  return candidate.word + '\t' + for_people(candidate.help) + '\n';
}

}  // namespace chash::cli
