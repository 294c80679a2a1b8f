// Terminal: one that a program under test takes for a person's.
#pragma once

#include <string>
#include <string_view>

namespace chash::e2e {

class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // What a program has for its input and output.
  int descriptor() const { return program_; }
  void type(std::string_view bytes);
  // Waits until this has been shown.
  void wait_for(std::string_view text);
  // All that was shown so far, with its newlines as programs write them.
  std::string shown();

 private:
  int person_ = -1, program_ = -1;
  std::string shown_;
};

}  // namespace chash::e2e
