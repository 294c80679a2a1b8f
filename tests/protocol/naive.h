// Slow and obviously right: what the fast paths of lib/protocol must agree with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chash::test {

// Decodes every character and judges the code point, instead of knowing which bytes may follow which.
inline bool naive_is_utf8(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};  // that needs so many bytes
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<std::uint8_t>(bytes[i]);
    std::size_t size = 0;
    while (size < 8 && (lead >> (7 - size) & 1) != 0) ++size;  // the leading ones
    if (size == 0) {
      ++i;
      continue;
    }
    if (size == 1 || size > 4 || i + size > bytes.size()) return false;
    std::uint32_t point = lead & ((1u << (7 - size)) - 1);
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<std::uint8_t>(bytes[i + k]);
      if (byte >> 6 != 2) return false;
      point = point << 6 | (byte & 63u);
    }
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += size;
  }
  return true;
}

inline bool is_printable(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

}  // namespace chash::test
