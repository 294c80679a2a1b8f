// Ring: points on a circle; a number belongs to the node of a point near it. Built once, then immutable.
//
// Points are ordered by position and then by the order of the nodes, so that equal ones resolve alike on any machine.
// Which point a number belongs to, and which of two equal ones counts, the profile says; the seed's rule is the first
// point strictly after (bisect_right), round the end to the first.
//
// Threads: all const members may be called at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chash/key_rule.h"
#include "chash/limits.h"
#include "chash/line_index.h"
#include "chash/points.h"

namespace chash {

class Ring {
 public:
  Ring() = default;
  // Errors: those of points_of().  Cost: ~75 ns a point (MD5); 9.5 bytes a point, and 140 a node.
  static Result<Ring> build(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                            std::uint64_t most_points = limits::points);

  // The ring after a change, for the price of the points that come and go: see Placement::changed(). Nothing where it
  // is better built anew: the change is large or cannot be made. Cost: ~0.2 us for each of the points, and ~1 ns a
  // node; 0.3 us a node where its points depend on the other nodes.
  std::optional<Ring> changed(std::span<const NodeIndex> removed, const NodeList& after) const;

  bool empty() const { return index_.empty(); }
  std::size_t points() const { return index_.points(); }
  // Adds each node's number to what stands at its place.  Cost: O(nodes), or O(points) where equal points hide others.
  void count_points(std::vector<std::uint64_t>& by_node) const;

  // The node responsible for the key, or no_node.  Requires: !empty().  Cost: one hash and one cache line.
  NodeIndex owner(std::string_view key) const;
  NodeIndex owner_at(Token position) const;
  void owners_at(std::span<const Token> positions, std::span<NodeIndex> found) const;
  // owner() of each key; several times as fast, since hashes and cache misses overlap.  Requires: equal sizes.
  void owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const;

  // The first `count` distinct nodes in order of responsibility, owner first: those that would own the key if the ones
  // before were not there. All of them if there are fewer.
  // Cost: as owner(), and a walk that is short unless `count` nears the number of nodes.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  std::vector<NodeIndex> owners_at(Token position, std::size_t count) const;

  // Adds every position where the answer may be another than just before it, in any order; those of nodes that `known`
  // has alike are left out. Of lists of several nodes too, but for Lookup::nearest.
  void append_cuts(const Ring* known, std::vector<Token>& cuts) const;

  const KeyRule& key_rule() const { return key_rule_; }
  // Nodes that own keys, or would if they were not down.
  std::size_t owner_count() const { return owner_count_; }
  // See Placement: not where other nodes get other points then, or some that this one covered.
  bool goes_to_next() const { return counts_alone() && covered_.empty() && !is_nearest() && profile().heavier.empty(); }
  bool is_nearest() const { return lookup_ == Profile::Lookup::nearest; }
  // Requires: !empty().
  const Profile& profile() const { return slots_->profile; }

 private:
  LineIndex::Place first_point(Token position) const;
  std::vector<NodeIndex> slots_at(Token position, std::size_t count) const;
  void append_rare(Token position, std::size_t count, std::vector<NodeIndex>& found) const;
  bool previous_is_nearer(Token position, LineIndex::Place previous, LineIndex::Place following) const;
  // Whether one line says all.
  bool is_plain() const {
    return down_.empty() && (lookup_ == Profile::Lookup::strict || lookup_ == Profile::Lookup::successor);
  }
  bool is_down(NodeIndex slot) const { return !down_.empty() && down_[slot]; }

  // The nodes keep their numbers in the index while others come and go, and their positions among the nodes do not.
  struct Slots {
    Profile profile;
    SharedVector<std::shared_ptr<const MemberPoints>> members;  // by slot; nullptr for a node that has no points
    std::uint64_t text_bytes = 0;
    std::uint64_t most_points = limits::points;

    std::vector<Token> positions(NodeIndex slot) const;
  };
  NodeIndex node_of(NodeIndex slot) const { return node_of_.empty() ? slot : node_of_[slot]; }
  bool wins(NodeIndex slot, NodeIndex other) const;
  void count_owners();
  static LineIndex::PositionsOf positions_from(std::shared_ptr<const Slots> slots);

  // ring_change.cpp
  struct Edit;
  bool counts_alone() const;
  bool has_identity_of(std::span<const Member> members) const;
  void renumber(std::span<const NodeIndex> removed, Edit& edit);
  std::vector<NodeIndex> give_slots(std::size_t first, std::size_t nodes, Edit& edit);
  std::vector<NodeIndex> slots_by_node() const;
  void replace(NodeIndex slot, std::shared_ptr<const MemberPoints> made, Edit& edit);
  void uncover(Edit& edit);

  KeyRule key_rule_;
  std::shared_ptr<const Slots> slots_;
  std::vector<NodeIndex> node_of_;  // by slot; empty while they are the same
  std::size_t nodes_ = 0;
  Profile::Lookup lookup_ = Profile::Lookup::strict;
  LineIndex index_;
  std::vector<bool> down_;        // by slot; empty if none is
  bool only_one_counts_ = false;  // of points with equal positions
  std::vector<Point> covered_;    // those that another one of equal position stands for, by position
  std::size_t members_ = 0;       // nodes that have points
  std::size_t owner_count_ = 0;   // and one of them in the index
};

}  // namespace chash
