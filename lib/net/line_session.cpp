#include "net/line_session.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "chash/limits.h"
#include "net/wait_for.h"
#include "protocol/codec.h"

namespace chash::net {
namespace {

using protocol::AnyRequest;
using protocol::AnyResponse;

// Another protocol on the wrong door: HTTP clients, TLS handshakes and terminals get one answer and no second chance.
bool is_http(std::string_view line) {
  constexpr std::array<std::string_view, 8> methods{"GET ",  "POST ",    "PUT ",   "DELETE ",
                                                    "HEAD ", "OPTIONS ", "PATCH ", "PRI "};
  return std::ranges::any_of(methods, [&](std::string_view method) { return line.starts_with(method); });
}

class LineSession {
 public:
  LineSession(StreamSocket socket, Hub& hub, service::Handlers& handlers, const SocketPolicy& policy)
      : connection_(hub, std::move(socket)), handlers_(handlers), policy_(policy) {}

  asio::awaitable<void> run() {
    auto peer = peer_credentials(connection_.socket().native_handle());
    if (!peer) co_return;
    caller_ = service::Caller{describe(*peer), refuse_change(policy_, *peer)};
    while (open_) {
      connection_.set_idle(partial_.empty());
      if (partial_.empty()) connection_.set_deadline(limits::socket_idle_timeout);
      const std::string_view bytes = co_await connection_.receive();
      if (bytes.empty()) break;
      connection_.set_idle(false);
      co_await take(bytes);
    }
    if (connection_.timed_out() && !partial_.empty()) {
      Error error = make_error(Errc::timeout, "the request line was not complete in time");
      co_await refuse_and_close(std::move(error));
    }
    if (const std::string text = connection_.cut_off_text(caller_.description); !text.empty())
      handlers_.log().main(service::LogLevel::warning, text);
  }

 private:
  asio::awaitable<void> take(std::string_view bytes) {
    if (bytes.find('\n') == std::string_view::npos) {
      const bool first = partial_.empty();
      partial_ += bytes;
      if (first) connection_.set_deadline(limits::request_timeout);
      co_await refuse_hopeless();
      co_return;
    }
    // Lines are answered out of the shared buffer as long as nothing suspends; what then is left moves to our own.
    std::string own;
    if (!partial_.empty()) {
      own = std::exchange(partial_, {});
      own += bytes;
      bytes = own;
    }
    connection_.set_deadline(Clock::duration::max() / 2);  // from here on it is we who let the client wait
    for (std::size_t end; open_ && (end = bytes.find('\n')) != std::string_view::npos;) {
      const std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (line.size() > limits::line_bytes || is_http(line)) {
        partial_ = line;
        co_await refuse_hopeless();
        co_return;
      }
      if (auto request = protocol::decode_request(line); !request) {
        protocol::encode_reply(std::move(request).error(), connection_.output());
      } else if (service::Handlers::is_answered_at_once(*request)) {
        write(handlers_.read(*request));
      } else {
        own = std::string(bytes);
        bytes = own;
        const auto reply = co_await answer_later(*request);
        write(reply);
      }
      if (connection_.is_backlogged()) {
        own = std::string(bytes);
        bytes = own;
        open_ = co_await connection_.flush();
      }
    }
    if (!open_) co_return;
    partial_ = std::string(bytes);
    if (!partial_.empty()) connection_.set_deadline(limits::request_timeout);
    open_ = co_await connection_.flush();
    co_await refuse_hopeless();
  }

  void write(const Result<AnyResponse>& reply) {
    std::string& output = connection_.output();
    const std::size_t before = output.size();
    protocol::encode_reply(reply, output);
    if (!connection_.is_too_much(output.size() - before)) return;
    output.resize(before);
    protocol::encode_reply(too_many_unsent(), output);
  }

  // What has begun can no longer become a request: too long, or another protocol.
  asio::awaitable<void> refuse_hopeless() {
    Error error;
    if (partial_.size() > limits::line_bytes) {
      error =
          make_error(Errc::too_large, "the request line has more than " + std::to_string(limits::line_bytes) + " bytes",
                     "send fewer keys or nodes at once");
    } else if (is_http(partial_)) {
      error = make_error(Errc::invalid_request, "this socket speaks JSON lines, not HTTP",
                         "HTTP is on another address: see chash status, or chashd(8)");
    } else {
      co_return;
    }
    co_await refuse_and_close(std::move(error));
  }

  asio::awaitable<Result<AnyResponse>> answer_later(const AnyRequest& request) {
    using Reply = Result<AnyResponse>;
    const std::function<void(std::function<void(Reply)>)> start = [&](std::function<void(Reply)> done) {
      handlers_.start(request, caller_, std::move(done));
    };
    co_return co_await wait_for<Reply>(connection_.hub().context.get_executor(), start);
  }

  // After an answer that leaves the stream in doubt, the next line cannot be trusted to be one.
  asio::awaitable<void> refuse_and_close(Error error) {
    open_ = false;
    partial_.clear();
    protocol::encode_reply(std::move(error), connection_.output());
    const bool sent = co_await connection_.flush();  // named: g++ 12 miscompiles `if (co_await a) co_await b`
    if (sent) co_await connection_.close_gracefully();
  }

  Connection connection_;
  service::Handlers& handlers_;
  const SocketPolicy& policy_;
  service::Caller caller_;
  std::string partial_;  // the beginning of a line that has not ended yet
  bool open_ = true;
};

}  // namespace

asio::awaitable<void> serve_lines(StreamSocket socket, Hub& hub, service::Handlers& handlers,
                                  const SocketPolicy& policy) {
  LineSession session(std::move(socket), hub, handlers, policy);
  co_await session.run();
}

}  // namespace chash::net
