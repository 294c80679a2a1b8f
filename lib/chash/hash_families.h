// Hash functions as one program or another has them, quirks included: what key_hash.cpp makes its table of.
#pragma once

#include <cstdint>
#include <string_view>

#include "chash/hash.h"

namespace chash {

// FNV as published.  Source: draft-eastlake-fnv.
std::uint32_t fnv1_32(std::string_view bytes);
std::uint32_t fnv1a_32(std::string_view bytes);
std::uint64_t fnv1_64(std::string_view bytes);
std::uint64_t fnv1a_64(std::string_view bytes);

// libmemcached's libhashkit, and twemproxy's src/hashkit, which has the same functions. Where they read a plain char, a
// byte above 0x7f counts as negative here, as on x86; on ARM those programs themselves would answer differently.
namespace libhashkit {

std::uint32_t one_at_a_time(std::string_view bytes);
std::uint32_t fnv1_32(std::string_view bytes);
std::uint32_t fnv1a_32(std::string_view bytes);
std::uint32_t fnv1_64(std::string_view bytes);
std::uint32_t fnv1a_64(std::string_view bytes);
std::uint32_t crc(std::string_view bytes);  // 15 bits; nginx's `hash` without `consistent` has it, too
std::uint32_t hsieh(std::string_view bytes);
std::uint32_t murmur(std::string_view bytes);
std::uint32_t murmur3(std::string_view bytes);
std::uint32_t jenkins(std::string_view bytes);

}  // namespace libhashkit

// HAProxy reads unsigned bytes everywhere.  Source: haproxy, src/hash.c.
namespace haproxy {

std::uint32_t sdbm(std::string_view bytes);
std::uint32_t djb2(std::string_view bytes);
std::uint32_t wt6(std::string_view bytes);
std::uint32_t none(std::string_view bytes);

}  // namespace haproxy

// The partitioners of Cassandra and ScyllaDB.
namespace cassandra {

// A signed number, as its two's complement.
std::uint64_t murmur3_token(std::string_view bytes);
Token random_token(std::string_view bytes);

}  // namespace cassandra
}  // namespace chash
