#include "interrupt.h"

#include <unistd.h>

#include <atomic>

namespace chash::cli {
namespace {

// Threads look at it, too, so that a sig_atomic_t is not enough.
std::atomic<int> interrupted{0};
static_assert(std::atomic<int>::is_always_lock_free);  // else no signal handler may touch it

// timeout(1) sends it twice at once, to the process and to its group.
constexpr int enough = 3;

void note(int) {
  if (interrupted.fetch_add(1, std::memory_order_relaxed) + 1 >= enough) ::_exit(interrupted_status);
}

}  // namespace

Interrupt::Interrupt() {
  struct sigaction action {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // without SA_RESTART, so that read() and poll() return
  sigaction(SIGINT, &action, &before_);
  // Who is started with SIGINT ignored, as in the background of a script, leaves it so.
  if (before_.sa_handler == SIG_IGN) sigaction(SIGINT, &before_, nullptr);
}

Interrupt::~Interrupt() { sigaction(SIGINT, &before_, nullptr); }

bool Interrupt::came() { return interrupted.load(std::memory_order_relaxed) != 0; }

}  // namespace chash::cli
