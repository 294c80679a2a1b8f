// Third-party test data that is not part of this repository: suites of hostile JSON, awkward names, fuzzing corpora.
//
// It lies in `shared/` beside the checkout, or where the environment variable CHASH_SHARED points. A test that needs it
// passes without it, but says so:
//
//   const auto suite = test::shared_material("material/json/JSONTestSuite");
//   if (!suite) {
//     MESSAGE(test::not_run("the cases of JSONTestSuite"));
//     return;
//   }
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chash::test {

// The file or directory `part` of the shared material, if it is there.
inline std::optional<std::filesystem::path> shared_material(std::string_view part) {
  const char* chosen = std::getenv("CHASH_SHARED");
  const std::filesystem::path path = std::filesystem::path(chosen != nullptr ? chosen : CHASH_SHARED_DIR) / part;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return path;
}

inline std::string not_run(std::string_view what) {
  return "NOT RUN: " + std::string(what) + "; point CHASH_SHARED at the shared test data to run them";
}

// Data of this repository, under tests/data.
inline std::filesystem::path test_data(std::string_view name) {
  return std::filesystem::path(CHASH_TEST_DATA_DIR) / name;
}

// Throws where the file cannot be read: doctest reports that as a failure.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The regular files of a directory whose names start with `prefix`, sorted.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory,
                                                   std::string_view prefix = "") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace chash::test
