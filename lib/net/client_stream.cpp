#include "net/client_stream.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "net/client_errors.h"

namespace chash::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t read_bytes =
    std::size_t{64} * 1024;               // of one read: an ordinary reply, or a good piece of a batch's
constexpr milliseconds backlog_pause{5};  // a Unix socket whose backlog is full has nothing to poll for

int poll_timeout(Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1'000'000'000));
}

// 0, or the errno of what went wrong; ETIMEDOUT after the deadline.
int connect_by(int fd, const sockaddr* address, socklen_t size, Deadline deadline) {
  while (::connect(fd, address, size) != 0) {
    if (errno == EISCONN) return 0;
    if (errno == EAGAIN) {
      if (steady_clock::now() >= deadline) return ETIMEDOUT;
      std::this_thread::sleep_for(backlog_pause);
      continue;
    }
    if (errno != EINPROGRESS && errno != EINTR && errno != EALREADY) return errno;
    pollfd wanted{fd, POLLOUT, 0};
    const int ready = ::poll(&wanted, 1, poll_timeout(deadline));
    if (ready == 0) return ETIMEDOUT;
    if (ready < 0) continue;
    int error = 0;
    socklen_t error_size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
    return error;
  }
  return 0;
}

int stream_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

}  // namespace

Result<ClientStream> ClientStream::open(const Endpoint& endpoint, milliseconds timeout) {
  const Deadline deadline = steady_clock::now() + timeout;
  const auto late = [&] { return connect_timed_out(endpoint, timeout); };

  if (const auto* local = std::get_if<SocketEndpoint>(&endpoint)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (local->path.empty() || local->path.size() >= sizeof address.sun_path)
      return bad_socket_path(local->path, sizeof address.sun_path - 1);
    std::memcpy(address.sun_path, local->path.data(), local->path.size());
    ClientStream stream(stream_socket(AF_UNIX));
    if (!stream.is_open()) return cannot_connect(endpoint, errno);
    const int error = connect_by(stream.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
    if (error == ETIMEDOUT) return late();
    if (error != 0) return cannot_connect(endpoint, error);
    return stream;
  }

  const auto& http = std::get<HttpEndpoint>(endpoint);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(http.host.c_str(), http.port.c_str(), &wanted, &found); error != 0)
    return cannot_resolve(http.host, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  int last_error = ECONNREFUSED;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    ClientStream stream(stream_socket(at->ai_family));
    last_error = stream.is_open() ? connect_by(stream.fd_, at->ai_addr, at->ai_addrlen, deadline) : errno;
    if (last_error == 0) {
      // A request is written whole; waiting for more to send with it costs 40 ms where the peer delays its ACK.
      const int on = 1;
      ::setsockopt(stream.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return stream;
    }
  }
  if (last_error == ETIMEDOUT) return late();
  return cannot_connect(endpoint, last_error);
}

ClientStream::ClientStream(ClientStream&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ClientStream& ClientStream::operator=(ClientStream&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

ClientStream::~ClientStream() { close(); }

void ClientStream::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool ClientStream::is_stale() const {
  pollfd wanted{fd_, POLLIN, 0};
  return ::poll(&wanted, 1, 0) != 0;
}

// True when there is something to do, an error included; false when the deadline passed.
bool ClientStream::wait(short events, Deadline deadline) const {
  for (;;) {
    pollfd wanted{fd_, events, 0};
    const int ready = ::poll(&wanted, 1, poll_timeout(deadline));
    if (ready > 0) return true;
    if (ready == 0 || steady_clock::now() >= deadline) return false;
  }
}

// One read.  `late`: there is nothing to read yet.
ClientStream::Outcome ClientStream::take_in(std::string& incoming) {
  std::array<char, read_bytes> buffer;
  for (;;) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) {
      incoming.append(buffer.data(), static_cast<std::size_t>(count));
      return Outcome::done;
    }
    if (count < 0 && errno == EINTR) continue;
    return count < 0 && errno == EAGAIN ? Outcome::late : Outcome::closed;
  }
}

ClientStream::Outcome ClientStream::write(std::string_view bytes, std::size_t& written, std::string& incoming,
                                          Deadline deadline) {
  written = 0;
  bool readable = true;
  while (written < bytes.size()) {
    const ssize_t count = ::send(fd_, bytes.data() + written, bytes.size() - written, MSG_NOSIGNAL);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Outcome::closed;
    const short events = readable ? POLLOUT | POLLIN : POLLOUT;
    if (!wait(events, deadline)) return Outcome::late;
    if (readable) readable = take_in(incoming) != Outcome::closed;
  }
  return Outcome::done;
}

ClientStream::Outcome ClientStream::read(std::string& incoming, Deadline deadline) {
  if (!wait(POLLIN, deadline)) return Outcome::late;
  Outcome outcome = take_in(incoming);
  while (outcome == Outcome::late) {
    if (!wait(POLLIN, deadline)) return Outcome::late;
    outcome = take_in(incoming);
  }
  return outcome;
}

}  // namespace chash::net
