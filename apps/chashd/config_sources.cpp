// Where settings come from: flags by CLI11, the environment, a file by toml++.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "chash/version.h"
#include "config.h"
#include "net/listener.h"
#include "protocol/text.h"

namespace chashd {

using chash::Errc;
using chash::Error;
using chash::make_error;
using chash::Result;

namespace {

constexpr const char* default_file = "/etc/chash/chashd.toml";

// What one source says of one setting.
struct Given {
  std::vector<std::string> values;
  std::string where;  // "--threads", "CHASHD_THREADS", "/etc/chash/chashd.toml:3: threads"
};
using Source = std::map<std::string, Given, std::less<>>;  // by name of the setting

Error at(const std::string& where, const Error& error) {
  return make_error(Errc::invalid_argument, where + ": " + error.message, error.hint);
}

std::string variable_name(std::string_view setting) {
  std::string name = "CHASHD_";
  for (const char c : setting) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

Source read_environment() {
  Source source;
  for (const Setting& setting : settings()) {
    const std::string variable = variable_name(setting.name);
    const char* text = std::getenv(variable.c_str());
    if (text == nullptr || *text == '\0') continue;
    source[std::string(setting.name)] = {setting.repeatable ? split_at_commas(text) : std::vector<std::string>{text},
                                         variable};
  }
  return source;
}

// --- The file -------------------------------------------------------------------------------------------------------

Result<std::string> scalar(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return std::string(*flag ? "on" : "off");
  return make_error(Errc::invalid_argument, "the value must be a string, a whole number, true or false");
}

Result<std::vector<std::string>> values_of(const toml::node& node, const Setting& setting) {
  std::vector<std::string> values;
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    auto value = scalar(node);
    if (!value) return std::move(value).error();
    values.push_back(std::move(*value));
    return values;
  }
  if (!setting.repeatable) return make_error(Errc::invalid_argument, "the value must not be a list");
  for (const toml::node& item : *list) {
    auto value = scalar(item);
    if (!value) return std::move(value).error();
    values.push_back(std::move(*value));
  }
  // `http = []` says "nowhere".
  if (values.empty() && setting.name == "http") values.emplace_back("off");
  if (values.empty()) return make_error(Errc::invalid_argument, "the list is empty", "leave the setting out");
  return values;
}

Error unknown_key(std::string_view key) {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings()) names.push_back(setting.name);
  const std::string_view meant = chash::protocol::nearest(key, names);
  return make_error(Errc::invalid_argument, "unknown setting '" + chash::protocol::printable(key, 64) + "'",
                    meant.empty() ? "see chashd.conf(5)" : "did you mean '" + std::string(meant) + "'?");
}

Result<std::string> read_text(const std::string& path) {
  struct stat status {};
  if (geteuid() == 0 && stat(path.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0)
    return make_error(Errc::invalid_argument, path + ": everybody can write this file, and root is to obey it",
                      "chmod o-w " + path);
  // read(2) and not a stream: a stream says neither that this is a directory nor why it failed.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  std::array<char, 4096> piece;
  ssize_t size = file < 0 ? -1 : 1;
  while (size > 0) {
    size = read(file, piece.data(), piece.size());
    if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
  }
  const int error = errno;
  if (file >= 0) close(file);
  if (size < 0) return make_error(Errc::invalid_argument, path + ": cannot be read: " + std::strerror(error));
  return text;
}

Result<Source> read_file(const std::string& path) {
  auto text = read_text(path);
  if (!text) return std::move(text).error();
  Source source;
  try {
    const toml::table table = toml::parse(std::string_view(*text), path);
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string where =
          path + ":" + std::to_string(key.source().begin.line) + ": " + chash::protocol::printable(name, 64);
      const auto setting = std::ranges::find(settings(), name, &Setting::name);
      if (setting == settings().end())
        return at(path + ":" + std::to_string(key.source().begin.line), unknown_key(name));
      auto values = values_of(node, *setting);
      if (!values) return at(where, values.error());
      source[name] = {std::move(*values), where};
    }
  } catch (const toml::parse_error& e) {
    return make_error(Errc::invalid_argument,
                      path + ":" + std::to_string(e.source().begin.line) + ": " + std::string(e.description()));
  }
  return source;
}

// --- Flags ----------------------------------------------------------------------------------------------------------

struct Flags {
  Source source;
  std::string config_file;
  bool check_config = false;
  std::optional<std::string> show;
};

Result<Flags> read_flags(int argc, const char* const* argv) {
  Flags flags;
  CLI::App app{"chashd - answers which node is responsible for a key", "chashd"};
  app.get_formatter()->column_width(34);
  app.set_version_flag("-V,--version", "chashd " + std::string(chash::version()));
  app.add_option("--config", flags.config_file, "TOML file with these settings, without the dashes")->type_name("FILE");
  app.add_flag("--check-config", flags.check_config, "read all settings, say what is wrong with them, and end");
  std::map<std::string, std::vector<std::string>> given;
  for (const Setting& setting : settings()) {
    const std::string name(setting.name);
    auto* option = app.add_option("--" + name, given[name],
                                  std::string(setting.help) + (setting.repeatable ? "; repeatable" : ""));
    // One value each time: CLI11 would else take what follows, and split a value such as [a,b] in two.
    option->type_name(std::string(setting.value))->expected(1)->allow_extra_args(false);
    option->multi_option_policy(setting.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                   : CLI::MultiOptionPolicy::TakeLast);
  }
  app.footer(
      "Every setting may also stand in the environment (CHASHD_LOG_LEVEL=debug) and in the file\n"
      "(log-level = \"debug\"): flags win over the environment, and that over the file.\n"
      "Manual: chashd(8), chashd.conf(5).");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    flags.show = app.help();
  } catch (const CLI::CallForVersion&) {
    flags.show = "chashd " + std::string(chash::version()) + "\n";
  } catch (const CLI::ParseError& e) {
    return make_error(Errc::invalid_argument, e.what(), "chashd --help lists the options");
  }
  for (auto& [name, values] : given)
    if (!values.empty()) flags.source[name] = {std::move(values), "--" + name};
  return flags;
}

