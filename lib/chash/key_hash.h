// The hash functions that placement profiles choose from, by name.
#pragma once

#include <span>
#include <string_view>

#include "chash/hash.h"

namespace chash {

// One function that makes a key, or the text of a point, a position on a ring.
struct KeyHash {
  std::string_view name;  // in profiles: on disk and on the wire; must not be renamed

  // The width in which the real program compares; the value may have fewer bits.  Units: bits; 32, 64 or 128.
  unsigned bits;

  // The value, without a sign: of a negative number, its two's complement within `bits`.
  // Threads: pure, as all of hash.h.
  Token (*hash)(std::string_view bytes);

  // XOR with this turns a value into a number in the real program's order: the signs, where it compares signed ones.
  Token order_mask = 0;

  // Whether the value is an MD5 digest, or what this makes of one.
  bool is_md5 = false;
  Token (*of_md5)(Token digest) = nullptr;
};

// hash() of each text: of MD5 several at once.  Requires: equal sizes.
void hash_many(const KeyHash& hash, std::span<const std::string_view> texts, std::span<Token> values);

// All of them, related ones side by side.
std::span<const KeyHash> key_hashes();

// nullptr if there is none of that name.
const KeyHash* find_key_hash(std::string_view name);

}  // namespace chash
