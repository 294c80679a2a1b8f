// Interrupt: Ctrl-C as something to look at, for work that is to end in good order.
#pragma once

#include <csignal>

namespace chash::cli {

// While one lives, SIGINT is only noted, and what waits for input is woken; the third ends the process.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether it came while any of them lived.
  static bool came();

  // Until the descriptor can be read, or the time is over; -1 is none of it. False when it came, before or meanwhile:
  // no read() that follows upon a look at came() can say so, since it may come in between.
  static bool wait(int descriptor, int timeout_ms = -1);

 private:
  struct sigaction before_ {};
};

inline constexpr int interrupted_status = 130;  // as a shell has it for what SIGINT ended

}  // namespace chash::cli
