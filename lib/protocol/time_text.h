// Times as text: RFC 3339, UTC, milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chash::protocol {

// "2026-11-23T00:12:03.250Z"; nothing for 0, which is a time that is not known.
std::string time_text(std::int64_t ms_since_1970);

// The same, with a shorter or no fraction, with an offset such as +01:00 for the Z, or with a blank for the T; a day
// alone is its midnight. Nothing before 1970 or after 9999.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace chash::protocol
