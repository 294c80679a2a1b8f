// Balanced: the upper bits of a key's hash are its slot, and a table says which node has that slot.
//
// A ring is a pure function of its nodes; this is not. The table is state of the ring: every change makes it from the
// one before (reslotted), moving as few slots as can be, and it is stored with the ring. What one gets for that is
// balance to one slot, and an owner by one load.
//
// Replicas need no table of their own. The k-th place where a replica is looked for is the slot moved by the k-th
// permutation of all slots: each of these rows holds every node as often as the first one does.
//
// Threads: all const members may be called at once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chash/key_rule.h"
#include "chash/members.h"

namespace chash {

// The table of a ring whose nodes were `before` and are `after`: those that stay are in their old order, and before
// those that come. Without a table before, that of a ring to which all nodes are added at once. Empty where no node has
// a weight above 0, or members_of() finds fault with them.
SlotTable reslotted(const Profile& profile, const SlotTable& table, const NodeList& before, const NodeList& after);

// How many bits of a key's hash stand below those that are its slot.
inline unsigned bits_below_slot(const Profile& profile) {
  return profile.hash->bits - static_cast<unsigned>(std::countr_zero(profile.slots));
}

class Balanced {
 public:
  // Errors: invalid_argument (more nodes than slots, or a table that is not one of these nodes).
  static Result<Balanced> build(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                                const SlotTable& table);

  bool empty() const { return table_.empty(); }
  std::size_t points() const { return table_.size(); }
  void count_points(std::vector<std::uint64_t>& by_node) const {
    for (const NodeIndex node : table_.nodes()) ++by_node[node];
  }

  // The node responsible for the key, or no_node.  Requires: !empty().  Cost: one hash and one load.
  NodeIndex owner(std::string_view key) const;
  // owner() of each key.  Requires: equal sizes.
  void owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const;

  // The owner and distinct nodes behind it: one of each zone first, as far as there are any; then the others. A node
  // without a zone is one of its own. All nodes of a weight above 0 if `count` is above their number.
  // Cost: a few loads each, or O(nodes) where a zone or a node is rare.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  NodeIndex owner_at(Token position) const { return table_[slot_of(position)]; }
  std::vector<NodeIndex> owners_at(Token position, std::size_t count) const;
  // As Ring::append_cuts().
  void append_cuts(std::vector<Token>& cuts) const {
    for (std::size_t slot = 0; slot < table_.size(); ++slot) cuts.push_back(Token{slot} << bits_below_);
  }

  const KeyRule& key_rule() const { return key_rule_; }

 private:
  std::size_t slot_of(Token position) const { return static_cast<std::size_t>(position >> bits_below_); }
  NodeIndex candidate(std::size_t slot, std::size_t rank) const;
  void append_rare_zones(std::size_t slot, std::size_t count, std::vector<NodeIndex>& found) const;

  KeyRule key_rule_;
  SlotTable table_;
  unsigned bits_below_ = 0;
  std::vector<NodeIndex> able_;       // nodes of a weight above 0, by position
  std::vector<std::uint32_t> zones_;  // by node, its zone's number
  std::size_t zone_count_ = 0;        // of nodes that are able
};

}  // namespace chash
