#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "harness.h"

namespace chash::e2e {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

int connect_unix(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  const int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

bool can_connect(const std::string& socket_path) {
  const int descriptor = connect_unix(socket_path);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

// --- Bytes -----------------------------------------------------------------------------------------------------------

Stream::Stream(const std::string& socket_path) : descriptor_(connect_unix(socket_path)) {
  if (descriptor_ < 0) fail("connect to " + socket_path);
  const timeval limit{watchdog.count(), 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Stream::Stream(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(descriptor_);
    fail("connect to port " + std::to_string(port));
  }
  const timeval limit{watchdog.count(), 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Stream::~Stream() { close(descriptor_); }

bool Stream::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Stream::end_sending() { shutdown(descriptor_, SHUT_WR); }

bool Stream::receive(std::string& to) {
  std::array<char, 64 * 1024> piece;
  const ssize_t size = recv(descriptor_, piece.data(), piece.size(), 0);
  if (size < 0 && errno != ECONNRESET) fail("receive");
  if (size <= 0) return false;
  to.append(piece.data(), static_cast<std::size_t>(size));
  return true;
}

// --- Lines -----------------------------------------------------------------------------------------------------------

std::optional<std::string> LineClient::line() {
  for (std::size_t searched = taken_;;) {
    const std::size_t end = received_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = received_.substr(taken_, end - taken_);
      taken_ = end + 1;
      if (taken_ == received_.size()) received_.clear(), taken_ = 0;
      return line;
    }
    searched = received_.size();
    if (!stream_.receive(received_)) return std::nullopt;
  }
}

json LineClient::reply() {
  const auto text = line();
  if (!text) throw std::runtime_error("the daemon closed the connection instead of answering");
  return json::parse(*text);
}

json LineClient::ask(std::string line) {
  line += '\n';
  if (!send(line)) throw std::runtime_error("the daemon closed the connection");
  return reply();
}

std::string LineClient::rest() {
  while (stream_.receive(received_)) continue;
  std::string bytes = received_.substr(taken_);
  received_.clear();
  taken_ = 0;
  return bytes;
}

// --- HTTP ------------------------------------------------------------------------------------------------------------

std::optional<std::string> HttpReply::field(std::string_view name) const {
  for (const auto& [own, value] : fields)
    if (own == name) return value;
  return std::nullopt;
}

std::optional<HttpReply> take_reply(std::string& bytes, bool to_head) {
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  if (!bytes.starts_with("HTTP/1.1 ")) throw std::runtime_error("not an HTTP reply: " + bytes.substr(0, 64));
  HttpReply reply;
  reply.status = std::stoi(bytes.substr(9, 3));
  for (std::size_t start = bytes.find("\r\n") + 2; start < head_end;) {
    const std::size_t end = bytes.find("\r\n", start), colon = bytes.find(':', start);
    const std::size_t value = bytes.find_first_not_of(' ', colon + 1);
    reply.fields.emplace_back(lower(bytes.substr(start, colon - start)), bytes.substr(value, end - value));
    start = end + 2;
  }
  const std::size_t length = to_head ? 0 : std::stoul(reply.field("content-length").value_or("0"));
  if (bytes.size() < head_end + 4 + length) return std::nullopt;
  reply.body = bytes.substr(head_end + 4, length);
  bytes.erase(0, head_end + 4 + length);
  return reply;
}

std::optional<HttpReply> HttpClient::receive(bool to_head) {
  while (true) {
    if (auto reply = take_reply(received_, to_head)) return reply;
    if (!stream_.receive(received_)) return std::nullopt;
  }
}

HttpReply HttpClient::ask(std::string_view method, std::string_view target, std::string_view more_fields,
                          std::string_view body) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_).append("\r\n").append(more_fields);
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request.append("\r\n").append(body);
  if (!send(request)) throw std::runtime_error("the daemon closed the connection");
  auto reply = receive(method == "HEAD");
  if (!reply) throw std::runtime_error("the daemon closed the connection instead of answering");
  return std::move(*reply);
}

std::string HttpClient::rest() {
  while (stream_.receive(received_)) continue;
  return std::exchange(received_, {});
}

std::string percent_encoded(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) text += c;
    else text.append({'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]});
  }
  return text;
}

}  // namespace chash::e2e
