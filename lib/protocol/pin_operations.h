// Keys that are placed by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/change_options.h"
#include "protocol/movement_report.h"
#include "protocol/operation.h"
#include "protocol/pins.h"

namespace chash::protocol {

struct PinKeys {
  static constexpr OperationInfo info{
      "pin",         Method::post, "/api/v1/rings/{ring}/pins",
      Access::write, 200,          "Give keys, or all that begin alike, to nodes by hand: all in one epoch, or none"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::vector<PinGiven> pins{};
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                     Field{"pins", &Request::pins, "the keys and their nodes; those that are pinned already change"}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<PinGiven> pinned{};
    std::vector<std::string> warnings{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      using R = Response;
      constexpr auto body = In::body;
      constexpr auto optional = Presence::optional;
      return std::tuple{Field{"ring", &R::ring, "name of the ring"},
                        Field{"epoch", &R::epoch, "the membership version after the change"},
                        Field{"previous_epoch", &R::previous_epoch, "and before it; equal if nothing changed"},
                        Field{"pinned", &R::pinned, "the pins that are otherwise than before"},
                        Field{"warnings", &R::warnings, "what is doubtful about the ring as it is now", body, optional},
                        Field{"plan", &R::plan, "with dry_run: what would move", body, optional}};
    }
  };
};

struct UnpinKeys {
  static constexpr OperationInfo info{"unpin",       Method::post, "/api/v1/rings/{ring}/unpin",
                                      Access::write, 200,          "Give pinned keys back to their hashes"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::vector<PinNamed> pins{};
    bool if_exists = false;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                     Field{"pins", &Request::pins, "the keys and prefixes as they were pinned"},
                     Field{"if_exists", &Request::if_exists, "skip, without an error, what is not pinned", In::body,
                           Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<PinNamed> unpinned{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version after the change"},
                        Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
                        Field{"unpinned", &Response::unpinned, "what was pinned and is no longer"},
                        Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

}  // namespace chash::protocol
