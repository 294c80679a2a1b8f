#include "protocol/time_text.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace chash::protocol {
namespace {

// The C library's.
std::string naive_time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64], fraction[16];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(ms % 1000));
  return std::string(text) + fraction;
}

TEST_CASE("time text: it looks like this, and an unknown time is none") {
  CHECK(time_text(0).empty());
  CHECK(time_text(1) == "1970-01-01T00:00:00.001Z");
  CHECK(time_text(1'795'392'723'250) == "2026-11-23T00:12:03.250Z");
  CHECK(time_text(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  CHECK(time_text(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
  CHECK(time_text(-1) == "1969-12-31T23:59:59.999Z");
  // What a damaged clock may say is no reason to fall over.
  CHECK_FALSE(time_text(std::numeric_limits<std::int64_t>::max()).empty());
  CHECK_FALSE(time_text(std::numeric_limits<std::int64_t>::min()).empty());
}

TEST_CASE("time text: every millisecond comes back, and looks as the C library has it") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t ms = static_cast<std::int64_t>(random() % 253'402'300'800'000 >> random() % 40) + 1;
    const std::string text = time_text(ms);
    CAPTURE(text);
    REQUIRE(text == naive_time_text(ms));
    REQUIRE(parse_time(text) == ms);
  }
}

TEST_CASE("time text: a day, a shorter or longer fraction, an offset and a blank are understood") {
  constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 1'795'392'000'000;
  CHECK(parse_time("2026-11-23") == day);
  CHECK(parse_time("1970-01-01") == 0);
  CHECK(parse_time("2026-11-23T00:12Z") == day + 12 * minute);
  CHECK(parse_time("2026-11-23t00:12z") == day + 12 * minute);
  CHECK(parse_time("2026-11-23 00:12:00Z") == day + 12 * minute);
  CHECK(parse_time("2026-11-23T00:12:03.2Z") == day + 12 * minute + 3'200);
  CHECK(parse_time("2026-11-23T00:12:03.25Z") == day + 12 * minute + 3'250);
  CHECK(parse_time("2026-11-23T00:12:03.2509999999999999999999Z") == day + 12 * minute + 3'250);
  CHECK(parse_time("2026-11-23T01:12:00+01:00") == day + 12 * minute);
  CHECK(parse_time("2026-11-22T18:42:00-05:30") == day + 12 * minute);
  CHECK(parse_time("2026-11-23T00:00:00-00:00") == day);
  CHECK(parse_time("2026-11-23T23:59:60Z") == day + 24 * hour);  // a leap second
  CHECK(parse_time("2024-02-29") == parse_time("2024-02-28T24:00:00Z").value_or(*parse_time("2024-02-29")));
  CHECK_FALSE(parse_time("0001-01-01"));
  CHECK_FALSE(parse_time("1969-12-31"));
  CHECK(parse_time("1970-01-01") == 0);
  CHECK_FALSE(parse_time("9999-12-31T23:59:59-00:01"));
}

TEST_CASE("time text: what is no time is refused") {
  using namespace std::literals;
  for (const std::string_view text : {""sv,
                                      "now"sv,
                                      "2026"sv,
                                      "2026-11"sv,
                                      "2026-11-2"sv,
                                      "2026-1-23"sv,
                                      "26-11-23"sv,
                                      "2026/11/23"sv,
                                      "2026-13-01"sv,
                                      "2026-00-01"sv,
                                      "2026-11-00"sv,
                                      "2026-11-31"sv,
                                      "2026-02-29"sv,
                                      "2025-02-29"sv,
                                      "1900-02-29"sv,
                                      "-026-11-23"sv,
                                      "+026-11-23"sv,
                                      " 2026-11-23"sv,
                                      "2026-11-23 "sv,
                                      "2026-11-23Z"sv,
                                      "2026-11-23T"sv,
                                      "2026-11-23T00"sv,
                                      "2026-11-23T00:12"sv,
                                      "2026-11-23T00:12:03"sv,
                                      "2026-11-23T00:12:03."sv,
                                      "2026-11-23T00:12:03.Z"sv,
                                      "2026-11-23T00:12:3Z"sv,
                                      "2026-11-23T0:12:03Z"sv,
                                      "2026-11-23T24:00:00Z"sv,
                                      "2026-11-23T00:60:00Z"sv,
                                      "2026-11-23T00:00:61Z"sv,
                                      "2026-11-23T-1:00:00Z"sv,
                                      "2026-11-23T00:12:03ZZ"sv,
                                      "2026-11-23T00:12:03Z "sv,
                                      "2026-11-23T00:12:03+01:00x"sv,
                                      "2026-11-23T00:12:03+0100"sv,
                                      "2026-11-23T00:12:03+01"sv,
                                      "2026-11-23T00:12:03+24:00"sv,
                                      "2026-11-23T00:12:03+01:60"sv,
                                      "2026-11-23T00:12:03*01:00"sv,
                                      "2026-11-23T00:12.5Z"sv,
                                      "2026-11-23_00:12:03Z"sv,
                                      "1795392723"sv,
                                      "2026-11-23T00:12:03Z\0"sv}) {
    CAPTURE(text);
    CHECK(parse_time(text) == std::nullopt);
  }
  // No prefix of a time is one, but for its day.
  const std::string whole = "2026-11-23T00:12:03.250Z";
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(parse_time(whole.substr(0, size)).has_value() == (size == 10));
}

}  // namespace
}  // namespace chash::protocol
