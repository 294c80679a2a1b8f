// MD5 of many texts at once, which is what rings of the seed are made of and asked with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "chash/hash.h"

namespace chash {

// md5() of each text.  Requires: equal sizes.
// Cost: up to 55 bytes 9 ns a text with AVX-512, 14 with AVX2, 22 with SSE2 (md5(): 106); longer ones as md5().
void md5_many(std::span<const std::string_view> texts, std::span<Token> digests);

// One way to do it: of so many texts, each of them padded to one block, the words side by side; see md5_lanes.h.
struct Md5Path {
  const char* name;
  std::size_t texts;
  bool is_supported;
  void (*hash)(std::uint32_t* words);
};

// The fastest first; empty where none is compiled in.
std::span<const Md5Path> md5_paths();
// By one of them.  Requires: it is supported.
void md5_many(const Md5Path& path, std::span<const std::string_view> texts, std::span<Token> digests);

// sin(i + 1) as whole numbers, as RFC 1321 has them.
extern const std::uint32_t md5_constants[64];

}  // namespace chash
