#include "net/connection.h"

#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "protocol/time_text.h"

namespace chash::net {
namespace {

constexpr auto as_tuple = asio::experimental::as_tuple(asio::use_awaitable);

// How long close_gracefully() reads on what the client still sends, and how much of it.
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_bytes = 1024 * 1024;

// Scratch memory that grew for one large answer is not kept for the small ones.
constexpr std::size_t scratch_bytes = 64 * 1024;

// Counts what waits for a client, as long as it does.
class Waiting {
 public:
  explicit Waiting(std::size_t& sum) : sum_(sum) {}
  ~Waiting() { sum_ -= bytes_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  void begin(std::size_t bytes) {
    if (bytes_ == 0) sum_ += bytes_ = bytes;
  }

 private:
  std::size_t& sum_;
  std::size_t bytes_ = 0;
};

// Says where the timer is, for as long as it is there.
class Published {
 public:
  Published(asio::steady_timer*& where, asio::steady_timer& timer) : where_(where) { where_ = &timer; }
  ~Published() { where_ = nullptr; }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

 private:
  asio::steady_timer*& where_;
};

}  // namespace

asio::awaitable<void> Hub::enforce_deadlines() {
  asio::steady_timer ticks(context);
  const Published published(timer, ticks);
  while (!stopping || !connections.empty()) {
    ticks.expires_after(std::chrono::seconds(1));
    co_await ticks.async_wait(as_tuple);
    const auto now = Clock::now();
    for (Connection* connection : connections) {
      if (connection->deadline_ > now) continue;
      connection->timed_out_ = true;
      connection->deadline_ = Clock::time_point::max();
      connection->socket_.cancel();
    }
  }
}

void Hub::begin_shutdown() {
  stopping = true;
  if (timer != nullptr) timer->cancel();
  for (Connection* connection : connections)
    if (connection->idle_) connection->socket_.cancel();
}

Connection::Connection(Hub& hub, StreamSocket socket)
    : hub_(hub), socket_(std::move(socket)), place_(hub.connections.insert(hub.connections.end(), this)) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() {
  hub_.connections.erase(place_);
  if (hub_.stopping && hub_.connections.empty() && hub_.timer != nullptr) hub_.timer->cancel();
}

asio::awaitable<std::string_view> Connection::receive() {
  while (!timed_out_) {
    const bool last = idle_ && hub_.stopping;  // what has arrived by now is still answered
    if (!last) {
      const auto [failed] = co_await socket_.async_wait(StreamSocket::wait_read, as_tuple);
      if (failed && idle_ && hub_.stopping) continue;
      if (failed) break;
    }
    asio::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(hub_.input), error);
    if (error == asio::error::interrupted || (error == asio::error::would_block && !last)) continue;
    if (error) break;
    co_return std::string_view(hub_.input.data(), size);
  }
  co_return std::string_view();
}

std::string& Connection::output() {
  if (output_.capacity() < hub_.output.capacity() && output_.empty()) output_.swap(hub_.output);
  return output_;
}

asio::awaitable<bool> Connection::flush() {
  Waiting waiting(hub_.unsent);
  std::string_view rest = output_;
  bool alive = true;
  while (!rest.empty() && alive) {
    asio::error_code error;
    rest.remove_prefix(socket_.write_some(asio::buffer(rest), error));
    if (error == asio::error::would_block || error == asio::error::try_again) {
      waiting.begin(output_.size());
      set_deadline(limits::send_timeout);
      const auto [failed] = co_await socket_.async_wait(StreamSocket::wait_write, as_tuple);
      alive = !failed && !timed_out_;
      cut_off_ = timed_out_;
    } else if (error && error != asio::error::interrupted) {
      alive = false;
    }
  }
  give_back_output();
  co_return alive;
}

std::string Connection::cut_off_text(const std::string& client) const {
  if (!cut_off_) return {};
  const auto since = (std::chrono::system_clock::now() - limits::send_timeout).time_since_epoch();
  return client + " was cut off: it has not taken its answers since " +
         protocol::time_text(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()) + ".";
}

void Connection::give_back_output() {
  output_.clear();
  if (output_.capacity() > hub_.output.capacity() && output_.capacity() <= scratch_bytes) output_.swap(hub_.output);
  std::string().swap(output_);
}

Error too_many_unsent() {
  return make_error(Errc::busy,
                    "other clients have not taken their answers, and this one is too long to wait with them",
                    "try again in a moment, or ask for less");
}

asio::awaitable<void> Connection::close_gracefully() {
  // Closing with unread bytes resets the connection, and the client may lose the answer it has not read yet.
  asio::error_code ignored;
  socket_.shutdown(StreamSocket::shutdown_send, ignored);
  set_deadline(linger_time);
  set_idle(false);
  for (std::size_t read = 0; read < linger_bytes;) {
    const std::string_view bytes = co_await receive();
    if (bytes.empty()) break;
    read += bytes.size();
  }
}

}  // namespace chash::net
