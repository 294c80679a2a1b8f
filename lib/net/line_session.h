// The Unix socket's protocol: a JSON object a line, an answer a line, in order. See chash-protocol(7).
#pragma once

#include <asio/awaitable.hpp>

#include "net/access.h"
#include "net/connection.h"
#include "service/handlers.h"

namespace chash::net {

// Serves the connection until it ends.
asio::awaitable<void> serve_lines(StreamSocket socket, Hub& hub, service::Handlers& handlers,
                                  const SocketPolicy& policy);

}  // namespace chash::net
