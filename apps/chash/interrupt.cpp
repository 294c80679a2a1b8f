#include "interrupt.h"

#include <unistd.h>

namespace chash::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// timeout(1) sends it twice at once, to the process and to its group.
constexpr std::sig_atomic_t enough = 3;

void note(int) {
  interrupted = interrupted + 1;
  if (interrupted >= enough) ::_exit(interrupted_status);
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

bool Interrupt::came() { return interrupted != 0; }

}  // namespace chash::cli
