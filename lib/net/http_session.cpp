#include "net/http_session.h"

#include <string>
#include <utility>

#include "chash/limits.h"
#include "net/http_parser.h"

namespace chash::net {
namespace {

class HttpSession {
 public:
  HttpSession(StreamSocket socket, Hub& hub, HttpRoutes& routes, HttpPeer peer)
      : connection_(hub, std::move(socket)), routes_(routes), peer_(std::move(peer)) {}

  asio::awaitable<void> run() {
    while (open_) {
      const bool idle = parser_.state() == HttpParser::State::idle;
      connection_.set_idle(idle);
      if (idle) connection_.set_deadline(limits::http_idle_timeout);
      const std::string_view bytes = co_await connection_.receive();
      if (bytes.empty()) break;
      connection_.set_idle(false);
      if (idle) connection_.set_deadline(limits::request_timeout);
      co_await take(bytes);
    }
    if (connection_.timed_out() && open_ && parser_.state() != HttpParser::State::idle) {
      HttpFailure late{408, "the request was not complete in time"};
      co_await refuse_and_close(std::move(late));
    }
    if (const std::string text = connection_.cut_off_text(peer_.description); !text.empty())
      routes_.log().main(service::LogLevel::warning, text);
  }

 private:
  asio::awaitable<void> take(std::string_view bytes) {
    bool next_begins = false;  // behind an answered request
    // Requests are parsed out of the shared buffer as long as nothing suspends; what then is left moves to our own.
    std::string own;
    while (!bytes.empty() && open_) {
      bytes.remove_prefix(parser_.feed(bytes));
      if (parser_.state() == HttpParser::State::failed) {
        HttpFailure failure = parser_.failure();
        co_await refuse_and_close(std::move(failure));
        co_return;
      }
      if (parser_.state() != HttpParser::State::complete) continue;

      const HttpRequest request = parser_.take();
      continued_ = false;
      next_begins = true;
      if (own.empty() && !bytes.empty()) {  // changes suspend, and questions that take long or wait
        own = std::string(bytes);
        bytes = own;
      }
      connection_.set_deadline(Clock::duration::max() / 2);  // from here on it is we who let the client wait
      HttpResponse response = co_await routes_.answer(request, peer_);
      if (connection_.is_too_much(response.body.size())) response = problem(too_many_unsent());
      open_ = request.keep_alive && !connection_.stopping();
      append_response(response, request.method == "HEAD" ? Body::omit : Body::send, open_, connection_.output());
      if (connection_.is_backlogged() && open_) {
        own = std::string(bytes);
        bytes = own;
        open_ = co_await connection_.flush();
      }
    }
    const bool mid_request = open_ && parser_.state() != HttpParser::State::idle;
    if (mid_request) {
      if (next_begins) connection_.set_deadline(limits::request_timeout);
      if (parser_.expects_continue() && !std::exchange(continued_, true))
        connection_.output() += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    const bool goes_on = open_;
    const bool sent = co_await connection_.flush();
    open_ = sent && goes_on;
    if (!goes_on) co_await connection_.close_gracefully();
  }

  // After a request that could not be parsed nobody knows where the next one begins.
  asio::awaitable<void> refuse_and_close(HttpFailure failure) {
    open_ = false;
    append_response(problem(failure), Body::send, false, connection_.output());
    const bool sent = co_await connection_.flush();  // named: g++ 12 miscompiles `if (co_await a) co_await b`
    if (sent) co_await connection_.close_gracefully();
  }

  Connection connection_;
  HttpRoutes& routes_;
  HttpPeer peer_;
  HttpParser parser_;
  bool continued_ = false;  // 100 Continue was said for the request at hand
  bool open_ = true;
};

}  // namespace

asio::awaitable<void> serve_http(StreamSocket socket, Hub& hub, HttpRoutes& routes, HttpPeer peer) {
  HttpSession session(std::move(socket), hub, routes, std::move(peer));
  co_await session.run();
}

}  // namespace chash::net
