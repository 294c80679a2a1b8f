#include "net/client.h"

#include <cassert>
#include <deque>
#include <optional>
#include <utility>

#include "net/client_errors.h"
#include "net/client_http.h"
#include "net/client_stream.h"
#include "protocol/codec.h"

namespace chash::net {
namespace {

using protocol::AnyRequest;
using protocol::AnyResponse;
using Outcome = ClientStream::Outcome;

// No reply of ours comes near (a list of all the nodes a ring may have: ~5 MiB); what is not ours must not fill memory.
constexpr std::size_t reply_bytes = std::size_t{64} * 1024 * 1024;

struct Sent {
  std::size_t row;               // in the table of operations
  bool write;                    // whether it changes something
  bool left = false;             // at least one byte of it is on its way
  std::optional<Error> failure;  // of sending it
};

bool is_json(std::string_view content_type) {
  return content_type.starts_with("application/json") || content_type.starts_with("application/problem+json");
}

}  // namespace

struct Client::State {
  Endpoint endpoint;
  ClientOptions options;
  ClientStream stream;
  Deadline deadline;
  bool fresh = true;    // nothing was sent yet on this connection
  bool broken = false;  // the two sides may disagree about what was asked: nothing more is sent
  std::deque<Sent> in_flight;
  std::string incoming;      // received, and not yet taken
  std::size_t searched = 0;  // so much of `incoming` has no newline
  HttpReplyReader reader;
  std::deque<std::string> waiting;  // HTTP has one request at a time on its way; these follow

  const HttpEndpoint* http() const { return std::get_if<HttpEndpoint>(&endpoint); }
  const Sent& front() const { return in_flight.front(); }

  void restart_clock() { deadline = std::chrono::steady_clock::now() + options.timeout; }

  Result<void> open() {
    auto opened = ClientStream::open(endpoint, std::min(options.connect_timeout, options.timeout));
    if (!opened) return std::move(opened).error();
    stream = std::move(*opened);
    incoming.clear();
    searched = 0;
    fresh = true;
    return {};
  }

  Error lost(const Sent& sent, Outcome outcome) {
    broken = true;
    if (sent.write && sent.left) return outcome_unknown(endpoint, protocol::operation_table[sent.row].name);
    return outcome == Outcome::late ? no_answer_in_time(endpoint, options.timeout) : closed_early(endpoint);
  }

  std::string encode(const AnyRequest& request) const {
    if (http() != nullptr) return http_request(*http(), request, options.token);
    return protocol::encode_request(request) + '\n';
  }

  void trace_request(const AnyRequest& request) const {
    if (!options.trace) return;
    if (http() == nullptr || options.token.empty()) return options.trace(">", encode(request));
    options.trace(">", http_request(*http(), request, "***"));
  }

  void trace_received(std::size_t before) const {
    if (options.trace && incoming.size() > before) options.trace("<", std::string_view(incoming).substr(before));
  }

  // A peer that closed may have said why before: that is read first, so `closed` is no failure yet.
  Result<void> transmit(std::string_view bytes, Sent& sent) {
    if (broken) return closed_early(endpoint);
    const bool idle = http() != nullptr || in_flight.size() == 1;
    if (idle && !fresh && (!stream.is_open() || stream.is_stale()))
      if (auto opened = open(); !opened) return opened;
    fresh = false;
    std::size_t written = 0;
    const std::size_t before = incoming.size();
    const Outcome outcome = stream.write(bytes, written, incoming, deadline);
    sent.left = written > 0;
    trace_received(before);
    if (outcome == Outcome::late) return lost(sent, outcome);
    return {};
  }

  Outcome read_more() {
    const std::size_t before = incoming.size();
    const Outcome outcome = stream.read(incoming, deadline);
    trace_received(before);
    return outcome;
  }

  Error senseless(std::string_view what) {
    broken = true;
    return not_a_chashd(endpoint, what);
  }

