// Moments as people write them.
#pragma once

#include <string>
#include <string_view>

#include "chash/result.h"

namespace chash::cli {

// "2h" and "90m" are so long ago (s, m, h, d, w), "@1764000000" is a number of seconds since 1970, and the rest is as
// parse_time() reads it: "2026-11-23T00:12:00Z", or a day.  Returns RFC 3339.
// Errors: invalid_argument.
Result<std::string> parse_moment(std::string_view text);

// "2h" and such, from now on.  Returns and errors: as parse_moment().
Result<std::string> parse_span_from_now(std::string_view text);

}  // namespace chash::cli
