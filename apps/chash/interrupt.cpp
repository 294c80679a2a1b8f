#include "interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

namespace chash::cli {
namespace {

// Threads look at it, too, so that a sig_atomic_t is not enough.
std::atomic<int> interrupted{0};
static_assert(std::atomic<int>::is_always_lock_free);  // else no signal handler may touch it

// timeout(1) sends it twice at once, to the process and to its group.
constexpr int enough = 3;

// What is written into it wakes poll(), also where the signal comes just before that begins. As long as the process.
struct Pipe {
  int ends[2] = {-1, -1};  // so they stay where there are no descriptors left, and poll() passes over them
  Pipe() { [[maybe_unused]] const int error = ::pipe2(ends, O_CLOEXEC | O_NONBLOCK); }
};

const Pipe& wake_pipe() {
  static const Pipe made;
  return made;
}

void note(int) {
  const int error = errno;
  if (interrupted.fetch_add(1, std::memory_order_relaxed) + 1 >= enough) ::_exit(interrupted_status);
  [[maybe_unused]] const auto ignored = ::write(wake_pipe().ends[1], "", 1);
  errno = error;
}

}  // namespace

Interrupt::Interrupt() {
  wake_pipe();  // before the handler needs it
  struct sigaction action {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // without SA_RESTART, so that read() and poll() return
  sigaction(SIGINT, &action, &before_);
  // Who is started with SIGINT ignored, as in the background of a script, leaves it so.
  if (before_.sa_handler == SIG_IGN) sigaction(SIGINT, &before_, nullptr);
}

Interrupt::~Interrupt() { sigaction(SIGINT, &before_, nullptr); }

bool Interrupt::wait(int descriptor, int timeout_ms) {
  std::array<pollfd, 2> waited{{{descriptor, POLLIN, 0}, {wake_pipe().ends[0], POLLIN, 0}}};
  while (!came() && ::poll(waited.data(), waited.size(), timeout_ms) < 0 && errno == EINTR && timeout_ms < 0) continue;
  return !came();
}

bool Interrupt::came() { return interrupted.load(std::memory_order_relaxed) != 0; }

}  // namespace chash::cli
