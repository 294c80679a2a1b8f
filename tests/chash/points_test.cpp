#include "chash/points.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "chash/members.h"
#include "chash/placement.h"

namespace chash {
namespace {

TEST_CASE("points: tokens have the bits of the hash and no more") {
  const auto refused = [](const char* hash, const char* tokens) {
    return !build(RingSpec{"ring,points=tokens,hash=" + std::string(hash), {{"a", 1, {{"tokens", tokens}}}}});
  };
  CHECK_FALSE(refused("crc32", "0,4294967295,-2147483648"));
  CHECK(refused("crc32", "4294967296"));
  CHECK(refused("crc32", "-2147483649"));
  CHECK_FALSE(refused("murmur3_token", "18446744073709551615,-9223372036854775808"));
  CHECK(refused("murmur3_token", "18446744073709551616"));
  CHECK_FALSE(refused("md5/be128", "340282366920938463463374607431768211455"));
  CHECK(refused("md5/be128", "340282366920938463463374607431768211456"));
  CHECK(refused("md5/be128", "999999999999999999999999999999999999999"));
}

// points_of() only counts: nothing is hashed, and no ring is built.
TEST_CASE("points: as many as the limit says are accepted, and not one more") {
  struct Case {
    const char* profile;
    std::vector<Node> full, overfull;
    std::uint64_t too_many;
  };
  const Case cases[] = {
      {"seed", {{"a", 160'000}}, {{"a", 160'000.01}}, 16'000'001},
      {"seed", {{"a", 100'000}, {"b", 60'000}}, {{"a", 100'000}, {"b", 60'000.01}}, 16'000'001},
      {"seed,vnodes=16", {{"a", 1e6 - 1}, {"b"}}, {{"a", 1e6}, {"b", 1e-9}}, 16'000'001},  // a node has one at least
      {"ring,hash=md5/le32,words=4,vnodes=100", {{"a", 40'000}}, {{"a", 40'000.01}}, 16'000'004},  // four of a digest
  };
  for (const auto& [text, full, overfull, too_many] : cases) {
    CAPTURE(text);
    const auto profile = parse_profile(text);
    REQUIRE(profile);
    const auto count = [&](const std::vector<Node>& nodes) {
      const auto members = members_of(*profile, nodes);
      REQUIRE(members);
      return points_of(*profile, *members, nodes);
    };
    const auto counted = count(full), refused = count(overfull);
    REQUIRE(counted);
    CHECK(counted->points == limits::points);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::too_large);
    CHECK(refused.error().message ==
          "the ring would have " + std::to_string(too_many) + " points and take 144 MiB; the limit is 16000000 points");
  }
}

TEST_CASE("points: a program that asks for more gets ten times as many, and what they take is known before") {
  const auto profile = parse_profile("seed,vnodes=160");
  REQUIRE(profile);
  const auto count = [&](const std::vector<Node>& nodes, std::uint64_t most) {
    const auto members = members_of(*profile, nodes);
    REQUIRE(members);
    return points_of(*profile, *members, nodes, most);
  };
  CHECK(count({{"a", 1e6}}, limits::points_of_largest_ring).value().points == 160'000'000);
  CHECK_FALSE(count({{"a", 1e6}, {"b"}}, limits::points_of_largest_ring));
  CHECK_FALSE(count({{"a", 1e6}}, limits::points));
  const std::uint64_t mebibytes = count({{"a", 1e6}}, limits::points_of_largest_ring).value().bytes() >> 20;
  CHECK(mebibytes == 1449);
}

}  // namespace
}  // namespace chash
