// Numbers read from bytes, lowest byte first. Byte by byte, so that they are the same on every machine and at every
// address; compilers make one load of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chash {

// Shape: `at` points to characters or to std::uint8_t, at least 4 (8) of them.
template <typename Byte>
constexpr std::uint32_t load_le32(const Byte* at) {
  static_assert(sizeof(Byte) == 1);
  const auto byte = [at](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(at[i])}; };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

template <typename Byte>
constexpr std::uint64_t load_le64(const Byte* at) {
  return load_le32(at) | std::uint64_t{load_le32(at + 4)} << 32;
}

// What is left behind the last whole word, with zeros above.  Requires: at most 8 bytes.
constexpr std::uint64_t load_le_tail(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) word = word << 8 | static_cast<std::uint8_t>(bytes[i]);
  return word;
}

}  // namespace chash
