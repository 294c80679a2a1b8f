// The hash functions of libmemcached and twemproxy, and FNV as it is meant beside theirs.
#include <bit>
#include <cstddef>

#include "chash/hash_families.h"
#include "chash/little_endian.h"
#include "chash/mixes.h"

namespace chash {
namespace {

constexpr std::uint32_t fnv_offset_32 = 0x811c9dc5;
constexpr std::uint32_t fnv_prime_32 = 0x01000193;
constexpr std::uint64_t fnv_offset_64 = 0xcbf29ce484222325;
constexpr std::uint64_t fnv_prime_64 = 0x00000100000001b3;

template <typename Word>
Word unsigned_byte(char c) {
  return static_cast<std::uint8_t>(c);
}

// The sign goes through all of the word, as when C adds a negative char to it.
template <typename Word>
Word signed_byte(char c) {
  return static_cast<Word>(static_cast<std::int8_t>(c));
}

template <typename Word, Word (*byte)(char)>
Word fnv1(std::string_view bytes, Word hash, Word prime) {
  for (const char c : bytes) hash = hash * prime ^ byte(c);
  return hash;
}

template <typename Word, Word (*byte)(char)>
Word fnv1a(std::string_view bytes, Word hash, Word prime) {
  for (const char c : bytes) hash = (hash ^ byte(c)) * prime;
  return hash;
}

std::uint32_t low_32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

// The seed of both Murmurs.  Source: libhashkit/murmur.cc and murmur3.cc.
std::uint32_t seed_of(std::string_view bytes) { return 0xdeadbeef * low_32(bytes.size()); }

}  // namespace

std::uint32_t fnv1_32(std::string_view bytes) {
  return fnv1<std::uint32_t, unsigned_byte>(bytes, fnv_offset_32, fnv_prime_32);
}

std::uint32_t fnv1a_32(std::string_view bytes) {
  return fnv1a<std::uint32_t, unsigned_byte>(bytes, fnv_offset_32, fnv_prime_32);
}

std::uint64_t fnv1_64(std::string_view bytes) {
  return fnv1<std::uint64_t, unsigned_byte>(bytes, fnv_offset_64, fnv_prime_64);
}

std::uint64_t fnv1a_64(std::string_view bytes) {
  return fnv1a<std::uint64_t, unsigned_byte>(bytes, fnv_offset_64, fnv_prime_64);
}

namespace libhashkit {

// Source: libhashkit/one_at_a_time.cc; Bob Jenkins' function, but for the sign.
std::uint32_t one_at_a_time(std::string_view bytes) {
  std::uint32_t hash = 0;
  for (const char c : bytes) {
    hash += signed_byte<std::uint32_t>(c);
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  return hash + (hash << 15);
}

// Source of all four: libhashkit/fnv_32.cc and fnv_64.cc.
std::uint32_t fnv1_32(std::string_view bytes) {
  return fnv1<std::uint32_t, signed_byte>(bytes, fnv_offset_32, fnv_prime_32);
}

std::uint32_t fnv1a_32(std::string_view bytes) {
  return fnv1a<std::uint32_t, signed_byte>(bytes, fnv_offset_32, fnv_prime_32);
}

std::uint32_t fnv1_64(std::string_view bytes) {
  return low_32(fnv1<std::uint64_t, signed_byte>(bytes, fnv_offset_64, fnv_prime_64));
}

// Counted in 32 bits from the start, with the constants of 64 bits cut down.
std::uint32_t fnv1a_64(std::string_view bytes) {
  return fnv1a<std::uint32_t, signed_byte>(bytes, low_32(fnv_offset_64), low_32(fnv_prime_64));
}

// Source: libhashkit/crc32.cc.
std::uint32_t crc(std::string_view bytes) { return crc32(bytes) >> 16 & 0x7fff; }

// Paul Hsieh's SuperFastHash. The third of three bytes left over has a sign; the only one left over has none.
// Source: libhashkit/hsieh.cc.
std::uint32_t hsieh(std::string_view bytes) {
  const auto half_word = [](std::string_view at) { return static_cast<std::uint32_t>(load_le_tail(at.substr(0, 2))); };
  std::uint32_t hash = 0;
  if (bytes.empty()) return hash;
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    hash += half_word(bytes);
    hash = hash << 16 ^ (half_word(bytes.substr(2)) << 11 ^ hash);
    hash += hash >> 11;
  }
  switch (bytes.size()) {
    case 3:
      hash += half_word(bytes);
      hash ^= hash << 16;
      hash ^= signed_byte<std::uint32_t>(bytes[2]) << 18;
      hash += hash >> 11;
      break;
    case 2:
      hash += half_word(bytes);
      hash ^= hash << 11;
      hash += hash >> 17;
      break;
    case 1:
      hash += unsigned_byte<std::uint32_t>(bytes[0]);
      hash ^= hash << 10;
      hash += hash >> 1;
      break;
    default: break;
  }
  hash ^= hash << 3;
  hash += hash >> 5;
  hash ^= hash << 4;
  hash += hash >> 17;
  hash ^= hash << 25;
  return hash + (hash >> 6);
}

// MurmurHash2 with 32 bits.  Source: libhashkit/murmur.cc.
std::uint32_t murmur(std::string_view bytes) {
  constexpr std::uint32_t m = 0x5bd1e995;
  std::uint32_t hash = seed_of(bytes) ^ low_32(bytes.size());
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    std::uint32_t word = load_le32(bytes.data()) * m;
    word ^= word >> 24;
    hash = hash * m ^ word * m;
  }
  if (!bytes.empty()) hash = (hash ^ low_32(load_le_tail(bytes))) * m;
  hash = (hash ^ hash >> 13) * m;
  return hash ^ hash >> 15;
}

// Source: libhashkit/murmur3.cc.
std::uint32_t murmur3(std::string_view bytes) { return murmur3_32(bytes, seed_of(bytes)); }

// Bob Jenkins' lookup3, hashlittle(). It leaves out the last mix where there are no bytes.
// Source: libhashkit/jenkins.cc, whose initial value is 13.
std::uint32_t jenkins(std::string_view bytes) {
  std::uint32_t a = 0xdeadbeef + low_32(bytes.size()) + 13;
  std::uint32_t b = a;
  std::uint32_t c = a;
  if (bytes.empty()) return c;

  for (; bytes.size() > 12; bytes.remove_prefix(12)) {
    a += load_le32(bytes.data());
    b += load_le32(bytes.data() + 4);
    c += load_le32(bytes.data() + 8);
    a = (a - c) ^ std::rotl(c, 4), c += b;
    b = (b - a) ^ std::rotl(a, 6), a += c;
    c = (c - b) ^ std::rotl(b, 8), b += a;
    a = (a - c) ^ std::rotl(c, 16), c += b;
    b = (b - a) ^ std::rotl(a, 19), a += c;
    c = (c - b) ^ std::rotl(b, 4), b += a;
  }

  a += low_32(load_le_tail(bytes.substr(0, 4)));
  if (bytes.size() > 4) b += low_32(load_le_tail(bytes.substr(4, 4)));
  if (bytes.size() > 8) c += low_32(load_le_tail(bytes.substr(8)));
  c = (c ^ b) - std::rotl(b, 14);
  a = (a ^ c) - std::rotl(c, 11);
  b = (b ^ a) - std::rotl(a, 25);
  c = (c ^ b) - std::rotl(b, 16);
  a = (a ^ c) - std::rotl(c, 4);
  b = (b ^ a) - std::rotl(a, 14);
  return (c ^ b) - std::rotl(b, 24);
}

}  // namespace libhashkit
}  // namespace chash
