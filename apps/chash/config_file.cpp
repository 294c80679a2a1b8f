// The configuration files of chash(1). toml++ runs only when there is a file.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "chash/profile.h"
#include "protocol/text.h"
#include "settings.h"

namespace chash::cli {
namespace {

constexpr std::size_t file_bytes = std::size_t{64} * 1024;  // nine settings; more is some other file
constexpr std::string_view system_file = "/etc/chash/chash.toml";

std::string at_line(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line);
}

// What a [profiles] table says stands in Settings as profiles.NAME.
Result<void> read_profiles(const toml::node& node, const std::string& path, Settings& settings) {
  const toml::table* profiles = node.as_table();
  if (profiles == nullptr)
    return make_error(Errc::invalid_argument, at_line(path, node.source()) + ": 'profiles' must be a table",
                      "write [profiles] and below it NAME = \"PROFILE,PARAMETER=VALUE\"");
  for (const auto& [name, value] : *profiles) {
    const std::string where = at_line(path, value.source());
    const auto* text = value.as_string();
    if (text == nullptr)
      return make_error(Errc::invalid_argument, where + ": '" + std::string(name.str()) + "' must be a string");
    if (find_named_profile(name.str()) != nullptr)
      return make_error(Errc::invalid_argument,
                        where + ": '" + std::string(name.str()) + "' is a profile of chash's own",
                        "choose another name");
    settings["profiles." + std::string(name.str())] = {text->get(), where};
  }
  return {};
}

Error unknown_key(const std::string& where, std::string_view key) {
  std::vector<std::string_view> known;
  for (const SettingRow& row : settings_table) known.push_back(row.name);
  const std::string_view meant = protocol::nearest(key, known);
  return make_error(Errc::invalid_argument, where + ": unknown key '" + protocol::printable(key, 64) + "'",
                    meant.empty() ? "" : "did you mean '" + std::string(meant) + "'?");
}

Result<std::string> value_text(const toml::node& value, const std::string& where, std::string_view key) {
  if (const auto* text = value.as_string()) return text->get();
  if (const auto* number = value.as_integer()) return std::to_string(number->get());
  return make_error(Errc::invalid_argument, where + ": '" + std::string(key) + "' must be a string");
}

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// nullptr stands for a file that is not there. One that nobody named and that we may not read is not ours: $HOME is
// somebody else's under sudo -u.
Result<std::unique_ptr<std::string>> read_file(const std::string& path, bool named) {
  const auto failed = [&](int error) {
    return make_error(Errc::invalid_argument,
                      "cannot read " + protocol::printable(path, 300) + ": " + std::strerror(error));
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !named)) return std::unique_ptr<std::string>();
    return failed(errno);
  }
  auto text = std::make_unique<std::string>(file_bytes + 1, '\0');
  text->resize(std::fread(text->data(), 1, text->size(), file.get()));
  if (std::ferror(file.get()) != 0) return failed(errno);
  if (text->size() > file_bytes) return failed(EFBIG);
  return text;
}

std::string user_file(const Environment& environment) {
  const char* config = environment("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return std::string(config) + "/chash/config.toml";
  const char* home = environment("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.config/chash/config.toml" : std::string();
}

}  // namespace

Result<Settings> parse_config(std::string_view text, const std::string& path) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return make_error(Errc::invalid_argument, at_line(path, error.source()) + ": " +
                                                  protocol::printable(std::string(error.description()), 300));
  }
  Settings settings;
  for (const auto& [key, value] : table) {
    const std::string where = at_line(path, value.source());
    if (key.str() == "profiles") {
      if (auto ok = read_profiles(value, path, settings); !ok) return std::move(ok).error();
      continue;
    }
    const auto row = std::ranges::find(settings_table, key.str(), &SettingRow::name);
    if (row == settings_table.end()) return unknown_key(where, key.str());
    auto words = value_text(value, where, key.str());
    if (!words) return std::move(words).error();
    settings[std::string(row->name)] = {std::move(*words), where};
  }
  return settings;
}

Result<std::vector<Settings>> read_config_files(std::string_view named, const Environment& environment) {
  std::vector<std::string> paths{std::string(named)};
  if (named.empty()) paths = {user_file(environment), std::string(system_file)};
  std::vector<Settings> sources;
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    auto text = read_file(path, !named.empty());
    if (!text) return std::move(text).error();
    if (!*text) {
      if (named.empty()) continue;
      return make_error(Errc::invalid_argument, "cannot read " + protocol::printable(path, 300) + ": no such file");
    }
    auto settings = parse_config(**text, path);
    if (!settings) return std::move(settings).error();
    sources.push_back(std::move(*settings));
  }
  return sources;
}

}  // namespace chash::cli
