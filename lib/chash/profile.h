// Profile: how keys fall on nodes, as data. No profile is special code: each is one object of these members, under a
// name, and whoever needs another writes one in the same words.
//
// In text a profile is NAME[,PARAMETER=VALUE]…, such as `libketama` or `twemproxy-ketama,hash=murmur,hash_tag={}`. Each
// member is a parameter, so that `ring,…` describes any ring from nothing.
//
// Source: PROFILES.md, which was proven against the programs themselves; what is quoted there as their code decides.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chash/key_hash.h"
#include "chash/result.h"

namespace chash {

struct Profile {
  enum class Algorithm : std::uint8_t {
    ring,          // points on a circle
    slots,         // ranges of slots are data of the nodes (Redis Cluster)
    balanced,      // slots that are shared out by weight, and moved as little as can be
    modulo,        // hash modulo the sum of weights, in a table
    smooth_table,  // the same, with the nodes spread over the table (HAProxy's map)
    maglev,        // a table that each node fills in its own order
    rendezvous,    // the node of the highest score
    partitions,    // a ring for partitions, with a bound on their number at each node
    furc,          // mcrouter's Ch3
    jump,          // jump consistent hash
    probes,        // a ring of one point a node, and many probes for a key
  };
  enum class EmptyKey : std::uint8_t { hash, zero, none };
  // What is hashed: the key; of an address in text its network (3 octets of IPv4, all 16 of IPv6); or the key as
  // Python writes bytes, b'…'.
  enum class KeyForm : std::uint8_t { bytes, network, python_bytes };
  // What `points` are made of.
  enum class Points : std::uint8_t { text, crc32_chain, haproxy, tokens };
  enum class Count : std::uint8_t { fixed, weight, replicas, share, fill };
  // How a share is computed: each program's own arithmetic, since it decides at which sizes a point is lost.
  enum class Arithmetic : std::uint8_t { f32, libketama, f64, whole };
  enum class Lookup : std::uint8_t { successor, strict, predecessor, nearest };
  // Of points with equal tokens: all stay, in the order of the nodes; or only the first or last that was configured.
  enum class Tie : std::uint8_t { index, first, last };
  enum class Order : std::uint8_t { given, bytes, length };
  enum class Weights : std::uint8_t { any, whole, fraction, ignored };
  enum class ZeroWeight : std::uint8_t { refused, one, none };
  // What a node with state=down does: it is not there; its points lead on to the next ones; its keys are hashed again
  // behind the number of the attempt; or its keys are hashed repeated.
  enum class Down : std::uint8_t { absent, next_point, rehash, repeat };
  enum class Score : std::uint8_t { xorshift, text, mcrouter, mcrouter_weighted };
  enum class HashKey : std::uint8_t { id, id32, addr, addr_port, guid };

  // Short names that a program's own configuration has for hashes.
  enum class Dialect : std::uint8_t { none, memcached, haproxy, envoy };

  std::string text;  // NAME[,PARAMETER=VALUE]… as it was asked for
  Dialect dialect = Dialect::none;
  Algorithm algorithm = Algorithm::ring;

  // --- From a key to a number ---
  KeyForm key_form = KeyForm::bytes;
  const KeyHash* hash = nullptr;
  bool avalanche = false;
  std::string
      hash_tag;        // two characters: what stands between the first and the next second one is hashed, unless empty
  std::string stop;    // the key ends where this begins
  std::string prefix;  // stands before every key
  EmptyKey empty_key = EmptyKey::hash;

  // --- From a node to points ---
  std::string identity = "{name}";  // a template over the fields of the node; see node_identity.h
  Points points = Points::text;
  std::string point = "{id}-{i}";
  const KeyHash* point_hash = nullptr;  // nullptr: as `hash`
  std::uint32_t words = 1;              // points of one digest, 4 bytes each
  Count count = Count::weight;
  std::uint32_t vnodes = 100;  // of a node of weight 1, or on average; in digests where one has several words
  Arithmetic arithmetic = Arithmetic::f32;
  std::uint32_t min_points = 1024;
  std::uint32_t max_points = 8'388'608;
  std::uint32_t cap_points = 8'388'608;  // holds for both of these
  HashKey hash_key = HashKey::id;
  Order order = Order::given;
  Weights weights = Weights::any;
  ZeroWeight zero_weight = ZeroWeight::refused;
  std::string heavier;  // the profile whose points are used as soon as a weight is above 1
  Down down = Down::absent;

  // --- From a number to a node ---
  Lookup lookup = Lookup::successor;
  Tie tie = Tie::index;
  std::uint32_t table = 65'537;  // entries of a maglev table
  bool siphash_table = false;    // go-maglev's order of filling it
  std::uint32_t slots = 16'384;
  std::uint32_t partitions = 271;
  double load = 1.25;
  bool whole_average = false;
  Score score = Score::xorshift;
  std::uint32_t probes = 21;
};

// One of the parameters that a profile is made of.
struct ProfileParameter {
  std::string_view name;
  std::string_view help;
  Result<void> (*read)(Profile& profile, std::string_view value);
  std::string (*write)(const Profile& profile);
};
std::span<const ProfileParameter> profile_parameters();

// A profile that is known by name.
struct NamedProfile {
  std::string_view name;
  std::string_view software;      // whose placement it is
  std::string_view proof;         // how it is known to be right
  std::string_view definition;    // BASE,PARAMETER=VALUE…; the base of all is empty
  std::string_view not_foretold;  // what this software does besides that no key tells
};
std::span<const NamedProfile> named_profiles();
const NamedProfile* find_named_profile(std::string_view name);

// A profile with the user's own name replaced by what it stands for, as often as that begins with another of them.
std::string whole_profile(std::string text, const std::map<std::string, std::string>& own);

// The profile that places instead of this one as soon as a weight is above 1: the points are those of `heavier`.
// Requires: there is one.
Result<Profile> heavier_profile(const Profile& profile);

// Whether the order in which the nodes were added decides anything. HAProxy numbers its servers in the order of the
// configuration, however they lie on the ring.
inline bool order_counts(const Profile& profile) {
  return profile.order == Profile::Order::given || profile.points == Profile::Points::haproxy;
}

// Reads NAME[,PARAMETER=VALUE]….
// Errors: not_found (no such profile), invalid_argument (no such parameter, or a value that it does not take).
Result<Profile> parse_profile(std::string_view text);

}  // namespace chash
