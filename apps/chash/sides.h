// Sides: the two rings that a plan or a difference is about, when they are looked at here and not by the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chash/placement.h"
#include "chash/ring_spec.h"
#include "run.h"

namespace chash::cli {

struct Side {
  std::string label;        // the name of a ring, or of a file
  std::uint64_t epoch = 0;  // 0 of a file
  RingSpec spec;
  Placement placement;
};

// A ring of the daemon as it is or was.  Errors: those of asking; internal, if this chash would place it otherwise.
Result<Side> fetch_side(const Run& run, const std::string& ring, std::optional<std::uint64_t> epoch = {},
                        const std::string& at = {});
Result<Side> make_side(std::string label, RingSpec spec);

}  // namespace chash::cli
