// Load: requests whose bytes were made before the clock starts, sent over some connections by one thread, and the
// replies counted.
//
// The generator must not be what limits: it builds nothing and parses no JSON. It finds where a reply ends (a newline,
// or a Content-Length), looks at its first bytes, and compares one reply in check_every with what it must hold. Replies
// that arrive together are answered by one write. What it costs itself is in the table beside what the daemon costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// A file descriptor of ours.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int descriptor) : descriptor_(descriptor) {}
  Fd(Fd&& other) noexcept : descriptor_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return descriptor_; }
  int release();

 private:
  int descriptor_ = -1;
};

enum class Protocol : unsigned char { lines, http };

// Where to connect: the path of a Unix socket, or if that is empty a port of 127.0.0.1.
struct Address {
  std::string path;
  std::uint16_t port = 0;
};

Fd connect_to(const Address& address);

// Requests to send in turn, from the first again after the last.
struct Tape {
  std::string bytes;                  // of all requests, one after the other
  std::vector<std::size_t> ends;      // of each request in `bytes`
  std::vector<std::string> expected;  // what each reply must hold; empty: the request itself comes back

  void add(std::string_view request, std::string expect);
};

struct Load {
  Address address;
  Protocol protocol = Protocol::lines;
  std::vector<Tape> tapes;  // connection i sends tape i modulo their number
  std::size_t connections = 1;
  std::size_t depth = 1;    // requests in flight on each
  bool reconnects = false;  // a connection for every request; one at a time
  std::size_t keys = 1;     // look-ups, or changes, in one request
};

// One run of something.
struct Sample {
  double count = 0;  // look-ups, changes or runs
  double seconds = 0;
  double daemon_cpu_s = 0;  // 0: no daemon took part
  double client_cpu_s = 0;
  std::vector<std::uint32_t> latencies_ns{};  // of requests; may be empty
};

// Keeps up the load for that long, then waits for the replies that are due.
Sample run(const Load& load, double seconds);

std::int64_t now_ns();
double cpu_seconds();         // of this process
double cpu_seconds(int pid);  // of another

}  // namespace bench
