// What HAProxy makes the points of its servers of: an id by position in the configuration, or what `hash-key` names.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chash/members.h"

namespace chash {

// One number a member, to which the number of the point is added. Empty for profiles with other points.
// Errors: invalid_argument (an id that is no number or is given twice; no address or guid where one is needed).
Result<std::vector<std::uint32_t>> haproxy_seeds(const Profile& profile, std::span<const Member> members,
                                                 const NodeList& nodes);

}  // namespace chash
