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

 private:
  struct sigaction before_ {};
};

inline constexpr int interrupted_status = 130;  // as a shell has it for what SIGINT ended

}  // namespace chash::cli
