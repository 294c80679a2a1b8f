// Client: the blocking way to a daemon, over its socket or over HTTP. The command line has no other.
//
// No event loop and no threads: a call is one write, one wait, one read. Requests may be sent ahead of their replies
// (send, send, receive, send, …), which come in order; a write that would block takes in replies meanwhile, so that two
// large batches never wait for each other.
//
// A change is either answered or *unknown*: when its reply did not arrive, the error is `timeout` and says so. With
// every other error it has not happened.
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "chash/result.h"
#include "net/client_endpoint.h"
#include "protocol/operations.h"

namespace chash::net {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds timeout{5000};  // of one request and its reply
  std::string token;                        // sent over HTTP as a bearer token; empty: none
  // Is shown all that is sent (">") and received ("<"), with the token masked.
  std::function<void(std::string_view direction, std::string_view bytes)> trace;
};

class Client {
 public:
  // Errors: unreachable, denied, timeout, invalid_argument (a socket path that is too long).
  static Result<Client> connect(Endpoint endpoint, ClientOptions options);

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Errors: what the daemon said; unreachable, timeout; internal, when the answer makes no sense.
  // After one of the latter three the connection is of no more use.
  Result<protocol::AnyResponse> call(const protocol::AnyRequest& request);

  // The two halves of call().  Requires: as many receive() as send(), never more.
  Result<void> send(const protocol::AnyRequest& request);
  Result<protocol::AnyResponse> receive();

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chash::net
