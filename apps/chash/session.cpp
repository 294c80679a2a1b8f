#include "session.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "net/client_errors.h"
#include "output.h"

namespace chash::cli {
namespace {

using protocol::AnyRequest;
using protocol::AnyResponse;

// Before the first repetition; doubled for each further one. A daemon that restarts is back within a second or so.
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2000};

// By which the daemon knows that it has done this already.
std::string request_id(const AnyRequest& request) {
  return std::visit(
      [](const auto& typed) {
        if constexpr (requires { typed.request_id; }) return typed.request_id;
        else return std::string();
      },
      request);
}

}  // namespace

template <class Attempt, class Worth>
auto Session::repeat(Attempt attempt, Worth is_worth_it) {
  auto pause = first_pause;
  for (unsigned tries = 0;; ++tries) {
    auto outcome = attempt();
    if (outcome || tries == options_.retries || !is_worth_it(outcome.error())) return outcome;
    if (verbose_) say(outcome.error().message + "; trying again in " + net::duration_text(pause));
    client_.reset();
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest_pause);
  }
}

Result<void> Session::connect() {
  return repeat([this] { return open(); }, [](const Error& error) { return error.code == Errc::unreachable; });
}

Result<void> Session::open() {
  if (client_) return {};
  auto client = net::Client::connect(options_.endpoint, client_options_);
  if (!client) return std::move(client).error();
  client_.emplace(std::move(*client));
  if (verbose_) say("connected to " + net::describe(options_.endpoint));
  return {};
}

void Session::send(AnyRequest request) {
  asked_.push_back(std::move(request));
  // With no connection, receive() makes one and sends all that is asked.
  if (client_ && !failure_)
    if (auto ok = client_->send(asked_.back()); !ok) failure_ = std::move(ok).error();
}

Result<AnyResponse> Session::attempt(bool& nothing_was_sent) {
  nothing_was_sent = !client_;
  if (failure_) {
    Error failure = std::move(*failure_);
    failure_.reset();
    return failure;
  }
  if (!client_) {
    if (auto ok = open(); !ok) return std::move(ok).error();
    nothing_was_sent = false;
    for (const AnyRequest& request : asked_)
      if (auto ok = client_->send(request); !ok) return std::move(ok).error();
  }
  return client_->receive();
}

bool Session::worth_retrying(const Error& error, bool nothing_was_sent) const {
  if (error.code == Errc::busy || error.code == Errc::shutting_down) return true;
  const bool changes = info(asked_.front()).access == protocol::Access::write;
  const bool may_repeat = !changes || nothing_was_sent || !request_id(asked_.front()).empty();
  // Of a change whose answer was lost the client says that it timed out.
  return may_repeat && (error.code == Errc::unreachable || (changes && error.code == Errc::timeout));
}

Answered Session::receive() {
  if (local_) {
    Answered answered{std::move(asked_.front()), {}};
    answered.reply = local_(answered.request);
    asked_.pop_front();
    return answered;
  }
  bool nothing_was_sent = true;
  auto reply = repeat([&] { return attempt(nothing_was_sent); },
                      [&](const Error& error) { return worth_retrying(error, nothing_was_sent); });
  Answered answered{std::move(asked_.front()), std::move(reply)};
  if (const std::string id = request_id(answered.request);
      !answered.reply && !id.empty() && answered.reply.error().code == Errc::timeout && !nothing_was_sent)
    answered.reply.error().hint = "run the same command again with --request-id " + id + ": it is not done twice";
  asked_.pop_front();
  return answered;
}

}  // namespace chash::cli
