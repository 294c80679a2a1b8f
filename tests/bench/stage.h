// What the measurements need around them: a scratch directory, daemons in it, and a bare echo as the floor under both.
// All of it is gone when these objects are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "load.h"
#include "protocol/operations.h"

namespace bench {

class Scratch {
 public:
  // Below `parent`.
  explicit Scratch(const std::filesystem::path& parent);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The directory of this program, where chashd and chash are too.
std::filesystem::path own_directory();

// A child process that dies with us.
class Child {
 public:
  Child() = default;
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // SIGTERM, then after a while SIGKILL

  pid_t pid() const { return pid_; }
  bool has_ended();

 private:
  pid_t pid_ = -1;
};

// A chashd with the seed's nodes, its socket, state and logs below `directory`, HTTP on a free port, its console
// unread.
class Daemon {
 public:
  // Returns when it has answered a ping.
  Daemon(std::filesystem::path directory, const std::vector<std::string>& options);

  pid_t pid() const { return child_.pid(); }
  std::int64_t start_ns() const { return start_ns_; }  // from the start of the process to the answer
  Address socket() const { return {(directory_ / "sock").string(), 0}; }
  Address http() const { return {{}, http_port_}; }
  std::uint16_t http_port() const { return http_port_; }
  chash::protocol::Status::Response status() const;
  void remove_nodes(const std::vector<std::string>& names) const;
  // A hundred megabytes of log on their way to the disk would disturb whoever syncs next.
  void empty_logs() const;

 private:
  chash::protocol::AnyResponse ask(const chash::protocol::AnyRequest& request) const;
  void wait_until_ready();

  std::filesystem::path directory_;
  std::vector<std::string> command_;
  std::int64_t started_at_ = 0;
  Child child_;
  std::int64_t start_ns_ = 0;
  std::uint16_t http_port_ = 0;
};

// Sends back whatever comes: what a round trip costs when nobody does anything. One connection at a time.
class Echo {
 public:
  static Echo on_socket(const std::filesystem::path& path);
  static Echo on_tcp();

  const Address& address() const { return address_; }
  pid_t pid() const { return child_.pid(); }

 private:
  Echo(Fd listener, Address address);

  Address address_;
  Child child_;
};

}  // namespace bench
