#include <bit>
#include <limits>

#include "chash/hash_families.h"

namespace chash::haproxy {

std::uint32_t sdbm(std::string_view bytes) {
  std::uint32_t hash = 0;
  for (const char c : bytes) hash = static_cast<std::uint8_t>(c) + (hash << 6) + (hash << 16) - hash;
  return hash;
}

std::uint32_t djb2(std::string_view bytes) {
  std::uint32_t hash = 5381;
  for (const char c : bytes) hash = hash * 33 + static_cast<std::uint8_t>(c);
  return hash;
}

// Two halves that change places at every byte, turned by what the byte before made of them.
std::uint32_t wt6(std::string_view bytes) {
  std::uint32_t h0 = 0xa53c965a;
  std::uint32_t h1 = 0x5ca6953a;
  int turn0 = 6;
  int turn1 = 18;
  for (const char c : bytes) {
    const std::uint32_t left = ~(h0 ^ static_cast<std::uint8_t>(c));
    const std::uint32_t right = ~(h1 + static_cast<std::uint8_t>(c));
    h0 = std::rotl(right, turn0);
    h1 = std::rotl(left, turn1);
    const std::uint32_t turns = (h0 >> 16 ^ h1) & 0xffff;
    turn0 = static_cast<int>(turns & 31);
    turn1 = static_cast<int>(turns >> 11);
  }
  return h0 ^ h1;
}

// The number that the key begins with, in decimal: 64 bits with a sign, the nearest if it does not fit, then cut to 32.
// Source: haproxy 2.9 and later, `hash-type … none`; src/tools.c, read_int64().
std::uint32_t none(std::string_view bytes) {
  const bool negative = bytes.starts_with('-');
  if (negative || bytes.starts_with('+')) bytes.remove_prefix(1);
  const std::uint64_t largest = std::uint64_t{std::numeric_limits<std::int64_t>::max()} + negative;
  std::uint64_t magnitude = 0;
  for (const char c : bytes) {
    if (c < '0' || c > '9') break;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (magnitude > (largest - digit) / 10) {
      magnitude = largest;
      break;
    }
    magnitude = magnitude * 10 + digit;
  }
  return static_cast<std::uint32_t>(negative ? 0 - magnitude : magnitude);
}

}  // namespace chash::haproxy
