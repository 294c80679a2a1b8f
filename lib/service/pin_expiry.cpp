// What RingService's writer does with pins whose time is over: a change as any other, so that it is durable, has an
// epoch of its own and stands in the history.
#include <algorithm>
#include <utility>

#include "service/ring_service.h"

namespace chash::service {
namespace {

// Clocks are set: look again at the latest after this.
constexpr std::chrono::milliseconds longest_wait{60'000};
constexpr std::int64_t retry_ms = 10'000;

}  // namespace

// 0 if something has expired.
std::chrono::milliseconds RingService::until_expiry() const {
  std::int64_t first = 0;
  const auto rings = published_.latest();
  for (const auto& [name, ring] : rings->by_name)
    if (const std::int64_t expiry = ring->spec.pins.first_expiry_ms(); expiry != 0 && (first == 0 || expiry < first))
      first = expiry;
  if (first == 0) return longest_wait;
  const std::int64_t left = std::max(first, expiry_retry_ms_) - next_time(0);
  return std::clamp(std::chrono::milliseconds(left), std::chrono::milliseconds(0), longest_wait);
}

void RingService::expire_pins() {
  const std::int64_t now = next_time(0);
  std::vector<Waiting> waiting;
  bool failed = false;
  const auto rings = published_.latest();
  for (const auto& [name, ring] : rings->by_name) {
    const std::int64_t first = ring->spec.pins.first_expiry_ms();
    if (first == 0 || first > now) continue;
    EditPins change;
    change.if_exists = true;
    for (const Pin& pin : ring->spec.pins)
      if (pin.expires_ms != 0 && pin.expires_ms <= now) change.remove.push_back(pin.name);
    ChangeTerms terms{"expire"};
    terms.force = true;
    waiting.push_back({name, std::move(change), Caller{"chashd", {}},
                       [&failed](const Result<Committed>& committed) { failed = failed || !committed; },
                       std::move(terms)});
  }
  make_changes(waiting);
  expiry_retry_ms_ = failed ? now + retry_ms : 0;
}

}  // namespace chash::service
