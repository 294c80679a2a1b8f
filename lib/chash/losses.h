// Losses: where the keys of nodes would go if these were lost.
#pragma once

#include <cstddef>
#include <vector>

#include "chash/movement.h"
#include "chash/ring_spec.h"

namespace chash {

// Shares of all keys, 0 to 1.
struct Loss {
  struct Receiver {
    NodeIndex node;  // among those of the ring
    double gets = 0;
    double share = 0;  // that it has then
  };
  std::vector<NodeIndex> nodes;     // that are lost
  double share = 0;                 // that they had
  double sets_lost = 0;             // of keys all of whose nodes are lost
  std::vector<Receiver> receivers;  // whoever has most then is the first
};

// What losing these nodes together comes to, where each key is kept by `replicas` nodes.
// Errors: unpredictable, where movement() or the lists have no answer; those of build().
Result<Loss> loss_of(const RingSpec& spec, const Placement& placement, std::vector<NodeIndex> nodes,
                     std::size_t replicas);

// loss_of() each node by itself.  Cost: where a node's points do not depend on the others, one walk over all points
// (~200 ns each); else a placement for each node. `most_work` bounds points x nodes there.
// Errors: as loss_of(); too_large.
Result<std::vector<Loss>> losses_of_each(const RingSpec& spec, const Placement& placement, std::size_t replicas,
                                         std::uint64_t most_work);

}  // namespace chash
