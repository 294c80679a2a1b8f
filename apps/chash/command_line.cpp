#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "help.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::size_t shown_bytes = 64;  // of a wrong word in a message
constexpr int no_limit = 1 << 28;        // of operands; memory ends first

class Grammar {
 public:
  Grammar();

  ParsedLine parse(const Arguments& arguments);
  // The options of a command, or the global ones: how they are written, and their help.
  std::vector<std::pair<std::string, std::string>> options_of(Command command) const;

 private:
  struct Known {
    const OptionRow* row;
    CLI::Option* option;
  };

  static CLI::Option* option(CLI::App& app, const std::string& names, std::string_view value, std::string_view help) {
    return app.add_option(names, CLI::callback_t(), std::string(help))->type_name(std::string(value))->take_last();
  }
  static CLI::Option* flag(CLI::App& app, const std::string& names, std::string_view help) {
    const std::string description(help);  // CLI11 would fill in a string that is not const
    return app.add_flag(names, description)->take_last();
  }

  void add_command(const CommandRow& row);
  void add_options(CLI::App& app, Command command);
  void read_options(CommandLine& line) const;
  void read_operands(const Arguments& arguments, ParsedLine& parsed) const;
  std::optional<Error> complaint() const;
  std::optional<Error> excluded() const;
  Error unknown_option(const std::string& word) const;
  Error unknown_command(const std::string& word) const;
  const CommandRow* row_parsed() const;
  const CLI::Option* given(Option wanted) const;  // nullptr, where it is not

  CLI::App app_;
  std::vector<CLI::App*> commands_;  // as in command_table
  std::vector<CLI::Option*> operands_;
  std::vector<CLI::Option*> settings_;  // as in settings_table
  std::vector<Known> options_;          // as in option_table, of chash itself and then of each command
};

Grammar::Grammar() : app_("", "chash") {
  app_.set_help_flag();
  app_.allow_extras();
  app_.require_subcommand(0, 1);
  app_.fallthrough();
  for (const SettingRow& row : settings_table) {
    const std::string names =
        (row.short_name.empty() ? "" : "-" + std::string(row.short_name) + ",") + "--" + std::string(row.name);
    settings_.push_back(option(app_, names, row.value, row.help));
  }
  add_options(app_, Command::none);
  for (const CommandRow& row : command_table) add_command(row);
}

void Grammar::add_command(const CommandRow& row) {
  CLI::App& app = *app_.add_subcommand(std::string(row.name));
  if (!row.alias.empty()) app.alias(std::string(row.alias));
  commands_.push_back(&app);
  operands_.push_back(nullptr);
  if (!row.operands.empty())
    operands_.back() = app.add_option("OPERAND", CLI::callback_t())
                           ->expected(0, no_limit)
                           ->allow_extra_args()
                           ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_options(app, row.command);
}

void Grammar::add_options(CLI::App& app, Command command) {
  for (const OptionRow& row : option_table) {
    if (!row.commands.contains(command)) continue;
    const std::string names(row.names);
    CLI::Option* added = row.is_flag() ? flag(app, names, row.help) : option(app, names, row.value, row.help);
    if (row.is_value_optional()) added->expected(0, 1);
    if (row.repeats) added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    options_.push_back({&row, added});
  }
}

const CLI::Option* Grammar::given(Option wanted) const {
  for (const auto& [row, option] : options_)
    if (row->option == wanted && option->count() > 0) return option;
  return nullptr;
}

const CommandRow* Grammar::row_parsed() const {
  for (std::size_t i = 0; i < commands_.size(); ++i)
    if (commands_[i]->parsed()) return &command_table[i];
  return nullptr;
}

ParsedLine Grammar::parse(const Arguments& arguments) {
  ParsedLine parsed;
  try {
    std::vector<std::string> reversed(arguments.words.rbegin(), arguments.words.rend());  // as CLI11 takes it
    app_.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view what = error.what();
    parsed.error =
        make_error(Errc::invalid_argument, "option " + std::string(what.substr(0, what.find(':'))) + " needs a value");
  } catch (const CLI::ParseError& error) {
    parsed.error = make_error(Errc::invalid_argument, error.what());
  }
  if (!parsed.error) parsed.error = complaint();

  read_options(parsed.line);
  read_operands(arguments, parsed);
  return parsed;
}

void Grammar::read_options(CommandLine& line) const {
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    if (settings_[i]->count() == 0) continue;
    const std::string name(settings_table[i].name);
    line.flags[name] = {restore(settings_[i]->results().back()), "--" + name};
  }
  for (const auto& [row, option] : options_)
    for (const std::string& word : option->results()) line.given[row->option].push_back(restore(word));
}

