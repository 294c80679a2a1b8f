// Files of rings, in whatever format, and times: what can be read is written and read again to the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "moment.h"
#include "protocol/naive.h"
#include "protocol/time_text.h"
#include "ring_file.h"

namespace {

using namespace chash;
using protocol::NodeGiven;
using protocol::RingFile;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Whatever order an object had.
bool same(NodeGiven a, NodeGiven b) {
  std::ranges::sort(a.fields_given);
  std::ranges::sort(b.fields_given);
  std::ranges::sort(a.labels);
  std::ranges::sort(b.labels);
  return a.name == b.name && a.weight == b.weight && a.fields_given == b.fields_given && a.labels == b.labels;
}

void try_ring_file(std::string_view text) {
  const auto file = cli::parse_ring_file(text, "fuzz");
  if (!file) {
    must(test::is_printable(file.error().message), "a message is printable");
    return;
  }
  for (const char* format : {"toml", "json"}) {
    const auto written = cli::write_ring_file(*file, format);
    must(written.has_value(), "TOML and JSON can have every ring");
    const auto again = cli::parse_ring_file(*written, "fuzz");
    must(again.has_value(), "what was written is read");
    must(again->ring == file->ring && again->profile == file->profile && again->max_move == file->max_move,
         "and says the same of the ring");
    must(std::ranges::equal(again->nodes, file->nodes, same), "and of its nodes");
  }
  for (const char* format : {"nodes", "nginx", "haproxy"}) (void)cli::write_ring_file(*file, format);
}

void try_time(std::string_view text) {
  (void)cli::parse_moment(text);
  const auto time = protocol::parse_time(text);
  if (!time || *time == 0) return;
  must(protocol::parse_time(protocol::time_text(*time)) == time, "a time comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_ring_file(text);
  try_time(text);
  return 0;
}
