#include "net/client_errors.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <vector>

#include "protocol/text.h"

namespace chash::net {
namespace {

constexpr std::size_t shown_bytes = 300;  // of a path or a host in a message
constexpr std::size_t shown_groups = 16;

constexpr std::string_view start_it = "try: systemctl start chashd, or: chashd &";

std::string shown(std::string_view text) { return protocol::printable(text, shown_bytes); }

std::string shown(const Endpoint& endpoint) { return shown(describe(endpoint)); }

std::string reason(int error) {
  if (error == ENOENT || error == ENOTDIR) return "no such file";
  std::string text = std::strerror(error);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string group_name(gid_t group) {
  const struct group* entry = ::getgrgid(group);
  return entry != nullptr ? entry->gr_name : std::to_string(group);
}

std::string own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  groups.resize(static_cast<std::size_t>(std::max(0, ::getgroups(static_cast<int>(groups.size()), groups.data()))));
  if (groups.empty()) groups.push_back(::getegid());
  std::string text;
  for (std::size_t i = 0; i < groups.size() && i < shown_groups; ++i)
    text += (i == 0 ? "" : ", ") + group_name(groups[i]);
  return groups.size() > shown_groups ? text + ", ..." : text;
}

Error not_allowed(const std::string& path) {
  struct stat file;
  if (::stat(path.c_str(), &file) != 0)
    return make_error(Errc::denied, "not allowed to look for " + shown(path),
                      "a directory on its way is closed to you");
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.st_mode & 07777));
  const std::string group = group_name(file.st_gid);
  const bool group_helps = (file.st_mode & S_IWGRP) != 0 && file.st_gid != 0;  // nobody is told to join root
  return make_error(Errc::denied, "not allowed to open " + shown(path) + " (mode " + mode + ", group " + group + ")",
                    "you are in: " + own_groups() +
                        (group_helps ? "; try: sudo usermod -aG " + group + " $USER, then log in again"
                                     : "; only its owner may open it"));
}

}  // namespace

Error bad_socket_path(std::string_view path, std::size_t limit) {
  if (path.empty()) return make_error(Errc::invalid_argument, "the path of the socket is empty");
  return make_error(Errc::invalid_argument,
                    "the path of the socket has " + std::to_string(path.size()) + " bytes; the system's limit is " +
                        std::to_string(limit),
                    "use a relative path, or a shorter one");
}

Error cannot_resolve(std::string_view host, std::string_view why) {
  return make_error(Errc::unreachable, "cannot find host '" + shown(host) + "': " + std::string(why));
}

Error cannot_connect(const Endpoint& endpoint, int error) {
  const auto* socket = std::get_if<SocketEndpoint>(&endpoint);
  if (socket != nullptr && error == EACCES) return not_allowed(socket->path);
  std::string hint;
  if (socket == nullptr) {
    if (error == ECONNREFUSED) hint = "nothing listens there; is it the address that chashd has with --http?";
  } else if (error == ENOENT || error == ENOTDIR) {
    hint = "it does not seem to be running; " + std::string(start_it);
  } else if (error == ECONNREFUSED) {
    hint = "the daemon that made this socket is gone; " + std::string(start_it);
  }
  return make_error(Errc::unreachable, "cannot reach chashd at " + shown(endpoint) + ": " + reason(error),
                    std::move(hint));
}

Error connect_timed_out(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  return make_error(Errc::timeout, "cannot connect to " + shown(endpoint) + " within " + duration_text(timeout));
}

Error no_answer_in_time(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  return make_error(Errc::timeout, "chashd at " + shown(endpoint) + " did not answer within " + duration_text(timeout));
}

Error closed_early(const Endpoint& endpoint) {
  return make_error(Errc::unreachable, "the daemon closed the connection",
                    "it was reached at " + shown(endpoint) + "; its log may say why");
}

Error outcome_unknown(const Endpoint& endpoint, std::string_view operation) {
  return make_error(Errc::timeout,
                    "the outcome of '" + std::string(operation) + "' is unknown: it was sent to " + shown(endpoint) +
                        ", and no answer came",
                    std::string("it may or may not have happened; look with: chash ") +
                        (operation.starts_with("ring") ? "ring list" : "list"));
}

Error not_a_chashd(const Endpoint& endpoint, std::string_view what) {
  return make_error(Errc::internal, shown(endpoint) + " does not answer as chashd does: " + std::string(what),
                    "is it the address of a chashd?");
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

}  // namespace chash::net
