// resolve() of single changes, and what they have in common. For the files resolve*.cpp alone.
#pragma once

#include "chash/profile.h"
#include "chash/ring_spec.h"

namespace chash {

Result<Delta> resolve(const RingSpec& spec, const AlterNodes& change);
Result<Delta> resolve(const RingSpec& spec, const ReplaceNode& change);
Result<Delta> resolve(const RingSpec& spec, const EditPins& change);

// What can be said of a node alone: its name, and what the profile wants of it.
Result<void> check_node(const Profile& profile, const Node& node);

// Those of these pins that the ring does not have just so.  Errors: what is wrong with one, or that one name stands
// there twice.
Result<std::vector<Pin>> new_pins(const PinList& there, const std::vector<Pin>& pins);
Result<void> check_pin_count(const PinList& pins);

// Those of the pins that name the node, naming the other one.
std::vector<Pin> renamed_in(const PinList& pins, const std::string& node, const std::string& with);

}  // namespace chash
