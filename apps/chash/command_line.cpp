#include "command_line.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>

#include "command_help.h"
#include "help.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::size_t shown_bytes = 64;  // of a wrong word in a message
constexpr int no_limit = 1 << 28;        // of operands; memory ends first

class Grammar {
 public:
  Grammar() : app_("", "chash") {
    app_.set_help_flag();
    app_.allow_extras();
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    for (const SettingRow& row : settings_table) {
      const std::string names =
          (row.short_name.empty() ? "" : "-" + std::string(row.short_name) + ",") + "--" + std::string(row.name);
      settings_.push_back(option(app_, names, row.value, row.help));
    }
    json_ = flag(app_, "--json", "the same as --output json");
    template_ = option(app_, "--format", "TEMPLATE",
                       "one line a record, such as '{name} {weight}'; a wrong name lists the right ones");
    no_header_ = flag(app_, "--no-header", "tables without their header");
    config_ = option(app_, "--config", "FILE", "read this file and no other [CHASH_CONFIG]");
    quiet_ = flag(app_, "-q,--quiet", "do not print what add, remove, ring and ping have done");
    verbose_ = flag(app_, "-v,--verbose", "say what is done; -vv shows what is sent and received");
    help_ = flag(app_, "-h,--help", "show help, also of a command: chash add --help");
    version_ = flag(app_, "-V,--version", "show the version of chash");
    for (const CommandRow& row : command_table) add_command(row);
  }

  ParsedLine parse(const Arguments& arguments);
  // The options of a command, or the global ones: how they are written, and their help.
  std::vector<std::pair<std::string, std::string>> options_of(Command command) const;

 private:
  static constexpr std::string_view without_daemon =
      "place as this software does, without a daemon: NAME[,PARAMETER=VALUE]...";

  static CLI::Option* option(CLI::App& app, const std::string& names, std::string_view value, std::string_view help) {
    return app.add_option(names, CLI::callback_t(), std::string(help))->type_name(std::string(value))->take_last();
  }
  static CLI::Option* flag(CLI::App& app, const std::string& names, std::string_view help) {
    const std::string description(help);  // CLI11 would fill in a string that is not const
    return app.add_flag(names, description)->take_last();
  }

  void add_command(const CommandRow& row);
  void add_ring_options(CLI::App& app, std::string_view profile_help = without_daemon);
  void add_nodes_file(CLI::App& app);
  std::optional<Error> complaint() const;
  Error unknown_option(const std::string& word) const;
  Error unknown_command(const std::string& word) const;
  const CommandRow* row_parsed() const;

  static bool given(const CLI::Option* option) { return option != nullptr && option->count() > 0; }
  static bool given(const std::vector<CLI::Option*>& options) {
    return std::ranges::any_of(options, [](const CLI::Option* option) { return given(option); });
  }
  static std::optional<std::string> text(const std::vector<CLI::Option*>& options) {
    for (const CLI::Option* option : options)
      if (given(option)) return text(option);
    return std::nullopt;
  }
  static std::optional<std::string> text(const CLI::Option* option) {
    if (!given(option)) return std::nullopt;
    return restore(option->results().back());
  }

  CLI::App app_;
  std::vector<CLI::App*> commands_;  // as in command_table
  std::vector<CLI::Option*> operands_;
  std::vector<CLI::Option*> settings_;  // as in settings_table
  CLI::Option *json_, *template_, *no_header_, *config_, *quiet_, *verbose_, *help_, *version_;
  CLI::Option *replicas_ = nullptr, *with_key_ = nullptr, *no_key_ = nullptr, *null_ = nullptr, *weight_ = nullptr,
              *if_missing_ = nullptr, *field_ = nullptr, *count_ = nullptr, *slot_ = nullptr, *slots_ = nullptr,
              *seed_ = nullptr, *from_ = nullptr, *to_ = nullptr, *keys_ = nullptr, *sample_ = nullptr;
  // These belong to several commands, of which one is given.
  std::vector<CLI::Option*> if_exists_, counts_, profiles_, nodes_, nodes_files_, key_formats_;
};

// A ring without a daemon, or a new one.
void Grammar::add_ring_options(CLI::App& app, std::string_view profile_help) {
  profiles_.push_back(option(app, "--profile", "PROFILE", profile_help));
  nodes_.push_back(option(app, "--nodes", "LIST", "its nodes: NAME[=WEIGHT],..."));
  add_nodes_file(app);
}

