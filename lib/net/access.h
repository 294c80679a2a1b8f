// Who is at the other end, and may they change anything?
//
//   Unix socket   anybody may read; root, the daemon's own uid and members of group chash may change
//   HTTP          anybody who passes the guards may read; changes by --http-writes: loopback, token or off
//
// Credentials come from the kernel at accept and stay numbers: they are never written into text and read back.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chash/result.h"

namespace chash::net {

inline constexpr std::string_view access_group = "chash";

struct PeerCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;  // for the log only: pids are reused
  std::vector<gid_t> groups;
};

// Of the process that connected to this Unix socket.
Result<PeerCredentials> peer_credentials(int descriptor);

// "uid 1000, pid 4711"
std::string describe(const PeerCredentials& peer);

struct SocketPolicy {
  uid_t daemon_uid = 0;
  std::optional<gid_t> group;  // of access_group, where the system has it
};
SocketPolicy socket_policy_of_this_process();

// Why this peer may not change the ring, or nothing.
std::optional<Error> refuse_change(const SocketPolicy& policy, const PeerCredentials& peer);

enum class HttpWrites : unsigned char { loopback, token, off };

struct HttpPolicy {
  HttpWrites writes = HttpWrites::loopback;
  std::string token;  // of --token-file; empty unless writes == token
};

// `authorization` is the value of that header, if there is one.
std::optional<Error> refuse_change(const HttpPolicy& policy, bool from_loopback,
                                   std::optional<std::string_view> authorization);

// Reads a token: one line, at least 16 bytes, in a file that not everyone can read.
Result<std::string> read_token(const std::string& path);

}  // namespace chash::net
