#include "chash/placement.h"

#include <string>

#include "chash/limits.h"

namespace chash {

Result<Placement> build(const RingSpec& spec) {
  if (const std::size_t points = point_count(spec); points > limits::points)
    return make_error(Errc::too_large, "the ring would have " + std::to_string(points) + " points; the limit is " +
                                           std::to_string(limits::points));
  Placement placement;
  placement.algorithm_ = Ring(spec);
  return placement;
}

}  // namespace chash
