// Rendezvous: each node has a score for a key, and the highest wins. A node that goes takes only its own keys with it.
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

class Rendezvous {
 public:
  static Rendezvous build(const Profile& profile, std::span<const Member> members);

  bool empty() const { return members_.empty(); }
  std::size_t points() const { return members_.size(); }
  void count_points(std::vector<std::uint64_t>& by_node) const {
    for (const Member& member : members_) ++by_node[member.node];
  }

  // The node responsible for the key, or no_node.  Requires: !empty().  Cost: a score for each node.
  NodeIndex owner(std::string_view key) const;
  // The nodes by their scores, highest first.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const;

  const KeyRule& key_rule() const { return key_rule_; }

 private:
  // Scores and the order among equal ones, in the order of the members.
  std::vector<double> scores(std::string_view key) const;
  std::vector<std::uint64_t> whole_scores(std::string_view key) const;
  bool places(std::string_view key) const;
  template <class Visit>
  auto with_order(std::string_view key, Visit visit) const;

  KeyRule key_rule_;
  Profile::Score score_ = Profile::Score::xorshift;
  std::vector<Member> members_;
  std::vector<std::uint64_t> hashes_;  // of the identities, where they are hashed alone
  std::vector<std::string> texts_;     // what stands before the key, where they are hashed with it
};

}  // namespace chash
