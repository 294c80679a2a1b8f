// The inner step of LineIndex: how many of twelve sorted fractions are at or before one, by SSE2 where there is any
// (every amd64 has it) and plainly elsewhere. Wider registers gain next to nothing (PERFORMANCE.md, B: 3.3 ns
// beside 4.4 in 160,000 points), so that look-ups need no dispatch.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace chash {

struct LineSearch {
  std::size_t place;  // how many of the fractions are at or before the one looked for
  bool equal;         // whether any is equal to it
};

inline LineSearch search_line_plainly(const std::uint16_t* fractions, std::uint16_t wanted) {
  LineSearch found{0, false};
  for (std::size_t i = 0; i < 12; ++i) {
    found.place += fractions[i] <= wanted ? 1 : 0;
    found.equal = found.equal || fractions[i] == wanted;
  }
  return found;
}

#if defined(__SSE2__)

// Requires: 32 readable bytes from `fractions` on; the twelve ascend.
inline LineSearch search_line(const std::uint16_t* fractions, std::uint16_t wanted) {
  const __m128i all = _mm_set1_epi16(static_cast<short>(wanted)), zero = _mm_setzero_si128();
  const __m128i low = _mm_load_si128(reinterpret_cast<const __m128i*>(fractions));
  const __m128i high = _mm_load_si128(reinterpret_cast<const __m128i*>(fractions + 8));
  // There is no unsigned comparison: what is at or before leaves nothing when it is subtracted with saturation.
  const __m128i before = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_subs_epu16(low, all), zero),
                                         _mm_cmpeq_epi16(_mm_subs_epu16(high, all), zero));
  const __m128i same = _mm_packs_epi16(_mm_cmpeq_epi16(low, all), _mm_cmpeq_epi16(high, all));
  constexpr unsigned twelve = 0xfff;  // what follows in the register is the count and owners
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(before)) & twelve;
  // Sorted fractions make a run of ones: its length is the position of the first zero.
  return {static_cast<std::size_t>(__builtin_ctz(~mask)),
          (static_cast<unsigned>(_mm_movemask_epi8(same)) & twelve) != 0};
}

#else

inline LineSearch search_line(const std::uint16_t* fractions, std::uint16_t wanted) {
  return search_line_plainly(fractions, wanted);
}

#endif

}  // namespace chash
