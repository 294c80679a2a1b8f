// Algorithms that give a number of a node and know no names: only the last node can leave without moving the others'
// keys.  Threads: all const members may be called at once.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "chash/key_rule.h"
#include "chash/members.h"

namespace chash {

// Jump consistent hash.  Source: Lamping and Veach, "A fast, minimal memory, consistent hash algorithm".
std::uint32_t jump(std::uint64_t key, std::uint32_t buckets);

// furc, mcrouter's Ch3: bits of the key's hash walk down a binary tree over the nodes.
// Requires: 1 <= buckets <= 2^23.  Source: mcrouter/lib/fbi/hash.c, furc_hash().
std::uint32_t furc(std::string_view key, std::uint32_t buckets);

class Indexed {
 public:
  static Indexed build(const Profile& profile, std::span<const Member> members);

  bool empty() const { return members_.empty(); }
  std::size_t points() const { return members_.size(); }
  void count_points(std::vector<std::uint64_t>& by_node) const {
    for (const Member& member : members_) ++by_node[member.node];
  }
  // Requires: !empty().  Cost: one hash, and O(log nodes).
  NodeIndex owner(std::string_view key) const;
  // The owner alone: neither of these programs names a second one.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  const KeyRule& key_rule() const { return key_rule_; }

 private:
  std::uint32_t weighted_furc(std::string_view key) const;

  KeyRule key_rule_;
  bool is_jump_ = false;
  bool is_weighted_ = false;
  std::vector<Member> members_;
};

}  // namespace chash
