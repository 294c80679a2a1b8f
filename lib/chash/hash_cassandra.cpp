#include <bit>
#include <cstddef>
#include <limits>

#include "chash/hash_families.h"
#include "chash/little_endian.h"

namespace chash::cassandra {
namespace {

constexpr std::uint64_t c1 = 0x87c37b91114253d5;
constexpr std::uint64_t c2 = 0x4cf5ad432745937f;

std::uint64_t scrambled1(std::uint64_t word) { return std::rotl(word * c1, 31) * c2; }
std::uint64_t scrambled2(std::uint64_t word) { return std::rotl(word * c2, 33) * c1; }

std::uint64_t finished(std::uint64_t hash) {
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

// Java's bytes have a sign, and Cassandra forgets to take it off those that fill no word: the bits of one such byte
// reach into those of the bytes behind it.  Requires: at most 8 bytes.
std::uint64_t signed_tail(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word ^= static_cast<std::uint64_t>(static_cast<std::int8_t>(bytes[i])) << 8 * i;
  return word;
}

}  // namespace

// The first half of MurmurHash3_x64_128, seed 0.
// Source: cassandra, utils/MurmurHash.java, hash3_x64_128(); dht/Murmur3Partitioner.java, normalize().
std::uint64_t murmur3_token(std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  std::uint64_t h1 = 0;
  std::uint64_t h2 = 0;
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    h1 = (std::rotl(h1 ^ scrambled1(load_le64(bytes.data())), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ scrambled2(load_le64(bytes.data() + 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  h1 ^= scrambled1(signed_tail(bytes.substr(0, 8)));
  if (bytes.size() > 8) h2 ^= scrambled2(signed_tail(bytes.substr(8)));

  h1 ^= size;
  h2 ^= size;
  h1 += h2;
  h2 += h1;
  const std::uint64_t token = finished(h1) + finished(h2);
  // The smallest number is taken: it stands for the beginning of the ring.
  constexpr auto smallest = std::uint64_t{1} << 63;
  return token == smallest ? smallest - 1 : token;
}

// The digest as a signed number, without the sign.  Source: cassandra, dht/RandomPartitioner.java,
// FBUtilities.hashToBigInteger().
Token random_token(std::string_view bytes) {
  const Token digest = md5(bytes);
  return digest >> 127 ? 0 - digest : digest;
}

}  // namespace chash::cassandra
