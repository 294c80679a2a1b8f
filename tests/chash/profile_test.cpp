#include "chash/profile.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "chash/node_identity.h"
#include "chash/placement.h"

namespace chash {
namespace {

Profile parsed(std::string_view text) {
  auto profile = parse_profile(text);
  REQUIRE_MESSAGE(profile, (profile ? "" : profile.error().message));
  return std::move(*profile);
}

TEST_CASE("profile: each named one can be read, is told apart, and places keys") {
  std::set<std::string_view> names;
  for (const NamedProfile& row : named_profiles()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.software.empty());
    CHECK_FALSE(row.proof.empty());
    const Profile profile = parsed(row.name);
    std::vector<Node> nodes{{"10.0.0.1:11211", 1}, {"10.0.0.2:11211", 1}, {"10.0.0.3:11212", 1}};
    if (profile.points == Profile::Points::tokens)
      for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].fields = {{"tokens", std::to_string(i * 1'000'000)}};
    const auto placement = build(profile, nodes);
    REQUIRE(placement);
    for (const char* key : {"10.1.2.3", "2001:db8::1"}) CHECK(placement->owner(key) < nodes.size());
  }
}

// What show prints can be given back: every parameter writes what it reads.
TEST_CASE("profile: every parameter of every profile is read as it was written") {
  for (const NamedProfile& row : named_profiles()) {
    const Profile profile = parsed(row.name);
    for (const ProfileParameter& parameter : profile_parameters()) {
      CAPTURE(row.name);
      CAPTURE(parameter.name);
      Profile copy = profile;
      const std::string value = parameter.write(profile);
      if (value == "off" && parameter.name == "hash") continue;
      CHECK(parameter.read(copy, value));
      CHECK(parameter.write(copy) == value);
    }
  }
}

TEST_CASE("profile: what is wrong in one is named") {
  const std::map<std::string, Errc> wrong{
      {"", Errc::not_found},
      {"nothing", Errc::not_found},
      {"seed,", Errc::invalid_argument},
      {"seed,,", Errc::invalid_argument},
      {"algorithm=ring", Errc::invalid_argument},
      {"seed,algorithm=circle", Errc::invalid_argument},
      {"seed,hash", Errc::invalid_argument},
      {"seed,vnodes=1000001", Errc::invalid_argument},
      {"seed,vnodes=-1", Errc::invalid_argument},
      {"seed,hash_tag={", Errc::invalid_argument},
      {"seed,point={id}", Errc::invalid_argument},
      {"seed,point={i}", Errc::invalid_argument},
      {"seed,words=4,hash=xxh64", Errc::invalid_argument},
      {"seed,load=1", Errc::invalid_argument},
      {"libketama,weights=any", Errc::invalid_argument},
      {"nginx-hash,weights=fraction", Errc::invalid_argument},
      {"pymemcache,algorithm=ring", Errc::invalid_argument},
  };
  for (const auto& [text, code] : wrong) {
    CAPTURE(text);
    const auto profile = parse_profile(text);
    if (text == "seed,") {
      CHECK(profile);  // a comma at the end is none
      continue;
    }
    REQUIRE_FALSE(profile);
    CHECK(profile.error().code == code);
  }
}

TEST_CASE("profile: haproxy's avalanche goes when a hash is named, as in its configuration") {
  CHECK(parsed("haproxy-consistent").avalanche);
  CHECK_FALSE(parsed("haproxy-consistent,hash=sdbm").avalanche);
  CHECK(parsed("haproxy-consistent,hash=sdbm,avalanche=on").avalanche);
}

TEST_CASE("node identity: templates take fields, alternatives and what may be left out") {
  const Node plain{"host.example:11211", 1}, other{"[::1]:80", 1}, socket{"/run/a.sock", 1};
  const Node named{"10.0.0.1:1", 1, {{"alias", "cache01"}}};
  const auto of = [](std::string_view text, const Node& node) { return *node_identity(text, node); };
  CHECK(of("{name}", plain) == "host.example:11211");
  CHECK(of("{host}[:{port}!11211]", plain) == "host.example");
  CHECK(of("{host}[:{port}!11211]", other) == "[::1]:80");
  CHECK(of("{host}[:{port}!11211]", {"bare", 1}) == "bare");
  CHECK(of("/{host}:{port!11211}", {"bare", 1}) == "/bare:11211");
  CHECK(of("{alias}|{socket}:|{host}", named) == "cache01");
  CHECK(of("{alias}|{socket}:|{host}", socket) == "/run/a.sock:");
  CHECK(of("{alias}|{socket}:|{host}", plain) == "host.example");
  CHECK(of("{nginx}", plain) == std::string("host.example\0"
                                            "11211",
                                            18));
  CHECK(of("{nginx}", {"Unix:/run/a:1", 1}) == std::string("/run/a:1\0", 9));
  for (const char* broken : {"{name", "[{name}", "[name]", "a{"}) {
    CAPTURE(broken);
    CHECK_FALSE(node_identity(broken, plain));
  }
}

