#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "failure.h"

namespace bench {
namespace {

constexpr std::size_t check_every = 64;
constexpr std::size_t receive_bytes = 256 * 1024;  // more than any reply here
constexpr int patience_s = 10;

double seconds_of(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) fail_with_errno("cannot read a clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string_view shown(std::string_view reply) { return reply.substr(0, 300); }

// The size of the reply at the start of `bytes`; 0 while it is incomplete.
std::size_t line_size(std::string_view bytes) {
  const void* end = std::memchr(bytes.data(), '\n', bytes.size());
  return end == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + 1;
}

std::size_t http_reply_size(std::string_view bytes) {
  constexpr std::string_view blank_line = "\r\n\r\n", length_field = "Content-Length: ";
  const void* end = memmem(bytes.data(), bytes.size(), blank_line.data(), blank_line.size());
  if (end == nullptr) return 0;
  const auto head_size = static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) + blank_line.size();
  const void* field = memmem(bytes.data(), head_size, length_field.data(), length_field.size());
  if (field == nullptr) fail("a reply without a length: " + std::string(shown(bytes)));
  const char* digits = static_cast<const char*>(field) + length_field.size();
  std::size_t length = 0;
  std::from_chars(digits, static_cast<const char*>(end), length);
  return bytes.size() < head_size + length ? 0 : head_size + length;
}

bool is_success(Protocol protocol, std::string_view reply) {
  if (protocol == Protocol::lines) return reply.starts_with("{\"ok\":");
  return reply.starts_with("HTTP/1.1 200 ") || reply.starts_with("HTTP/1.1 201 ");
}

// One connection with its requests in flight.
class Exchange {
 public:
  Exchange(const Load& load, const Tape& tape)
      : load_(load),
        tape_(tape),
        connection_(connect_to(load.address)),
        sent_at_(load.depth),
        buffer_(receive_bytes, '\0') {}

  int descriptor() const { return connection_.get(); }
  std::size_t in_flight() const { return in_flight_; }

  void reconnect() {
    // Closing with a reset leaves no port behind in TIME_WAIT; a second of connections would use them all up.
    const linger at_once{1, 0};
    setsockopt(connection_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection_ = connect_to(load_.address);
  }

  // Sends as many requests as may be in flight.
  void top_up(std::int64_t now) {
    std::size_t wanted = load_.depth - in_flight_;
    while (wanted > 0) {
      const std::size_t end = std::min(next_ + wanted, tape_.ends.size());
      const std::size_t begin = next_ == 0 ? 0 : tape_.ends[next_ - 1];
      send_all(std::string_view(tape_.bytes).substr(begin, tape_.ends[end - 1] - begin));
      for (; next_ < end; ++next_, --wanted, ++in_flight_) sent_at_[sent_++ % load_.depth] = now;
      if (next_ == tape_.ends.size()) next_ = 0;
    }
  }

  // Takes what has come.  Returns the number of whole replies.
  std::size_t take(std::vector<std::uint32_t>& latencies) {
    const ssize_t got = recv(connection_.get(), buffer_.data() + filled_, buffer_.size() - filled_, 0);
    if (got <= 0) fail(got == 0 ? "chashd closed a connection" : "no reply: " + std::system_category().message(errno));
    filled_ += static_cast<std::size_t>(got);
    const std::int64_t now = now_ns();
    std::string_view rest = std::string_view(buffer_).substr(0, filled_);
    std::size_t replies = 0;
    while (const std::size_t size = load_.protocol == Protocol::lines ? line_size(rest) : http_reply_size(rest)) {
      check(rest.substr(0, size));
      latencies.push_back(
          static_cast<std::uint32_t>(std::min<std::int64_t>(now - sent_at_[answered_++ % load_.depth], UINT32_MAX)));
      rest.remove_prefix(size);
      ++replies;
    }
    in_flight_ -= replies;
    filled_ = rest.size();
    if (replies > 0) std::memmove(buffer_.data(), rest.data(), rest.size());
    else if (filled_ == buffer_.size()) fail("a reply is longer than expected");
    return replies;
  }

 private:
  void send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) fail_with_errno("cannot send to chashd");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void check(std::string_view reply) const {
    if (tape_.expected.empty()) return;
    const bool good = is_success(load_.protocol, reply) &&
                      (answered_ % check_every != 0 ||
                       reply.find(tape_.expected[answered_ % tape_.expected.size()]) != std::string_view::npos);
    if (!good) fail("a wrong reply: " + std::string(shown(reply)));
  }

