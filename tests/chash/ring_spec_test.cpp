#include "chash/ring_spec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "chash/naive.h"
#include "chash/placement.h"
#include "chash/profile.h"

namespace chash {
namespace {

using Names = std::vector<std::string>;

const RingSpec three{"seed", {{"c", 1}, {"a", 2}, {"b", 0.5}}};

Error refusal(const RingSpec& spec, const Change& change) {
  const auto delta = resolve(spec, change);
  REQUIRE_FALSE(delta);
  return delta.error();
}

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

TEST_CASE("ring spec: added nodes go last, in the order asked") {
  const auto delta = resolve(three, AddNodes{{{"z", 3}, {"d"}}});
  REQUIRE(delta);
  CHECK(*delta == Delta{{{"z", 3}, {"d", 1}}, {}});
  CHECK(apply(three, *delta) == RingSpec{"seed", {{"c", 1}, {"a", 2}, {"b", 0.5}, {"z", 3}, {"d", 1}}});
}

TEST_CASE("ring spec: removing keeps the order of the rest, and a node that comes back goes last") {
  const auto removal = resolve(three, RemoveNodes{{"c"}});
  REQUIRE(removal);
  CHECK(*removal == Delta{{}, {"c"}});
  const RingSpec two = apply(three, *removal);
  CHECK(two == RingSpec{"seed", {{"a", 2}, {"b", 0.5}}});
  const auto addition = resolve(two, AddNodes{{{"c", 1}}});
  REQUIRE(addition);
  CHECK(apply(two, *addition) == RingSpec{"seed", {{"a", 2}, {"b", 0.5}, {"c", 1}}});
}

TEST_CASE("ring spec: a change that removes every node leaves an empty ring") {
  const auto delta = resolve(three, RemoveNodes{{"b", "c", "a"}});
  REQUIRE(delta);
  CHECK(delta->removed == Names{"b", "c", "a"});
  CHECK(apply(three, *delta) == RingSpec{"seed", {}});
}

TEST_CASE("ring spec: one node that cannot be added refuses the whole change") {
  CHECK(refusal(three, AddNodes{{{"new"}, {"a"}}}) == Error{Errc::conflict, "node 'a' is already in the ring", ""});
  CHECK(refusal(three, AddNodes{{{"new"}, {"bad name"}}}).code == Errc::invalid_argument);
  CHECK(refusal(three, AddNodes{{{"new"}, {"other", 0}}}).code == Errc::invalid_argument);
  CHECK(refusal(three, AddNodes{{{"bad name"}}, true}).code == Errc::invalid_argument);
  CHECK(refusal(three, AddNodes{{{"a", -1}}, true}).code == Errc::invalid_argument);
}

TEST_CASE("ring spec: one node that cannot be removed refuses the whole change") {
  CHECK(refusal(three, RemoveNodes{{"a", "d"}}) == Error{Errc::not_found, "no node 'd' in the ring", ""});
  CHECK(refusal(three, RemoveNodes{{"d", "a"}}) == Error{Errc::not_found, "no node 'd' in the ring", ""});
  CHECK(refusal(RingSpec{}, RemoveNodes{{"a"}}).code == Errc::not_found);
}

TEST_CASE("ring spec: a change that names no node, or one twice, is refused") {
  const Error none{Errc::invalid_argument, "no node is named", "name at least one node"};
  const Error twice{Errc::invalid_argument, "node 'n' is named twice", ""};
  for (const bool lenient : {false, true}) {
    CHECK(refusal(three, AddNodes{{}, lenient}) == none);
    CHECK(refusal(three, RemoveNodes{{}, lenient}) == none);
    CHECK(refusal(three, AddNodes{{{"n"}, {"m"}, {"n"}}, lenient}) == twice);
    CHECK(refusal(three, AddNodes{{{"n", 1}, {"n", 2}}, lenient}) == twice);
    CHECK(refusal(three, RemoveNodes{{"n", "m", "n"}, lenient}) == twice);
  }
}

TEST_CASE("ring spec: if_missing adds what is missing and leaves the rest alone, whatever its weight") {
  const auto delta = resolve(three, AddNodes{{{"a", 7}, {"new", 3}, {"c", 1}}, true});
  REQUIRE(delta);
  CHECK(*delta == Delta{{{"new", 3}}, {}});
  const auto nothing = resolve(three, AddNodes{{{"a", 7}}, true});
  REQUIRE(nothing);
  CHECK(nothing->empty());
  CHECK(apply(three, *nothing) == three);
}

TEST_CASE("ring spec: if_exists removes what is there and skips the rest") {
  const auto delta = resolve(three, RemoveNodes{{"zz", "b", "yy"}, true});
  REQUIRE(delta);
  CHECK(*delta == Delta{{}, {"b"}});
  const auto nothing = resolve(three, RemoveNodes{{"zz"}, true});
  REQUIRE(nothing);
  CHECK(nothing->empty());
}

TEST_CASE("ring spec: names are compared whole, byte for byte") {
  CHECK(refusal(three, RemoveNodes{{"A"}}).code == Errc::not_found);
  CHECK(refusal(RingSpec{"seed", {{"ab"}}}, RemoveNodes{{"a"}}).code == Errc::not_found);
  CHECK(resolve(RingSpec{"seed", {{"ab"}}}, AddNodes{{{"a"}, {"abc"}, {"AB"}}}).has_value());
}

TEST_CASE("ring spec: no message repeats bytes that are not printable") {
  const std::string hostile = "\x1b[2J\nforged line";
  for (const bool lenient : {false, true}) {
    CHECK(is_printable(refusal(three, AddNodes{{{hostile}}, lenient}).message));
    CHECK(is_printable(refusal(three, AddNodes{{{hostile}, {hostile}}, lenient}).message));
    CHECK(is_printable(refusal(three, RemoveNodes{{hostile}, lenient}).message));
    CHECK(is_printable(refusal(three, RemoveNodes{{hostile, hostile}, lenient}).message));
    CHECK(refusal(three, RemoveNodes{{std::string(300'000, 'n'), std::string(300'000, 'n')}, lenient}).message.size() <
          1000);
  }
}

TEST_CASE("ring spec: weights above 0 and up to a million are accepted, and nothing else") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double largest = limits::max_weight;
  for (const double good : {1.0, 1e-9, std::numeric_limits<double>::denorm_min(), 0.1, largest}) {
    CAPTURE(good);
    CHECK(resolve(RingSpec{"seed,vnodes=1", {}}, AddNodes{{{"n", good}}}).has_value());
  }
  for (const double bad : {0.0, -0.0, -1.0, -1e-300, largest + 1, std::nextafter(largest, infinity), infinity,
                           -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(bad);
    const Error error = refusal(RingSpec{"seed,vnodes=1", {}}, AddNodes{{{"n", bad}}});
    CHECK(error.code == Errc::invalid_argument);
    CHECK(error.message == (bad == 0 ? "node 'n': its weight is 0" : "node 'n': its weight is out of range"));
  }
}

TEST_CASE("placement: virtual nodes are weight times vnodes, rounded half up, at least one") {
  const auto count = [](const char* vnodes, double weight) {
    const auto placement = build(RingSpec{"seed,vnodes=" + std::string(vnodes), {{"a", weight}, {"b", 1}}});
    REQUIRE(placement);
    const auto points = placement->points_by_node(2);
    CHECK(points[0] + points[1] == placement->points());
    return points[0];
  };
  CHECK(count("100", 1) == 100);
  CHECK(count("100", 2.5) == 250);
  CHECK(count("100", 0.014) == 1);
  CHECK(count("2", 0.75) == 2);  // 1.5
  CHECK(count("2", 1.25) == 3);  // 2.5: half goes up, not to even
  CHECK(count("2", 1.2) == 2);   // 2.4
  CHECK(count("100", 0.004) == 1);
  CHECK(count("100", 1e-300) == 1);
  CHECK(count("1", 1e5) == 100'000);
}

TEST_CASE("ring spec: a node is refused that the profile of the ring cannot have") {
  const auto message = [](const char* profile, Node node) {
    return refusal(RingSpec{profile, {}}, AddNodes{{std::move(node)}}).message;
  };
  CHECK(message("libketama", {"a", 1.5}) == "node 'a': its weight is not a whole number");
  CHECK(message("mcrouter-weightedch3", {"a", 2}) == "node 'a': its weight is above 1");
  CHECK(message("seed", {"a", 1, {{"alias", "x"}}}) == "node 'a': there is no field 'alias' in this profile");
  CHECK(message("seed", {"a", 1, {{"state", "away"}}}) == "node 'a': state is neither up, drain nor down");
  CHECK(message("twemproxy-ketama", {"a", 1, {{"alias", "x"}, {"alias", "y"}}}) ==
        "a field of node 'a' is given twice");
  CHECK(message("twemproxy-ketama", {"a", 1, {{"alias", "x y"}}}) ==
        "a field of node 'a' has a blank, a semicolon or a control character");
  CHECK(message("twemproxy-ketama", {"a", 1, {{"alias", std::string(limits::field_bytes + 1, 'x')}}}) ==
        "a field of node 'a' is too long");
  CHECK(message("seed", {"a", 1, NodeFields(limits::node_fields + 1, {"state", "up"})}) ==
        "there are too many fields of node 'a'");
  CHECK(message("none", {"a"}) == "there is no profile 'none'");
  CHECK(message("seed,prefix=a b", {"a"}) == "a profile has a blank or a control character in it");
  CHECK(message("ring,identity={a=b}", {"a", 1, {{"a=b", "c"}}}) == "the name of a field of node 'a' is none");
  for (const char* profile : {"seed", "jump", "libmemcached-modula", "pymemcache", "redis-cluster"}) {
    CAPTURE(profile);
    CHECK(message(profile, {"a", -1}) == "node 'a': its weight is out of range");
    CHECK(message(profile, {"a", 1e300}) == "node 'a': its weight is out of range");
  }
  CHECK(resolve(RingSpec{"haproxy-consistent", {}}, AddNodes{{{"a", 0, {{"id", "7"}}}}}).has_value());
}

TEST_CASE("ring spec: as many nodes as the limit says, and not one more") {
  RingSpec spec{"seed,vnodes=1", {}};
  for (std::size_t i = 0; i + 1 < limits::nodes; ++i) spec.nodes.push_back({"n" + std::to_string(i)});
  CHECK(resolve(spec, AddNodes{{{"last"}}}).has_value());
  CHECK(refusal(spec, AddNodes{{{"last"}, {"more"}}}) ==
        Error{Errc::too_large, "the ring would have more than 65536 nodes", ""});
  spec.nodes.push_back({"last"});
  CHECK(refusal(spec, AddNodes{{{"more"}}}).code == Errc::too_large);
  const auto present = resolve(spec, AddNodes{{{"last"}}, true});
  REQUIRE(present);
  CHECK(present->empty());
  CHECK(resolve(spec, RemoveNodes{{"last"}}).has_value());
}

TEST_CASE("fingerprint: does not depend on the order of adding") {
  std::vector<Node> nodes{{"a", 1}, {"b", 2}, {"c", 0.5}, {"d", 1}};
  const Token expected = fingerprint({"seed", nodes});
  do CHECK(fingerprint({"seed", nodes}) == expected);
  while (std::ranges::next_permutation(nodes, {}, &Node::name).found);
}

TEST_CASE("fingerprint: differs for every name, weight, vnodes and membership") {
  std::map<Token, int> seen;
  const auto add = [&](const RingSpec& spec) { ++seen[fingerprint(spec)]; };
  std::size_t specs = 0;
  for (const char* profile : {"seed,vnodes=1", "seed,vnodes=99", "seed", "seed,vnodes=101"})
    for (const double one : {1.0, 2.0, std::nextafter(1.0, 2.0)})
      for (const double two : {1.0, 2.0, 3.0})
        for (const char* name : {"a", "aa", "A", "a1"}) {
          add({profile, {{name, one}, {"b", two}}});
          ++specs;
        }
  add({"seed", {}});
  add({"seed,vnodes=101", {}});
  add({"seed,hash=xxh64", {}});
  add({"seed", {{"a"}}});
  add({"seed", {{"b"}}});
  add({"seed", {{"a"}, {"b"}, {"c"}}});
  add({"seed", {{"ab"}, {"c"}}});
  add({"seed", {{"a"}, {"bc"}}});
  add({"seed", {{"a", 1, {{"state", "up"}}}}});
  add({"seed", {{"a", 1, {{"state", "down"}}}}});
  add({"seed", {{"a", 1, {{"st", "atedown"}}}}});
  CHECK(seen.size() == specs + 11);
}

TEST_CASE("fingerprint: says what the profile is, not how it is written") {
  const std::vector<Node> nodes{{"a", 1}, {"b", 2}};
  CHECK(fingerprint({"seed", nodes}) == fingerprint({"seed,vnodes=100,hash=md5/be128", nodes}));
  CHECK(fingerprint({"libketama", nodes}) != fingerprint({"libketama,vnodes=41", nodes}));
  CHECK(fingerprint({"twemproxy-ketama", {{"a", 1, {{"alias", "x"}, {"state", "up"}}}}}) ==
        fingerprint({"twemproxy-ketama", {{"a", 1, {{"state", "up"}, {"alias", "x"}}}}}));
}

// Their table, or their ties, follow the order of the configuration.
TEST_CASE("fingerprint: counts the order of adding where the profile does") {
  for (const NamedProfile& named : named_profiles()) {
    CAPTURE(named.name);
    const std::string name(named.name);
    const auto profile = parse_profile(name);
    REQUIRE(profile);
    const bool same = fingerprint({name, {{"a"}, {"b"}}}) == fingerprint({name, {{"b"}, {"a"}}});
    CHECK(same == (profile->order != Profile::Order::given));
  }
}

TEST_CASE("fingerprint: the weights of two nodes are not interchangeable") {
  CHECK(fingerprint({"seed", {{"a", 1}, {"b", 2}}}) != fingerprint({"seed", {{"a", 2}, {"b", 1}}}));
}

// Daemons of different releases and machines compare fingerprints.
TEST_CASE("fingerprint: stays what it was") {
  CHECK(hex(fingerprint({})) == "4be31e39d72740a8b4f71e660212987c");
  CHECK(hex(fingerprint({"seed", {{"cache-node-1"}, {"cache-node-2"}, {"cache-node-3"}}})) ==
        "039f28e7bbac289de3cb393920a90cfa");
  CHECK(hex(fingerprint({"seed,vnodes=40", {{"a", 0.5}, {"b", 3}}})) == "5fec1bdad943f4553343a74c1abe090d");
}

TEST_CASE("ring spec: random changes agree with a plain model") {
  std::mt19937_64 random(13);
  for (int sequence = 0; sequence < 100; ++sequence) {
    RingSpec spec{"seed,vnodes=10", {}};
    std::vector<std::string> order;
    std::map<std::string, double> model;
    for (int step = 0; step < 200; ++step) {
      const bool lenient = random() % 2 == 0;
      const bool adding = random() % 2 == 0;
      std::vector<Node> asked;
      for (std::size_t n = random() % 4; n > 0; --n)
        asked.push_back({"n" + std::to_string(random() % 12), static_cast<double>(random() % 5) / 2});
      bool twice = false, bad_weight = false, there = false, absent = false;
      for (std::size_t i = 0; i < asked.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) twice |= asked[i].name == asked[k].name;
        bad_weight |= asked[i].weight == 0;
        (model.contains(asked[i].name) ? there : absent) = true;
      }
      Change change;
      if (adding) {
        change = AddNodes{asked, lenient};
      } else {
        RemoveNodes removal{{}, lenient};
        for (const Node& node : asked) removal.names.push_back(node.name);
        change = removal;
      }
      const auto delta = resolve(spec, change);
      const bool refused = asked.empty() || twice || (adding && bad_weight) || (!lenient && (adding ? there : absent));
      REQUIRE(delta.has_value() == !refused);
      if (refused) continue;
      spec = apply(std::move(spec), *delta);
      for (const Node& node : asked) {
        if (adding && model.emplace(node.name, node.weight).second) order.push_back(node.name);
        if (!adding && model.erase(node.name) != 0) std::erase(order, node.name);
      }
      REQUIRE(spec.nodes.size() == order.size());
      for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(spec.nodes[i] == Node{order[i], model.at(order[i])});
    }
  }
}

}  // namespace
}  // namespace chash
