// What plan and apply are asked for, from the command line.
#pragma once

#include <functional>

#include "protocol/plan_operations.h"
#include "run.h"

namespace chash::cli {

// Of the operand (a file) or of --add, --remove and --rollback.
// Errors: invalid_argument.
Result<protocol::WantedChange> wanted_change(const Run& run);

// The same as a change of a ring that is here.  `old` is called for the ring of an earlier epoch.
Result<Change> local_change(const protocol::WantedChange& wanted,
                            const std::function<Result<RingSpec>(std::uint64_t)>& old);

}  // namespace chash::cli