void Grammar::read_operands(const Arguments& arguments, ParsedLine& parsed) const {
  const CommandRow* row = row_parsed();
  if (row == nullptr) return;
  CommandLine& line = parsed.line;
  line.command = row->command;
  if (const CLI::Option* operands = operands_[static_cast<std::size_t>(row - command_table.data())])
    for (const std::string& word : operands->results()) line.operands.push_back(restore(word));
  line.standard_input = line.operands.size() == 1 && line.operands.front() == "-" && arguments.operands.empty();
  line.operands.insert(line.operands.end(), arguments.operands.begin(), arguments.operands.end());
  if (row->operands.empty() && !line.operands.empty() && !parsed.error)
    parsed.error = make_error(Errc::invalid_argument,
                              "unexpected argument '" + printable(line.operands.front(), shown_bytes) + "'");
}

// Words that belong nowhere, flags that were given a value, and options that exclude each other.
std::optional<Error> Grammar::complaint() const {
  for (const std::string& word : app_.remaining(true)) {
    if (word.size() > 1 && word.starts_with('-')) return unknown_option(word);
    if (row_parsed() == nullptr) return unknown_command(restore(word));
    return make_error(Errc::invalid_argument, "unexpected argument '" + printable(restore(word), shown_bytes) + "'");
  }
  for (const auto& [row, option] : options_)
    for (const std::string& value : option->results())
      if (row->is_flag() && value != "true")
        return make_error(Errc::invalid_argument, "option " + option->get_name() + " takes no value");
  return excluded();
}

std::optional<Error> Grammar::excluded() const {
  for (const auto& [one, other] : exclusive_options) {
    const CLI::Option *a = given(one), *b = given(other);
    if (a != nullptr && b != nullptr)
      return make_error(Errc::invalid_argument, a->get_name() + " and " + b->get_name() + " exclude each other");
  }
  const CLI::Option* output = app_.get_option("--output");
  if (given(Option::json) != nullptr && output->count() > 0 && output->results().back() != "json")
    return make_error(
        Errc::invalid_argument,
        "--json and --output " + printable(output->results().back(), shown_bytes) + " exclude each other");
  return std::nullopt;
}

Error Grammar::unknown_option(const std::string& word) const {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  const auto collect = [&](const CLI::App& app) {
    for (const CLI::Option* option : app.get_options())
      for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
  };
  collect(app_);
  for (const CLI::App* command : commands_)
    if (command->parsed()) collect(*command);
  const std::string_view meant = name.starts_with("--") ? nearest(name, known) : std::string_view();
  std::string hint;
  if (meant == name) hint = "it belongs to the command, and stands behind its name";
  else if (!meant.empty()) hint = "did you mean: " + std::string(meant);
  else if (row_parsed() != nullptr && row_parsed()->command == Command::get_node)
    hint = "a key that starts with a dash stands behind '--'";
  return make_error(Errc::invalid_argument, "unknown option '" + printable(name, shown_bytes) + "'", std::move(hint));
}

Error Grammar::unknown_command(const std::string& word) const {
  std::vector<std::string_view> known;
  for (const CommandRow& row : command_table)
    for (const std::string_view name : {row.name, row.alias})
      if (!name.empty()) known.push_back(name);
  const std::string_view meant = nearest(word, known);
  return make_error(Errc::invalid_argument, "unknown command '" + printable(word, shown_bytes) + "'",
                    meant.empty() ? "" : "did you mean: " + std::string(meant));
}

std::vector<std::pair<std::string, std::string>> Grammar::options_of(Command command) const {
  const CLI::App* app = &app_;
  for (std::size_t i = 0; i < commands_.size(); ++i)
    if (command_table[i].command == command) app = commands_[i];
  std::vector<std::pair<std::string, std::string>> options;
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) continue;
    std::string names = option->get_snames().empty() ? "    " : "-" + option->get_snames().front() + ", ";
    names += "--" + option->get_lnames().front();
    if (option->get_expected_max() > 0) names += " " + option->get_type_name();
    std::string help = option->get_description();
    const bool is_setting = std::ranges::find(settings_, option) != settings_.end();
    if (is_setting) help += " [" + environment_name(option->get_lnames().front()) + "]";
    options.emplace_back(std::move(names), std::move(help));
  }
  return options;
}

}  // namespace

std::optional<std::string> CommandLine::text(Option option) const {
  const std::vector<std::string>& values = all(option);
  return values.empty() ? std::nullopt : std::optional(values.back());
}

const std::vector<std::string>& CommandLine::all(Option option) const {
  static const std::vector<std::string> none;
  const auto at = given.find(option);
  return at == given.end() ? none : at->second;
}

ParsedLine read_command_line(const Arguments& arguments) { return Grammar().parse(arguments); }

std::vector<std::pair<std::string, std::string>> options_of(Command command) { return Grammar().options_of(command); }

}  // namespace chash::cli
