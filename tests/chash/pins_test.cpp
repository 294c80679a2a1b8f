// Pins by themselves: which of them is a key's, and what changes of them come to. How they go with states and zones,
// standing_test.cpp has.
#include "chash/pins.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "chash/limits.h"
#include "chash/naive_ring.h"
#include "chash/naive_states.h"

namespace chash {
namespace {

using namespace test;

std::string refusal(const RingSpec& spec, const Change& change) {
  const auto delta = resolve(spec, change);
  return delta ? "" : delta.error().message;
}

RingSpec changed(const RingSpec& spec, const Change& change) { return apply(spec, resolve(spec, change).value()); }

}  // namespace

TEST_CASE("pins: of nested prefixes the longest is a key's, and the key itself goes before") {
  std::mt19937_64 random(5);
  const auto profile = parse_profile("chash").value();
  NodeList nodes;
  for (int i = 0; i < 50; ++i) nodes.push_back({"n" + std::to_string(i)});
  for (int round = 0; round < 300; ++round) {
    const auto text = [&] {
      std::string made;
      for (std::size_t n = 1 + random() % 5; n-- > 0;) made += "ab\xff"[random() % 3];
      return made;
    };
    std::vector<Pin> pins;
    for (std::size_t n = 1 + random() % 50; n-- > 0;)
      pins.push_back({{text(), random() % 3 != 0}, {"n" + std::to_string(n)}});
    const PinList list(pins);
    const auto index = PinIndex::of(profile, nodes, list);
    for (int i = 0; i < 30; ++i) {
      const std::string key = i == 0 ? "" : text();
      const NodeNames naive = naive_pinned({"chash", nodes, {}, 1, list}, key, {});
      const auto found = index->nodes_of(key);
      REQUIRE(found.size() == naive.size());
      if (!naive.empty()) CHECK(nodes[found.front()].name == naive.front());
      const Pin* const pin = list.of_key(key);
      CHECK((pin == nullptr ? NodeNames() : pin->nodes) == naive);
    }
  }
}

TEST_CASE("pins: a node that goes is passed over, and has its pins again when it comes back") {
  RingSpec ring{"chash", {{"a"}, {"b"}, {"c"}}};
  const Side plain(ring);
  ring = changed(ring, EditPins{{}, false, {{{"k", false}, {"a", "b"}}}});
  CHECK(Side(ring).owner("k") == "a");
  const RingSpec without = changed(ring, RemoveNodes{{"a"}});
  CHECK(Side(without).owner("k") == "b");
  CHECK(Side(changed(without, AddNodes{{{"a"}}})).owner("k") == "a");
  CHECK(Side(changed(changed(without, RemoveNodes{{"b"}}), SetLimits{1})).owner("k") == "c");
  for (int i = 0; i < 100; ++i) CHECK(Side(ring).owner(std::to_string(i)) == plain.owner(std::to_string(i)));
}

TEST_CASE("pins: a node that is down has none, also where the order of a ring passes over it by itself") {
  for (const std::string profile : {"chash", "balanced", "envoy-maglev,table=251", "haproxy-map"}) {
    CAPTURE(profile);
    RingSpec ring{profile, {{"a"}, {"b"}, {"c"}}};
    ring = changed(ring, EditPins{{}, false, {{{"k", false}, {"a", "b"}}, {{"only:", true}, {"a"}}}});
    CHECK(Side(ring).owner("k") == "a");
    const RingSpec down = changed(ring, SetNodes{{{"a", 1, {{"state", "down"}}}, {"b"}, {"c"}}});
    CHECK(Side(down).owner("k") == "b");
    CHECK(Side(down).owner("only:k") != "a");
    CHECK(Side(changed(down, SetNodes{{{"a"}, {"b"}, {"c"}}})).owner("k") == "a");
  }
}

TEST_CASE("pins: whoever replaces a node has its pins, too") {
  RingSpec ring{"chash", {{"a"}, {"b"}}};
  ring = changed(ring, EditPins{{}, false, {{{"k", false}, {"a", "b"}}, {{"p", true}, {"b"}}}});
  const RingSpec after = changed(ring, ReplaceNode{"a", "z", ""});
  CHECK(after.pins.find({"k", false})->nodes == NodeNames{"z", "b"});
  CHECK(after.pins.find({"p", true})->nodes == NodeNames{"b"});
}

TEST_CASE("pins: they are part of the fingerprint, and their ends are not") {
  const RingSpec ring{"chash", {{"a"}, {"b"}}};
  const auto with = [&](const Pin& pin) { return changed(ring, EditPins{{}, false, {pin}}); };
  const RingSpec key = with({{"k", false}, {"a"}});
  CHECK(fingerprint(key) != fingerprint(ring));
  CHECK(fingerprint(with({{"k", true}, {"a"}})) != fingerprint(key));
  CHECK(fingerprint(with({{"k", false}, {"b"}})) != fingerprint(key));
  CHECK(fingerprint(with({{"k", false}, {"a"}, 99})) == fingerprint(key));
  CHECK(digest(with({{"k", false}, {"a"}, 99})) != digest(key));
  CHECK(fingerprint(changed(key, EditPins{{{"k", false}}, false, {}})) == fingerprint(ring));
}

TEST_CASE("pins: a change that leads from one ring to another is found") {
  RingSpec a{"chash", {{"a"}, {"b"}}}, b = a;
  a.pins = PinList({{{"both", false}, {"a"}}, {{"gone", true}, {"a"}}, {{"other", false}, {"a"}}});
  b.pins = PinList({{{"both", false}, {"a"}}, {{"new", true}, {"a"}}, {{"other", false}, {"b"}}});
  const Delta delta = difference(a, b);
  CHECK(delta.unpinned == std::vector<PinName>{{"gone", true}});
  CHECK(delta.pinned.size() == 2);
  CHECK(apply(a, delta) == b);
  CHECK(changed(a, RestoreRing{b}) == b);
  SetNodes set{{{"a"}, {"b"}}, true};
  CHECK(changed(a, set) == a);  // nothing is said of pins
  set.pins = {b.pins.begin(), b.pins.end()};
  CHECK(changed(a, set) == b);
  set.prune = false;
  CHECK(changed(a, set).pins.size() == 4);
  set.prune = true;
  set.pins = std::vector<Pin>();
  CHECK(changed(a, set).pins.empty());
}

TEST_CASE("pins: what cannot be pinned is refused") {
  const RingSpec ring{"chash", {{"a"}, {"b"}}};
  const auto pinning = [&](const Pin& pin) { return refusal(ring, EditPins{{}, false, {pin}}); };
  CHECK(pinning({{"", false}, {"a"}}) == "the key to pin is empty");
  CHECK(pinning({{"", true}, {"a"}}) == "the prefix to pin is empty");
  CHECK(pinning({{"k", false}, {}}) == "the pin of key 'k' names no node");
  CHECK(pinning({{"k", false}, {"a", "a"}}) == "the pin of key 'k' names node 'a' twice");
  CHECK(pinning({{"k", false}, {"z"}}) == "no node 'z' in the ring");
  CHECK_FALSE(pinning({{"k", false}, {"two words"}}).empty());
  CHECK(pinning({{"\x1b\xff", false}, {"a", "a"}}).starts_with("the pin of key of 2 bytes that are not plain text"));
  CHECK(pinning({{std::string(limits::pin_key_bytes, 'k'), false}, {"a"}}).empty());
  CHECK(pinning({{std::string(limits::pin_key_bytes + 1, 'k'), false}, {"a"}}).starts_with("the key to pin has 1025"));
  CHECK(refusal(ring, EditPins{}) == "no key is named");
  CHECK(refusal(ring, EditPins{{{"k", true}}, false, {}}) == "prefix 'k' is not pinned");
  CHECK(resolve(ring, EditPins{{{"k", true}}, true, {}})->empty());
  CHECK(refusal(ring, EditPins{{}, false, {{{"k", true}, {"a"}}, {{"k", true}, {"b"}}}}) ==
        "prefix 'k' is pinned twice");
  RingSpec full = ring;
  std::vector<Pin> many;
  for (std::size_t i = 0; i < limits::pins; ++i) many.push_back({{std::to_string(i), false}, {"a"}});
  full.pins = many;
  CHECK(refusal(full, EditPins{{}, false, {{{"x", false}, {"a"}}}})
            .starts_with("the ring would have more than 10000 pins"));
  CHECK(refusal(full, EditPins{{}, false, {{{"7", false}, {"b"}}}}).empty());
}

}  // namespace chash
