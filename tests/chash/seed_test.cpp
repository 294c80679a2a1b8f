// The seed's placement, key for key: what its own program answered.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "chash/placement.h"
#include "shared_material.h"

namespace chash {
namespace {

using namespace std::literals;

const RingSpec three_nodes{"seed", {{"cache-node-1"}, {"cache-node-2"}, {"cache-node-3"}}};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// Every recorded answer of the file; returns how many there were.
std::size_t reproduce(const std::filesystem::path& file) {
  std::size_t answers = 0;
  const auto recorded = nlohmann::json::parse(test::read_file(file));
  for (const auto& topology : recorded.at("topologies")) {
    RingSpec spec{"seed,vnodes=" + topology.at("replicas").dump(), {}};
    for (const auto& node : topology.at("nodes")) spec.nodes.push_back({node.at("name").get<std::string>(), 1});
    const Result<Placement> placement = build(spec);
    REQUIRE(placement);
    for (const auto& vector : topology.at("vectors")) {
      const std::string key = from_hex(vector.at(0).get<std::string>());
      CAPTURE(topology.at("name").get<std::string>());
      CAPTURE(vector.at(0).get<std::string>());
      CHECK(placement->owner(key) == vector.at(1).get<NodeIndex>());
      ++answers;
    }
  }
  return answers;
}

TEST_CASE("seed: its check values, asked over HTTP of the running program") {
  const Result<Placement> placement = build(three_nodes);
  REQUIRE(placement);
  const auto owner = [&](std::string_view key) { return three_nodes.nodes[placement->owner(key)].name; };
  CHECK(owner("user:123") == "cache-node-3");
  CHECK(owner("my-test-key") == "cache-node-1");
  CHECK(owner("a b") == "cache-node-3");
  CHECK(owner("\xc3\xa9") == "cache-node-3");
  CHECK(owner("") == "cache-node-1");
  CHECK(owner("a/") == "cache-node-2");
  CHECK(owner("a") == "cache-node-3");
  CHECK(md5("user:123") == (Token{0x90db0030e7a6df3b} << 64 | 0x0f4cba5512f72521));
}

TEST_CASE("seed: every recorded answer of its own class") { CHECK(reproduce(test::test_data("seed.json")) == 280); }

TEST_CASE("seed: every answer of the full recording") {
  const auto full = test::shared_material("vectors/seed.json");
  if (!full) {
    MESSAGE(test::not_run("the full recording of the seed's answers"));
    return;
  }
  CHECK(reproduce(*full) >= 280);
}

TEST_CASE("seed: a name with a colon is not the virtual node of another name") {
  // "a" has the virtual nodes a:0, a:1, ...; "a:1" has a:1:0, a:1:1, ...
  const RingSpec spec{"seed,vnodes=3", {{"a"}, {"a:1"}}};
  const Result<Placement> placement = build(spec);
  REQUIRE(placement);
  CHECK(placement->points() == 6);
  CHECK(placement->owners("k", 2).size() == 2);
}

}  // namespace
}  // namespace chash
