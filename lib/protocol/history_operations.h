// What was: the changes of a ring, and what they did to a key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/movement_report.h"
#include "protocol/operation.h"

namespace chash::protocol {

struct NodeReplaced {
  std::string name{};
  NodeGiven with{};
  static constexpr auto fields() {
    return std::tuple{Field{"name", &NodeReplaced::name, "the node that went"},
                      Field{"with", &NodeReplaced::with, "the one that came in its place"}};
  }
};

// One change, as it is remembered.
struct ChangeEntry {
  std::uint64_t epoch = 0;
  std::string time{};
  std::string who{};
  std::string operation{};
  std::string note{};
  std::vector<NodeGiven> added{};
  std::vector<std::string> removed{};
  std::vector<NodeGiven> altered{};
  std::vector<NodeReplaced> replaced{};
  std::optional<double> max_move{};
  std::optional<double> moved{};
  std::vector<PinGiven> pinned{};
  std::vector<PinNamed> unpinned{};
  static constexpr auto fields() {
    using E = ChangeEntry;
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple{Field{"epoch", &E::epoch, "the membership version that it made"},
                      Field{"time", &E::time, "when, in UTC", body, optional},
                      Field{"who", &E::who, "who asked for it"},
                      Field{"operation", &E::operation, "how it was asked for"},
                      Field{"note", &E::note, "why, if that was said", body, optional},
                      Field{"added", &E::added, "nodes that came", body, optional},
                      Field{"removed", &E::removed, "nodes that went", body, optional},
                      Field{"altered", &E::altered, "nodes that got this weight and these fields", body, optional},
                      Field{"replaced", &E::replaced, "nodes that took the place of others", body, optional},
                      Field{"max_move", &E::max_move, "what one change may move since then", body, optional},
                      Field{"moved", &E::moved, "what share of all keys changed owner", body, optional},
                      Field{"pinned", &E::pinned, "keys that were given to nodes by hand", body, optional},
                      Field{"unpinned", &E::unpinned, "and those that were given back", body, optional}};
  }
};

struct History {
  static constexpr OperationInfo info{
      "history",     Method::get, "/api/v1/rings/{ring}/history",
      Access::study, 200,         "Who changed a ring, when, how and why: the newest first"};
  struct Request {
    std::string ring{default_ring};
    std::uint32_t n = 20;
    std::optional<std::uint64_t> before{};
    std::string since{};
    std::string node{};
    static constexpr auto fields() {
      constexpr auto optional = Presence::optional;
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, optional},
                        Field{"n", &Request::n, "how many changes, at most 1000", In::query, optional},
                        Field{"before", &Request::before, "those before this epoch: to read on", In::query, optional},
                        Field{"since", &Request::since, "none that is older than this time", In::query, optional},
                        Field{"node", &Request::node, "only those that concern this node", In::query, optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t oldest = 0;
    std::uint64_t dropped = 0;
    std::optional<std::uint64_t> next{};
    std::vector<ChangeEntry> entries{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "its membership version now"},
                        Field{"oldest", &Response::oldest, "the first membership version that is still known"},
                        Field{"dropped", &Response::dropped, "earlier changes that are no longer kept"},
                        Field{"next", &Response::next, "where to read on, as before; none where nothing is older",
                              In::body, Presence::optional},
                        Field{"entries", &Response::entries, "the changes"}};
    }
  };
};

struct Blame {
  static constexpr OperationInfo info{
      "blame",       Method::get, "/api/v1/rings/{ring}/blame",
      Access::study, 200,         "Which changes moved a key from node to node: the newest first"};
  struct Request {
    std::string ring{default_ring};
    Key key;
    std::uint32_t n = 20;
    std::optional<std::uint64_t> before{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"key", &Request::key, "the key", In::query, Presence::required},
          Field{"n", &Request::n, "how many moves, at most 1000", In::query, Presence::optional},
          Field{"before", &Request::before, "those before this epoch: to read on", In::query, Presence::optional}};
    }
  };
  struct Move {
    std::uint64_t epoch = 0;
    std::string from{};
    std::string to{};
    std::string time{};
    std::string who{};
    std::string operation{};
    std::string note{};
    static constexpr auto fields() {
      constexpr auto body = In::body;
      constexpr auto optional = Presence::optional;
      return std::tuple{Field{"epoch", &Move::epoch, "the membership version that moved it"},
                        Field{"from", &Move::from, "its owner before; empty if there was none"},
                        Field{"to", &Move::to, "its owner from then on; empty if there was none"},
                        Field{"time", &Move::time, "when, in UTC", body, optional},
                        Field{"who", &Move::who, "who asked for the change"},
                        Field{"operation", &Move::operation, "how"},
                        Field{"note", &Move::note, "why, if that was said", body, optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::string node{};
    std::uint64_t oldest = 0;
    std::uint64_t dropped = 0;
    std::optional<std::uint64_t> next{};
    std::vector<Move> moves{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "its membership version now"},
                        Field{"node", &Response::node, "the owner now; empty if there is none"},
                        Field{"oldest", &Response::oldest, "the first membership version that is still known"},
                        Field{"dropped", &Response::dropped, "earlier changes that are no longer kept"},
                        Field{"next", &Response::next, "where to read on, as before; none where nothing is older",
                              In::body, Presence::optional},
                        Field{"moves", &Response::moves, "the changes that moved the key"}};
    }
  };
};

}  // namespace chash::protocol
