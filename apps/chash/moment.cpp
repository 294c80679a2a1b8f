#include "moment.h"

#include <algorithm>
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

// "2h", up to so long that no date is beyond the year 8307.
std::optional<std::int64_t> milliseconds_of(std::string_view text) {
  const auto unit = text.empty() ? std::nullopt : seconds_of(text.back());
  const auto count = unit ? number_from(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!count || *count * *unit > latest_s / 2) return std::nullopt;
  return static_cast<std::int64_t>(*count * *unit * 1000);
}

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

Result<std::string> parse_moment(std::string_view text) {
  if (const auto time = protocol::parse_time(text)) return protocol::time_text(*time);
  if (text.starts_with('@'))
    if (const auto seconds = number_from(text.substr(1)))
      return protocol::time_text(static_cast<std::int64_t>(*seconds * 1000));
  const auto span_ms = milliseconds_of(text);
  if (!span_ms)
    return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not a time",
                      "such as 2026-11-23T00:12:00Z, 2026-11-23, or 2h for two hours ago");
  return protocol::time_text(std::max<std::int64_t>(1, now_ms() - *span_ms));
}

Result<std::string> parse_span_from_now(std::string_view text) {
  const auto span_ms = milliseconds_of(text);
  if (!span_ms || *span_ms == 0)
    return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not a span of time",
                      "such as 90s, 30m, 2h, 7d or 1w");
  return protocol::time_text(now_ms() + *span_ms);
}

}  // namespace chash::cli
