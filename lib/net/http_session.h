// One HTTP/1.1 connection: keep-alive, pipelining, answers in order.
#pragma once

#include <asio/awaitable.hpp>

#include "net/connection.h"
#include "net/http_routes.h"

namespace chash::net {

// Serves the connection until it ends.
asio::awaitable<void> serve_http(StreamSocket socket, Hub& hub, HttpRoutes& routes, HttpPeer peer);

}  // namespace chash::net
