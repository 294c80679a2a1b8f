#include "net/access.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace chash::net {
namespace {

// Equal, in a time that does not tell how much of it fits.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned char differences = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const char other = a.empty() ? '\0' : a[i % a.size()];
    differences = static_cast<unsigned char>(differences | (other ^ b[i]));
  }
  return differences == 0;
}

std::vector<gid_t> peer_groups(int descriptor) {
  std::vector<gid_t> groups(64);
  while (true) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int outcome = getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (outcome != 0 && errno != ERANGE) return {};
    groups.resize(size / sizeof(gid_t));
    if (outcome == 0) return groups;
  }
}

}  // namespace

Result<PeerCredentials> peer_credentials(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return make_error(Errc::internal, std::string("cannot tell who connected: ") + std::strerror(errno));
  return PeerCredentials{credentials.uid, credentials.gid, credentials.pid, peer_groups(descriptor)};
}

std::string describe(const PeerCredentials& peer) {
  return "uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid);
}

SocketPolicy socket_policy_of_this_process() {
  SocketPolicy policy{geteuid(), std::nullopt};
  group entry{};
  group* found = nullptr;
  std::array<char, 16 * 1024> text;
  if (getgrnam_r(std::string(access_group).c_str(), &entry, text.data(), text.size(), &found) == 0 && found != nullptr)
    policy.group = found->gr_gid;
  return policy;
}

std::optional<Error> refuse_change(const SocketPolicy& policy, const PeerCredentials& peer) {
  if (peer.uid == 0 || peer.uid == policy.daemon_uid) return std::nullopt;
  if (policy.group && (peer.gid == *policy.group || std::ranges::find(peer.groups, *policy.group) != peer.groups.end()))
    return std::nullopt;
  return make_error(Errc::denied,
                    "uid " + std::to_string(peer.uid) +
                        " may not change the ring: it is neither root, nor the daemon's user, nor in group " +
                        std::string(access_group),
                    "sudo usermod -aG " + std::string(access_group) + " $USER, then log in again");
}

std::optional<Error> refuse_change(const HttpPolicy& policy, bool from_loopback,
                                   std::optional<std::string_view> authorization) {
  switch (policy.writes) {
    case HttpWrites::loopback:
      if (from_loopback) return std::nullopt;
      return make_error(Errc::denied, "changes over HTTP are taken from this machine only",
                        "use chash(1) there, or start chashd with --http-writes token");
    case HttpWrites::token: {
      constexpr std::string_view scheme = "Bearer ";
      if (!authorization)
        return make_error(Errc::unauthorized, "a change over HTTP needs the header 'Authorization: Bearer TOKEN'",
                          "the token stands in the daemon's --token-file; or use chash(1) on the socket");
      if (!policy.token.empty() && authorization->starts_with(scheme) &&
          same_secret(authorization->substr(scheme.size()), policy.token))
        return std::nullopt;
      return make_error(Errc::unauthorized, "the token is not the one of this daemon",
                        "the token stands in the daemon's --token-file");
    }
    case HttpWrites::off: break;
  }
  return make_error(Errc::denied, "changes over HTTP are switched off (--http-writes off)",
                    "use chash(1) on the socket");
}

Result<std::string> read_token(const std::string& path) {
  const auto refused = [&](const std::string& why, const std::string& hint) {
    return make_error(Errc::invalid_argument, "the token file " + path + " " + why, hint);
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return refused(std::string("cannot be read: ") + std::strerror(errno), "");
  std::array<char, 4096> text;
  struct stat status {};
  const bool known = fstat(descriptor, &status) == 0;
  const ssize_t size = read(descriptor, text.data(), text.size());
  close(descriptor);
  if (!known || size < 0) return refused("cannot be read", "");
  if ((status.st_mode & S_IRWXO) != 0) return refused("can be read by everyone", "chmod o= " + path);
  std::string token(text.data(), static_cast<std::size_t>(size));
  token.resize(std::min(token.find_first_of("\r\n"), token.size()));
  if (token.size() < 16) return refused("has fewer than 16 bytes in its first line", "openssl rand -hex 32 > " + path);
  return token;
}

}  // namespace chash::net
