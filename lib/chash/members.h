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
  // Only where the profile asks what comes next. Elsewhere such a node is no member, or one like all others and passed
  // over (standing.h).
  bool down = false;
};

// Errors: invalid_argument, naming the node: a weight or field that the profile does not have, or two nodes that are
// one to it.
Result<std::vector<Member>> members_of(const Profile& profile, const NodeList& nodes);

// The fields that a node may be given under this profile.
std::vector<std::string> known_fields(const Profile& profile);

// A node of this name in the place of `old`, with all that decides where its keys are. Labels stay as they are.
// Errors: invalid_argument, where the name itself decides.
Result<Node> replacement(const Profile& profile, const Node& old, const std::string& name);

}  // namespace chash
