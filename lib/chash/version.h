#pragma once

#include <string_view>

namespace chash {

// The release, as CMakeLists.txt has it: "0.1.0".
std::string_view version();

}  // namespace chash
