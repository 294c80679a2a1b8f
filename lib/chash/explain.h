// Explanation: why a key is where it is, step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chash/placement.h"

namespace chash {

enum class Verdict : std::uint8_t {
  owner,       // the first node of the order that may answer
  replica,     // in the list behind the owner
  down,        // passed over
  drains,      // passed over, since it would stand in for another
  other_zone,  // passed over for one of another zone
};
std::string_view verdict_name(Verdict verdict);

struct Explanation {
  // A node of the key's order, as far as the list needed it.
  struct Step {
    NodeIndex node;
    Verdict verdict;
  };
  // Where the order by hash begins: the point of a ring.
  struct Start {
    Token position;
    std::uint64_t number;  // among the points of its node, from 0 on
    NodeIndex node;
  };

  std::string hashed;  // the bytes that are hashed: the tag of a key, for example
  std::optional<Token> hash;
  std::optional<Token> position;  // on the circle of so many bits; of a ring, and of balanced
  unsigned bits = 0;
  std::optional<Start> point;
  std::optional<std::uint64_t> slot;
  std::size_t pinned = 0;  // how many steps of the walk are nodes that a pin names
  std::vector<Step> walk;
  std::vector<NodeIndex> nodes;  // the list
};

// The list of `count` nodes, with `zones` as in Placement::owners().
// Requires: the profile and nodes from which `placement` was built.  Cost: O(nodes), and O(points of one node).
Explanation explain(const Profile& profile, const NodeList& nodes, const Placement& placement, std::string_view key,
                    std::size_t count, const Zones* zones = nullptr);

}  // namespace chash