TEST_CASE("profile: names that a point's text cannot tell apart are found") {
  const std::vector<Node> clear{{"a-1", 1}, {"b-1", 1}}, unclear{{"shard-1", 1}, {"shard-13", 1}};
  CHECK(ambiguous_names(parsed("ex-hash-ring"), clear).empty());
  CHECK_FALSE(ambiguous_names(parsed("ex-hash-ring"), unclear).empty());
  CHECK(ambiguous_names(parsed("seed"), unclear).empty());
}

TEST_CASE("profile: what is odd about nodes is refused or has no owner, and never ends the program") {
  const auto place = [](std::string_view text, std::vector<Node> nodes) { return build(parsed(text), nodes); };
  for (const char* count : {"0", "-1", "x", "18446744073709551615", "99999999999999999999"}) {
    CAPTURE(count);
    CHECK_FALSE(place("ex-hash-ring", {{"a", 1, {{"replicas", count}}}, {"b", 1}}));
  }
  for (const char* text :
       {"haproxy-consistent", "haproxy-map", "envoy-maglev,zero_weight=none", "envoy-ring-hash,zero_weight=none",
        "go-buraksezer-v1,weights=any,zero_weight=none,count=weight"}) {
    CAPTURE(text);
    const auto nothing = place(text, {{"a", 0}, {"b", 0}});
    REQUIRE(nothing);
    CHECK(nothing->empty());
    CHECK(nothing->owners("key", 3).empty());
  }
  const auto guarded = place("go-redis-ring,empty_key=none", {{"a", 1}, {"b", 1}});
  CHECK(guarded->owner("") == no_node);
  CHECK(guarded->owners("", 2).empty());
  for (const char* tokens : {"", ",", "x", "1,,2", "--1", "1111111111111111111111111111111111111111"})
    CHECK_FALSE(place("cassandra", {{"a", 1, {{"tokens", tokens}}}}));
  for (const char* slots : {"1-", "-1", "2-1", "16384", "1,1", "a"})
    CHECK_FALSE(place("redis-cluster", {{"a", 1, {{"slots", slots}}}}));
  CHECK_FALSE(place("haproxy-consistent", {{"a", 1, {{"id", "0"}}}}));
  CHECK_FALSE(place("haproxy-consistent", {{"a", 1, {{"id", "7"}}}, {"b", 1, {{"id", "7"}}}}));
  CHECK_FALSE(place("haproxy-hashkey,hash_key=addr", {{"a", 1}}));
  CHECK_FALSE(place("haproxy-hashkey,hash_key=guid", {{"a", 1}}));
  CHECK_FALSE(place("seed", {{"a", 1, {{"state", "maybe"}}}}));
  CHECK_FALSE(place("seed", {{"a", 1, {{"colour", "red"}}}}));
  CHECK(place("seed", {})->empty());
}

// The second owner is whoever would own the key without the first.
TEST_CASE("profile: rings and rendezvous name the next owners as they would be without the first") {
  const std::vector<Node> nodes{{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}};
  for (const char* text :
       {"seed", "chash", "nginx-hash-consistent", "go-redis-ring", "pymemcache", "mcrouter-rendezvous"}) {
    CAPTURE(text);
    const Profile profile = parsed(text);
    const auto whole = build(profile, nodes);
    REQUIRE(whole);
    for (int i = 0; i < 200; ++i) {
      const std::string key = "key:" + std::to_string(i);
      const auto owners = whole->owners(key, 3);
      REQUIRE(owners.size() == 3);
      CHECK(owners[0] == whole->owner(key));
      std::vector<Node> rest = nodes;
      rest.erase(rest.begin() + owners[0]);
      const auto smaller = build(profile, rest);
      CHECK(rest[smaller->owner(key)].name == nodes[owners[1]].name);
    }
  }
}

TEST_CASE("profile: the order of adding never matters where it does not in the software") {
  const std::vector<Node> forth{{"a", 1}, {"b", 2}, {"c", 1}}, back{{"c", 1}, {"b", 2}, {"a", 1}};
  for (const char* text : {"seed", "chash", "nginx-hash-consistent", "libketama", "libmemcached-ketama-weighted",
                           "twemproxy-ketama", "twemproxy-modula", "envoy-maglev", "go-redis-ring", "uhashring"}) {
    CAPTURE(text);
    const Profile profile = parsed(text);
    const auto one = build(profile, forth), other = build(profile, back);
    for (int i = 0; i < 500; ++i) {
      const std::string key = "key:" + std::to_string(i);
      CHECK(forth[one->owner(key)].name == back[other->owner(key)].name);
    }
  }
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

}  // namespace
}  // namespace chash
