// MD5 of many short texts side by side: one text a lane of a vector register. MD5 is one chain of 64 dependent steps,
// so that a single text takes about 100 ns whatever the processor; lanes are the only gain.
//
// This is compiled once for each instruction set (md5_sse2.cpp, md5_avx2.cpp, md5_avx512.cpp), everything in a nameless
// namespace: what is compiled for a newer processor must never stand in for the same function elsewhere.
//
// Two vectors are worked on in turn, which hides half of the chain. Measured, the hash alone, ns a text: 3.1 with
// AVX-512, 9.0 with AVX2, 17.5 with SSE2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "chash/md5_many.h"

namespace chash {
namespace {

template <std::size_t Lanes>
struct Md5Lanes {
  using Vector [[gnu::vector_size(4 * Lanes)]] = std::uint32_t;
  using InMemory [[gnu::vector_size(4 * Lanes), gnu::aligned(4), gnu::may_alias]] = std::uint32_t;
  static constexpr std::size_t texts = 2 * Lanes;

  // A register's worth of lanes, twice.
  struct Pair {
    Vector half[2];
  };

  // One step for both halves: a = b + rotl(a + f + word + constant, shift).
  template <class F>
  [[gnu::always_inline]] static void step(F f, Pair& a, const Pair& b, const Pair& c, const Pair& d,
                                          const std::uint32_t* words, std::uint32_t constant, unsigned shift) {
    for (int i = 0; i < 2; ++i) {
      const Vector word = *reinterpret_cast<const InMemory*>(words + static_cast<std::size_t>(i) * Lanes);
      const Vector sum = a.half[i] + f(b.half[i], c.half[i], d.half[i]) + word + constant;
      a.half[i] = b.half[i] + (sum << shift | sum >> (32 - shift));
    }
  }

  // Four steps: the roles of a, b, c and d go round.
  template <class F>
  [[gnu::always_inline]] static void steps(F f, Pair (&s)[4], const std::uint32_t (*words)[texts],
                                           const std::uint32_t* constants, unsigned first, unsigned stride,
                                           const unsigned (&shifts)[4]) {
    step(f, s[0], s[1], s[2], s[3], words[first % 16], constants[0], shifts[0]);
    step(f, s[3], s[0], s[1], s[2], words[(first + stride) % 16], constants[1], shifts[1]);
    step(f, s[2], s[3], s[0], s[1], words[(first + 2 * stride) % 16], constants[2], shifts[2]);
    step(f, s[1], s[2], s[3], s[0], words[(first + 3 * stride) % 16], constants[3], shifts[3]);
  }

  // `words`: of one block of 64 bytes for each text, the i-th word of all texts side by side. Afterwards words[0..3]
  // are the digests.
  static void hash(std::uint32_t (*words)[texts]) {
    constexpr std::uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    Pair s[4];
    for (int i = 0; i < 4; ++i) s[i].half[0] = s[i].half[1] = Vector{} + start[i];
#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4)
      steps([](Vector b, Vector c, Vector d) { return d ^ (b & (c ^ d)); }, s, words, md5_constants + i, i, 1,
            {7, 12, 17, 22});
#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4)
      steps([](Vector b, Vector c, Vector d) { return c ^ (d & (b ^ c)); }, s, words, md5_constants + 16 + i, 1 + 5 * i,
            5, {5, 9, 14, 20});
#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4)
      steps([](Vector b, Vector c, Vector d) { return b ^ c ^ d; }, s, words, md5_constants + 32 + i, 5 + 3 * i, 3,
            {4, 11, 16, 23});
#pragma GCC unroll 4
    for (unsigned i = 0; i < 16; i += 4)
      steps([](Vector b, Vector c, Vector d) { return c ^ (b | ~d); }, s, words, md5_constants + 48 + i, 7 * i, 7,
            {6, 10, 15, 21});
    for (int i = 0; i < 4; ++i)
      for (std::size_t half = 0; half < 2; ++half)
        *reinterpret_cast<InMemory*>(words[i] + half * Lanes) = s[i].half[half] + start[i];
  }
};

}  // namespace
}  // namespace chash
