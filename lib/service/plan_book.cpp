#include "service/plan_book.h"

#include <utility>

#include "chash/limits.h"

namespace chash::service {

void PlanBook::put(const std::string& id, PlannedChange change) {
  const std::lock_guard lock(mutex_);
  // Another way to the same ring is as good.
  const auto [at, is_new] = plans_.try_emplace(id, std::move(change));
  if (!is_new) return;
  order_.push_back(id);
  bytes_ += bytes_of(at->second.change);
  while (order_.size() > 1 && (order_.size() > limits::plans || bytes_ > limits::bytes_of_plans)) {
    const auto oldest = plans_.find(order_.front());
    bytes_ -= bytes_of(oldest->second.change);
    plans_.erase(oldest);
    order_.pop_front();
  }
}

std::optional<PlannedChange> PlanBook::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = plans_.find(id);
  return found == plans_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace chash::service
