// Load for bench: look-ups whose bytes were made before the clock starts, sent over some connections, a thread each,
// and their replies counted. It builds and parses nothing meanwhile, for it takes a processor from the daemon.
//
// The bench of the project itself (tests/bench) is another: it pins, repeats and compares, and dies of any surprise.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "chash/result.h"
#include "net/client_endpoint.h"

namespace chash::cli {

// How long replies took, to a part in 64 of each. Its size does not depend on how many there are.
class Latencies {
 public:
  void add(std::uint64_t ns) { ++counts_[bucket(ns)]; }
  void add(const Latencies& other);
  std::uint64_t count() const;
  // The least that `part` of them did not exceed; 0 of none.
  double percentile_us(double part) const;

 private:
  static constexpr unsigned fine_bits = 6, largest_bits = 36;  // about a minute; what is longer counts as that
  static std::size_t bucket(std::uint64_t ns) {
    const auto bits = static_cast<unsigned>(std::bit_width(ns));
    if (bits > largest_bits) return size - 1;
    if (bits <= fine_bits) return ns;
    const unsigned shift = bits - fine_bits - 1;
    return (std::size_t{shift} << fine_bits) + (ns >> shift);
  }
  static double value_ns(std::size_t bucket);

  static constexpr std::size_t size = (largest_bits - fine_bits + 1) << fine_bits;
  std::array<std::uint64_t, size> counts_{};
};

struct Load {
  net::Endpoint endpoint;
  std::vector<std::string> requests;  // sent in turn
  std::uint32_t connections = 1;
  std::uint32_t pipeline = 1;  // how many are on their way on each; over HTTP one
  std::chrono::milliseconds duration{}, timeout{};
};

struct LoadOutcome {
  Latencies latencies;
  double seconds = 0;
  std::uint64_t refused = 0;  // replies that are errors
};

// Ends early at Ctrl-C. `show_progress` is called now and then with the part of the time that has passed.
// Errors: unreachable, timeout; internal, where what comes is no reply.  Requires: an Interrupt lives.
Result<LoadOutcome> run_load(const Load& load, const std::function<void(double)>& show_progress);

}  // namespace chash::cli
