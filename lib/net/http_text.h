// The characters of HTTP, for the files of its parser.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/http_message.h"
#include "protocol/text.h"

namespace chash::net {

inline constexpr std::string_view line_end = "\r\n";

// Lower case of the bytes that a token (a method, a field's name) may hold, 0 for all others.
inline constexpr auto token_lower = [] {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    if (is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos)
      table[i] = ascii_lower(c);
  }
  return table;
}();

inline char as_token(char c) { return token_lower[static_cast<unsigned char>(c)]; }
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_hex_digit(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }

// Untrusted bytes in the reason of a failure.
inline std::string shown(std::string_view bytes) { return protocol::printable(bytes, 64); }

}  // namespace chash::net
