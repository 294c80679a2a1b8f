#include "net/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/error.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/v6_only.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace chash::net {
namespace {

Error cannot_listen(const std::string& where, const asio::error_code& error) {
  if (error == asio::error::address_in_use)
    return make_error(Errc::conflict, "cannot listen on " + where + ": another program does already",
                      "stop it, or choose another address with --http");
  if (error == asio::error::access_denied)
    return make_error(Errc::denied, "cannot listen on " + where + ": permission denied");
  return make_error(Errc::invalid_argument, "cannot listen on " + where + ": " + error.message());
}

// Connects to `path`: 0 and the pid of the daemon there, or the reason why nobody answers.
int try_connect(const std::string& path, pid_t& pid) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  int reason = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (reason == 0 && getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) pid = peer.pid;
  close(descriptor);
  return reason;
}

// Removes what a dead daemon left at `path`, and nothing else.
Result<void> clear_stale_socket(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return make_error(Errc::conflict, path + " is there already and is not a socket",
                      "move it away, or choose another --socket");
  pid_t pid = 0;
  const int reason = try_connect(path, pid);
  if (reason == 0 || reason == EAGAIN) {  // EAGAIN: more are waiting there than it takes, and nobody says who it is
    const std::string who = pid == 0 ? "another daemon" : "a daemon with pid " + std::to_string(pid);
    return make_error(Errc::conflict, who + " is already listening on " + path,
                      "stop it first, or give this one another --socket");
  }
  if (reason != ECONNREFUSED) return make_error(Errc::denied, "cannot look at " + path + ": " + std::strerror(reason));
  if (unlink(path.c_str()) != 0)
    return make_error(Errc::denied, "cannot remove the stale " + path + ": " + std::strerror(errno));
  return {};
}

Result<void> check_socket_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  // One that we make is open to everybody, as the socket in it, whatever the umask says.
  if (std::filesystem::create_directories(folder, error)) chmod(folder.c_str(), 0755);
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0)
    return make_error(Errc::denied, "cannot use the folder " + folder.string() + ": " + std::strerror(errno));
  if ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0)
    return make_error(Errc::denied, "everybody can replace files in " + folder.string(),
                      "put the socket into a folder of its own");
  return {};
}

}  // namespace

bool HttpAddress::is_loopback() const {
  asio::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

Result<HttpAddress> parse_http_address(std::string_view text) {
  const auto refused = [&] {
    return make_error(Errc::invalid_argument, "'" + std::string(text) + "' is not an address to listen on",
                      "write IP:PORT, such as 127.0.0.1:8000 or [::1]:8000");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) return refused();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  HttpAddress address;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return refused();
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  asio::error_code error;
  const auto parsed = asio::ip::make_address(address.host, error);
  if (error || parsed.is_v6() != bracketed) return refused();
  return address;
}

Result<asio::ip::tcp::acceptor> listen_tcp(asio::io_context& context, const HttpAddress& address) {
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
  const std::string where =
      (endpoint.address().is_v6() ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
  asio::ip::tcp::acceptor acceptor(context);
  asio::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(where, error);
  return acceptor;
}

Result<asio::local::stream_protocol::acceptor> listen_unix(asio::io_context& context, const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return make_error(Errc::invalid_argument,
                      "the socket path has " + std::to_string(path.size()) + " bytes; the system takes " +
                          std::to_string(sizeof(sockaddr_un::sun_path) - 1),
                      "choose a shorter --socket");
  if (auto ok = check_socket_folder(path); !ok) return std::move(ok).error();
  if (auto ok = clear_stale_socket(path); !ok) return std::move(ok).error();

  asio::local::stream_protocol::acceptor acceptor(context);
  asio::error_code error;
  acceptor.open(asio::local::stream_protocol(), error);
  // Closed to others from its birth until it is ready (CVE-2023-45145 in Redis was that window).
  const mode_t mask = umask(0177);
  if (!error) acceptor.bind(asio::local::stream_protocol::endpoint(path), error);
  umask(mask);
  // Open to everybody before anybody can connect: whoever came in between would be told that he may not.
  if (!error && chmod(path.c_str(), 0666) != 0) error.assign(errno, asio::system_category());
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(path, error);
  return acceptor;
}

}  // namespace chash::net
