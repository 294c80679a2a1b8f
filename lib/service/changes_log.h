// What the log says of changes.
#pragma once

#include <string>

#include "protocol/operations.h"
#include "service/ring_service.h"

namespace chash::service {

// The seed knew one ring; its log lines stay as they were.
inline std::string in_ring(const std::string& ring) {
  return ring == protocol::default_ring ? "Epoch " : "Ring '" + ring + "', epoch ";
}

inline std::string asked_by(const std::string& ring, std::uint64_t epoch, const Caller& caller) {
  return " " + in_ring(ring) + std::to_string(epoch) + ", asked by " + caller.description + ".";
}

}  // namespace chash::service
