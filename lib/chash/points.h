// Points: where the members of a profile lie on its circle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "chash/members.h"

namespace chash {

// The order of `position` is that in which the program compares.
struct Point {
  Token position;
  std::uint32_t member;  // position among the members
};

inline bool by_position(const Point& a, const Point& b) {
  return a.position != b.position ? a.position < b.position : a.member < b.member;
}

// How many points (or digests, where one has several words) each member has.
std::vector<std::uint64_t> point_counts(const Profile& profile, std::span<const Member> members, const NodeList& nodes);

// What the points of one member are made of, time and again alike.
struct MemberPoints {
  Member member;
  std::uint32_t count = 0;                             // of digests, where one has several words
  std::uint32_t seed = 0;                              // points=haproxy
  std::shared_ptr<const std::vector<Token>> tokens{};  // points=tokens

  std::uint64_t points(const Profile& profile) const {
    return std::uint64_t{count} * (profile.points == Profile::Points::text ? profile.words : 1);
  }
  // Under one profile.
  bool has_points_of(const MemberPoints& other) const {
    const bool same_tokens =
        tokens == other.tokens || (tokens != nullptr && other.tokens != nullptr && *tokens == *other.tokens);
    return member.identity == other.member.identity && count == other.count && seed == other.seed && same_tokens;
  }
  // In the order in which the program makes them: more of them begin with those that fewer are.
  void append(const Profile& profile, std::vector<Token>& positions) const;
};

// All members' points, in the order of the members.
struct RingPoints {
  std::vector<MemberPoints> members;
  std::uint64_t points = 0;      // of all members
  std::uint64_t text_bytes = 0;  // that are hashed for them

  // What a ring of them takes, about: known before any of it is made.
  std::uint64_t bytes() const;
  std::vector<Point> make(const Profile& profile) const;
};

// How many bytes may be hashed for a ring of so many points at most.
inline std::uint64_t most_text_bytes(std::uint64_t most) {
  return limits::point_text_bytes * std::max<std::uint64_t>(1, most / limits::points);
}

// Errors: too_large (`most` points, most_text_bytes()),
// invalid_argument (a field that is no token, id or address).
Result<RingPoints> points_of(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                             std::uint64_t most = limits::points);

// Names that this profile cannot tell apart: two points of different nodes with one text. Empty, or a sentence.
// Cost: as building, and all the texts in memory.
std::string ambiguous_names(const Profile& profile, const NodeList& nodes);

}  // namespace chash
