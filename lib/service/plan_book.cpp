#include "service/plan_book.h"

#include <utility>

#include "chash/limits.h"

namespace chash::service {

void PlanBook::put(const std::string& id, PlannedChange change) {
  const std::lock_guard lock(mutex_);
  const std::size_t members = members_named(change.change);
  const auto [at, is_new] = plans_.insert_or_assign(id, std::move(change));
  if (!is_new) return;  // the same plan
  order_.push_back(id);
  members_ += members;
  while (order_.size() > 1 && (order_.size() > limits::plans || members_ > limits::members_of_plans)) {
    const auto oldest = plans_.find(order_.front());
    members_ -= members_named(oldest->second.change);
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
