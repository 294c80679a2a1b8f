// Processes under test: the daemon and the command line as users start them, each in a scratch directory of its own.
//
// Nothing here sleeps for a fixed time: what is waited for is asked for again and again. Every wait ends with an
// exception after `watchdog`, which only a hang reaches.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chash::e2e {

inline constexpr std::chrono::seconds watchdog{120};

// A directory that only this test uses, gone at the end. Its path is short: a socket's may have 107 bytes.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }

 private:
  std::string path_;
};

void write_file(const std::string& path, std::string_view bytes);
bool contains(std::string_view text, std::string_view part);

// Asks again until the answer is yes. Throws after `watchdog`, naming what never came.
void wait_until(std::string_view what, const std::function<bool()>& done);

struct Launch {
  std::vector<std::string> arguments;    // with the program first
  std::vector<std::string> environment;  // NAME=VALUE, beside PATH, HOME, TMPDIR and what sanitizers read
  // Descriptors of the new process; -1: /dev/null. They stay open here.
  int input = -1, output = -1, error = -1;
  std::optional<uid_t> user;  // and group of the same number; needs root
};

// Ends with the thread that started it, so that a test that dies leaves nothing behind.
class Process {
 public:
  explicit Process(const Launch& launch);
  ~Process();  // kills and reaps
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // As a shell has it: 128 + n after signal n.
  std::optional<int> status();
  int wait();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Outcome {
  int status = 0;
  std::string out, err;
};

// Runs a program to its end. One that does not end is killed and throws.
Outcome run_program(std::vector<std::string> arguments, std::string_view input = {},
                    std::vector<std::string> environment = {}, std::optional<uid_t> user = {});

struct DaemonSettings {
  std::vector<std::string> initial_nodes{};
  std::vector<std::string> arguments{};    // beside socket, state and log directory
  std::vector<std::string> environment{};  // NAME=VALUE
  std::string config{};                    // path of a file; else one that says nothing
  bool http = true;                        // on 127.0.0.1, on a port that was free
  std::optional<uid_t> user{};             // needs root
};

inline std::vector<std::string> seed_nodes() { return {"cache-node-1", "cache-node-2", "cache-node-3"}; }

class Daemon {
 public:
  // Starts it and waits until it answers. Throws if it ends instead.
  explicit Daemon(DaemonSettings settings = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // On the state that is there. False: it ended instead, and wait() tells how.
  bool start();
  void start_without_waiting();

  pid_t pid() const { return process_->pid(); }
  void signal(int number) const { process_->signal(number); }
  int wait() { return process_->wait(); }
  void kill9();
  int stop();  // by SIGTERM; the exit status

  const ScratchDir& dir() const { return dir_; }
  std::string socket() const { return dir_ / "s"; }
  std::string state_dir() const { return dir_ / "state"; }
  std::string state_file() const { return dir_ / "state/chash.db"; }
  std::string log(std::string_view name) const;  // what that file holds
  std::string console() const;                   // what it wrote to standard output and error, over all starts
  std::uint16_t http_port() const;               // of the first address, as `status` tells it
  // How it is started; others may be started alike, with more arguments.
  std::vector<std::string> command_line() const;

 private:
  DaemonSettings settings_;
  ScratchDir dir_;
  std::optional<Process> process_;
};

}  // namespace chash::e2e
