#include "last_word.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace chash::cli {
namespace {

// A signal handler may touch little else.
volatile std::sig_atomic_t held = 0, noted = 0, word_size = 0;
std::array<char, 512> word;

void end(int signal) {
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, word.data(), static_cast<std::size_t>(word_size));
  ::_exit(128 + signal);
}

void on_signal(int signal) {
  if (held == 0 || noted != 0) end(signal);
  noted = signal;
}

}  // namespace

void heed_interruptions() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
}

void set_last_word(const std::string& text) {
  word_size = 0;
  const std::size_t size = std::min(text.size(), word.size());
  std::copy_n(text.begin(), size, word.begin());
  word_size = static_cast<std::sig_atomic_t>(size);
}

InterruptionsHeld::InterruptionsHeld() { held = 1; }

InterruptionsHeld::~InterruptionsHeld() {
  held = 0;
  if (noted != 0) end(noted);
}

}  // namespace chash::cli
