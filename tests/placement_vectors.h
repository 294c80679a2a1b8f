// Answers of the real programs under tests/data/vectors, in the words of our profiles: for every test that replays
// them.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "chash/ring_spec.h"

namespace chash::test {

using nlohmann::json;

inline std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

inline json read_vectors(const std::string& file) {
  std::ifstream in(std::string(CHASH_TEST_DATA_DIR) + "/vectors/" + file + ".json");
  REQUIRE_MESSAGE(in, file);
  return json::parse(in);
}

inline std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const json& one : value) list += (list.empty() ? "" : ",") + text_of(one);
  return list;
}

// What a set says beside its nodes and answers, in the words of a profile.
inline std::string parameters(const std::string& file, const json& topology) {
  std::string text;
  const auto give = [&](const char* name, const std::string& value) {
    if (!value.empty() && value != "-") text += "," + std::string(name) + "=" + value;
  };
  const auto member = [&](const char* name) {
    return topology.contains(name) && !topology.at(name).is_null() ? text_of(topology.at(name)) : std::string();
  };
  const std::string hash = member("hash"), mode = member("mode");
  if (file.starts_with("haproxy") && file != "haproxy-hashkey" && file != "haproxy-none") {
    if (hash != "default") give("hash", hash.substr(0, hash.find('-')));
    if (hash.ends_with("-aval")) give("avalanche", "on");
  } else if (file.starts_with("libmemcached") || file.starts_with("twemproxy") || file.starts_with("envoy") ||
             file == "go-stathat-consistent") {
    give("hash", hash);
  }
  if (file == "haproxy-hashkey") give("hash_key", member("hash_key"));
  if (file == "haproxy-none" && mode == "noneaval") give("avalanche", "on");
  if (file == "node-hashring" && member("digest") == "sha1") text += ",hash=sha1/le32,point_hash=sha1/le32";
  if (file == "node-hashring") {
    const json options = topology.value("options", json::object());
    if (options.contains("default port"))
      text += ",identity={host}[:{port}!" + text_of(options.at("default port")) + "]";
    if (options.contains("compatibility")) give("words", "3");
  }
  if (file == "go-serialx-hashring" && member("digest") == "sha1") give("hash", "sha1/2sle64");
  if (file == "cassandra" && member("partitioner") == "random") give("hash", "random_token");
  if (file == "pymemcache" && member("keytype") == "bytes") give("key_form", "python_bytes");
  give("hash_tag", member("hash_tag"));
  give("prefix", member("ns"));
  give("table", member("table"));
  give("partitions", member("partitions"));
  give("load", member("load"));
  if (file == "uhashring-ketama") {
    give("vnodes", member("vnodes"));
    give("words", member("replicas"));
  } else {
    give("vnodes", member("vnodes"));
    give("vnodes", member("replicas"));
  }
  give("min_points", member("min"));
  give("max_points", member("max"));
  give("cap_points", member("cap"));
  if (topology.value("use_hostname", false)) give("identity", "{hostname}|{name}");
  return text;
}

inline std::string profile_name(const std::string& file, const json& topology) {
  if (file == "twemproxy") return topology.at("distribution") == "ketama" ? "twemproxy-ketama" : "twemproxy-modula";
  if (file == "haproxy-keysource") return topology.at("type") == "consistent" ? "haproxy-consistent" : "haproxy-map";
  if (file == "haproxy-none" && topology.at("mode") == "nonemap") return "haproxy-map,hash=none";
  if (file == "haproxy-none" && topology.at("mode") == "xxh") return "haproxy-consistent,hash=xxh32";
  if (file == "redis-cluster-create") return "redis-cluster";
  if (file.ends_with("-derived")) return file.substr(0, file.size() - 8);
  return file;
}

// The weights of nodes whose localities have weights of their own, multiplied in.
inline void apply_localities(const json& topology, std::vector<Node>& nodes) {
  if (!topology.contains("locality_weights")) return;
  const auto& weights = topology.at("locality_weights");
  std::map<std::size_t, double> sums;
  for (std::size_t i = 0; i < nodes.size(); ++i) sums[topology.at("nodes")[i].at("locality")] += nodes[i].weight;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t locality = topology.at("nodes")[i].at("locality");
    nodes[i].weight *= weights[locality].get<double>() / sums[locality];
  }
}

inline std::vector<Node> nodes_of(const std::string& file, const json& topology) {
  std::vector<Node> nodes;
  if (file == "redis-cluster") return {{"any", 1}};
  for (const json& described : topology.at("nodes")) {
    Node node{described.at("name"), described.value("weight", 1.0)};
    for (const char* name : {"alias", "id", "addr", "guid", "state", "tokens", "hostname"})
      if (described.contains(name) && !described.at(name).is_null())
        node.fields.emplace_back(name, text_of(described.at(name)));
    if (described.contains("replicas")) node.fields.emplace_back("replicas", text_of(described.at("replicas")));
    nodes.push_back(std::move(node));
  }
  apply_localities(topology, nodes);
  return nodes;
}

// The sets that hold keys and nodes; envoy-ring-hash, envoy-maglev and jump hold numbers instead.
inline const std::vector<std::string> vector_sets{
    "seed",
    "redis-cluster",
    "redis-cluster-create",
    "nginx-hash-consistent",
    "nginx-hash",
    "nginx-ip-hash",
    "haproxy-consistent",
    "haproxy-map",
    "haproxy-hashkey",
    "haproxy-none",
    "haproxy-keysource",
    "libmemcached-ketama-weighted",
    "libmemcached-ketama",
    "libmemcached-ketama-spy",
    "libmemcached-modula",
    "libketama",
    "twemproxy",
    "node-hashring",
    "dalli",
    "pymemcache",
    "uhashring",
    "uhashring-ketama",
    "envoy-ring-hash-derived",
    "envoy-maglev-derived",
    "grpc-ring-hash",
    "mcrouter-ch3",
    "mcrouter-crc32",
    "mcrouter-weightedch3",
    "mcrouter-rendezvous",
    "mcrouter-weightedrendezvous",
    "cassandra",
    "go-redis-ring",
    "go-rendezvous-xxhash",
    "ex-hash-ring",
    "go-groupcache",
    "go-stathat-consistent",
    "go-serialx-hashring",
    "go-buraksezer-v1",
    "go-buraksezer-v0",
    "go-maglev",
    "go-mpchash",
};

// How HAProxy takes a key out of a request is not placement: of those only the sets that hash it as it stands.
inline bool is_placement(const std::string& file, const json& topology) {
  if (file != "haproxy-keysource") return true;
  const std::string key = topology.at("key");
  return key.starts_with("hash ") || key.starts_with("hdr(");
}

}  // namespace chash::test
