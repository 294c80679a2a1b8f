// How much of something a test does: what the environment asks for, or enough for every day.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace chash::test {

inline std::uint64_t asked_for(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace chash::test
