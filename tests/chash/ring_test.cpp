// The ring's points, and looking keys up among them.
#include "chash/ring.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "chash/naive.h"
#include "chash/placement.h"
#include "chash/profile.h"
#include "chash/samples.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;

TEST_CASE("ring: owner and owners agree with the naive walk for 1 to 40 nodes of random weights") {
  Random random(3);
  for (std::size_t round = 0; round < 120; ++round) {
    const std::size_t nodes = 1 + round % 40;
    CAPTURE(nodes);
    const RingSpec spec = random_spec(random, nodes);
    const Placement ring = placed(spec);
    const auto points = test::naive_points(spec);
    REQUIRE(ring.points() == points.size());
    for (const std::string& key : assorted_keys(random, spec)) {
      CAPTURE(key);
      REQUIRE(spec.nodes[ring.owner(key)].name == test::naive_owner(points, key));
    }
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, nodes / 2, nodes, nodes + 1, std::size_t{256}}) {
      const std::string key = random_bytes(random, 12);
      CAPTURE(count);
      REQUIRE(names(spec, ring.owners(key, count)) == test::naive_owners(points, key, count));
    }
  }
}

TEST_CASE("ring: a key of 64 KiB is hashed whole") {
  Random random(4);
  const RingSpec spec = plain_spec(40, 40);
  const Placement ring = placed(spec);
  const auto points = test::naive_points(spec);
  std::string key = random_bytes(random, limits::key_bytes);
  CHECK(spec.nodes[ring.owner(key)].name == test::naive_owner(points, key));
  std::set<NodeIndex> owners;
  for (int i = 0; i < 20; ++i) {  // only the last byte differs
    key.back() = static_cast<char>(i);
    owners.insert(ring.owner(key));
  }
  CHECK(owners.size() > 1);
}

TEST_CASE("ring: the first of the owners is the owner, and none stands twice") {
  Random random(5);
  const RingSpec spec = random_spec(random, 17);
  const Placement ring = placed(spec);
  for (int i = 0; i < 500; ++i) {
    const std::string key = random_bytes(random, 9);
    const auto owners = ring.owners(key, 17);
    REQUIRE(owners.size() == 17);
    REQUIRE(owners.front() == ring.owner(key));
    REQUIRE(std::set<NodeIndex>(owners.begin(), owners.end()).size() == owners.size());
    for (std::size_t count = 0; count < 17; ++count) {  // fewer owners are the beginning of more
      const auto fewer = ring.owners(key, count);
      REQUIRE(fewer == std::vector<NodeIndex>(owners.begin(), owners.begin() + static_cast<std::ptrdiff_t>(count)));
    }
  }
}

TEST_CASE("ring: no node owns everything nowhere") {
  const Placement empty = placed({});
  CHECK(empty.empty());
  CHECK(empty.points() == 0);
  CHECK(empty.owners("key", 3).empty());
  CHECK(Placement().empty());
}

TEST_CASE("ring: one node owns every key") {
  Random random(6);
  for (const double weight : {0.001, 1.0, 5.0}) {
    const RingSpec spec{"seed,vnodes=3", {{"only", weight}}};
    const Placement ring = placed(spec);
    for (const std::string& key : assorted_keys(random, spec)) {
      REQUIRE(ring.owner(key) == 0);
      REQUIRE(ring.owners(key, 9) == std::vector<NodeIndex>{0});
    }
  }
}

// Every point of these rings is asked for by a key that hashes exactly onto it: its own label.
TEST_CASE("ring: a key equal to a token belongs to the next node, round the end to the first") {
  for (std::size_t nodes = 1; nodes <= 12; ++nodes) {
    const RingSpec spec = plain_spec(nodes, 8);
    const Placement ring = placed(spec);
    struct Labelled {
      Token token;
      std::string label;
      NodeIndex node;
    };
    std::vector<Labelled> circle;
    for (NodeIndex node = 0; node < nodes; ++node)
      for (int i = 0; i < 8; ++i) {
        const std::string label = spec.nodes[node].name + ":" + std::to_string(i);
        circle.push_back({test::naive_md5(label), label, node});
      }
    std::ranges::sort(circle, {}, &Labelled::token);
    for (std::size_t i = 0; i < circle.size(); ++i) {
      CAPTURE(circle[i].label);
      REQUIRE(ring.owner(circle[i].label) == circle[(i + 1) % circle.size()].node);
    }
  }
}

