// The building blocks of other programs' placements: hash functions with a seed or a key of their own, running
// checksums, digests, and mixes of numbers. What hashes a key alone stands as a row in key_hash.h.
//
// All are the published functions, bit for bit, on every machine; all are pure and allocate nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace chash {

using Md5Digest = std::array<std::uint8_t, 16>;
using Sha1Digest = std::array<std::uint8_t, 20>;

Md5Digest md5_digest(std::string_view bytes);
Sha1Digest sha1_digest(std::string_view bytes);

// CRC-32 as zlib, PNG and Ethernet have it. `before` is the CRC of what went before: crc32(b, crc32(a)) is that of a +
// b.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);

// CRC-16/XMODEM: polynomial 0x1021, from 0, not reflected. Redis Cluster's slots are made of it.
std::uint16_t crc16_xmodem(std::string_view bytes);

// The same shifted through 32 bits and never cut to 16, so that the upper half is history.
// Source: twemproxy, src/hashkit/nc_crc16.c.
std::uint32_t crc16_xmodem_unmasked(std::string_view bytes);

std::uint32_t xxh32(std::string_view bytes, std::uint32_t seed);
std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed);
std::uint64_t xxh3_64(std::string_view bytes);  // the one of 128 bits is in hash.h

// MurmurHash64A.  Source: Austin Appleby, MurmurHash2.cpp; mcrouter has it as murmur_hash_64A, Envoy as MURMUR_HASH_2.
std::uint64_t murmur2_64a(std::string_view bytes, std::uint64_t seed);

// MurmurHash3_x86_32.  Source: Austin Appleby, MurmurHash3.cpp.
std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed);

// SpookyHash V2, the low 32 bits of the first word.  Source: Bob Jenkins, SpookyV2.cpp; folly/hash/SpookyHashV2.cpp.
std::uint32_t spooky_v2_32(std::string_view bytes, std::uint32_t seed);

// SipHash-2-4 with 64 bits.  Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF".
std::uint64_t siphash24(std::string_view bytes, std::uint64_t k0, std::uint64_t k1);

// HAProxy's "full avalanche": a bijection, so that it adds no ties.
// Source: haproxy, include/haproxy/intops.h, full_hash(); it is Bob Jenkins' hash of an integer, times 3 * 2^30 + 1.
std::uint32_t avalanche32(std::uint32_t value);

// Two numbers made one. mcrouter's rendezvous gives the node's hash as `upper` and the key's as `lower`.
// Source: folly/hash/Hash.h, hash_128_to_64(), which is CityHash's Hash128to64.
std::uint64_t hash128to64(std::uint64_t upper, std::uint64_t lower);

}  // namespace chash
