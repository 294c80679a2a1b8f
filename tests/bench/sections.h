// The sections of the table: which rows there are, and how each is measured.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "report.h"
#include "stage.h"

namespace bench {

struct Options {
  double seconds = 1;  // a row, each round
  std::size_t rounds = 3;
  std::size_t runs = 70;  // of each program, each round
  std::size_t starts = 7;
  std::filesystem::path directory = std::filesystem::temp_directory_path();
  std::string only{};  // sections and rows whose name holds it
  std::string json_file{};
  std::vector<std::string> daemon_options{};  // for every chashd
};

// The daemons and echoes outlive the sections.
Section in_process_section(const Options& options);
Section socket_section(const Options& options, const Daemon& daemon, const Echo& echo);
Section http_section(const Options& options, const Daemon& daemon, const Echo* echo, const std::string& title);
Section change_section(const Options& options, const Daemon& daemon, const Scratch& scratch);
Section process_section(const Options& options, const Daemon& daemon);
Section start_section(const Options& options, const Scratch& scratch);

}  // namespace bench
