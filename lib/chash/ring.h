// Ring: consistent hashing with virtual nodes. Built once, then immutable.
//
// Each node takes the points md5("NAME:0"), md5("NAME:1"), … on a circle of 2^128 positions. A key belongs to the node
// of the first point strictly after md5(key), round the end to the first. That is the seed's rule (bisect_right), key
// for key. Points are ordered by (token, node name), so that equal tokens resolve alike whatever the order of adding.
//
// Threads: all const members may be called at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "chash/ring_spec.h"

namespace chash {

using NodeIndex = std::uint32_t;  // position in RingSpec::nodes

class Ring {
 public:
  // Requires: the spec passed resolve(), so that it is within the limits.
  // Cost: ~130 ns a point, 20 bytes a point.
  explicit Ring(const RingSpec& spec);

  bool empty() const { return tokens_.empty(); }
  std::size_t points() const { return tokens_.size(); }

  // The node responsible for the key.  Requires: !empty().  Cost: one MD5 and O(log points).
  NodeIndex owner(std::string_view key) const;

  // The first `count` distinct nodes in order of responsibility, owner first; all of them if there are fewer.
  // Cost: as owner(), and a walk that is short unless `count` nears the number of nodes.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

 private:
  std::size_t first_point_after(Token token) const;

  // Parallel arrays, ascending by (token, node name): the search touches 16 bytes a step, not 32.
  std::vector<Token> tokens_;
  std::vector<NodeIndex> owners_;
  std::size_t node_count_ = 0;
};

}  // namespace chash
