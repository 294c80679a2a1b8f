// Which names a node may have.
//
// A name is a token: it stands unquoted in sh, in one word of a log line and in a URL, and `ssh $(chash get-node k)`
// runs no option of ssh. So: ASCII letters, digits and ._:@/+=~%[],- only, no leading `-`, at most 255 bytes, and
// neither `.` nor `..`.
#pragma once

#include <string_view>

#include "chash/result.h"

namespace chash {

// Errors: invalid_argument, with the offending byte named; the message is safe to print.
Result<void> check_node_name(std::string_view name);

}  // namespace chash
