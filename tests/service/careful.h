// Changes as tests ask for them, with care.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/world.h"

namespace chash::service::test {

inline protocol::ChangeOptions with_id(std::string id) {
  protocol::ChangeOptions options;
  options.request_id = std::move(id);
  return options;
}
inline protocol::ChangeOptions expecting(std::uint64_t epoch, std::string note = {}) {
  protocol::ChangeOptions options;
  options.expect_epoch = epoch;
  options.note = std::move(note);
  return options;
}
inline protocol::ChangeOptions forced() {
  protocol::ChangeOptions options;
  options.force = true;
  return options;
}

inline protocol::AddNodes::Request adding(const std::string& name, protocol::ChangeOptions options = {}) {
  return {std::move(options), "default", {{name}}, false};
}

inline protocol::ApplyChange::Request setting(std::vector<protocol::NodeGiven> nodes,
                                              protocol::ChangeOptions options = {}) {
  protocol::ApplyChange::Request request;
  static_cast<protocol::ChangeOptions&>(request) = std::move(options);
  request.nodes = std::move(nodes);
  return request;
}

}  // namespace chash::service::test
