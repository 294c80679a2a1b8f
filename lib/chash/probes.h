// Probes: one point a node, and many tries for a key, of which the nearest to a node counts. Balanced as many virtual
// nodes, in no more memory than nodes.
// Source: Appleton and O'Reilly, "Multi-probe consistent hashing"; dgryski/go-mpchash.
//
// Threads: all const members may be called at once.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "chash/key_rule.h"
#include "chash/members.h"

namespace chash {

class Probes {
 public:
  static Probes build(const Profile& profile, std::span<const Member> members);

  bool empty() const { return positions_.empty(); }
  std::size_t points() const { return positions_.size(); }
  void count_points(std::vector<std::uint64_t>& by_node) const {
    for (const NodeIndex node : owners_) ++by_node[node];
  }
  // Requires: !empty().  Cost: two hashes, and O(log nodes) a probe.
  NodeIndex owner(std::string_view key) const;
  // The owner, then the nodes behind it on the circle.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  const KeyRule& key_rule() const { return key_rule_; }

 private:
  std::size_t nearest(std::string_view key) const;

  KeyRule key_rule_;
  std::uint32_t probes_ = 21;
  std::vector<std::uint64_t> positions_;
  std::vector<NodeIndex> owners_;
};

}  // namespace chash
