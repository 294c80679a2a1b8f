// build() and Placement: what holds however a ring came to be, and under every profile.
#include "chash/placement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "chash/profile.h"
#include "chash/ring.h"
#include "chash/samples.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;

TEST_CASE("placement: build places as the ring does") {
  Random random(11);
  const RingSpec spec = random_spec(random, 11);
  const auto profile = parse_profile(spec.profile);
  REQUIRE(profile);
  const auto members = members_of(*profile, spec.nodes);
  REQUIRE(members);
  const auto ring = Ring::build(*profile, *members, spec.nodes);
  REQUIRE(ring);
  const Placement placement = placed(spec);
  CHECK(placement.points() == ring->points());
  CHECK_FALSE(placement.empty());
  for (const std::string& key : assorted_keys(random, spec)) {
    REQUIRE(placement.owner(key) == ring->owner(key));
    REQUIRE(placement.owners(key, 4) == ring->owners(key, 4));
  }
}

TEST_CASE("placement: 1000 orders of adding the same nodes place every key alike") {
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
    std::vector<Node> shuffled(spec.nodes.begin(), spec.nodes.end());
    std::ranges::shuffle(shuffled, random);
    spec.nodes = std::move(shuffled);
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

TEST_CASE("placement: adding a node moves keys only to it, and removing it moves only its own keys") {
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

TEST_CASE("placement: the preference list without a node is the preference list of the ring without it") {
  Random random(10);
  const RingSpec all = random_spec(random, 9);
  const Placement ring = placed(all);
  for (std::size_t gone = 0; gone < all.nodes.size(); ++gone) {
    RingSpec fewer = all;
    fewer.nodes.erase_if([&](const Node& node) { return node.name == all.nodes[gone].name; });
    const Placement rest = placed(fewer);
    for (int i = 0; i < 100; ++i) {
      const std::string key = random_bytes(random, 8);
      auto expected = names(all, ring.owners(key, all.nodes.size()));
      std::erase(expected, all.nodes[gone].name);
      REQUIRE(names(fewer, rest.owners(key, fewer.nodes.size())) == expected);
    }
  }
}

TEST_CASE("placement: shares follow weights") {
  const RingSpec spec{"seed,vnodes=500", {{"one", 1}, {"two", 2}, {"four", 4}}};
  const Placement ring = placed(spec);
  std::vector<double> keys(spec.nodes.size());
  for (int i = 0; i < 35'000; ++i) ++keys[ring.owner("key:" + std::to_string(i))];
  for (std::size_t node = 0; node < keys.size(); ++node) {
    CAPTURE(spec.nodes[node].name);
    CHECK(keys[node] == doctest::Approx(5000 * spec.nodes[node].weight).epsilon(0.1));
  }
}

// A history of one ring: after each change it is placed by what changed, where that can be done, and anew.
struct History {
  explicit History(std::string profile) : spec{std::move(profile), {}} {}

  // Returns how many of the keys two placements answer differently.
  std::size_t change(Random& random, const Delta& delta) {
    const RingSpec before = spec;
    spec = apply(std::move(spec), delta);
    auto changed =
        placement.changed(removed_between(*parse_profile(spec.profile), before.nodes, spec.nodes), spec.nodes);
    ++changes;
    in_place += changed.has_value();
    const Placement fresh = placed(spec);
    placement = changed ? std::move(*changed) : fresh;
    if (fresh.empty()) return 0;
    CHECK(placement.points() == fresh.points());
    CHECK(placement.points_by_node(spec.nodes.size()) == fresh.points_by_node(spec.nodes.size()));
    std::size_t wrong = 0;
    for (int i = 0; i < 60; ++i) {
      const std::string key = random_bytes(random, i == 0 ? 0 : 9);
      wrong += placement.owner(key) != fresh.owner(key) || placement.owners(key, 4) != fresh.owners(key, 4);
    }
    return wrong;
  }
  // Takes away one node or two.
  void remove_some(Random& random, Delta& delta) const {
    for (std::size_t n = 1 + random() % 2; n > 0; --n) {
      const std::string& name = spec.nodes[random() % spec.nodes.size()].name;
      if (std::ranges::find(delta.removed, name) == delta.removed.end()) delta.removed.push_back(name);
    }
  }

  RingSpec spec;
  Placement placement;
  std::size_t changes = 0, in_place = 0;
};

TEST_CASE("placement: after any changes it places as one that was built from the nodes that are left") {
  Random random(27);
  for (const NamedProfile& named : named_profiles()) {
    CAPTURE(named.name);
    const auto profile = parse_profile(named.name);
    REQUIRE(profile);
    const bool weighted = profile->weights == Profile::Weights::any || profile->weights == Profile::Weights::whole;
    for (const bool equal : {true, false}) {
      History history{std::string(named.name)};
      std::size_t wrong = 0;
      for (int step = 0; step < 60; ++step) {
        Delta delta;
        if (random() % 3 == 0 && history.spec.nodes.size() > 4) history.remove_some(random, delta);
        for (std::size_t n = random() % 3; n > 0; --n) {
          Node node{"10.0." + std::to_string(step) + "." + std::to_string(n) + ":80", 1};
          if (!equal && weighted) node.weight = static_cast<double>(1 + random() % 4);
          if (!equal && random() % 4 == 0) node.fields = {{"state", "down"}};
          if (named.name == "cassandra")
            node.fields.emplace_back("tokens", std::to_string(random()) + "," + std::to_string(step));
          delta.added.push_back(std::move(node));
        }
        if (!delta.empty()) wrong += history.change(random, delta);
      }
      CHECK(wrong == 0);
      const bool is_ring = profile->algorithm == Profile::Algorithm::ring;
      if (is_ring && equal && profile->points != Profile::Points::haproxy)
        CHECK_MESSAGE(history.in_place > 10, history.in_place << " of " << history.changes);
    }
  }
}

std::string decimal(Token number) {
  std::string digits;
  for (; number > 0 || digits.empty(); number /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + number % 10));
  return digits;
}

// Few places for many tokens: nearly every point shares its place with others.
TEST_CASE("placement: points that others of equal position cover come up when those leave") {
  Random random(28);
  for (const char* hash : {"crc32", "xxh64", "md5/be128"}) {
    for (const char* tie : {"index", "first", "last"}) {
      for (const char* order : {"given", "bytes", "length"}) {
        CAPTURE(hash);
        CAPTURE(tie);
        CAPTURE(order);
        const unsigned bits = find_key_hash(hash)->bits;
        History history("ring,points=tokens,hash=" + std::string(hash) + ",tie=" + tie + ",order=" + order);
        std::size_t wrong = 0;
        for (int step = 0; step < 150; ++step) {
          Delta delta;
          if (history.spec.nodes.size() > 12) history.remove_some(random, delta);
          for (std::size_t n = 1 + random() % 2; n > 0; --n) {
            std::string tokens;
            for (std::size_t t = 1 + random() % 12; t > 0; --t) {
              const Token place = Token{random() % 64} << (bits - 6);
              tokens += (tokens.empty() ? "" : ",") + decimal(place + random() % 2);
            }
            const std::string name(1 + random() % 3, static_cast<char>('a' + random() % 26));
            delta.added.push_back({name + std::to_string(step) + "." + std::to_string(n), 1, {{"tokens", tokens}}});
          }
          wrong += history.change(random, delta);
        }
        CHECK(wrong == 0);
        CHECK_MESSAGE(history.in_place > 50, history.in_place << " of " << history.changes);
      }
    }
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

TEST_CASE("placement: a spec with no nodes builds, and one with too many points does not") {
  const auto empty = build(RingSpec{});
  REQUIRE(empty);
  CHECK(empty->empty());
  CHECK(empty->points() == 0);

  const auto huge = build(RingSpec{"seed", {{"a", 100'000}, {"b", 60'000.01}}});
  REQUIRE_FALSE(huge);
  CHECK(huge.error().code == Errc::too_large);
  CHECK(huge.error().message == "the ring would have 16000001 points and take 144 MiB; the limit is 16000000 points");
}

}  // namespace
}  // namespace chash
