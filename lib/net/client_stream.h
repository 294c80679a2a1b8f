// ClientStream: a connected socket on which every wait has an end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "chash/result.h"
#include "net/client_endpoint.h"

namespace chash::net {

using Deadline = std::chrono::steady_clock::time_point;

class ClientStream {
 public:
  ClientStream() = default;  // closed
  // Errors: unreachable, denied, timeout, invalid_argument.
  static Result<ClientStream> open(const Endpoint& endpoint, std::chrono::milliseconds timeout);

  ClientStream(ClientStream&& other) noexcept;
  ClientStream& operator=(ClientStream&& other) noexcept;
  ~ClientStream();

  bool is_open() const { return fd_ >= 0; }
  void close();
  // Something can be read, or the other side is gone. Before a request is written, both mean: do not use it.
  bool is_stale() const;

  enum class Outcome : unsigned char { done, closed, late };  // late: the deadline passed

  // Writes all of it, and appends to `incoming` what arrives while it must wait. `written` counts the bytes that left.
  Outcome write(std::string_view bytes, std::size_t& written, std::string& incoming, Deadline deadline);
  // Appends at least one byte.
  Outcome read(std::string& incoming, Deadline deadline);

 private:
  explicit ClientStream(int fd) : fd_(fd) {}
  Outcome take_in(std::string& incoming);
  bool wait(short events, Deadline deadline) const;

  int fd_ = -1;
};

}  // namespace chash::net
