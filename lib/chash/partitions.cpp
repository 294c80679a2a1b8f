// Partitions: a fixed number of them lies on a ring of the nodes, and a node that has its share passes the next on.
// Source: buraksezer/consistent, distributePartitions().
#include <algorithm>
#include <cmath>

#include "chash/limits.h"
#include "chash/points.h"
#include "chash/table.h"

namespace chash {

Result<TableEntries> fill_partitions(const Profile& profile, std::span<const Member> members, const NodeList& nodes) {
  const auto all = points_of(profile, members, nodes);
  if (!all) return all.error();
  std::vector<Point> points = all->make(profile);
  if (points.empty()) return TableEntries();
  std::ranges::stable_sort(points, {}, &Point::position);
  const double exact = static_cast<double>(profile.partitions) / static_cast<double>(members.size());
  const double share = profile.whole_average ? std::floor(exact) : exact;
  const auto most = static_cast<std::uint64_t>(std::ceil(share * profile.load));
  std::vector<std::uint64_t> loads(members.size());
  std::uint64_t steps = 0;
  TableEntries entries;
  for (std::uint64_t partition = 0; partition < profile.partitions; ++partition) {
    char bytes[8];
    for (int byte = 0; byte < 8; ++byte) bytes[byte] = static_cast<char>(partition >> 8 * byte);
    const auto from = std::ranges::lower_bound(points, profile.hash->hash({bytes, 8}), {}, &Point::position);
    auto at = static_cast<std::size_t>(from - points.begin()) % points.size();
    std::size_t tried = 1;
    if (steps > limits::fill_steps) return too_many_steps();
    for (; loads[points[at].member] >= most && tried < points.size(); ++tried) at = (at + 1) % points.size();
    steps += tried;
    if (tried == points.size())
      return make_error(Errc::invalid_argument, "the nodes have no room for all partitions", "choose a larger load=");
    ++loads[points[at].member];
    entries.push_back(points[at].member);
  }
  return entries;
}

}  // namespace chash
