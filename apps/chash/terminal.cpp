#include "terminal.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

namespace chash::cli {
namespace {

constexpr std::size_t most = 1000;  // a larger one is somebody's mistake

std::size_t sensible(std::size_t number, std::size_t otherwise) {
  return number >= 1 && number <= most ? number : otherwise;
}

std::size_t number_in(const char* text) {
  if (text == nullptr) return 0;
  const std::string_view digits = text;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

}  // namespace

TerminalSize terminal_size(int descriptor, const Environment& environment) {
  TerminalSize size;
  struct winsize window {};
  if (::ioctl(descriptor, TIOCGWINSZ, &window) == 0)
    size = {sensible(window.ws_col, size.columns), sensible(window.ws_row, size.lines)};
  return {sensible(number_in(environment("COLUMNS")), size.columns),
          sensible(number_in(environment("LINES")), size.lines)};
}

bool shows_utf8(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = environment(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale = value;
    std::ranges::transform(locale, locale.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
    return locale.find("utf-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

const char* process_environment(const char* name) { return std::getenv(name); }

}  // namespace chash::cli
