// Connection: one accepted socket, its deadline, and its bytes in and out. Sessions (socket lines, HTTP) are written on
// it.
//
// Thousands may be idle, so an idle one owns no buffer: it waits for the socket to become readable, then reads into a
// buffer that all connections of its thread share, and answers from another. Only what must outlive a wait (half a
// request, an answer that the client does not take) is copied to memory of its own.
//
// Threads: everything of a connection happens on the thread of its Hub.
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "chash/error.h"
#include "chash/limits.h"

namespace chash::net {

using Clock = std::chrono::steady_clock;
using StreamSocket = asio::generic::stream_protocol::socket;

class Connection;

// What the connections of one thread share.
struct Hub {
  std::list<Connection*> connections;
  std::array<char, 64 * 1024> input;
  std::string output;
  std::size_t unsent = 0;  // bytes of answers that clients have not taken yet
  bool stopping = false;
  asio::steady_timer* timer = nullptr;  // of enforce_deadlines(), while it runs

  // Behind all that connections use: destroying it destroys those that are still there.
  asio::io_context context{1};  // one thread: Asio takes no locks

  // Cuts off connections whose deadline has passed. Runs once a second until stopped: one timer for all of them.
  asio::awaitable<void> enforce_deadlines();
  // No new requests: idle connections end now, busy ones after their answer.
  void begin_shutdown();
};

// What is answered instead of an answer that is_too_much().
Error too_many_unsent();

class Connection {
 public:
  Connection(Hub& hub, StreamSocket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for bytes, then returns what came, in the shared buffer: the view is good until the next co_await that may
  // suspend. Empty: the client is gone, the deadline passed, or the daemon stops.
  asio::awaitable<std::string_view> receive();

  // Sends what output() holds; suspends only if the client does not take it. False: the connection is over.
  asio::awaitable<bool> flush();

  // Appended to by sessions; send with flush(), at the latest when is_backlogged().
  std::string& output();
  // Whether an answer of this size is more than the thread can keep waiting, beside all others that wait.
  bool is_too_much(std::size_t bytes) const {
    return bytes > limits::unsent_bytes && hub_.unsent + bytes > limits::unsent_bytes_of_thread;
  }
  bool is_backlogged() const { return output_.size() >= limits::unsent_bytes; }

  void set_deadline(Clock::duration from_now) { deadline_ = Clock::now() + from_now; }
  // Between requests nothing is lost by closing, so a stopping daemon does.
  void set_idle(bool idle) { idle_ = idle; }
  bool timed_out() const { return timed_out_; }
  // Where this end came because the client did not take an answer in time: a line for the log, else nothing.
  std::string cut_off_text(const std::string& client) const;
  bool stopping() const { return hub_.stopping; }
  // Says goodbye in a way that lets the client read the last answer even if it is still sending.
  asio::awaitable<void> close_gracefully();

  Hub& hub() { return hub_; }
  StreamSocket& socket() { return socket_; }

 private:
  friend struct Hub;
  void give_back_output();

  Hub& hub_;
  StreamSocket socket_;
  std::list<Connection*>::iterator place_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::string output_;
  bool idle_ = true;
  bool timed_out_ = false;
  bool cut_off_ = false;  // timed out in flush()
};

}  // namespace chash::net
