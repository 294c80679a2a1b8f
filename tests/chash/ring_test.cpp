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

namespace chash {
namespace {

using namespace std::literals;
using Random = std::mt19937_64;
using test::random_bytes;

Placement placed(const RingSpec& spec) {
  auto placement = build(spec);
  REQUIRE(placement);
  return std::move(*placement);
}

RingSpec random_spec(Random& random, std::size_t nodes) {
  static constexpr double weights[] = {1, 1, 1, 2, 0.5, 0.001, 3.75, 0.249, 7};
  static constexpr std::uint32_t vnodes[] = {1, 2, 10, 33, 100};
  RingSpec spec{test::seed_profile(vnodes[random() % std::size(vnodes)]), {}};
  for (std::size_t i = 0; i < nodes; ++i)
    spec.nodes.push_back(
        {"n" + std::to_string(random() % 1000) + "." + std::to_string(i), weights[random() % std::size(weights)]});
  return spec;
}

// Keys of all kinds, with the ring's own labels among them: those fall exactly on a point.
std::vector<std::string> assorted_keys(Random& random, const RingSpec& spec) {
  std::vector<std::string> keys{"",
                                " ",
                                "\t",
                                "\n",
                                "\0"s,
                                "\0\0"s,
                                "a\0b"s,
                                "null",
                                "0",
                                "%00",
                                "user:123",
                                "\xc3\xa9",
                                "\xed\xa0\x80",
                                "\xff\xfe",
                                "e\xcc\x81",
                                "\xf0\x9f\x94\x91",
                                std::string(55, 'x'),
                                std::string(56, 'x'),
                                std::string(64, 'x'),
                                std::string(4096, '\0')};
  for (std::size_t i = 0; i < 20; ++i) keys.push_back(random_bytes(random, random() % 200));
  for (std::size_t i = 0; i < 20; ++i) keys.push_back("user:" + std::to_string(random()));
  for (std::size_t i = 0; i < 5; ++i)
    keys.push_back(spec.nodes[random() % spec.nodes.size()].name + ":" + std::to_string(i));
  return keys;
}

std::vector<std::string> names(const RingSpec& spec, const std::vector<NodeIndex>& owners) {
  std::vector<std::string> list;
  for (const NodeIndex owner : owners) list.push_back(spec.nodes[owner].name);
  return list;
}

RingSpec plain_spec(std::size_t nodes, std::uint32_t vnodes) {
  RingSpec spec{test::seed_profile(vnodes), {}};
  for (std::size_t i = 0; i < nodes; ++i) spec.nodes.push_back({"node-" + std::to_string(i), 1});
  return spec;
}

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

TEST_CASE("ring: 1000 orders of adding the same nodes place every key alike") {
  Random random(8);
  RingSpec spec = random_spec(random, 12);
  spec.profile = test::seed_profile(20);
  const Token expected_fingerprint = fingerprint(spec);
  std::vector<std::string> keys, expected;
  const Placement first = placed(spec);
  for (int i = 0; i < 50; ++i) {
    keys.push_back(random_bytes(random, 10));
    for (const std::string& name : names(spec, first.owners(keys.back(), 3))) expected.push_back(name);
  }
  for (int order = 0; order < 1000; ++order) {
    std::ranges::shuffle(spec.nodes, random);
    // As changes arrive: one node at a time, or some at once, with one that comes and goes.
    RingSpec grown{spec.profile, {}};
    const auto change = [&](const Change& asked) {
      const auto delta = resolve(grown, asked);
      REQUIRE(delta);
      grown = apply(std::move(grown), *delta);
    };
    change(AddNodes{{{"passing", 3}}});
    for (std::size_t i = 0; i < spec.nodes.size();) {
      AddNodes some;
      for (std::size_t n = 1 + random() % 4; n > 0 && i < spec.nodes.size(); --n) some.nodes.push_back(spec.nodes[i++]);
      change(some);
    }
    change(RemoveNodes{{"passing"}});
    REQUIRE(grown == spec);
    REQUIRE(fingerprint(grown) == expected_fingerprint);

    const Placement ring = placed(grown);
    std::vector<std::string> placed;
    for (const std::string& key : keys)
      for (const std::string& name : names(grown, ring.owners(key, 3))) placed.push_back(name);
    REQUIRE(placed == expected);
  }
}

TEST_CASE("ring: adding a node moves keys only to it, and removing it moves only its own keys") {
  Random random(9);
  for (const double weight : {1.0, 0.3, 4.0}) {
    const RingSpec before = plain_spec(20, 50);
    RingSpec after = before;
    after.nodes.push_back({"new", weight});
    const Placement smaller = placed(before), larger = placed(after);
    std::size_t moved = 0;
    constexpr std::size_t keys = 20'000;
    for (std::size_t i = 0; i < keys; ++i) {
      const std::string key = "key:" + std::to_string(i);
      const std::string& owner = after.nodes[larger.owner(key)].name;
      if (owner == "new") ++moved;
      else REQUIRE(owner == before.nodes[smaller.owner(key)].name);
    }
    // A node of weight w among twenty of weight 1 takes about w / (20 + w) of the keys.
    const double share = static_cast<double>(moved) / keys, wanted = weight / (20 + weight);
    CAPTURE(share);
    CHECK(share > wanted * 0.5);
    CHECK(share < wanted * 1.6);
  }
}

TEST_CASE("ring: the preference list without a node is the preference list of the ring without it") {
  Random random(10);
  const RingSpec all = random_spec(random, 9);
  const Placement ring = placed(all);
  for (std::size_t gone = 0; gone < all.nodes.size(); ++gone) {
    RingSpec fewer = all;
    fewer.nodes.erase(fewer.nodes.begin() + static_cast<std::ptrdiff_t>(gone));
    const Placement rest = placed(fewer);
    for (int i = 0; i < 100; ++i) {
      const std::string key = random_bytes(random, 8);
      auto expected = names(all, ring.owners(key, all.nodes.size()));
      std::erase(expected, all.nodes[gone].name);
      REQUIRE(names(fewer, rest.owners(key, fewer.nodes.size())) == expected);
    }
  }
}

TEST_CASE("ring: shares follow weights") {
  const RingSpec spec{"seed,vnodes=500", {{"one", 1}, {"two", 2}, {"four", 4}}};
  const Placement ring = placed(spec);
  std::vector<double> keys(spec.nodes.size());
  for (int i = 0; i < 35'000; ++i) ++keys[ring.owner("key:" + std::to_string(i))];
  for (std::size_t node = 0; node < keys.size(); ++node) {
    CAPTURE(spec.nodes[node].name);
    CHECK(keys[node] == doctest::Approx(5000 * spec.nodes[node].weight).epsilon(0.1));
  }
}

TEST_CASE("placement: build places as the ring does") {
  Random random(11);
  const RingSpec spec = random_spec(random, 11);
  const Placement ring = placed(spec);
  const Result<Placement> placement = build(spec);
  REQUIRE(placement);
  CHECK(placement->points() == ring.points());
  CHECK_FALSE(placement->empty());
  for (const std::string& key : assorted_keys(random, spec)) {
    REQUIRE(placement->owner(key) == ring.owner(key));
    REQUIRE(placement->owners(key, 4) == ring.owners(key, 4));
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

TEST_CASE("placement: what would take minutes or gigabytes is refused at once") {
  const auto refusal_of = [](const std::string& profile, const std::vector<Node>& nodes) -> std::string {
    const auto placement = build(RingSpec{profile, nodes});
    return placement ? "" : placement.error().message;
  };
  const std::string long_table = "the table of this ring would take too long to fill";
  CHECK(refusal_of("ring,algorithm=partitions,partitions=1000000,hash=xxh64,vnodes=1000,load=1.0001",
                   {{"h", 100}, {"l", 0.001}}) == long_table);
  std::vector<Node> nodes{{"heavy", 1e6}};
  for (int i = 0; i < 5000; ++i) nodes.push_back({"n" + std::to_string(i)});
  CHECK(refusal_of("envoy-maglev", nodes) == long_table);
  CHECK(refusal_of("haproxy-map", nodes) == long_table);
  CHECK(refusal_of("pymemcache", nodes) == "rendezvous scores every node for every key: there are too many");
  std::string identity, point = "{i}";
  for (int i = 0; i < 300; ++i) identity += "{a}", point += "{id}";
  const std::string wide = "ring,vnodes=1,identity=" + identity + ",point=" + point;
  CHECK(refusal_of(wide, {{"n", 1, {{"a", std::string(30'000, 'x')}}}}).starts_with("the text that stands for node"));
  CHECK(refusal_of(wide, {{"n", 1, {{"a", "xyz"}}}}) == "the texts of the points of this ring are too long to hash");
  CHECK(refusal_of("redis-cluster,slots=2", {{"a"}, {"b"}, {"c"}}) == "there are more nodes than slots");
}

TEST_CASE("profile: parameters that do not go together are refused") {
  for (const char* text :
       {"ring,weights=any,heavier=uhashring-ketama", "ring,heavier=none-such", "ring,hash=crc32,point_hash=md5/be128",
        "ring,points=crc32_chain", "ring,lookup=nearest,down=next_point", "jump,down=rehash", "pymemcache,down=repeat",
        "envoy-maglev,down=next_point", "ring,words=2,point_hash=xxh64"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_profile(text).has_value());
  }
}

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

// The specs of a random history, each placed by what changed and anew.
TEST_CASE("placement: after any changes it places as one that was built from the nodes that are left") {
  Random random(27);
  for (const NamedProfile& named : named_profiles()) {
    CAPTURE(named.name);
    RingSpec spec{std::string(named.name), {}};
    Placement placement;
    std::size_t in_place = 0, wrong = 0;
    for (int step = 0; step < 60; ++step) {
      const RingSpec before = spec;
      Delta delta;
      if (random() % 3 == 0 && spec.nodes.size() > 4)
        for (std::size_t n = 1 + random() % 2; n > 0; --n) {
          const std::string& name = spec.nodes[random() % spec.nodes.size()].name;
          if (std::ranges::find(delta.removed, name) == delta.removed.end()) delta.removed.push_back(name);
        }
      for (std::size_t n = random() % 3; n > 0; --n) {
        Node node{"10.0." + std::to_string(step) + "." + std::to_string(n) + ":80", 1};
        if (named.name == "cassandra")
          node.fields = {{"tokens", std::to_string(random()) + "," + std::to_string(step)}};
        delta.added.push_back(std::move(node));
      }
      if (delta.empty()) continue;
      spec = apply(std::move(spec), delta);
      const Delta found = difference(before, spec);
      REQUIRE(apply(before, found) == spec);
      auto changed = placement.changed(found, before.nodes);
      in_place += changed.has_value();
      const Placement fresh = placed(spec);
      placement = changed ? std::move(*changed) : fresh;
      if (fresh.empty()) continue;
      CHECK(placement.points() == fresh.points());
      CHECK(placement.points_by_node(spec.nodes.size()) == fresh.points_by_node(spec.nodes.size()));
      for (int i = 0; i < 60; ++i) {
        const std::string key = random_bytes(random, 9);
        wrong += placement.owner(key) != fresh.owner(key) || placement.owners(key, 4) != fresh.owners(key, 4);
      }
    }
    CHECK(wrong == 0);
    const bool shares = named.name == "seed" || named.name == "chash" || named.name == "ring";
    if (shares) CHECK(in_place > 20);
  }
}

TEST_CASE("placement: many keys at once have the owners that each has alone, under every profile") {
  Random random(24);
  for (const NamedProfile& named : named_profiles()) {
    CAPTURE(named.name);
    std::vector<Node> nodes;
    for (int i = 0; i < 5; ++i) {
      nodes.push_back({"10.0.0." + std::to_string(i) + ":80", 1});
      if (named.name == "cassandra") nodes.back().fields = {{"tokens", std::to_string(random())}};
      if (named.name == "haproxy-none") nodes.back().fields = {{"id", std::to_string(i + 1)}};
    }
    const auto placement = build(RingSpec{std::string(named.name), nodes});
    REQUIRE(placement);
    for (const bool with_empty : {false, true}) {
      std::vector<std::string> keys;
      for (int i = 0; i < 300; ++i) keys.push_back(random_bytes(random, 1 + random() % 70));
      if (with_empty) keys[150].clear();
      const std::vector<std::string_view> views(keys.begin(), keys.end());
      std::vector<NodeIndex> found(views.size());
      placement->owners_of(views, found);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < views.size(); ++i) wrong += found[i] != placement->owner(views[i]);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("placement: a spec with no nodes builds, and one with too many points does not") {
  const auto empty = build(RingSpec{});
  REQUIRE(empty);
  CHECK(empty->empty());
  CHECK(empty->points() == 0);

  const auto huge = build(RingSpec{"seed", {{"a", 100'000}, {"b", 60'000.01}}});
  REQUIRE_FALSE(huge);
  CHECK(huge.error().code == Errc::too_large);
  CHECK(huge.error().message == "the ring would have 16000001 points; the limit is 16000000");
}

}  // namespace
}  // namespace chash
