// Programs run to their end, and how long each took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// The environment without what would configure chash or chashd.
std::vector<std::string> clean_environment();

// As exec takes them.  Requires: `texts` outlive the result and its use.
std::vector<char*> c_strings(const std::vector<std::string>& texts);
std::vector<char*> c_strings(std::vector<std::string>&&) = delete;

// Of the first program of that name in PATH; empty if there is none.
std::string find_program(const std::string& name);

// From before the start until after the end, by posix_spawn, which does not copy our page tables. Standard output goes
// nowhere. A program that fails ends the benchmark.
std::int64_t time_program(const std::vector<std::string>& command);

// What it prints.
std::string output_of(const std::vector<std::string>& command);

}  // namespace bench
