#include "chash/probes.h"

#include <algorithm>
#include <limits>
#include <string>

#include "chash/mixes.h"

namespace chash {

Probes Probes::build(const Profile& profile, std::span<const Member> members) {
  std::vector<std::pair<std::uint64_t, NodeIndex>> points;
  for (const Member& member : members) points.emplace_back(siphash24(member.identity, 0, 0), member.node);
  std::ranges::sort(points);
  Probes made;
  made.key_rule_ = KeyRule(profile);
  made.probes_ = profile.probes;
  for (const auto& [position, node] : points) {
    made.positions_.push_back(position);
    made.owners_.push_back(node);
  }
  return made;
}

std::size_t Probes::nearest(std::string_view key) const {
  std::string scratch;
  const std::string_view bytes = key_rule_.prepared(key, scratch);
  const std::uint64_t first = siphash24(bytes, 1, 0), step = siphash24(bytes, 2, 0);
  std::size_t best = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t probe = 0; probe < probes_; ++probe) {
    const std::uint64_t position = first + probe * step;
    const auto after = std::ranges::upper_bound(positions_, position);
    const auto at = after == positions_.end() ? std::size_t{0} : static_cast<std::size_t>(after - positions_.begin());
    if (positions_[at] - position >= least) continue;  // round the circle, as unsigned numbers do
    least = positions_[at] - position;
    best = at;
  }
  return best;
}

NodeIndex Probes::owner(std::string_view key) const { return owners_[nearest(key)]; }

std::vector<NodeIndex> Probes::owners(std::string_view key, std::size_t count) const {
  std::vector<NodeIndex> found;
  if (empty()) return found;
  const std::size_t first = nearest(key);
  for (std::size_t i = 0; i < std::min(count, owners_.size()); ++i)
    found.push_back(owners_[(first + i) % owners_.size()]);
  return found;
}

}  // namespace chash
