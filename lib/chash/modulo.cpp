// Modulo: the remainder by the sum of the weights. Adding a node moves nearly every key.
#include "chash/limits.h"
#include "chash/table.h"

namespace chash {

Result<TableEntries> fill_modulo(std::span<const Member> members) {
  double total = 0;
  for (const Member& member : members) total += member.weight;
  if (total > static_cast<double>(limits::points))
    return make_error(Errc::too_large, "the weights come to more than " + std::to_string(limits::points),
                      "use smaller weights: only their ratio counts");
  TableEntries entries;
  for (std::uint32_t i = 0; i < members.size(); ++i)
    entries.insert(entries.end(), static_cast<std::size_t>(members[i].weight), i);
  return entries;
}

}  // namespace chash
