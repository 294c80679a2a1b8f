// Listening sockets: where chashd is reached, and how many may come in.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "chash/result.h"

namespace chash::net {

struct HttpAddress {
  std::string host;  // an IP literal
  std::uint16_t port = 0;
  bool is_loopback() const;
};

// "127.0.0.1:8000" or "[::1]:8000"; port 0 lets the system choose.  Errors: invalid_argument.
Result<HttpAddress> parse_http_address(std::string_view text);

// Listens on the address.  Errors: conflict (in use), denied, invalid_argument.
Result<asio::ip::tcp::acceptor> listen_tcp(asio::io_context& context, const HttpAddress& address);

// Listens on a Unix socket that everybody may connect to: changes are judged by credentials, not by the file's mode.
// A file left behind by a daemon that is gone is replaced; one that is answered is not.
// Errors: conflict with the pid of the daemon that answers there, invalid_argument (path too long), denied.
Result<asio::local::stream_protocol::acceptor> listen_unix(asio::io_context& context, const std::string& path);

}  // namespace chash::net
