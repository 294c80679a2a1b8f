#include "net/fake_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace chash::net::test {
namespace {

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

int listen_on_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(listener >= 0, "socket");
  must(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  must(::listen(listener, 8) == 0, "listen");
  return listener;
}

int listen_on_port(int& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(listener >= 0, "socket");
  must(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) == 0, "bind");
  must(::listen(listener, 8) == 0, "listen");
  must(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

bool Conversation::read_more() {
  std::array<char, 64 * 1024> buffer;
  const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  incoming_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

std::string Conversation::read_line() {
  while (incoming_.find('\n') == std::string::npos)
    if (!read_more()) return incoming_;
  const std::size_t end = incoming_.find('\n');
  std::string line = incoming_.substr(0, end);
  incoming_.erase(0, end + 1);
  return line;
}

std::string Conversation::read_http_request() {
  constexpr std::string_view length_field = "Content-Length: ";
  while (incoming_.find("\r\n\r\n") == std::string::npos)
    if (!read_more()) return incoming_;
  std::size_t size = incoming_.find("\r\n\r\n") + 4;
  if (const std::size_t at = incoming_.find(length_field); at < size)
    size += std::stoul(incoming_.substr(at + length_field.size()));
  while (incoming_.size() < size)
    if (!read_more()) break;
  std::string request = incoming_.substr(0, size);
  incoming_.erase(0, size);
  return request;
}

void Conversation::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Conversation::wait_for_close() {
  while (read_more()) incoming_.clear();
}

void Conversation::end() { ::shutdown(descriptor_, SHUT_RDWR); }

FakePeer::FakePeer(Kind kind, std::vector<Script> scripts) {
  if (kind == Kind::socket) {
    directory_ = make_directory();
    endpoint_ = SocketEndpoint{directory_ + "/s"};
    listener_ = listen_on_socket(directory_ + "/s");
  } else {
    int port = 0;
    listener_ = listen_on_port(port);
    endpoint_ = HttpEndpoint{"127.0.0.1", std::to_string(port), "127.0.0.1:" + std::to_string(port), ""};
  }
  thread_ = std::thread([listener = listener_, scripts = std::move(scripts)] {
    for (const Script& script : scripts) {
      const int descriptor = ::accept(listener, nullptr, nullptr);
      if (descriptor < 0) return;  // the destructor ended it
      Conversation conversation(descriptor);
      script(conversation);
      ::close(descriptor);
    }
  });
}

FakePeer::~FakePeer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  if (!directory_.empty()) std::filesystem::remove_all(directory_);
}

std::string make_directory() {
  std::string pattern = std::filesystem::temp_directory_path().string() + "/chash-test-XXXXXX";
  must(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  return pattern;
}

std::string http_reply(int status, std::string_view body, std::string_view type) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace chash::net::test
