// bench_serving: what an answer of chashd costs, all ways to ask side by side in one run.
//
// It starts the chashd that lies beside it, twice: with --log-requests on and with off, otherwise alike, each with the
// seed's three nodes and the number of threads that chashd chooses. One thread of this program sends requests made
// beforehand and counts the replies (load.h). The rows are measured one after the other, and all of them again in each
// round, because machines are noisy: a row shows the median of its rounds, with the lowest and the highest rate.
//
//   rate       look-ups (or changes) answered in a second; a batch of 100 keys counts 100
//   p50, p99   of a request, from its sending to its reply: with 64 in flight, 63 others wait in it; a whole batch
//   daemon us  processor time of chashd for each look-up, its log thread and the kernel's work for it included
//   client us  the same of this program: where it is the larger one, the generator was the limit
//
// The first section has no daemon in it, and the echo rows have one that does nothing: what the machine itself takes.
// A process row is one program from its start to its end, `/bin/true` being what no program can go below.
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include "chash/version.h"
#include "failure.h"
#include "report.h"
#include "sections.h"
#include "stage.h"

namespace {

using namespace bench;

constexpr const char* help =
    "usage: bench_serving [OPTION...]\n"
    "Measures the chashd and chash beside it and prints one table.\n"
    "  --seconds S   for each row in each round (default: 1)\n"
    "  --rounds N    of which the median is shown (default: 3)\n"
    "  --quick       short rows: a first look in half a minute\n"
    "  --smoke       only shows that every row can be measured; the figures mean nothing\n"
    "  --only TEXT   sections and rows whose name holds it\n"
    "  --threads N   of chashd (default: its own choice)\n"
    "  --dir DIR     for sockets, state and logs (default: TMPDIR or /tmp); its disk decides what a change costs\n"
    "  --json FILE   all figures of all rounds too\n"
    "  --help\n";

std::string file_system_of(const std::filesystem::path& path) {
  struct statfs status {};
  if (statfs(path.c_str(), &status) != 0) return "an unknown file system";
  constexpr long tmpfs = 0x01021994;
  return status.f_type == tmpfs ? "tmpfs (a sync costs nothing there: see --dir)" : "a disk";
}

std::vector<std::string> preamble(const Options& options) {
  std::array<char, 16> seconds{};
  std::to_chars(seconds.data(), seconds.data() + seconds.size() - 1, options.seconds);
  return {"chash " + std::string(chash::version()) + ", serving: median of " + std::to_string(options.rounds) +
              " rounds of " + seconds.data() + " s a row",
          std::to_string(std::thread::hardware_concurrency()) + " processors; state and logs on " +
              file_system_of(options.directory)};
}

std::string dropped_lines(const Daemon& daemon) {
  const auto counters = daemon.status().counters;
  return "With --log-requests on, " + std::to_string(counters.log_lines_dropped) + " log lines were dropped in " +
         std::to_string(counters.lookups) + " look-ups.";
}

void write_file(const std::string& name, const std::string& text) {
  std::ofstream out(name);
  if (!(out << text).flush()) fail("cannot write " + name);
}

void measure_all(Report& report, std::size_t rounds) {
  const bool shows_progress = isatty(STDERR_FILENO) == 1;
  for (std::size_t round = 1; round <= rounds; ++round)
    for (Section& section : report.sections)
      for (Step& step : section.steps) {
        if (shows_progress)
          std::cerr << "\r\033[Kround " << round << ": " << section.title << ", " << step.rows.front().name
                    << std::flush;
        step.measure(step.rows);
      }
  if (shows_progress) std::cerr << "\r\033[K";
}

bool has(const std::string& name, const std::string& text) { return name.find(text) != std::string::npos; }

void keep_only(const std::string& text, Report& report) {
  for (Section& section : report.sections)
    if (!has(section.title, text))
      std::erase_if(section.steps, [&](const Step& step) {
        return std::ranges::none_of(step.rows, [&](const Row& row) { return has(row.name, text); });
      });
  std::erase_if(report.sections, [](const Section& section) { return section.steps.empty(); });
}

void run_benchmark(const Options& options) {
  const Scratch scratch(options.directory);
  const auto with_request_log = [&](const char* on_or_off) {
    auto words = options.daemon_options;
    words.insert(words.end(), {"--log-requests", on_or_off});
    return words;
  };
  const Daemon quiet(scratch.path() / "quiet", with_request_log("off"));
  const Daemon logging(scratch.path() / "logging", with_request_log("on"));
  const Echo socket_echo = Echo::on_socket(scratch.path() / "echo"), tcp_echo = Echo::on_tcp();

  Report report;
  report.preamble = preamble(options);
  report.sections.push_back(in_process_section(options));
  report.sections.push_back(socket_section(options, quiet, socket_echo));
  report.sections.push_back(http_section(options, quiet, &tcp_echo, "HTTP, --log-requests off"));
  report.sections.push_back(http_section(options, logging, nullptr, "HTTP, --log-requests on (the default)"));
  report.sections.push_back(change_section(options, quiet, scratch));
  report.sections.push_back(process_section(options, quiet));
  report.sections.push_back(start_section(options, scratch));
  keep_only(options.only, report);
  measure_all(report, options.rounds);
  report.notes.push_back(dropped_lines(logging));
  print(report, std::cout);
  if (!options.json_file.empty()) write_file(options.json_file, as_json(report));
}

template <class Number>
Number number(const std::string& option, const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0) || !(value <= 3600))
    fail(option + " wants a number above 0, not '" + text + "'");
  return value;
}

Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const auto value = [&]() -> const std::string& {
      if (++i == arguments.size()) fail(name + " wants a value");
      return arguments[i];
    };
    if (name == "--seconds") options.seconds = number<double>(name, value());
    else if (name == "--rounds") options.rounds = number<std::size_t>(name, value());
    else if (name == "--quick") options.seconds = 0.2, options.runs = 30, options.starts = 3;
    else if (name == "--smoke") options.seconds = 0.005, options.rounds = 1, options.runs = 2, options.starts = 1;
    else if (name == "--only") options.only = value();
    else if (name == "--threads") options.daemon_options = {name, value()};
    else if (name == "--dir") options.directory = value();
    else if (name == "--json") options.json_file = value();
    else fail("unknown option '" + name + "'; see --help");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"--help"}) return std::fputs(help, stdout) >= 0 ? 0 : 1;
  try {
    run_benchmark(read_options(arguments));
    return std::cout.flush() ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_serving: %s\n", e.what());
    return 1;
  }
}