  Result<AnyResponse> receive_line() {
    std::size_t end = incoming.find('\n', searched);
    while (end == std::string::npos) {
      searched = incoming.size();
      if (searched > reply_bytes) return senseless("its answer is longer than 64 MiB");
      if (const Outcome outcome = read_more(); outcome != Outcome::done) return lost(front(), outcome);
      end = incoming.find('\n', searched);
    }
    const std::string line = incoming.substr(0, end);
    incoming.erase(0, end + 1);
    searched = 0;
    auto reply = protocol::decode_reply(front().row, line);
    if (!reply && !line.starts_with('{')) return senseless("its answer is not JSON");
    return reply;
  }

  Result<AnyResponse> receive_http() {
    using Progress = HttpReplyReader::Progress;
    std::size_t received = 0;
    Progress progress = Progress::more;
    while (progress == Progress::more) {
      if (incoming.empty()) {
        const Outcome outcome = read_more();
        if (outcome == Outcome::closed && received > 0) progress = reader.end();
        if (outcome != Outcome::done && progress != Progress::complete) return lost(front(), outcome);
      }
      received += incoming.size();
      if (received > reply_bytes) return senseless("its answer is longer than 64 MiB");
      if (!incoming.empty()) progress = reader.feed(std::exchange(incoming, {}));
    }
    if (progress == Progress::invalid) return senseless("its answer is not HTTP");
    const HttpReply reply = reader.take();
    if (!reply.keep_alive) stream.close();
    return response_from(reply);
  }

  Result<AnyResponse> response_from(const HttpReply& reply) const {
    const bool success = reply.status >= 200 && reply.status < 300;
    if (is_json(reply.content_type))
      return success ? protocol::decode_response(front().row, reply.body)
                     : Result<AnyResponse>(protocol::decode_problem(reply.status, reply.body));
    return foreign_answer(reply);
  }

  // A proxy's own answer, or another server's.
  Error foreign_answer(const HttpReply& reply) const {
    const std::string said = "HTTP status " + std::to_string(reply.status);
    const auto as = [&](Errc code) {
      return make_error(code, describe(endpoint) + " answers with " + said,
                        "it is not chashd that says so: is a proxy between?");
    };
    const bool gateway_lost_it = reply.status == 502 || reply.status == 504;
    if (gateway_lost_it && front().write) return outcome_unknown(endpoint, protocol::operation_table[front().row].name);
    switch (reply.status) {
      case 401: return as(Errc::unauthorized);
      case 403: return as(Errc::denied);
      case 502: return as(Errc::unreachable);
      case 503: return as(Errc::busy);
      case 504: return as(Errc::timeout);
      default: return not_a_chashd(endpoint, said + ", " + (reply.content_type.empty() ? "no type" : "not JSON"));
    }
  }

  Result<void> send(const AnyRequest& request) {
    trace_request(request);
    in_flight.push_back({request.index(), info(request).access == protocol::Access::write, false, {}});
    if (http() != nullptr && in_flight.size() > 1) {
      waiting.push_back(encode(request));
      return {};
    }
    auto ok = transmit(encode(request), in_flight.back());
    if (!ok) in_flight.pop_back();
    return ok;
  }

  Result<AnyResponse> receive() {
    assert(!in_flight.empty());
    Result<AnyResponse> reply;
    if (const auto& failure = front().failure) reply = *failure;
    else reply = http() != nullptr ? receive_http() : receive_line();
    in_flight.pop_front();
    if (!waiting.empty()) {
      const std::string next = std::move(waiting.front());
      waiting.pop_front();
      restart_clock();
      if (auto ok = transmit(next, in_flight.front()); !ok) in_flight.front().failure = std::move(ok).error();
    }
    return reply;
  }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(Endpoint endpoint, ClientOptions options) {
  auto state = std::make_unique<State>();
  state->endpoint = std::move(endpoint);
  state->options = std::move(options);
  state->deadline = std::chrono::steady_clock::now() + state->options.timeout;
  if (auto opened = state->open(); !opened) return std::move(opened).error();
  return Client(std::move(state));
}

Result<AnyResponse> Client::call(const AnyRequest& request) {
  state_->restart_clock();
  if (auto ok = state_->send(request); !ok) return std::move(ok).error();
  return state_->receive();
}

Result<void> Client::send(const AnyRequest& request) {
  state_->restart_clock();
  return state_->send(request);
}

Result<AnyResponse> Client::receive() {
  state_->restart_clock();
  return state_->receive();
}

}  // namespace chash::net
