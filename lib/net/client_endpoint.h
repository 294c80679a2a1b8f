// Where a daemon is: the path of its socket, or an HTTP address.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "chash/result.h"

namespace chash::net {

struct SocketEndpoint {
  std::string path;
  friend bool operator==(const SocketEndpoint&, const SocketEndpoint&) = default;
};

struct HttpEndpoint {
  std::string host;       // a name or an address; an IPv6 address without its brackets
  std::string port;       // decimal
  std::string authority;  // host and port as the URL has them: the value of `Host`
  std::string prefix;     // what a proxy wants before /api: empty, or /like/this
  friend bool operator==(const HttpEndpoint&, const HttpEndpoint&) = default;
};

using Endpoint = std::variant<SocketEndpoint, HttpEndpoint>;

// Reads http://HOST[:PORT][/PREFIX]; an IPv6 host stands in brackets.
// Errors: invalid_argument. https is one of them: the daemon has no TLS yet, so a proxy must speak it.
Result<Endpoint> parse_url(std::string_view url);

// As messages name it: the path, or the URL.
std::string describe(const Endpoint& endpoint);

}  // namespace chash::net
