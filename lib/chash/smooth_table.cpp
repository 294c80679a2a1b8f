// Smooth table: as modulo, but the entries of a heavy node are spread, so that neighbouring numbers differ.
// Source: recalc_server_map() in HAProxy's src/lb_map.c.
#include <numeric>

#include "chash/limits.h"
#include "chash/table.h"

namespace chash {

Result<TableEntries> fill_smooth_table(std::span<const Member> members) {
  std::int64_t divisor = 0, total = 0;
  for (const Member& member : members) divisor = std::gcd(divisor, static_cast<std::int64_t>(member.weight));
  std::vector<std::int64_t> weights;
  for (const Member& member : members) {
    weights.push_back(divisor == 0 ? 0 : static_cast<std::int64_t>(member.weight) / divisor);
    total += weights.back();
  }
  if (static_cast<std::uint64_t>(total) * members.size() > limits::fill_steps) return too_many_steps();
  TableEntries entries;
  std::vector<std::int64_t> scores(members.size());
  for (std::int64_t slot = 0; slot < total; ++slot) {
    std::uint32_t best = no_node;
    std::int64_t most = 0;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
      if (weights[i] == 0) continue;
      scores[i] += weights[i];
      const std::int64_t value = (scores[i] + total) / total;  // rounds towards zero, and only whole steps count
      if (best != no_node && value <= most) continue;
      best = i;
      most = value;
    }
    scores[best] -= total;
    entries.push_back(best);
  }
  return entries;
}

}  // namespace chash
