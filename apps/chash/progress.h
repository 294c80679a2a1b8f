// Progress: a bar on standard error for what takes long, where that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace chash::cli {

class Progress {
 public:
  // `total` is 0 where nobody knows it.
  explicit Progress(std::uint64_t total);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::uint64_t some);
  // Takes the bar away, for other words to stand there.
  void clear();

 private:
  void draw();

  using Clock = std::chrono::steady_clock;
  std::uint64_t total_, done_ = 0;
  bool wanted_, drawn_ = false;
  Clock::time_point next_;
};

}  // namespace chash::cli
