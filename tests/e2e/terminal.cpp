#include "terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "harness.h"

namespace chash::e2e {

Terminal::Terminal() : person_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
  if (person_ < 0 || grantpt(person_) != 0 || unlockpt(person_) != 0) throw std::runtime_error("no terminal");
  program_ = open(ptsname(person_), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (program_ < 0) throw std::runtime_error("no terminal");
  termios settings{};
  tcgetattr(program_, &settings);
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  tcsetattr(program_, TCSANOW, &settings);
}

Terminal::~Terminal() {
  close(program_);
  close(person_);
}

void Terminal::type(std::string_view bytes) {
  if (write(person_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the terminal takes nothing");
}

std::string Terminal::shown() {
  std::array<char, 4096> piece;
  for (ssize_t size = 0; (size = read(person_, piece.data(), piece.size())) > 0;)
    shown_.append(piece.data(), static_cast<std::size_t>(size));
  return shown_;
}

void Terminal::wait_for(std::string_view text) {
  wait_until(text, [&] { return contains(shown(), text); });
}

}  // namespace chash::e2e
