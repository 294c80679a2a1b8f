// Session: the daemon as a command sees it. Connects when first asked, and tries again as often as --retry allows.
//
// Tried again is what certainly did nothing: a connection that failed, a daemon that was busy or going away, and a
// question whose answer got lost. A change whose answer got lost is tried again by the id of its request, by which the
// daemon knows whether it was done.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "net/client.h"
#include "options.h"

namespace chash::cli {

struct Answered {
  protocol::AnyRequest request;
  Result<protocol::AnyResponse> reply;
};

class Session {
 public:
  // With `verbose` it says on standard error what it does.
  Session(const Options& options, net::ClientOptions client_options, bool verbose)
      : options_(options), client_options_(std::move(client_options)), verbose_(verbose) {}

  // From now on requests are answered by this, and no daemon is asked.
  void answer_with(std::function<Result<protocol::AnyResponse>(const protocol::AnyRequest&)> local) {
    local_ = std::move(local);
  }

  // For measuring what follows: call() connects by itself.
  Result<void> connect();

  template <class Op>
  Result<typename Op::Response> call(typename Op::Request request) {
    send(std::move(request));
    auto reply = receive().reply;
    if (!reply) return std::move(reply).error();
    return std::get<typename Op::Response>(std::move(*reply));
  }

  // The halves of call(), so that questions overlap. A failure to send shows in receive().
  void send(protocol::AnyRequest request);
  Answered receive();
  std::size_t in_flight() const { return asked_.size(); }

 private:
  // Calls `attempt` until it succeeds, its error is not worth another attempt, or --retry is used up.
  template <class Attempt, class Worth>
  auto repeat(Attempt attempt, Worth is_worth_it);
  Result<void> open();
  Result<protocol::AnyResponse> attempt(bool& nothing_was_sent);
  bool worth_retrying(const Error& error, bool nothing_was_sent) const;

  const Options& options_;
  net::ClientOptions client_options_;
  bool verbose_;
  std::function<Result<protocol::AnyResponse>(const protocol::AnyRequest&)> local_;
  std::optional<net::Client> client_;
  std::optional<Error> failure_;            // of sending the last one
  std::deque<protocol::AnyRequest> asked_;  // sent, or to be sent again, and not yet answered
};

}  // namespace chash::cli
