#include "net/http_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "protocol/text.h"

namespace chash::net {
namespace {

constexpr std::size_t shown_bytes = 64;  // of what a client sent, in a reason

std::string shown(std::string_view text) { return protocol::printable(text, shown_bytes); }

// --- Addresses -------------------------------------------------------------------------------------------------------

using Address = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d

constexpr std::array<std::uint8_t, 12> ipv4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// inet_pton takes exactly the four decimal numbers and the IPv6 forms of RFC 4291: no 127.1, 0x7f.1, 0177.0.0.1, zones.
std::optional<Address> parse_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  std::ranges::copy(ipv4_prefix, address.begin());
  if (inet_pton(AF_INET, terminated.c_str(), address.data() + ipv4_prefix.size()) == 1) return address;
  return std::nullopt;
}

// The address of a host as it stands in an authority: IPv6 in brackets, IPv4 without.
std::optional<Address> address_of_host(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed && host.find(':') == std::string_view::npos) return std::nullopt;
  return parse_address(host);
}

bool is_unspecified(const Address& address) {
  return std::ranges::all_of(address.end() - 4, address.end(), [](std::uint8_t byte) { return byte == 0; }) &&
         (std::ranges::equal(address.begin(), address.begin() + 12, ipv4_prefix.begin(), ipv4_prefix.end()) ||
          std::ranges::all_of(address, [](std::uint8_t byte) { return byte == 0; }));
}

// Loopback and private networks: nobody who lures a browser has a name resolve there without having to say so.
bool is_local(const Address& address) {
  const auto has_prefix = [&](const Address& prefix, unsigned bits) {
    for (unsigned i = 0; i * 8 < bits; ++i) {
      const unsigned mask = bits - i * 8 >= 8 ? 0xffu : 0xffu << (8 - (bits - i * 8)) & 0xffu;
      if (((address[i] ^ prefix[i]) & mask) != 0) return false;
    }
    return true;
  };
  const auto has_ipv4_prefix = [&](std::uint8_t a, std::uint8_t b, unsigned bits) {
    Address prefix{};
    std::ranges::copy(ipv4_prefix, prefix.begin());
    prefix[12] = a;
    prefix[13] = b;
    return has_prefix(prefix, 96 + bits);
  };
  constexpr Address loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address == loopback || has_ipv4_prefix(127, 0, 8) || has_ipv4_prefix(10, 0, 8) ||
         has_ipv4_prefix(172, 16, 12) || has_ipv4_prefix(192, 168, 16) || has_ipv4_prefix(169, 254, 16) ||
         has_prefix(Address{0xfc}, 7) || has_prefix(Address{0xfe, 0x80}, 10);
}

// --- Hosts -----------------------------------------------------------------------------------------------------------

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool same_name(std::string_view a, std::string_view b) {
  return !a.empty() && equal_ignoring_case(without_final_dot(a), without_final_dot(b));
}

bool is_localhost(std::string_view host) {
  constexpr std::string_view domain = ".localhost";
  const std::string_view name = without_final_dot(host);
  if (equal_ignoring_case(name, domain.substr(1))) return true;
  return name.size() > domain.size() && equal_ignoring_case(name.substr(name.size() - domain.size()), domain);
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && stop == text.data() + text.size() && port >= 1 && port <= 65535;
}

// The authority, if it is well-formed and names something.
std::optional<Authority> named_authority(std::string_view text) {
  const auto authority = split_authority(text);
  if (!authority || authority->host.empty() || (authority->port && !is_port(*authority->port))) return std::nullopt;
  return authority;
}

bool is_known(std::string_view authority_text, std::string_view local_address, const GuardPolicy& policy) {
  const auto authority = named_authority(authority_text);
  if (!authority) return false;
  const std::string_view host = authority->host;
  const std::optional<Address> address = address_of_host(host);
  if (address && is_unspecified(*address)) return false;
  if (address && (is_local(*address) || address == parse_address(local_address.substr(0, local_address.find('%')))))
    return true;
  if (is_localhost(host) || same_name(policy.own_host_name, host)) return true;
  return std::ranges::any_of(policy.allowed_hosts, [&](const std::string& allowed) {
    return same_name(allowed, host) || (address && parse_address(allowed) == address);
  });
}

HttpFailure misdirected(std::string_view authority_text) {
  const auto authority = named_authority(authority_text);
  if (!authority)
    return {421, "the host of the request, \"" + shown(authority_text) +
                     "\", is no name or address of a server; ask for localhost or the server's address"};
  return {421, "this server does not answer to the host " + shown(authority->host) +
                   "; ask for localhost or its address, or start chashd with --allow-host " + shown(authority->host)};
}

// --- Origins ---------------------------------------------------------------------------------------------------------

struct Scheme {
  std::string_view name;
  std::string_view port;  // where none is given
};
constexpr std::array<Scheme, 2> schemes{{{"http", "80"}, {"https", "443"}}};

bool same_authority(std::string_view a, std::string_view b, std::string_view default_port) {
  const auto one = named_authority(a), other = named_authority(b);
  return one && other && equal_ignoring_case(one->host, other->host) &&
         one->port.value_or(default_port) == other->port.value_or(default_port);
}

// Whether the page at that URL was served under the Host of the request.
bool is_same_origin(std::string_view url, const HttpRequest& request) {
  const auto host = request.field("host");
  return host && std::ranges::any_of(schemes, [&](const Scheme& scheme) {
           const auto authority = authority_of(url, scheme.name);
           return authority && same_authority(*authority, *host, scheme.port);
         });
}

HttpFailure foreign(std::string_view field, std::string_view value) {
  return {403, "a web page of another origin may not change anything here (" + std::string(field) + ": " +
                   shown(value) + "); use chash, curl, or a page of this server"};
}

}  // namespace

std::optional<HttpFailure> guard_host(const HttpRequest& request, std::string_view local_address,
                                      const GuardPolicy& policy) {
  const auto host = request.field("host");
  if (!host && request.minor_version != 0) return misdirected("");
  if (host && (request.count("host") > 1 || !is_known(*host, local_address, policy))) return misdirected(*host);

  const auto authority = authority_of(request.target, "http");
  if (!authority) return std::nullopt;
  if (!is_known(*authority, local_address, policy)) return misdirected(*authority);
  if (host && !same_authority(*authority, *host, schemes[0].port))
    return HttpFailure{421, "the request target is at " + shown(*authority) + ", but its host field says " +
                                shown(*host) + "; send the same in both"};
  return std::nullopt;
}

std::optional<HttpFailure> guard_origin(const HttpRequest& request) {
  if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") return std::nullopt;
  const bool has_origin = request.count("origin") != 0;
  for (const HttpField& field : request.fields) {
    const bool is_site = field.name == "sec-fetch-site";
    const bool is_page = field.name == "origin" || (field.name == "referer" && !has_origin);
    if (is_site && field.value != "same-origin" && field.value != "none") return foreign(field.name, field.value);
    if (is_page && !is_same_origin(field.value, request)) return foreign(field.name, field.value);
  }
  return std::nullopt;
}

}  // namespace chash::net
