// What every change can be asked with, whatever it changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "protocol/field.h"

namespace chash::protocol {

// Requests of changes derive from this, and end their fields with change_fields().
struct ChangeOptions {
  std::optional<std::uint64_t> expect_epoch{};
  std::string note{};
  std::string request_id{};
  bool dry_run = false;
  bool force = false;
};

constexpr auto change_fields() {
  using O = ChangeOptions;
  constexpr auto query = In::query;
  constexpr auto optional = Presence::optional;
  return std::tuple{
      Field{"expect_epoch", &O::expect_epoch, "refuse if the ring is at another epoch", query, optional},
      Field{"note", &O::note, "why, for the history: at most 500 bytes", query, optional},
      Field{"request_id", &O::request_id,
            "1 to 64 letters, digits and ._-: a request that is sent again is not done again, and gets the same answer",
            query, optional},
      Field{"dry_run", &O::dry_run, "change nothing: tell what would move", query, optional},
      Field{"force", &O::force, "also if more keys move than the ring's max_move", query, optional}};
}

}  // namespace chash::protocol
