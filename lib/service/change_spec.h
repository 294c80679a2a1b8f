// From what somebody asks for to the ring that it makes: for the writer, who makes it, and for plans, which only look.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "service/plan_book.h"
#include "service/ring_change.h"
#include "service/rings.h"
#include "service/store.h"

namespace chash::service {

// The change of the members of `ring`, which is `now`, with what it refers to looked up: an older epoch, a plan.
// Requires: concerns_members(change).
// Errors: not_found (a plan or an epoch), conflict (a plan of another state of the ring), invalid_argument (another
// profile), storage_failed.
Result<Change> members_change(const RingChange& change, const std::string& ring, const RingSpec& now, Store& store,
                              const PlanBook& plans);

// What a request says, in whichever of its ways.  Errors: invalid_argument, when it is none or more than one.
Result<RingChange> change_from(const protocol::WantedChange& wanted, const std::string& plan = {});

// A new ring, as it is asked for or copied.  Requires: a CreateRing or a CopyRing.
// Errors: not_found (the other ring), those of parse_profile() and resolve().
Result<RingSpec> new_spec(const RingChange& change, const Rings& rings);

// Errors: invalid_argument, where the ring is one that cannot be deleted.
Result<void> check_deletable(const std::string& ring);

// Errors: too_large, when it or all rings together would not fit into memory as the limits have it.
Result<void> check_room(const Rings& rings, const Snapshot& next);

// For sentences: "12.34%".
std::string percent(double share);

// That a node which drains would get keys, as a sentence: it takes nothing new. Empty as a rule.
std::string drain_fault(const Snapshot& before, const Snapshot& after);

// Whether all that a change does is to take nodes down: that is never refused for what it moves.
bool takes_down_only(const RingSpec& before, const Delta& delta);

}  // namespace chash::service
