// Rings and keys to try placements with.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "chash/naive.h"
#include "chash/placement.h"
#include "chash/ring_spec.h"

namespace chash::test {

inline Placement placed(const RingSpec& spec) {
  auto placement = build(spec);
  REQUIRE(placement);
  return std::move(*placement);
}

inline RingSpec random_spec(std::mt19937_64& random, std::size_t nodes) {
  static constexpr double weights[] = {1, 1, 1, 2, 0.5, 0.001, 3.75, 0.249, 7};
  static constexpr std::uint32_t vnodes[] = {1, 2, 10, 33, 100};
  RingSpec spec{seed_profile(vnodes[random() % std::size(vnodes)]), {}};
  for (std::size_t i = 0; i < nodes; ++i)
    spec.nodes.push_back(
        {"n" + std::to_string(random() % 1000) + "." + std::to_string(i), weights[random() % std::size(weights)]});
  return spec;
}

// Keys of all kinds, with the ring's own labels among them: those fall exactly on a point.
inline std::vector<std::string> assorted_keys(std::mt19937_64& random, const RingSpec& spec) {
  using namespace std::literals;
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

inline std::vector<std::string> names(const RingSpec& spec, const std::vector<NodeIndex>& owners) {
  std::vector<std::string> list;
  for (const NodeIndex owner : owners) list.push_back(spec.nodes[owner].name);
  return list;
}

inline RingSpec plain_spec(std::size_t nodes, std::uint32_t vnodes) {
  RingSpec spec{seed_profile(vnodes), {}};
  for (std::size_t i = 0; i < nodes; ++i) spec.nodes.push_back({"node-" + std::to_string(i), 1});
  return spec;
}

}  // namespace chash::test
