// Which requests a web browser may have been tricked into, and are refused before they are routed.
//
// A page that somebody on this machine has open can send requests to the loopback address. If it may also choose the
// name under which it does (DNS rebinding), it reads the answers: so a name must be known. And it can change things
// without reading anything: so a change must not come from a page of another origin. curl, scripts and chash(1) send
// what passes.
//
// Pure functions of one request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"

namespace chash::net {

struct GuardPolicy {
  std::vector<std::string> allowed_hosts;  // of --allow-host: names or addresses, without a port
  std::string own_host_name;               // of this machine; empty if it has none
};

// Status 421 unless the Host, and the authority of an absolute target, is one that no foreign page can have chosen:
// `localhost`, a name under it, an address of the loopback, of a private network or of this machine, or a known name.
// The port is not compared, because tunnels change it. HTTP/1.0 without a Host passes: no browser speaks it.
// `local_address` is what the client connected to, as text, or empty (a Unix socket).
std::optional<HttpFailure> guard_host(const HttpRequest& request, std::string_view local_address,
                                      const GuardPolicy& policy);

// Status 403 for anything but GET, HEAD and OPTIONS that a page of another origin sent, as its Sec-Fetch-Site, its
// Origin or, without an Origin, its Referer tells.
std::optional<HttpFailure> guard_origin(const HttpRequest& request);

}  // namespace chash::net
