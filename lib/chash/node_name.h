// Which names a node and a ring may have, and what a node's fields may hold.
//
// A name is a token: it stands unquoted in sh, in one word of a log line and in a URL, and `ssh $(chash get-node k)`
// runs no option of ssh. So: ASCII letters, digits and ._:@/+=~%[],- only, no leading `-`, at most 255 bytes, and
// neither `.` nor `..`.
#pragma once

#include <string_view>

#include "chash/result.h"
#include "chash/ring_spec.h"

namespace chash {

// Errors: invalid_argument, with the offending byte named; the message is safe to print.
Result<void> check_node_name(std::string_view name);

// A ring's name stands in paths of files and URLs: letters, digits and ._- only, from a letter or digit, at most 64.
// Errors: invalid_argument; the message is safe to print.
Result<void> check_ring_name(std::string_view name);

// Fields and labels have names of letters, digits and ._-, and hold text without blanks, semicolons and control
// characters, each once, up to limits::node_fields of limits::field_bytes, or of limits::label_bytes. Errors:
// invalid_argument, too_large.  Requires: a name of the node that can be printed.
Result<void> check_node_fields(const Node& node);

}  // namespace chash
