// Where the daemon's socket is when nobody says: the same rule for the daemon that makes it and the client that looks.
//
// The system's daemon has /run/chash/chashd.sock. A daemon that a user started has $XDG_RUNTIME_DIR/chash/chashd.sock,
// or its state directory where there is no session (cron, a container, su).
#pragma once

#include <string>
#include <vector>

namespace chash::net {

// Where a daemon started by this user puts it.
std::string daemon_socket_path();

// Where a client looks, first to last: a daemon of one's own before the system's.
std::vector<std::string> socket_search_path();

// The first of them that is there; where none is, the system's.
std::string default_socket_path();

}  // namespace chash::net
