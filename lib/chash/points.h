// Points: where the members of a profile lie on its circle.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chash/members.h"

namespace chash {

struct Point {
  Token position;        // in the order of comparison
  std::uint32_t member;  // position among the members
};

// How many points (or digests, where one has several words) each member has.
std::vector<std::uint64_t> point_counts(const Profile& profile, std::span<const Member> members,
                                        std::span<const Node> nodes);

// In the order of the members, each one's points in the order in which its program makes them.
// Errors: too_large (limits::points), invalid_argument (a field that is no token, id or address).
Result<std::vector<Point>> points_of(const Profile& profile, std::span<const Member> members,
                                     std::span<const Node> nodes);

// Names that this profile cannot tell apart: two points of different nodes with one text. Empty, or a sentence.
// Cost: as building, and all the texts in memory.
std::string ambiguous_names(const Profile& profile, std::span<const Node> nodes);

}  // namespace chash
