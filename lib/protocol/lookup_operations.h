// Where keys belong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/operation.h"
#include "protocol/pins.h"

namespace chash::protocol {

inline constexpr std::string_view spread_help = "zone or rack: nodes of different ones first";

struct GetNode {
  static constexpr OperationInfo info{"get-node",   Method::get, "/api/v1/rings/{ring}/node",
                                      Access::read, 200,         "Which node is responsible for a key"};
  struct Request {
    std::string ring{default_ring};
    Key key;
    std::uint32_t n = 1;
    std::optional<std::uint64_t> epoch{};
    std::string at{};
    std::string spread{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"key", &Request::key, "the key, 1 to 65536 bytes", In::query, Presence::required},
          Field{"n", &Request::n, "how many distinct nodes, in order of responsibility", In::query, Presence::optional},
          Field{"epoch", &Request::epoch, epoch_help, In::query, Presence::optional},
          Field{"at", &Request::at, at_help, In::query, Presence::optional},
          Field{"spread", &Request::spread, spread_help, In::query, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::string node;
    std::vector<std::string> nodes;
    std::vector<std::string> warnings{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version that was asked"},
          Field{"node", &Response::node, "the owner of the key"},
          Field{"nodes", &Response::nodes, "the owner, then the next distinct nodes; fewer than n if there are fewer"},
          Field{"warnings", &Response::warnings, "what of the request could not be met", In::body, Presence::optional}};
    }
  };
};

struct GetNodes {
  static constexpr OperationInfo info{
      "get-nodes",  Method::post, "/api/v1/rings/{ring}/get-nodes",
      Access::read, 200,          "Which nodes are responsible for many keys, all at one epoch"};
  struct Request {
    std::string ring{default_ring};
    std::vector<Key> keys;
    std::uint32_t n = 1;
    std::optional<std::uint64_t> epoch{};
    std::string at{};
    std::string spread{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                        Field{"keys", &Request::keys, "the keys, at most 10000", In::body, Presence::required},
                        Field{"n", &Request::n, "how many distinct nodes for each key", In::body, Presence::optional},
                        Field{"epoch", &Request::epoch, epoch_help, In::body, Presence::optional},
                        Field{"at", &Request::at, at_help, In::body, Presence::optional},
                        Field{"spread", &Request::spread, spread_help, In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::vector<std::vector<std::string>> owners;
    std::vector<std::string> warnings{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version that was asked"},
          Field{"owners", &Response::owners,
                "for each key, in the order asked: its nodes, owner first; none where no key tells"},
          Field{"warnings", &Response::warnings, "what of the request could not be met", In::body, Presence::optional}};
    }
  };
};

struct Explain {
  static constexpr OperationInfo info{"explain",     Method::get, "/api/v1/rings/{ring}/explain",
                                      Access::study, 200,         "Why a key belongs to its node, step by step"};
  struct Request {
    std::string ring{default_ring};
    Key key;
    std::uint32_t n = 1;
    std::optional<std::uint64_t> epoch{};
    std::string at{};
    std::string spread{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"key", &Request::key, "the key, 1 to 65536 bytes", In::query, Presence::required},
          Field{"n", &Request::n, "how many distinct nodes, in order of responsibility", In::query, Presence::optional},
          Field{"epoch", &Request::epoch, epoch_help, In::query, Presence::optional},
          Field{"at", &Request::at, at_help, In::query, Presence::optional},
          Field{"spread", &Request::spread, spread_help, In::query, Presence::optional}};
    }
  };
  struct Step {
    std::string node{};
    std::string state{};
    std::string zone{};
    std::string verdict{};
    static constexpr auto fields() {
      return std::tuple{Field{"node", &Step::node, "name of the node"},
                        Field{"state", &Step::state, "up, drain or down"},
                        Field{"zone", &Step::zone, "what it is spread by", In::body, Presence::optional},
                        Field{"verdict", &Step::verdict, "owner, replica, or why it is passed over"}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::string profile{};
    std::uint64_t key_bytes = 0;
    std::string hashed{};
    std::string function{};
    std::string hash{};
    std::string position{};
    std::optional<double> around{};
    std::string point{};
    std::optional<std::uint64_t> point_number{};
    std::optional<double> distance{};
    std::optional<std::uint64_t> slot{};
    std::vector<Step> walk{};
    std::vector<std::string> nodes{};
    std::vector<std::string> warnings{};
    std::optional<PinGiven> pin{};
    std::vector<std::string> pin_missing{};
    std::string point_node{};
    static constexpr auto fields() {
      using R = Response;
      constexpr auto body = In::body;
      constexpr auto optional = Presence::optional;
      return std::tuple{
          Field{"ring", &R::ring, "name of the ring"},
          Field{"epoch", &R::epoch, "the membership version that was asked"},
          Field{"profile", &R::profile, "how the ring places keys"},
          Field{"key_bytes", &R::key_bytes, "how many bytes the key has"},
          Field{"hashed", &R::hashed, "what of the key is hashed, with odd bytes escaped", body, optional},
          Field{"function", &R::function, "the hash function", body, optional},
          Field{"hash", &R::hash, "the key's hash, in hex", body, optional},
          Field{"position", &R::position, "where that is on the circle, in hex", body, optional},
          Field{"around", &R::around, "the same as a part of the circle, 0 to 1", body, optional},
          Field{"point", &R::point, "of a ring: where the point is that the order begins at, in hex", body, optional},
          Field{"point_number", &R::point_number, "its number among those of its node", body, optional},
          Field{"distance", &R::distance, "from the key to it, as a part of the circle", body, optional},
          Field{"slot", &R::slot, "of balanced: the slot of the key", body, optional},
          Field{"walk", &R::walk, "the nodes in the key's order, as far as they were looked at"},
          Field{"nodes", &R::nodes, "what is answered: the owner first; none where nobody may answer"},
          Field{"warnings", &R::warnings, "what of the request could not be met", body, optional},
          Field{"pin", &R::pin, "what gives the key to nodes by hand", body, optional},
          Field{"pin_missing", &R::pin_missing, "those of them that the ring does not have", body, optional},
          Field{"point_node", &R::point_node, "whose point that is", body, optional}};
    }
  };
};

}  // namespace chash::protocol
