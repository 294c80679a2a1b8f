#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "output.h"

namespace chash::cli {
namespace {

constexpr std::chrono::milliseconds patience{500};  // what is done by then needs no bar
constexpr std::chrono::milliseconds pause{100};
constexpr std::size_t width = 30;

void put(const std::string& text) {
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Progress::Progress(std::uint64_t total)
    : total_(total), wanted_(::isatty(STDERR_FILENO) == 1), next_(Clock::now() + patience) {}

void Progress::advance(std::uint64_t some) {
  done_ += some;
  if (!wanted_ || Clock::now() < next_) return;
  next_ = Clock::now() + pause;
  draw();
}

void Progress::draw() {
  std::string line = "\r";
  if (total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
    const auto full = static_cast<std::size_t>(share * width);
    line += '[' + std::string(full, '#') + std::string(width - full, '.') + "] " + fixed_text(100 * share, 0) + "% of ";
    line += fixed_text(static_cast<double>(total_) / 1e6, 1) + " MB ";
  } else {
    line += fixed_text(static_cast<double>(done_) / 1e6, 1) + " MB read ";
  }
  put(line);
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) put("\r\x1b[K");
  drawn_ = false;
}

}  // namespace chash::cli
