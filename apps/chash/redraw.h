// Watch: --watch, by which a command prints again and again until Ctrl-C.
#pragma once

#include <functional>

#include "run.h"

namespace chash::cli {

// Whether --watch is given.
bool is_watched(const Run& run);
// How often.  Errors: invalid_argument.
Result<std::chrono::milliseconds> watch_interval(const Run& run);

// Calls `print`, which appends to run.out, once, or with --watch every so often: redrawn in place on a terminal, else
// one behind the other. Returns its status once that is not 0, and interrupted_status after Ctrl-C.
int print_watched(const Run& run, const std::function<int()>& print);

// Waits so long, or until Ctrl-C; false then.  Requires: an Interrupt lives.
bool wait_undisturbed(std::chrono::milliseconds time);

}  // namespace chash::cli
