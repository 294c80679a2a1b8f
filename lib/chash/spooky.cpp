// SpookyHash V2: one function for keys below 192 bytes and another above, both here because mcrouter's keys may be 250
// bytes long and more. Its tables of rotations are what the published code has unrolled.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chash/little_endian.h"
#include "chash/mixes.h"

namespace chash {
namespace {

constexpr std::uint64_t filler =
    0xdeadbeefdeadbeef;  // any odd number that is not too regular would do, says its author

constexpr std::size_t long_words = 12;
constexpr std::size_t long_block_bytes = long_words * 8;
using LongState = std::array<std::uint64_t, long_words>;

std::uint64_t short_hash(std::string_view bytes, std::uint64_t seed) {
  std::array<std::uint64_t, 4> h{seed, seed, filler, filler};
  const auto mix = [&h] {
    constexpr std::array<int, 12> turns{50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36};
    for (std::size_t i = 0; i < turns.size(); ++i) {
      std::uint64_t& turned = h[(i + 2) % 4];
      turned = std::rotl(turned, turns[i]) + h[(i + 3) % 4];
      h[i % 4] ^= turned;
    }
  };

  const std::uint64_t size = bytes.size();
  for (; bytes.size() >= 32; bytes.remove_prefix(32)) {
    h[2] += load_le64(bytes.data());
    h[3] += load_le64(bytes.data() + 8);
    mix();
    h[0] += load_le64(bytes.data() + 16);
    h[1] += load_le64(bytes.data() + 24);
  }
  if (bytes.size() >= 16) {
    h[2] += load_le64(bytes.data());
    h[3] += load_le64(bytes.data() + 8);
    mix();
    bytes.remove_prefix(16);
  }

  h[3] += size << 56;
  if (bytes.empty()) {
    h[2] += filler;
    h[3] += filler;
  } else {
    h[2] += load_le_tail(bytes.substr(0, 8));
    if (bytes.size() > 8) h[3] += load_le_tail(bytes.substr(8));
  }

  constexpr std::array<int, 11> turns{15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63};
  for (std::size_t i = 0; i < turns.size(); ++i) {
    std::uint64_t& turned = h[(i + 2) % 4];
    h[(i + 3) % 4] ^= turned;
    turned = std::rotl(turned, turns[i]);
    h[(i + 3) % 4] += turned;
  }
  return h[0];
}

void add_block(LongState& h, const char* block) {
  constexpr std::array<int, long_words> turns{11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
  for (std::size_t i = 0; i < long_words; ++i) {
    h[i] += load_le64(block + 8 * i);
    h[(i + 2) % long_words] ^= h[(i + 10) % long_words];
    h[(i + 11) % long_words] ^= h[i];
    h[i] = std::rotl(h[i], turns[i]);
    h[(i + 11) % long_words] += h[(i + 1) % long_words];
  }
}

void finish(LongState& h) {
  constexpr std::array<int, long_words> turns{44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};
  for (std::size_t i = 0; i < long_words; ++i) {
    std::uint64_t& turned = h[(i + 1) % long_words];
    h[(i + 11) % long_words] += turned;
    h[(i + 2) % long_words] ^= h[(i + 11) % long_words];
    turned = std::rotl(turned, turns[i]);
  }
}

std::uint64_t long_hash(std::string_view bytes, std::uint64_t seed) {
  LongState h;
  for (std::size_t i = 0; i < long_words; ++i) h[i] = i % 3 == 2 ? filler : seed;
  for (; bytes.size() >= long_block_bytes; bytes.remove_prefix(long_block_bytes)) add_block(h, bytes.data());

  std::array<char, long_block_bytes> last{};
  bytes.copy(last.data(), last.size());
  last.back() = static_cast<char>(bytes.size());
  for (std::size_t i = 0; i < long_words; ++i) h[i] += load_le64(last.data() + 8 * i);
  for (int round = 0; round < 3; ++round) finish(h);
  return h[0];
}

}  // namespace

std::uint32_t spooky_v2_32(std::string_view bytes, std::uint32_t seed) {
  const bool is_short = bytes.size() < 2 * long_block_bytes;
  return static_cast<std::uint32_t>(is_short ? short_hash(bytes, seed) : long_hash(bytes, seed));
}

}  // namespace chash
