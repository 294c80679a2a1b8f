#include "chash/mixes.h"

#include <md5.h>
#include <sha1.h>
#include <xxhash.h>
#include <zlib.h>

#include <bit>
#include <cstddef>

#include "chash/little_endian.h"

namespace chash {
namespace {

constexpr auto crc16_table = [] {
  std::array<std::uint16_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc & 0x8000 ? 0x1021U : 0U);
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

}  // namespace

Md5Digest md5_digest(std::string_view bytes) {
  MD5_CTX context;
  MD5Init(&context);
  MD5Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Md5Digest digest;
  static_assert(sizeof(digest) == MD5_DIGEST_LENGTH);
  MD5Final(digest.data(), &context);
  return digest;
}

Sha1Digest sha1_digest(std::string_view bytes) {
  SHA1_CTX context;
  SHA1Init(&context);
  SHA1Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Sha1Digest digest;
  static_assert(sizeof(digest) == SHA1_DIGEST_LENGTH);
  SHA1Final(digest.data(), &context);
  return digest;
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  if (bytes.empty()) return before;  // a null pointer makes zlib forget what went before
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), z_size_t{bytes.size()}));
}

std::uint32_t crc16_xmodem_unmasked(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (const char c : bytes) crc = crc << 8 ^ crc16_table[(crc >> 8 ^ static_cast<std::uint8_t>(c)) & 255];
  return crc;
}

// A step reads the low 16 bits only, so what stands above them does no harm.
std::uint16_t crc16_xmodem(std::string_view bytes) { return static_cast<std::uint16_t>(crc16_xmodem_unmasked(bytes)); }

std::uint32_t xxh32(std::string_view bytes, std::uint32_t seed) { return XXH32(bytes.data(), bytes.size(), seed); }

std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed) { return XXH64(bytes.data(), bytes.size(), seed); }

std::uint64_t xxh3_64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t murmur2_64a(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t m = 0xc6a4a7935bd1e995;
  std::uint64_t hash = seed ^ bytes.size() * m;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word = load_le64(bytes.data()) * m;
    word ^= word >> 47;
    hash = (hash ^ word * m) * m;
  }
  if (!bytes.empty()) hash = (hash ^ load_le_tail(bytes)) * m;
  hash = (hash ^ hash >> 47) * m;
  return hash ^ hash >> 47;
}

std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed) {
  const auto scrambled = [](std::uint32_t word) { return std::rotl(word * 0xcc9e2d51, 15) * 0x1b873593; };
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t hash = seed;
  for (; bytes.size() >= 4; bytes.remove_prefix(4))
    hash = std::rotl(hash ^ scrambled(load_le32(bytes.data())), 13) * 5 + 0xe6546b64;
  hash ^= scrambled(static_cast<std::uint32_t>(load_le_tail(bytes)));
  hash ^= size;
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

std::uint64_t siphash24(std::string_view bytes, std::uint64_t k0, std::uint64_t k1) {
  std::uint64_t v0 = k0 ^ 0x736f6d6570736575;
  std::uint64_t v1 = k1 ^ 0x646f72616e646f6d;
  std::uint64_t v2 = k0 ^ 0x6c7967656e657261;
  std::uint64_t v3 = k1 ^ 0x7465646279746573;
  const auto rounds = [&](int count) {
    for (; count > 0; --count) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  };
  const auto absorb = [&](std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };

  const std::uint64_t size = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) absorb(load_le64(bytes.data()));
  absorb(load_le_tail(bytes) | size << 56);
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

std::uint32_t avalanche32(std::uint32_t a) {
  a = (a + 0x7ed55d16) + (a << 12);
  a = (a ^ 0xc761c23c) ^ (a >> 19);
  a = (a + 0x165667b1) + (a << 5);
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5) + (a << 3);
  a = (a ^ 0xb55a4f09) ^ (a >> 16);
  return a * 0xc0000001;
}

std::uint64_t hash128to64(std::uint64_t upper, std::uint64_t lower) {
  constexpr std::uint64_t m = 0x9ddfea08eb382d69;
  std::uint64_t a = (lower ^ upper) * m;
  a ^= a >> 47;
  std::uint64_t b = (upper ^ a) * m;
  b ^= b >> 47;
  return b * m;
}

}  // namespace chash
