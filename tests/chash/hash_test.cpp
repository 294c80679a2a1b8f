#include "chash/hash.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "chash/naive.h"

namespace chash {
namespace {

using test::hex;
using test::random_bytes;

// RFC 1321, appendix A.5.
const std::vector<std::pair<std::string, std::string>> rfc_1321_suite{
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

TEST_CASE("md5: the RFC's test suite, by the library and by the tests' own") {
  for (const auto& [message, digest] : rfc_1321_suite) {
    CAPTURE(message);
    CHECK(hex(md5(message)) == digest);
    CHECK(hex(test::naive_md5(message)) == digest);
  }
}

TEST_CASE("md5: agrees with the naive one for 100000 random keys") {
  std::mt19937_64 random(1);
  std::size_t differ = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = random_bytes(random, random() % 40);
    if (md5(key) != test::naive_md5(key)) ++differ;
  }
  CHECK(differ == 0);
}

TEST_CASE("md5: agrees with the naive one for every length round the blocks, and for 64 KiB") {
  std::mt19937_64 random(2);
  for (std::size_t size = 0; size <= 260; ++size) {
    CAPTURE(size);
    const std::string key = random_bytes(random, size);
    REQUIRE(md5(key) == test::naive_md5(key));
  }
  const std::string largest = random_bytes(random, 64 * 1024);
  CHECK(md5(largest) == test::naive_md5(largest));
}

TEST_CASE("xxh3_128: values of the published algorithm") {
  // XXH3_128bits of the empty input, as xxHash's documentation and sanity checks have it.
  CHECK(hex(xxh3_128("")) == "99aa06d3014798d86001c324468d497f");
  CHECK(xxh3_128(std::string(1, '\0')) != xxh3_128(""));
  CHECK(xxh3_128("ab") != xxh3_128("ba"));
}

}  // namespace
}  // namespace chash
