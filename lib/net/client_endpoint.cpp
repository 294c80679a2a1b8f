#include "net/client_endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "protocol/text.h"

namespace chash::net {
namespace {

constexpr std::size_t shown_bytes = 200;  // of a URL that is wrong
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

bool only_of(std::string_view text, std::string_view first, std::string_view second, std::string_view third) {
  return std::ranges::all_of(text, [&](char c) {
    return first.find(c) != text.npos || second.find(c) != text.npos || third.find(c) != text.npos;
  });
}

Error bad_url(std::string_view url, std::string_view why, std::string hint = "for example http://127.0.0.1:8000") {
  return make_error(Errc::invalid_argument,
                    "bad URL '" + protocol::printable(url, shown_bytes) + "': " + std::string(why), std::move(hint));
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<Endpoint> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (url.starts_with("https://"))
    return bad_url(url, "chash does not speak TLS yet",
                   "let a proxy on this machine speak it, and give the proxy's http:// address");
  if (!url.starts_with(scheme)) return bad_url(url, "it does not start with http://");
  const std::string_view rest = url.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  std::string_view prefix = rest.substr(authority.size());
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!only_of(prefix, letters, digits, "/-._~%")) return bad_url(url, "it must end with the host, the port or a path");

  HttpEndpoint endpoint;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) return bad_url(url, "the '[' of an IPv6 address is not closed");
    endpoint.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!only_of(endpoint.host, letters, digits, ":.%") || endpoint.host.find(':') == std::string::npos)
      return bad_url(url, "what is in brackets is no IPv6 address");
  } else {
    endpoint.host = authority.substr(0, authority.find(':'));
    port = authority.substr(endpoint.host.size());
    if (!only_of(endpoint.host, letters, digits, "-._"))
      return bad_url(url, "the host has a character that no host has");
  }
  if (endpoint.host.empty()) return bad_url(url, "it has no host");
  if (port.empty()) {
    port = ":80";
  } else if (!port.starts_with(':') || !is_port(port.substr(1))) {
    return bad_url(url, "the port must be a number from 1 to 65535");
  }
  endpoint.port = port.substr(1);
  endpoint.authority = authority;
  endpoint.prefix = prefix;
  return Endpoint(std::move(endpoint));
}

std::string describe(const Endpoint& endpoint) {
  if (const auto* http = std::get_if<HttpEndpoint>(&endpoint)) return "http://" + http->authority + http->prefix;
  return std::get<SocketEndpoint>(endpoint).path;
}

}  // namespace chash::net
