// What a client says when it cannot reach a daemon or understand it: one sentence, and what to do next.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "chash/error.h"
#include "net/client_endpoint.h"

namespace chash::net {

Error bad_socket_path(std::string_view path, std::size_t limit);
Error cannot_resolve(std::string_view host, std::string_view why);
// `error` is the errno of connect(2).
Error cannot_connect(const Endpoint& endpoint, int error);
Error connect_timed_out(const Endpoint& endpoint, std::chrono::milliseconds timeout);

Error no_answer_in_time(const Endpoint& endpoint, std::chrono::milliseconds timeout);
Error closed_early(const Endpoint& endpoint);
// A change was sent and its reply did not arrive.
Error outcome_unknown(const Endpoint& endpoint, std::string_view operation);
Error not_a_chashd(const Endpoint& endpoint, std::string_view what);

// "5s", "1500ms".
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace chash::net
