// Table: a number finds its node by its remainder. What differs between the algorithms is how the table was filled,
// each in a file of its own.
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

// Entries are members by position, or no_node.
using TableEntries = std::vector<std::uint32_t>;

// What every filler answers that would take too long.
Error too_many_steps();

// modulo.cpp: each node as often as its weight says, in order.  Errors: too_large.
Result<TableEntries> fill_modulo(std::span<const Member> members);
// smooth_table.cpp: the same numbers, spread.  Errors: too_large.
Result<TableEntries> fill_smooth_table(std::span<const Member> members);
// slots.cpp: what the nodes' field `slots` says, else equal ranges.  Errors: invalid_argument.
Result<TableEntries> fill_slots(const Profile& profile, std::span<const Member> members, const NodeList& nodes);
// maglev.cpp: each node in an order of its own.  Errors: invalid_argument (more nodes than entries).
Result<TableEntries> fill_maglev(const Profile& profile, std::span<const Member> members);
// partitions.cpp: from a ring, with a bound on how many each node has.  Errors: invalid_argument (no room).
Result<TableEntries> fill_partitions(const Profile& profile, std::span<const Member> members, const NodeList& nodes);

class Table {
 public:
  static Result<Table> build(const Profile& profile, std::span<const Member> members, const NodeList& nodes);

  bool empty() const { return entries_.empty(); }
  std::size_t points() const { return entries_.size(); }
  void count_points(std::vector<std::uint64_t>& by_node) const {
    for (const NodeIndex node : entries_)
      if (node != no_node) ++by_node[node];
  }

  // The node responsible for the key, or no_node.  Requires: !empty().  Cost: one hash.
  NodeIndex owner(std::string_view key) const;
  // The owner, and where the software says who comes next (maglev) those; else nobody.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  const KeyRule& key_rule() const { return key_rule_; }

 private:
  NodeIndex entry(Token number) const { return entries_[static_cast<std::size_t>(number % entries_.size())]; }
  NodeIndex owner_after_retries(std::string_view key) const;

  KeyRule key_rule_;
  Profile::Algorithm algorithm_ = Profile::Algorithm::modulo;
  Profile::Down down_rule_ = Profile::Down::absent;
  const KeyHash* hash_ = nullptr;
  std::vector<NodeIndex> entries_;
  std::vector<bool> down_;  // by node; empty if none is
};

}  // namespace chash
