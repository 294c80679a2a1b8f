// Amounts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chash::cli {

// "1 node", "3 nodes"
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

// The two largest units: "3d 2h", "4m 10s", "7s".
std::string span_text(std::uint64_t seconds);

std::string ms_text(double ms);

// "12,000"
std::string grouped(std::uint64_t count);

// "1.2 GB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace chash::cli
