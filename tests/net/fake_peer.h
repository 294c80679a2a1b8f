// FakePeer: a server that does what a script says, for tests of the client.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/client_endpoint.h"

namespace chash::net::test {

// One accepted connection, as a script sees it. Every wait ends when the other side closes.
class Conversation {
 public:
  explicit Conversation(int descriptor) : descriptor_(descriptor) {}
  std::string read_line();          // without its newline; what came, when the other side closed
  std::string read_http_request();  // head and body
  void write(std::string_view bytes);
  void wait_for_close();
  void end();  // so that the other side sees it before this returns

 private:
  bool read_more();
  int descriptor_;
  std::string incoming_;
};

class FakePeer {
 public:
  using Script = std::function<void(Conversation&)>;
  enum class Kind : unsigned char { socket, http };

  // One script for each connection that is expected, in order. The listener is there when the constructor returns.
  FakePeer(Kind kind, std::vector<Script> scripts);
  ~FakePeer();
  FakePeer(const FakePeer&) = delete;
  FakePeer& operator=(const FakePeer&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  int listener_ = -1;
  std::string directory_;  // of the socket
  Endpoint endpoint_;
  std::thread thread_;
};

// A directory of its own below the system's temporary one.
std::string make_directory();

// An HTTP reply with a JSON body and its length.
std::string http_reply(int status, std::string_view body, std::string_view type = "application/json");

}  // namespace chash::net::test
