#include "protocol/time_text.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace chash::protocol {
namespace {

using namespace std::chrono;

constexpr std::int64_t earliest = -62'135'596'800'000;  // of the year 1
constexpr std::int64_t latest = 253'402'300'799'999;    // of the year 9999, which is the last of four digits

// Takes a number of just so many digits, and the character behind it if one is asked for.
bool take(std::string_view& text, std::size_t digits, int& number, char behind = '\0') {
  if (text.size() < digits + (behind != '\0' ? 1 : 0)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc() || end != text.data() + digits || number < 0) return false;
  if (behind != '\0' && text[digits] != behind) return false;
  text.remove_prefix(digits + (behind != '\0' ? 1 : 0));
  return true;
}

// The milliseconds of ".250", or of nothing.
bool take_fraction(std::string_view& text, int& ms) {
  ms = 0;
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1))
    if (++digits <= 3) ms = 10 * ms + (text.front() - '0');
  for (int left = digits; left < 3; ++left) ms *= 10;
  return digits > 0;
}

// Minutes east of UTC.
bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text == "Z" || text == "z") return text.remove_prefix(1), true;
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return false;
  text.remove_prefix(1);
  int hours = 0, rest = 0;
  if (!take(text, 2, hours, ':') || !take(text, 2, rest) || hours > 23 || rest > 59) return false;
  minutes = (west ? -1 : 1) * (60 * hours + rest);
  return true;
}

}  // namespace

std::string time_text(std::int64_t ms_since_1970) {
  if (ms_since_1970 == 0) return {};
  const sys_time<milliseconds> time{milliseconds(std::clamp(ms_since_1970, earliest, latest))};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()), unsigned(date.month()),
                    unsigned(date.day()), int(clock.hours().count()), int(clock.minutes().count()),
                    int(clock.seconds().count()), int(clock.subseconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  int y = 0, m = 0, d = 0, hour = 0, minute = 0, second = 0, ms = 0, east = 0;
  if (!take(text, 4, y, '-') || !take(text, 2, m, '-') || !take(text, 2, d)) return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  if (!text.empty()) {
    if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
    text.remove_prefix(1);
    if (!take(text, 2, hour, ':') || !take(text, 2, minute)) return std::nullopt;
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      if (!take(text, 2, second) || !take_fraction(text, ms)) return std::nullopt;
    }
    if (!take_offset(text, east) || !text.empty() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  }
  const auto time = sys_days(date) + hours(hour) + minutes(minute - east) + seconds(second) + milliseconds(ms);
  const std::int64_t ms_since_1970 = duration_cast<milliseconds>(time.time_since_epoch()).count();
  return ms_since_1970 >= 0 && ms_since_1970 <= latest ? std::optional(ms_since_1970) : std::nullopt;
}

}  // namespace chash::protocol
