// The last word: how Ctrl-C ends a command that follows something (others look at Interrupt): at once while it waits,
// and after a line, or a command that it runs, that has begun.
#pragma once

#include <string>

namespace chash::cli {

// From now on SIGINT and SIGTERM end chash with 128 and their number, unless whoever started it had them ignored.
void heed_interruptions();

// What is said on standard error then.  Requires: an InterruptionsHeld lives.
void set_last_word(const std::string& text);

// While it lives, the first signal is only noted, and heeded at its end. The second ends chash at once: what has begun
// may hang.
class InterruptionsHeld {
 public:
  InterruptionsHeld();
  ~InterruptionsHeld();
  InterruptionsHeld(const InterruptionsHeld&) = delete;
  InterruptionsHeld& operator=(const InterruptionsHeld&) = delete;
};

}  // namespace chash::cli
