// Files that describe a ring: read and written.
#pragma once

#include <string>
#include <string_view>

#include "chash/result.h"
#include "protocol/ring_file.h"

namespace chash::cli {

// JSON or TOML as export writes them, or a list of nodes as read_nodes_file() has it; which of them it is, the text
// says. `-` is standard input.
// Errors: invalid_argument, with the file and what is wrong in it.
Result<protocol::RingFile> read_ring_file(const std::string& path);
// The same of text that is there. `origin` names it in messages.
Result<protocol::RingFile> parse_ring_file(std::string_view text, const std::string& origin);

// In one of the formats that --as has.
// Errors: invalid_argument (no such format; or a node that the format cannot have, which is named).
Result<std::string> write_ring_file(const protocol::RingFile& file, std::string_view format);

}  // namespace chash::cli
