// bench_placement: what looking a key up, changing a ring and keeping it in memory cost, side by side in one run.
//
// Every row is measured in turn, and all of them again in each round, because machines are noisy: a row shows the
// median of its rounds. `ratio` is the first row of its table over this one, or this one over it: what the title says.
//
//   single      independent keys in a loop: the processor works on several at once
//   dependent   each key is made of the last answer: what one look-up takes by itself
//   batch       through the interface for many keys
//
// The peers are our own other placements, std::upper_bound over sorted points (which is what most programs have,
// without their locks and health checks), and Debian's libmemcached where it is installed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "chash/version.h"
#include "placement_report.h"
#include "placement_sections.h"

using namespace placement_bench;

namespace {

constexpr const char* help =
    "usage: bench_placement [OPTION...]\n"
    "Measures look-ups, replica lists, hashing, building and memory beside other placements.\n"
    "  --quick       small rings and short rows: a first look in half a minute\n"
    "  --smoke       only shows that every row can be measured; the figures mean nothing\n"
    "  --json FILE   all figures, too\n"
    "  --svg FILE    the cost of a look-up against the size of the ring, as a picture\n"
    "  --help\n";

struct Options {
  Effort effort = Effort::full;
  std::string json, svg;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = word == "--json" || word == "--svg";
    if (word == "--quick") options.effort = std::min(options.effort, Effort::quick);
    else if (word == "--smoke") options.effort = Effort::smoke;
    else if (has_value && i + 1 < argc) (word == "--json" ? options.json : options.svg) = argv[++i];
    else {
      std::fputs(help, word == "--help" ? stdout : stderr);
      std::exit(word == "--help" ? 0 : 2);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const bool is_smoke = options.effort == Effort::smoke;
  std::printf("chash %s, placement, on %s\n", std::string(chash::version()).c_str(), processor().c_str());
  Report report(options.effort);
  Curves curves;
  std::vector<std::size_t> sizes{10, 100, 1000, 10'000, 100'000, 1'000'000};
  if (options.effort == Effort::quick) sizes.resize(4);
  if (is_smoke) sizes.resize(2);
  for (const std::size_t nodes : sizes) look_ups(report, nodes, curves);
  std::vector<std::size_t> rings{10, 100, 1000, 10'000};
  if (is_smoke) rings.resize(2);
  for (const std::size_t nodes : rings) keys_to_nodes(report, nodes);
  pinned_rings(report);
  for (const std::size_t nodes : rings) replica_lists(report, nodes);
  hashing(report);
  for (const std::size_t nodes : sizes) tables(report, nodes);
  std::printf("\nchanges, as snapshots\n");
  for (const std::size_t nodes : sizes) changing(report, nodes, is_smoke);
  std::printf("\nreaders\n");
  reading_while_changing(report, is_smoke);
  std::printf("\nmemory\n");
  for (const std::size_t nodes : rings) memory(report, nodes);
  for (const std::size_t nodes : rings)
    if (nodes >= 1000 || is_smoke) movements(report, nodes, is_smoke);
  building(report, is_smoke ? 100 : 1000);
  if (!is_smoke) balance(report);
  if (!options.json.empty()) std::ofstream(options.json) << report.json().dump(1) << '\n';
  if (!options.svg.empty()) write_svg(options.svg, curves);
  return 0;
}
