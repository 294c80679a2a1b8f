#include "service/archive.h"

#include <algorithm>
#include <utility>

#include "chash/limits.h"
#include "protocol/operations.h"
#include "protocol/text.h"
#include "protocol/time_text.h"

namespace chash::service {

Result<std::shared_ptr<const Snapshot>> Archive::ring(const std::string& name, std::optional<std::uint64_t> epoch,
                                                      const std::string& at) {
  const auto rings = published_.latest();
  const auto now = rings->get(name);
  if (!now) return now.error();
  if (epoch && !at.empty())
    return make_error(Errc::invalid_argument, "'epoch' and 'at' exclude each other", "name one of them");
  if (!at.empty()) {
    const auto time = protocol::parse_time(at);
    if (!time)
      return make_error(Errc::invalid_argument, "'" + protocol::printable(at, 64) + "' is not a time",
                        "such as 2026-11-23T00:12:00Z");
    if (*time >= (*now)->time_ms && (*now)->time_ms != 0) {
      epoch = (*now)->epoch;
    } else {
      const auto found = store_.epoch_at(name, *time);
      if (!found) return found.error();
      epoch = *found;
    }
  }
  if (!epoch || *epoch == (*now)->epoch) return std::shared_ptr<const Snapshot>(rings, *now);
  const auto kept =
      std::ranges::find_if(kept_, [&](const auto& one) { return one->ring == name && one->epoch == *epoch; });
  if (kept == kept_.end()) return build(name, *epoch);
  // The store may have dropped this epoch since, or the ring may be another one that was made anew under its name.
  const auto extent = store_.extent(name);
  if (!extent || *epoch < extent->oldest) {
    kept_.erase(kept);
    return build(name, *epoch);
  }
  kept_.splice(kept_.begin(), kept_, kept);
  return kept_.front();
}

Result<std::shared_ptr<const Snapshot>> Archive::build(const std::string& name, std::uint64_t epoch) {
  auto spec = store_.spec_at(name, epoch);
  if (!spec && spec.error().code == Errc::not_found) spec.error().hint = "try: chash history -r " + name;
  if (!spec) return std::move(spec).error();
  auto built = make_snapshot(name, epoch, std::move(*spec));
  if (!built) return built;
  keep(*built);
  return built;
}

void Archive::keep(std::shared_ptr<const Snapshot> snapshot) {
  kept_.push_front(std::move(snapshot));
  std::size_t points = 0, bytes = 0;
  const auto first_too_many = std::ranges::find_if(kept_, [&](const auto& one) {
    points += one->placement.points();
    bytes += one->bytes;
    return points > limits::points_of_old_rings || bytes > limits::bytes_of_old_rings;
  });
  kept_.erase(first_too_many, kept_.end());
}

}  // namespace chash::service
