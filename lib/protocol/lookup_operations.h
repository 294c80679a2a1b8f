// Where keys belong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/operation.h"

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

}  // namespace chash::protocol
