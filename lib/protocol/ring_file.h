// A ring as a file: what `chash export` writes and `chash apply` reads, as JSON or TOML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "chash/result.h"
#include "protocol/movement_report.h"

namespace chash::protocol {

struct RingFile {
  std::string ring{};
  std::optional<std::uint64_t> epoch{};
  std::string profile{};
  std::optional<double> max_move{};
  std::vector<NodeGiven> nodes{};
  std::optional<std::vector<PinGiven>> pins{};

  static constexpr auto fields() {
    using F = RingFile;
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple{Field{"ring", &F::ring, "the ring that it was exported from", body, optional},
                      Field{"epoch", &F::epoch, "and its membership version", body, optional},
                      Field{"profile", &F::profile, "how it places keys", body, optional},
                      Field{"max_move", &F::max_move, "the share of all keys that one change may move", body, optional},
                      Field{"nodes", &F::nodes, "its nodes"},
                      Field{"pins", &F::pins, "keys that are placed by hand", body, optional}};
  }
};

std::string encode_ring_file(const RingFile& file);  // JSON
// Strict, as requests are.  Errors: invalid_request, invalid_argument.
Result<RingFile> decode_ring_file(std::string_view json);

}  // namespace chash::protocol
