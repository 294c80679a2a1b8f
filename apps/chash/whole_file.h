// A file that is there whole, or as it was before.
#pragma once

#include <string>
#include <string_view>

#include "chash/result.h"

namespace chash::cli {

// Written beside it and put in its place. What is there and is no ordinary file is left alone: a device, a pipe.
// Errors: invalid_argument, with the name and the system's reason.
Result<void> write_whole_file(const std::string& path, std::string_view bytes);

}  // namespace chash::cli
