#include "moment.h"

#include <charconv>
#include <chrono>
#include <optional>

#include "protocol/text.h"
#include "protocol/time_text.h"

namespace chash::cli {
namespace {

constexpr double latest_s = 2e11;  // the year 8307

std::optional<double> number_from(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > latest_s) return std::nullopt;
  return number;
}

std::optional<double> seconds_of(char unit) {
  switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return 7 * 86400;
    default: return std::nullopt;
  }
}

}  // namespace

Result<std::string> parse_moment(std::string_view text) {
  if (const auto time = protocol::parse_time(text)) return protocol::time_text(*time);
  if (text.starts_with('@'))
    if (const auto seconds = number_from(text.substr(1)))
      return protocol::time_text(static_cast<std::int64_t>(*seconds * 1000));
  const auto unit = text.empty() ? std::nullopt : seconds_of(text.back());
  const auto count = unit ? number_from(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!count)
    return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not a time",
                      "such as 2026-11-23T00:12:00Z, 2026-11-23, or 2h for two hours ago");
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const double ago_ms = *count * *unit * 1000;
  return protocol::time_text(
      ago_ms >= static_cast<double>(now.count()) ? 1 : now.count() - static_cast<std::int64_t>(ago_ms));
}

}  // namespace chash::cli
