// The rings of the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/daemon_operations.h"
#include "protocol/node_operations.h"

namespace chash::protocol {

struct RingCreate {
  static constexpr OperationInfo info{"ring-create", Method::post, "/api/v1/rings",
                                      Access::write, 201,          "Make a ring, with nodes or without"};
  struct Request : ChangeOptions {
    std::string ring{};
    std::string profile = "seed";
    std::vector<NodeGiven> nodes{};
    double max_move = 1;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the new ring"},
                     Field{"profile", &Request::profile, "how it places keys: NAME[,PARAMETER=VALUE]...", In::body,
                           Presence::optional},
                     Field{"nodes", &Request::nodes, "its first nodes", In::body, Presence::optional},
                     Field{"max_move", &Request::max_move, "the share of all keys that one change may move", In::body,
                           Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::string profile{};
    std::vector<std::string> added{};
    std::vector<std::string> warnings{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "its membership version"},
                        Field{"profile", &Response::profile, "how it places keys"},
                        Field{"added", &Response::added, "its nodes"},
                        Field{"warnings", &Response::warnings, "what is doubtful about the ring as it is now", In::body,
                              Presence::optional},
                        Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

struct RingList {
  static constexpr OperationInfo info{"ring-list",  Method::get, "/api/v1/rings",
                                      Access::read, 200,         "The rings of the daemon, by name"};
  struct Request {
    static constexpr auto fields() { return std::tuple{}; }
  };
  struct Response {
    std::vector<Status::RingState> rings{};
    static constexpr auto fields() { return std::tuple{Field{"rings", &Response::rings, "the rings"}}; }
  };
};

struct RingShow {
  static constexpr OperationInfo info{"ring-show",  Method::get, "/api/v1/rings/{ring}",
                                      Access::read, 200,         "All that decides where a ring places keys"};
  struct Request {
    std::string ring{default_ring};
    bool slots = false;
    std::optional<std::uint64_t> epoch{};
    std::string at{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"slots", &Request::slots, "balanced: also which node has each slot", In::query, Presence::optional},
          Field{"epoch", &Request::epoch, epoch_help, In::query, Presence::optional},
          Field{"at", &Request::at, at_help, In::query, Presence::optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::string profile{};
    Texts parameters;
    std::string fingerprint{};
    std::uint64_t points = 0;
    std::vector<ListNodes::Member> nodes{};
    std::vector<std::uint32_t> slots{};
    std::optional<double> max_move{};
    std::string time{};
    std::vector<PinGiven> pins{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "its membership version"},
          Field{"profile", &Response::profile, "how it places keys, as it was asked for"},
          Field{"parameters", &Response::parameters, "the same as values of all parameters"},
          Field{"fingerprint", &Response::fingerprint, "equal ones place every key alike, on any machine"},
          Field{"points", &Response::points, "how many points its nodes take"},
          Field{"nodes", &Response::nodes, "the members, in the order in which they were added"},
          Field{"slots", &Response::slots, "balanced, if asked for: the node of each slot, by its place in nodes",
                In::body, Presence::optional},
          Field{"max_move", &Response::max_move, "the share of all keys that one change may move", In::body,
                Presence::optional},
          Field{"time", &Response::time, "when it became so", In::body, Presence::optional},
          Field{"pins", &Response::pins, "keys that are placed by hand", In::body, Presence::optional}};
    }
  };
};

struct RingCopy {
  static constexpr OperationInfo info{"ring-copy",   Method::post, "/api/v1/rings/{ring}/copy",
                                      Access::write, 201,          "Make a ring with the profile and nodes of another"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::string to{};
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring that is there", In::path, Presence::optional},
                     Field{"to", &Request::to, "name of the new ring"}},
          change_fields());
    }
  };
  struct Response : RingCreate::Response {};
};

struct RingDelete {
  static constexpr OperationInfo info{"ring-delete", Method::del, "/api/v1/rings/{ring}",
                                      Access::write, 200,         "Delete a ring and what is known of its nodes"};
  struct Request : ChangeOptions {
    std::string ring{};
    bool if_exists = false;
    static constexpr auto fields() {
      return std::tuple_cat(std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path},
                                       Field{"if_exists", &Request::if_exists, "no error if there is no such ring",
                                             In::query, Presence::optional}},
                            change_fields());
    }
  };
  struct Response {
    std::string ring{};
    bool deleted = false;
    std::uint64_t previous_epoch = 0;
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"deleted", &Response::deleted, "whether there was one"},
                        Field{"previous_epoch", &Response::previous_epoch, "the last membership version that it had"},
                        Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

}  // namespace chash::protocol
