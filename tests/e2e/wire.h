// The daemon's two doors at the level of bytes: what a test sends is sent as it is, however wrong, and what comes back
// is taken apart by code that knows nothing of lib/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chash::e2e {

using nlohmann::json;

bool can_connect(const std::string& socket_path);

// A connected socket on which no wait is for ever. Not more than a socket's buffers hold may be sent without receiving.
class Stream {
 public:
  explicit Stream(const std::string& socket_path);
  explicit Stream(std::uint16_t port);  // on 127.0.0.1
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // False: the daemon does not take any more.
  bool send(std::string_view bytes);
  void end_sending();
  // Appends what comes next. False: the daemon has closed.
  bool receive(std::string& to);

 private:
  int descriptor_ = -1;
};

// The Unix socket: JSON lines.
class LineClient {
 public:
  explicit LineClient(const std::string& socket_path) : stream_(socket_path) {}

  // A line, or any bytes.
  bool send(std::string_view bytes) { return stream_.send(bytes); }
  void end_sending() { stream_.end_sending(); }
  // The next line, without its end. Nothing: the daemon closed the connection.
  std::optional<std::string> line();
  json reply();  // the next line read; throws if there is none
  json ask(std::string line);
  // What remains until the daemon closes.
  std::string rest();

 private:
  Stream stream_;
  std::string received_;
  std::size_t taken_ = 0;
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string body;

  std::optional<std::string> field(std::string_view name) const;
  bool closes() const { return field("connection") == "close"; }
};

// Takes one reply off the front of `bytes`; nothing if it is not complete yet. A reply to HEAD has no body.
std::optional<HttpReply> take_reply(std::string& bytes, bool to_head);

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : stream_(port), host_("127.0.0.1:" + std::to_string(port)) {}

  const std::string& host() const { return host_; }
  bool send(std::string_view bytes) { return stream_.send(bytes); }
  void end_sending() { stream_.end_sending(); }
  // Nothing: the daemon closed the connection first.
  std::optional<HttpReply> receive(bool to_head = false);
  // One request with a Host and a Content-Length, and its reply.
  HttpReply ask(std::string_view method, std::string_view target, std::string_view more_fields = {},
                std::string_view body = {});
  std::string rest();

 private:
  Stream stream_;
  std::string host_;
  std::string received_;
};

// A text with every byte but letters and digits as %XX.
std::string percent_encoded(std::string_view bytes);

}  // namespace chash::e2e