  const Load& load_;
  const Tape& tape_;
  Fd connection_;
  std::vector<std::int64_t> sent_at_;  // of request n at n modulo depth
  std::string buffer_;
  std::size_t filled_ = 0;
  std::size_t next_ = 0;  // on the tape
  std::size_t in_flight_ = 0, sent_ = 0, answered_ = 0;
};

std::size_t run_one(Exchange& exchange, bool reconnects, std::int64_t deadline, std::vector<std::uint32_t>& latencies) {
  std::size_t replies = 0;
  exchange.top_up(now_ns());
  while (exchange.in_flight() > 0) {
    replies += exchange.take(latencies);
    const std::int64_t now = now_ns();
    if (exchange.in_flight() > 0 && reconnects) continue;  // half a reply
    if (now >= deadline) continue;
    if (reconnects) exchange.reconnect();
    exchange.top_up(now);
  }
  return replies;
}

std::size_t run_many(std::vector<Exchange>& exchanges, std::int64_t deadline, std::vector<std::uint32_t>& latencies) {
  const Fd poll(epoll_create1(EPOLL_CLOEXEC));
  std::size_t replies = 0, busy = exchanges.size();
  for (Exchange& exchange : exchanges) {
    epoll_event event{EPOLLIN, {&exchange}};
    if (epoll_ctl(poll.get(), EPOLL_CTL_ADD, exchange.descriptor(), &event) != 0)
      fail_with_errno("cannot wait for replies");
    exchange.top_up(now_ns());
  }
  std::array<epoll_event, 64> ready;
  while (busy > 0) {
    const int count = epoll_wait(poll.get(), ready.data(), static_cast<int>(ready.size()), patience_s * 1000);
    if (count == 0 || (count < 0 && errno != EINTR)) fail("chashd does not answer");
    for (int i = 0; i < count; ++i) {
      auto& exchange = *static_cast<Exchange*>(ready[static_cast<std::size_t>(i)].data.ptr);
      replies += exchange.take(latencies);
      if (const std::int64_t now = now_ns(); now < deadline) exchange.top_up(now);
      if (exchange.in_flight() == 0) --busy;
    }
  }
  return replies;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Fd::~Fd() {
  if (descriptor_ >= 0) close(descriptor_);
}

int Fd::release() { return std::exchange(descriptor_, -1); }

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

double cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

double cpu_seconds(int pid) {
  clockid_t clock{};
  if (clock_getcpuclockid(pid, &clock) != 0) fail("chashd is gone");
  return seconds_of(clock);
}

Fd connect_to(const Address& address) {
  const bool local = !address.path.empty();
  Fd connection(socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{patience_s, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  int outcome = 0;
  if (local) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    address.path.copy(where.sun_path, sizeof where.sun_path - 1);
    outcome = connect(connection.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where);
  } else {
    const int no_delay = 1;
    setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(address.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    outcome = connect(connection.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where);
  }
  if (outcome != 0)
    fail_with_errno("cannot connect to " + (local ? address.path : "port " + std::to_string(address.port)));
  return connection;
}

void Tape::add(std::string_view request, std::string expect) {
  bytes += request;
  ends.push_back(bytes.size());
  if (!expect.empty()) expected.push_back(std::move(expect));
}

Sample run(const Load& load, double seconds) {
  std::vector<Exchange> exchanges;
  exchanges.reserve(load.connections);
  for (std::size_t i = 0; i < load.connections; ++i) exchanges.emplace_back(load, load.tapes[i % load.tapes.size()]);
  Sample sample;
  const double cpu = cpu_seconds();
  const std::int64_t start = now_ns();
  const std::int64_t deadline = start + static_cast<std::int64_t>(seconds * 1e9);
  const std::size_t replies = load.connections == 1
                                  ? run_one(exchanges.front(), load.reconnects, deadline, sample.latencies_ns)
                                  : run_many(exchanges, deadline, sample.latencies_ns);
  sample.seconds = static_cast<double>(now_ns() - start) * 1e-9;
  sample.client_cpu_s = cpu_seconds() - cpu;
  sample.count = static_cast<double>(replies * load.keys);
  return sample;
}

}  // namespace bench
