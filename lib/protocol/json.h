// The one way in which JSON text from outside becomes a document.
//
// nlohmann's parser alone takes NUL as the end of input, keeps the last of duplicate members, skips a byte order mark
// and recurses without bound when it copies or prints. So: no NUL, no duplicates, no mark, at most limits::json_depth
// levels and limits::json_members members. All text in the result is UTF-8.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "chash/result.h"

namespace chash::protocol {

// Errors: invalid_request, with the byte where it went wrong.
Result<nlohmann::json> parse_json(std::string_view text);

}  // namespace chash::protocol
