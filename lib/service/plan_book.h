// PlanBook: changes that were planned, by the ids of their plans, so that they can be applied as they were reviewed.
//
// It is kept in memory: a plan that was not applied is no promise. The oldest ones are forgotten first.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "service/ring_change.h"

namespace chash::service {

struct PlannedChange {
  std::string ring;
  RingChange change;
  Token from = 0, to = 0;  // fingerprints before and after
};

// Threads: any.
class PlanBook {
 public:
  void put(const std::string& id, PlannedChange change);
  std::optional<PlannedChange> find(const std::string& id) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, PlannedChange> plans_;
  std::deque<std::string> order_;  // the oldest first
  std::size_t bytes_ = 0;          // of all of them
};

}  // namespace chash::service
