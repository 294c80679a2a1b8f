#include "chash/md5_many.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "chash/little_endian.h"

namespace chash {

#if defined(__x86_64__)
void md5_blocks_sse2(std::uint32_t* words);
void md5_blocks_avx2(std::uint32_t* words);
void md5_blocks_avx512(std::uint32_t* words);
#endif

constexpr std::uint32_t md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

namespace {

constexpr std::size_t most_texts = 32;  // side by side
constexpr std::size_t one_block = 55;   // bytes, beside the padding and the length
constexpr std::size_t block_words = 16;

// Writes the words of a text, and what ends it, into zeros. Lengths are random: where the usual ones take a branch on
// theirs, guessing it wrong costs a third of the hash (10.0 ns a key beside 9.2).
void place_text(std::string_view text, std::size_t lane, std::size_t lanes, std::uint32_t* words) {
  const std::size_t whole = text.size() / 4, rest = text.size() % 4;
  std::uint32_t* const to = words + lane;
  if (text.size() >= 4 && whole < 8) [[likely]] {
    // All eight words, the later of them from the last place that can be read, and then not taken.
    const std::size_t last = text.size() - 4;
    for (std::size_t word = 0; word < 8; ++word) {
      const std::uint32_t value = load_le32(text.data() + std::min(4 * word, last));
      to[word * lanes] = word < whole ? value : 0;
    }
    const std::uint64_t ending = std::uint64_t{load_le32(text.data() + last)} >> (32 - 8 * rest);
    to[whole * lanes] = static_cast<std::uint32_t>(ending) | std::uint32_t{0x80} << 8 * rest;
  } else {
    for (std::size_t word = 0; word < whole; ++word) to[word * lanes] = load_le32(text.data() + 4 * word);
    to[whole * lanes] = static_cast<std::uint32_t>(load_le_tail(text.substr(4 * whole))) | std::uint32_t{0x80}
                                                                                               << 8 * rest;
  }
  to[14 * lanes] = static_cast<std::uint32_t>(text.size() * 8);
}

Token digest_of(std::size_t lane, std::size_t lanes, const std::uint32_t* words) {
  const auto half = [&](std::size_t word) {
    return std::uint64_t{__builtin_bswap32(words[word * lanes + lane])} << 32 |
           __builtin_bswap32(words[(word + 1) * lanes + lane]);
  };
  return Token{half(0)} << 64 | half(2);
}

}  // namespace

void md5_many(const Md5Path& path, std::span<const std::string_view> texts, std::span<Token> digests) {
  assert(texts.size() == digests.size() && path.texts <= most_texts);
  alignas(64) std::array<std::uint32_t, block_words * most_texts> words;
  std::array<std::size_t, most_texts> placed;
  std::size_t next = 0;
  while (next < texts.size()) {
    std::fill_n(words.begin(), block_words * path.texts, 0);
    std::size_t lanes = 0;
    for (; next < texts.size() && lanes < path.texts; ++next) {
      if (texts[next].size() > one_block) {
        digests[next] = md5(texts[next]);
        continue;
      }
      if (next + most_texts < texts.size()) __builtin_prefetch(texts[next + most_texts].data());
      place_text(texts[next], lanes, path.texts, words.data());
      placed[lanes++] = next;
    }
    if (lanes == 0) return;
    path.hash(words.data());
    for (std::size_t lane = 0; lane < lanes; ++lane) digests[placed[lane]] = digest_of(lane, path.texts, words.data());
  }
}

std::span<const Md5Path> md5_paths() {
#if defined(__x86_64__)
  static const std::array<Md5Path, 3> paths{{
      {"avx512", 32, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"), md5_blocks_avx512},
      {"avx2", 16, __builtin_cpu_supports("avx2") != 0, md5_blocks_avx2},
      {"sse2", 8, true, md5_blocks_sse2},
  }};
  return paths;
#else
  return {};
#endif
}

void md5_many(std::span<const std::string_view> texts, std::span<Token> digests) {
  constexpr std::size_t worth_it = 3;  // one go costs as much as one text, or one and a half with SSE2
  if (texts.size() >= worth_it)
    for (const Md5Path& path : md5_paths())
      if (path.is_supported) return md5_many(path, texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) digests[i] = md5(texts[i]);
}

}  // namespace chash
