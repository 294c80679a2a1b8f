// Questions of one ring, of whichever epoch it is.
#pragma once

#include <string>
#include <vector>

#include "protocol/operations.h"
#include "service/log.h"
#include "service/rings.h"

namespace chash::service {

// Errors: invalid_argument, too_large, empty_ring, unpredictable.
Result<protocol::GetNode::Response> look_up(const Snapshot& ring, const protocol::GetNode::Request& request, Log* log);
Result<protocol::GetNodes::Response> look_up(const Snapshot& ring, const protocol::GetNodes::Request& request,
                                             Log* log);
Result<protocol::Explain::Response> explain_key(const Snapshot& ring, const protocol::Explain::Request& request);
// Of a request alone.
Result<void> check(const protocol::GetNode::Request& request);
Result<void> check(const protocol::GetNodes::Request& request);
Result<void> check_key(const protocol::Key& key);
Result<void> check_count(std::uint32_t n, std::uint32_t most);

std::vector<protocol::ListNodes::Member> members_of(const Snapshot& ring);
protocol::RingShow::Response show(const Snapshot& ring, bool slots);

}  // namespace chash::service
