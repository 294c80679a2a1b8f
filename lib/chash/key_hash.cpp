#include "chash/key_hash.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "chash/hash_families.h"
#include "chash/little_endian.h"
#include "chash/md5_many.h"
#include "chash/mixes.h"

namespace chash {
namespace {

// A function of this library as a row has it.
template <auto hash>
Token plain(std::string_view bytes) {
  return hash(bytes);
}

template <auto digest>
Token first_le32(std::string_view bytes) {
  return load_le32(digest(bytes).data());
}

template <auto digest>
Token first_be32(std::string_view bytes) {
  const auto all = digest(bytes);
  return std::uint32_t{all[0]} << 24 | std::uint32_t{all[1]} << 16 | std::uint32_t{all[2]} << 8 | all[3];
}

template <auto digest>
Token second_le64(std::string_view bytes) {
  return load_le64(digest(bytes).data() + 8);
}

// The first half stands above the second.
template <auto digest>
Token two_le64(std::string_view bytes) {
  const auto all = digest(bytes);
  return Token{load_le64(all.data())} << 64 | load_le64(all.data() + 8);
}

// The same parts of a digest that is one number, its first byte uppermost.
std::uint32_t first_word(Token digest) { return __builtin_bswap32(static_cast<std::uint32_t>(digest >> 96)); }
std::uint64_t second_half(Token digest) { return __builtin_bswap64(static_cast<std::uint64_t>(digest)); }

template <std::uint64_t seed>
Token seeded_xxh64(std::string_view bytes) {
  return xxh64(bytes, seed);
}

template <std::uint64_t seed>
Token seeded_murmur2_64a(std::string_view bytes) {
  return murmur2_64a(bytes, seed);
}

// ngx_http_upstream_get_ip_hash_peer(): from 89, over the bytes of the client's network.
std::uint32_t nginx_poly113(std::string_view bytes) {
  std::uint32_t hash = 89;
  for (const char c : bytes) hash = (hash * 113 + static_cast<unsigned char>(c)) % 6271;
  return hash;
}

// Decimal digits as 64 bits, which wrap; what is no digit ends them.
std::uint64_t decimal_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

constexpr Token sign_64 = Token{1} << 63;
constexpr Token signs_2x64 = sign_64 << 64 | sign_64;

constexpr std::array rows{
    // Digests, and the parts of them that rings of 32 and 64 bits take: ketama, dalli, ex_hash_ring, serialx/hashring.
    KeyHash{"md5/be128", 128, plain<md5>, 0, true},
    KeyHash{"md5/le32", 32, first_le32<md5_digest>, 0, true, [](Token digest) { return Token{first_word(digest)}; }},
    KeyHash{"md5/le64hi", 64, second_le64<md5_digest>, 0, true,
            [](Token digest) { return Token{second_half(digest)}; }},
    KeyHash{"md5/2sle64", 128, two_le64<md5_digest>, signs_2x64, true,
            [](Token digest) { return Token{second_half(digest >> 64)} << 64 | second_half(digest); }},
    KeyHash{"sha1/be32", 32, first_be32<sha1_digest>},
    KeyHash{"sha1/le32", 32, first_le32<sha1_digest>},
    KeyHash{"sha1/2sle64", 128, two_le64<sha1_digest>, signs_2x64},

    // Checksums: nginx, HAProxy, mcrouter, groupcache; nginx' and libmemcached's 15 bits; Redis Cluster; twemproxy.
    KeyHash{"crc32", 32, [](std::string_view bytes) { return Token{crc32(bytes)}; }},
    KeyHash{"crc32/hi15", 32, plain<libhashkit::crc>},
    KeyHash{"crc16", 32, plain<crc16_xmodem>},
    KeyHash{"crc16/unmasked", 32, plain<crc16_xmodem_unmasked>},

    // xxHash: Envoy, gRPC, go-redis, buraksezer/consistent.
    KeyHash{"xxh32", 32, [](std::string_view bytes) { return Token{xxh32(bytes, 0)}; }},
    KeyHash{"xxh64", 64, seeded_xxh64<0>},
    KeyHash{"xxh64/lo32", 32, [](std::string_view bytes) { return Token{xxh64(bytes, 0) & 0xffffffff}; }},
    KeyHash{"xxh64/seed1", 64, seeded_xxh64<1>},
    KeyHash{"xxh3/64", 64, plain<xxh3_64>},
    KeyHash{"xxh3/128", 128, plain<xxh3_128>},

    // Envoy's MURMUR_HASH_2, mcrouter's (the seed's name is how mcrouter writes it), pymemcache's.
    KeyHash{"murmur2_64a/c70f6907", 64, seeded_murmur2_64a<0xc70f6907>},
    KeyHash{"murmur2_64a/4193360111", 64, seeded_murmur2_64a<4193360111>},
    KeyHash{"murmur3_32", 32, [](std::string_view bytes) { return Token{murmur3_32(bytes, 0)}; }},

    // mcrouter's second hash, for weights; a key of SipHash for multi-probe rings and the like.
    KeyHash{"spooky_v2_32/face2014", 32, [](std::string_view bytes) { return Token{spooky_v2_32(bytes, 0xface2014)}; }},
    KeyHash{"siphash24/k0=1", 64, [](std::string_view bytes) { return Token{siphash24(bytes, 1, 0)}; }},

    KeyHash{"fnv1_32", 32, plain<fnv1_32>},
    KeyHash{"fnv1a_32", 32, plain<fnv1a_32>},
    KeyHash{"fnv1_64", 64, plain<fnv1_64>},
    KeyHash{"fnv1a_64", 64, plain<fnv1a_64>},

    // libmemcached and twemproxy.
    KeyHash{"one_at_a_time/schar", 32, plain<libhashkit::one_at_a_time>},
    KeyHash{"fnv1_32/lmc", 32, plain<libhashkit::fnv1_32>},
    KeyHash{"fnv1a_32/lmc", 32, plain<libhashkit::fnv1a_32>},
    KeyHash{"fnv1_64/lmc", 32, plain<libhashkit::fnv1_64>},
    KeyHash{"fnv1a_64/lmc", 32, plain<libhashkit::fnv1a_64>},
    KeyHash{"hsieh/schar", 32, plain<libhashkit::hsieh>},
    KeyHash{"murmur2/lmc", 32, plain<libhashkit::murmur>},
    KeyHash{"murmur3/lmc", 32, plain<libhashkit::murmur3>},
    KeyHash{"lookup3/13", 32, plain<libhashkit::jenkins>},

    // What is left of 32 bits where a sign would be in the way: mcrouter. nginx' ip_hash. A key that is a number
    // itself.
    KeyHash{"crc32/31", 32, [](std::string_view bytes) { return Token{crc32(bytes) & 0x7fffffff}; }},
    KeyHash{"poly113/6271", 32, plain<nginx_poly113>},
    KeyHash{"number", 64, plain<decimal_number>},

    // HAProxy.
    KeyHash{"sdbm", 32, plain<haproxy::sdbm>},
    KeyHash{"djb2", 32, plain<haproxy::djb2>},
    KeyHash{"wt6", 32, plain<haproxy::wt6>},
    KeyHash{"none", 32, plain<haproxy::none>},

    // Cassandra and ScyllaDB.
    KeyHash{"murmur3_token", 64, plain<cassandra::murmur3_token>, sign_64},
    KeyHash{"random_token", 128, plain<cassandra::random_token>},
};

}  // namespace

std::span<const KeyHash> key_hashes() { return rows; }

const KeyHash* find_key_hash(std::string_view name) {
  const auto* const found = std::ranges::find(rows, name, &KeyHash::name);
  return found == rows.end() ? nullptr : found;
}

void hash_many(const KeyHash& hash, std::span<const std::string_view> texts, std::span<Token> values) {
  if (!hash.is_md5) {
    for (std::size_t i = 0; i < texts.size(); ++i) values[i] = hash.hash(texts[i]);
    return;
  }
  md5_many(texts, values);
  if (hash.of_md5 == nullptr) return;
  for (Token& value : values) value = hash.of_md5(value);
}

}  // namespace chash
