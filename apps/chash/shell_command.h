// A command of the user's, run by the shell.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chash/result.h"

namespace chash::cli {

// Runs it with `input` on its standard input and these variables in its environment, and waits for it. It need not
// read. Its exit status, as a shell has it: 128 + n after signal n.  Errors: internal (it could not be started).
Result<int> run_shell_command(const std::string& command, std::string_view input,
                              const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace chash::cli
