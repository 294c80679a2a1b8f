#include "options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "net/socket_path.h"
#include "protocol/operations.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using std::chrono::milliseconds;

constexpr double longest_ms = 24.0 * 3600 * 1000;
constexpr std::uint32_t most_retries = 1000;
constexpr std::size_t shown_bytes = 64;  // of a value that is wrong
constexpr std::size_t token_bytes = 4096;

Error bad(std::string_view what, std::string_view text, std::string hint) {
  return make_error(Errc::invalid_argument,
                    "bad " + std::string(what) + " '" + protocol::printable(text, shown_bytes) + "'", std::move(hint));
}

Error in_origin(Error error, const Setting& setting) {
  error.message = setting.origin + ": " + error.message;
  return error;
}

const Setting* strongest(const std::vector<Settings>& sources, std::string_view name) {
  for (const Settings& source : sources)
    if (const auto at = source.find(name); at != source.end()) return &at->second;
  return nullptr;
}

// Reads a setting, if any source has it, with `parse` into `to`.
template <class T, class Parse>
Result<void> take(const std::vector<Settings>& sources, std::string_view name, T& to, Parse parse) {
  const Setting* setting = strongest(sources, name);
  if (setting == nullptr) return {};
  auto value = parse(setting->text);
  if (!value) return in_origin(std::move(value).error(), *setting);
  to = std::move(*value);
  return {};
}

template <class T, std::size_t N>
Result<T> one_of(const std::array<std::pair<std::string_view, T>, N>& choices, std::string_view what,
                 std::string_view text) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return bad(what, text, "it is one of: " + names);
}

Result<Format> parse_format(std::string_view text) {
  return one_of<Format, 4>(
      {{{"plain", Format::plain}, {"table", Format::table}, {"json", Format::json}, {"jsonl", Format::jsonl}}},
      "output format", text);
}

Result<Color> parse_color(std::string_view text) {
  return one_of<Color, 3>({{{"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}}}, "color",
                          text);
}

Result<std::string> parse_name(std::string_view text) {
  if (text.empty()) return make_error(Errc::invalid_argument, "the name is empty");
  return std::string(text);
}

// The socket and the URL are one question: the strongest source that has either decides.
Result<void> take_endpoint(const std::vector<Settings>& sources, Options& options) {
  for (const Settings& source : sources) {
    const auto socket = source.find("socket"), url = source.find("url");
    if (socket != source.end() && url != source.end())
      return make_error(Errc::invalid_argument,
                        socket->second.origin + " and " + url->second.origin + " exclude each other");
    options.endpoint_was_named = socket != source.end() || url != source.end();
    if (socket != source.end()) {
      options.endpoint = net::SocketEndpoint{socket->second.text};
      return {};
    }
    if (url != source.end()) {
      auto endpoint = net::parse_url(url->second.text);
      if (!endpoint) return in_origin(std::move(endpoint).error(), url->second);
      options.endpoint = std::move(*endpoint);
      return {};
    }
  }
  options.endpoint = net::SocketEndpoint{net::default_socket_path()};
  return {};
}

}  // namespace

Result<Options> resolve(const std::vector<Settings>& sources) {
  Options options;
  options.ring = protocol::default_ring;
  Result<void> outcome = take_endpoint(sources, options);
  const auto and_take = [&](std::string_view name, auto& to, auto parse) {
    if (outcome) outcome = take(sources, name, to, parse);
  };
  and_take("token-file", options.token_file, parse_name);
  options.ring_was_named = strongest(sources, "ring") != nullptr;
  and_take("ring", options.ring, parse_name);
  and_take("output", options.format, parse_format);
  and_take("color", options.color, parse_color);
  and_take("timeout", options.timeout, parse_duration);
  and_take("connect-timeout", options.connect_timeout, parse_duration);
  and_take("retry", options.retries,
           [](std::string_view text) { return parse_count(text, 0, most_retries, "number"); });
  if (!outcome) return std::move(outcome).error();
  for (const Settings& source : sources)
    for (const auto& [name, setting] : source)
      if (name.starts_with("profiles.")) options.profiles.try_emplace(name.substr(9), setting.text);
  return options;
}

Result<milliseconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 3> units{{{"ms", 1}, {"s", 1000}, {"m", 60'000}}};
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto at = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  constexpr auto form = "a number and its unit: 500ms, 5s or 2m";
  if (error != std::errc() || at == units.end()) return bad("time", text, form);
  const double wanted = count * at->second;
  if (!(wanted >= 1 && wanted <= longest_ms)) return bad("time", text, "it must be from 1ms to 1440m");
  return milliseconds(static_cast<milliseconds::rep>(wanted));
}

Result<std::uint32_t> parse_count(std::string_view text, std::uint32_t least, std::uint32_t most,
                                  std::string_view what) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < least || count > most)
    return bad(what, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return count;
}

Result<std::string> read_token(const std::string& path) {
  const std::string shown = "the token file " + protocol::printable(path, 300);
  const auto refused = [&](const std::string& why, std::string hint = {}) {
    return make_error(Errc::invalid_argument, shown + " " + why, std::move(hint));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused(std::string("cannot be read: ") + std::strerror(errno));
  std::string token(token_bytes + 1, '\0');
  struct stat file {};
  const bool known = ::fstat(fd, &file) == 0;
  const ssize_t count = ::read(fd, token.data(), token.size());
  const int error = errno;
  ::close(fd);
  if (!known || count < 0) return refused(std::string("cannot be read: ") + std::strerror(error));
  if (S_ISREG(file.st_mode) && (file.st_mode & S_IROTH) != 0)
    return refused("can be read by everybody", "try: chmod o= " + protocol::printable(path, 300));
  token.resize(static_cast<std::size_t>(count));
  if (token.size() > token_bytes) return refused("is larger than 4096 bytes");
  token.resize(std::min(token.size(), token.find('\n')));
  if (token.ends_with('\r')) token.pop_back();
  if (token.empty()) return refused("is empty");
  if (!std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7f; }))
    return refused("holds no token: it has a space, a control character or a byte that is not ASCII");
  return token;
}

bool wants_color(Color color, bool is_terminal, const Environment& environment) {
  if (color != Color::automatic) return color == Color::always;
  const auto value = [&](const char* name) {
    const char* text = environment(name);
    return std::string_view(text == nullptr ? "" : text);
  };
  if (!value("NO_COLOR").empty()) return false;
  if (const auto force = value("CLICOLOR_FORCE"); !force.empty() && force != "0") return true;
  return is_terminal && value("TERM") != "dumb" && value("CLICOLOR") != "0";
}

}  // namespace chash::cli
