// Points: where the members of a profile lie on its circle.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chash/members.h"

namespace chash {

// The order of `position` is that in which the program compares.
struct Point {
  Token position;
  std::uint32_t member;  // position among the members
};

// How many points (or digests, where one has several words) each member has.
std::vector<std::uint64_t> point_counts(const Profile& profile, std::span<const Member> members,
                                        std::span<const Node> nodes);

// What makes the points of the members, one member at a time and every time alike.
class PointMaker {
 public:
  PointMaker() = default;
  // Errors: too_large (limits::points), invalid_argument (a field that is no token, id or address).
  static Result<PointMaker> build(const Profile& profile, std::span<const Member> members, std::span<const Node> nodes);

  std::size_t members() const { return members_.size(); }
  const Member& member(std::uint32_t index) const { return members_[index]; }
  std::uint64_t points() const { return points_; }  // of all members

  // In the order in which its program makes them.
  void append(std::uint32_t member, std::vector<Token>& positions) const;
  // In the order of the members.
  std::vector<Point> all() const;

 private:
  Profile profile_;
  std::vector<Member> members_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::uint32_t> seeds_;        // points=haproxy
  std::vector<std::vector<Token>> tokens_;  // points=tokens
  std::uint64_t points_ = 0;
};

// Names that this profile cannot tell apart: two points of different nodes with one text. Empty, or a sentence.
// Cost: as building, and all the texts in memory.
std::string ambiguous_names(const Profile& profile, std::span<const Node> nodes);

}  // namespace chash
