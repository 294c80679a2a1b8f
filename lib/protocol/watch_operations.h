// What comes: the changes of a ring, each as soon as it is made.
//
// A question that waits for its answer, and is asked again from where the answer ended: it is one row of the table, so
// that the socket and HTTP have it alike, and a client that is slow holds up nobody but itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/history_operations.h"

namespace chash::protocol {

struct Watch {
  static constexpr OperationInfo info{
      "watch",
      Method::get,
      "/api/v1/rings/{ring}/watch",
      Access::study,
      200,
      "The changes of a ring from an epoch on, in order, or the next one as soon as it is made"};
  struct Request {
    std::string ring{default_ring};
    std::optional<std::uint64_t> from{};
    std::uint32_t wait_s = 30;
    std::uint32_t limit = 1000;
    static constexpr auto fields() {
      constexpr auto optional = Presence::optional;
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, optional},
          Field{"from", &Request::from, "the first epoch wanted; without it, the one after the present", In::query,
                optional},
          Field{"wait_s", &Request::wait_s, "wait so many seconds for a change, at most 60", In::query, optional},
          Field{"limit", &Request::limit, "how many changes, at most 1000", In::query, optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t next = 0;
    std::vector<ChangeEntry> changes{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "its membership version now"},
          Field{"next", &Response::next, "where to go on, as from"},
          Field{"changes", &Response::changes, "the changes, the oldest first; none if none came in time"}};
    }
  };
};

}  // namespace chash::protocol