TEST_CASE("ring: keys before the first point and behind the last belong to the first point") {
  for (const std::size_t nodes : {1u, 2u, 3u, 5u}) {
    const RingSpec spec = plain_spec(nodes, 1);
    const Placement ring = placed(spec);
    std::map<Token, NodeIndex> circle;
    for (NodeIndex node = 0; node < nodes; ++node) circle[test::naive_md5(spec.nodes[node].name + ":0")] = node;
    std::size_t before = 0, behind = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::string key = std::to_string(i);
      const Token token = test::naive_md5(key);
      const auto next = circle.upper_bound(token);
      REQUIRE(ring.owner(key) == (next == circle.end() ? circle.begin()->second : next->second));
      before += token < circle.begin()->first;
      behind += token > circle.rbegin()->first;
    }
    CHECK(before > 0);
    CHECK(behind > 0);
  }
}

// The first published pair of messages with one MD5 (Wang, Feng, Lai and Yu, 2004): they differ in one bit of six
// bytes. Whatever follows the colliding blocks leaves them colliding, so nodes with these names take the very same
// points. No valid node name is known to do that; the rule must hold all the same.
TEST_CASE("ring: equal tokens belong to the smaller name, whatever the order of adding") {
  constexpr std::string_view hex =
      "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
      "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
      "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
      "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
  std::string one;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    one += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  std::string other = one;
  for (const std::size_t place : {19u, 45u, 59u, 83u, 109u, 123u})
    other[place] = static_cast<char>(other[place] ^ 0x80);
  REQUIRE(one != other);
  REQUIRE(md5(one + ":7") == md5(other + ":7"));
  const std::string smaller = std::min(one, other);

  Random random(7);
  for (const bool swapped : {false, true}) {
    const RingSpec spec{"seed,vnodes=10", {{"third"}, {swapped ? one : other}, {swapped ? other : one}}};
    const Placement ring = placed(spec);
    const auto points = test::naive_points(spec);
    for (int i = 0; i < 300; ++i) {
      const std::string key = random_bytes(random, 8);
      const std::string& owner = spec.nodes[ring.owner(key)].name;
      REQUIRE((owner == "third" || owner == smaller));
      REQUIRE(names(spec, ring.owners(key, 3)) == test::naive_owners(points, key, 3));
    }
  }
}

TEST_CASE("ring: nodes that have next to nothing come last, and cost no walk round the ring") {
  Random random(25);
  for (const char* text : {"seed,vnodes=20000", "chash,vnodes=20000", "ring,hash=crc32,vnodes=20000"}) {
    const auto profile = parse_profile(text);
    REQUIRE(profile);
    const std::vector<Node> nodes{{"heavy", 1}, {"a", 1e-4}, {"b", 1e-5}, {"c", 2e-4}};
    const auto members = members_of(*profile, nodes);
    REQUIRE(members);
    const auto ring = Ring::build(*profile, *members, nodes);
    const auto all = points_of(*profile, *members, nodes);
    REQUIRE(ring);
    REQUIRE(all);
    const std::vector<Point> points = all->make(*profile);
    const unsigned bits = profile->hash->bits;
    const Token circle = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
    for (int i = 0; i < 100; ++i) {
      // By the distances of all points, from each node's side.
      const std::string key = random_bytes(random, 9);
      const Token from = *KeyRule(*profile).position(key) + (profile->lookup == Profile::Lookup::strict ? 1 : 0);
      std::map<NodeIndex, Token> nearest;
      for (const Point& point : points) {
        const Token distance = (point.position - from) & circle;
        const auto at = nearest.try_emplace((*members)[point.member].node, distance).first;
        at->second = std::min(at->second, distance);
      }
      std::vector<NodeIndex> expected{0, 1, 2, 3};
      std::ranges::sort(expected, {}, [&](NodeIndex node) { return nearest.at(node); });
      REQUIRE(ring->owners(key, 4) == expected);
      expected.resize(2);
      REQUIRE(ring->owners(key, 2) == expected);
    }
  }
}

}  // namespace
}  // namespace chash