void Grammar::add_nodes_file(CLI::App& app) {
  nodes_files_.push_back(
      option(app, "--nodes-file", "FILE",
             "nodes, a line each: NAME [WEIGHT] [FIELD=VALUE]...; or server lines of nginx, HAProxy"));
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
  switch (row.command) {
    case Command::get_node:
      replicas_ = option(app, "-n,--replicas", "N", field_help<GetNode::Request>("n"));
      with_key_ = flag(app, "-k,--with-key", "print the key before its nodes, also for a single key");
      no_key_ = flag(app, "--no-key", "print the nodes without the key, also for many keys");
      null_ = flag(app, "-0,--null", "keys on standard input and lines printed end with a NUL, not a newline");
      add_ring_options(app);
      key_formats_.push_back(option(app, "--key-format", "FORMAT", "keys are given as they are (raw) or in hex"));
      slot_ = flag(app, "--slot", "print the slot of a key, for software that has slots");
      break;
    case Command::vectors:
      add_ring_options(app);
      counts_.push_back(option(app, "-n,--count", "N", "how many keys (default: 1000)"));
      seed_ = option(app, "--seed", "S", "which keys: a number (default: 1)");
      break;
    case Command::compare:
      from_ = option(app, "--from", "PROFILE:NODES|RING",
                     "the ring before: NODES is a list, or @FILE; or a ring of the daemon");
      to_ = option(app, "--to", "PROFILE:NODES|RING", "the ring after");
      keys_ = option(app, "--keys", "FILE", "compare these keys, one a line; - is standard input");
      sample_ = option(app, "--sample", "N", "or so many random ones (default: 100000)");
      key_formats_.push_back(option(app, "--key-format", "FORMAT", "keys are given as they are (raw) or in hex"));
      break;
    case Command::add:
      weight_ = option(app, "--weight", "W", field_help<AddNodes::Member>("weight"));
      if_missing_ = flag(app, "--if-missing", field_help<AddNodes::Request>("if_missing"));
      field_ = option(app, "--field", "NAME=VALUE", field_help<AddNodes::Member>("fields"))
                   ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      add_nodes_file(app);
      break;
    case Command::remove:
      if_exists_.push_back(flag(app, "--if-exists", field_help<RemoveNodes::Request>("if_exists")));
      break;
    case Command::ring:
      add_ring_options(app, "how the new ring places keys: NAME[,PARAMETER=VALUE]... (default: seed)");
      if_exists_.push_back(flag(app, "--if-exists", field_help<RingDelete::Request>("if_exists")));
      slots_ = flag(app, "--slots", "show: also which node has each slot of a balanced ring");
      break;
    case Command::ping:
      count_ = option(app, "-c,--count", "N", "ask N times, then tell the shortest, mean and longest");
      break;
    default: break;
  }
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

  CommandLine& line = parsed.line;
  for (std::size_t i = 0; i < settings_.size(); ++i)
    if (auto value = text(settings_[i]))
      line.flags[std::string(settings_table[i].name)] = {std::move(*value), "--" + std::string(settings_table[i].name)};
  line.json = given(json_);
  line.format_template = text(template_);
  line.config_file = text(config_).value_or("");
  line.header = !given(no_header_);
  line.quiet = given(quiet_);
  line.verbose = static_cast<unsigned>(verbose_->count());
  line.help = given(help_);
  line.version = given(version_);
  line.replicas = text(replicas_);
  line.with_key = given(with_key_);
  line.no_key = given(no_key_);
  line.null = given(null_);
  line.weight = text(weight_);
  line.if_missing = given(if_missing_);
  line.if_exists = given(if_exists_);
  line.count = given(count_) ? text(count_) : text(counts_);
  line.profile = text(profiles_);
  line.nodes = text(nodes_);
  line.nodes_file = text(nodes_files_);
  line.key_format = text(key_formats_);
  if (given(field_))
    for (const std::string& word : field_->results()) line.fields.push_back(restore(word));
  line.slot = given(slot_);
  line.slots = given(slots_);
  line.seed = text(seed_);
  line.from = text(from_);
  line.to = text(to_);
  line.keys = text(keys_);
  line.sample = text(sample_);

  const CommandRow* row = row_parsed();
  if (row == nullptr) return parsed;
  line.command = row->command;
  if (const CLI::Option* operands = operands_[static_cast<std::size_t>(row - command_table.data())])
    for (const std::string& word : operands->results()) line.operands.push_back(restore(word));
  line.standard_input = line.operands.size() == 1 && line.operands.front() == "-" && arguments.operands.empty();
  line.operands.insert(line.operands.end(), arguments.operands.begin(), arguments.operands.end());
  if (row->operands.empty() && !line.operands.empty() && !parsed.error)
    parsed.error = make_error(Errc::invalid_argument,
                              "unexpected argument '" + printable(line.operands.front(), shown_bytes) + "'");
  return parsed;
}

// Words that belong nowhere, flags that were given a value, and options that exclude each other.
std::optional<Error> Grammar::complaint() const {
  for (const std::string& word : app_.remaining(true)) {
    if (word.size() > 1 && word.starts_with('-')) return unknown_option(word);
    if (row_parsed() == nullptr) return unknown_command(restore(word));
    return make_error(Errc::invalid_argument, "unexpected argument '" + printable(restore(word), shown_bytes) + "'");
  }
  std::vector<const CLI::Option*> flags{json_,     no_header_, quiet_, verbose_,    help_, version_,
                                        with_key_, no_key_,    null_,  if_missing_, slot_, slots_};
  flags.insert(flags.end(), if_exists_.begin(), if_exists_.end());
  for (const CLI::Option* flag : flags)
    for (const std::string& value : flag->results())
      if (value != "true") return make_error(Errc::invalid_argument, "option " + flag->get_name() + " takes no value");
  const auto both = [](const CLI::Option* a, const CLI::Option* b) { return given(a) && given(b); };
  for (const auto& [a, b] : {std::pair{json_, template_}, {with_key_, no_key_}})
    if (both(a, b))
      return make_error(Errc::invalid_argument, a->get_name() + " and " + b->get_name() + " exclude each other");
  const CLI::Option* output = app_.get_option("--output");
  if (both(json_, output) && output->results().back() != "json")
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
  if (!meant.empty()) hint = "did you mean: " + std::string(meant);
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
    if (option->get_expected_min() > 0) names += " " + option->get_type_name();
    std::string help = option->get_description();
    const bool is_setting = std::ranges::find(settings_, option) != settings_.end();
    if (is_setting) help += " [" + environment_name(option->get_lnames().front()) + "]";
    options.emplace_back(std::move(names), std::move(help));
  }
  return options;
}

}  // namespace

ParsedLine read_command_line(const Arguments& arguments) { return Grammar().parse(arguments); }

std::vector<std::pair<std::string, std::string>> options_of(Command command) { return Grammar().options_of(command); }

}  // namespace chash::cli