// Empty where no file was named and the default one is not there.
Result<Source> read_config_file(const Flags& flags) {
  std::string path = flags.config_file;
  if (path.empty())
    if (const char* variable = std::getenv("CHASHD_CONFIG"); variable != nullptr) path = variable;
  const bool asked_for = !path.empty();
  if (!asked_for) path = default_file;
  if (!asked_for && access(path.c_str(), F_OK) != 0) return Source();
  return read_file(path);
}

// What no setting can judge alone.
Result<void> check_together(const Config& config) {
  using chash::net::HttpWrites;
  if (config.http_writes == HttpWrites::token && config.token_file.empty())
    return make_error(Errc::invalid_argument, "--http-writes token needs a --token-file");
  for (const std::string& http : config.http) {
    const auto address = chash::net::parse_http_address(http);
    if (address && !address->is_loopback() && config.http_writes == HttpWrites::loopback)
      return make_error(Errc::invalid_argument,
                        "--http " + http + " is beyond this machine, and --http-writes is loopback",
                        "add --http-writes token --token-file FILE, or --http-writes off");
  }
  return {};
}

}  // namespace

Result<CommandLine> read_command_line(int argc, const char* const* argv) {
  auto flags = read_flags(argc, argv);
  if (!flags) return std::move(flags).error();
  CommandLine line;
  if (flags->show) {
    line.action = CommandLine::Action::show;
    line.text = std::move(*flags->show);
    return line;
  }
  if (flags->check_config) line.action = CommandLine::Action::check_config;
  const auto file = read_config_file(*flags);
  if (!file) return file.error();
  const Source environment = read_environment();

  line.config = default_config();
  for (const Setting& setting : settings()) {
    for (const Source* source : {&std::as_const(flags->source), &environment, &*file}) {
      const auto given = source->find(setting.name);
      if (given == source->end()) continue;
      if (auto ok = setting.set(line.config, given->second.values); !ok) return at(given->second.where, ok.error());
      break;
    }
  }
  if (auto ok = check_together(line.config); !ok) return std::move(ok).error();
  return line;
}

}  // namespace chashd
