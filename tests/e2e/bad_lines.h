// Bad lines for the socket, each with the error that it gets: a code, and parts of message and hint.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chash::e2e {

struct BadLine {
  std::string line, code, message, hint;
};

// For a ring of the seed's three nodes. After each the connection goes on, and the ring is as it was.
const std::vector<BadLine>& bad_lines();

std::string repeated(std::string_view text, std::size_t count);

}  // namespace chash::e2e
