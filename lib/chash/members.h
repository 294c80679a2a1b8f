// Members: the nodes of a ring as one profile sees them — checked, in its order, each with the text that stands for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chash/profile.h"
#include "chash/ring_spec.h"

namespace chash {

struct Member {
  std::string identity;
  double weight = 1;  // 1 for all where the profile ignores weights
  NodeIndex node = 0;
  bool down = false;  // only where the profile asks what comes next; elsewhere such a node is no member
};

// Errors: invalid_argument, naming the node: a weight or field that the profile does not have, or two nodes that are
// one to it.
Result<std::vector<Member>> members_of(const Profile& profile, const NodeList& nodes);

// The fields that a node may be given under this profile.
std::vector<std::string> known_fields(const Profile& profile);

}  // namespace chash
