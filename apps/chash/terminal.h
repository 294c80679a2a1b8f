// The terminal: how large it is, and what it can show.
#pragma once

#include <cstddef>

#include "settings.h"

namespace chash::cli {

struct TerminalSize {
  std::size_t columns = 80, lines = 24;
};

// COLUMNS and LINES, each where it says something sensible, since somebody set it; else what the terminal says; else
// 80 by 24.
TerminalSize terminal_size(int descriptor, const Environment& environment);

// Whether the locale has UTF-8.
bool shows_utf8(const Environment& environment);

// The environment of this process.
const char* process_environment(const char* name);

}  // namespace chash::cli
