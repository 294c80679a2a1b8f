// Changes that are looked at before they are made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/change_options.h"
#include "protocol/movement_report.h"
#include "protocol/operation.h"

namespace chash::protocol {

// A change in any of the ways in which one can be asked for: by what comes and goes, as all the ring shall be, or as it
// once was. One of them in a request.
struct WantedChange {
  std::string ring{default_ring};
  std::vector<NodeGiven> add{};
  std::vector<std::string> remove{};
  bool if_missing = false;
  bool if_exists = false;
  std::optional<std::vector<NodeGiven>> nodes{};
  bool prune = false;
  std::string profile{};
  std::optional<double> max_move{};
  std::optional<std::uint64_t> rollback{};
  std::optional<std::vector<PinGiven>> pins{};

  static constexpr auto fields() {
    using W = WantedChange;
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple{
        Field{"ring", &W::ring, "name of the ring", In::path, optional},
        Field{"add", &W::add, "nodes to add", body, optional},
        Field{"remove", &W::remove, "names of nodes to remove, before others are added", body, optional},
        Field{"if_missing", &W::if_missing, "leave alone nodes to add that are already there", body, optional},
        Field{"if_exists", &W::if_exists, "skip nodes to remove that are not there", body, optional},
        Field{"nodes", &W::nodes, "instead: nodes as they shall be; new ones are added, others altered", body,
              optional},
        Field{"prune", &W::prune, "and those go that are not among them", body, optional},
        Field{"profile", &W::profile, "refuse if the ring has another one", body, optional},
        Field{"max_move", &W::max_move, "the share of all keys that one change may move, from now on", body, optional},
        Field{"rollback", &W::rollback, "instead: the ring as it was at this epoch", body, optional},
        Field{"pins", &W::pins, "with nodes: pins as they shall be; with prune no others, else pins stay", body,
              optional}};
  }
};

struct PlanChange {
  static constexpr OperationInfo info{"plan",        Method::post, "/api/v1/rings/{ring}/plan",
                                      Access::study, 200,          "What a change would move; nothing is changed"};
  struct Request : WantedChange {
    std::uint32_t n = 1;
    bool ranges = false;
    static constexpr auto fields() {
      return std::tuple_cat(
          WantedChange::fields(),
          std::tuple{Field{"n", &Request::n, "also for the replicas of each key, up to so many nodes", In::body,
                           Presence::optional},
                     Field{"ranges", &Request::ranges, "also which positions move", In::body, Presence::optional}});
    }
  };
  using Response = Plan;
};

struct ApplyChange {
  static constexpr OperationInfo info{
      "apply",       Method::post, "/api/v1/rings/{ring}/apply",
      Access::write, 200,          "Make a ring as a list, an epoch or a plan has it: all of it, or nothing"};
  struct Request : WantedChange, ChangeOptions {
    std::string plan{};
    static constexpr auto fields() {
      return std::tuple_cat(
          WantedChange::fields(),
          std::tuple{Field{"plan", &Request::plan, "instead: the id of a plan", In::body, Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> added{};
    std::vector<std::string> removed{};
    std::vector<std::string> altered{};
    std::vector<std::string> warnings{};
    std::optional<double> moved{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version after the change"},
          Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
          Field{"added", &Response::added, "the nodes that were added"},
          Field{"removed", &Response::removed, "the nodes that were removed"},
          Field{"altered", &Response::altered, "the nodes that got another weight or other fields"},
          Field{"warnings", &Response::warnings, "what is doubtful about the ring as it is now", In::body,
                Presence::optional},
          Field{"moved", &Response::moved, "what share of all keys changed owner", In::body, Presence::optional},
          Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

struct RollBack {
  static constexpr OperationInfo info{
      "rollback",    Method::post, "/api/v1/rings/{ring}/rollback",
      Access::write, 200,          "Make a ring as it was at an earlier epoch, as a new one"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::uint64_t epoch = 0;
    static constexpr auto fields() {
      return std::tuple_cat(std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                                       Field{"epoch", &Request::epoch, "the membership version to return to"}},
                            change_fields());
    }
  };
  struct Response : ApplyChange::Response {};
};

struct RingSet {
  static constexpr OperationInfo info{"ring-set",    Method::post, "/api/v1/rings/{ring}/limits",
                                      Access::write, 200,          "Set how much of a ring one change may move"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    double max_move = 1;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                     Field{"max_move", &Request::max_move,
                           "changes that move a larger share of all keys must be forced; 1 allows any"}},
          change_fields());
    }
  };
  struct Response : ApplyChange::Response {};
};

struct Diff {
  static constexpr OperationInfo info{
      "diff",        Method::get, "/api/v1/rings/{ring}/diff",
      Access::study, 200,         "What moved between two epochs of a ring, or between two rings"};
  struct Request {
    std::string ring{default_ring};
    std::optional<std::uint64_t> from{};
    std::optional<std::uint64_t> to{};
    std::string other{};
    std::uint32_t n = 1;
    bool ranges = false;
    static constexpr auto fields() {
      constexpr auto optional = Presence::optional;
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, optional},
          Field{"from", &Request::from, "the membership version before; the present one if not given", In::query,
                optional},
          Field{"to", &Request::to, "the membership version after; the present one if not given", In::query, optional},
          Field{"other", &Request::other, "name of the ring after; the same one if not given", In::query, optional},
          Field{"n", &Request::n, "also for the replicas of each key, up to so many nodes", In::query, optional},
          Field{"ranges", &Request::ranges, "also which positions moved", In::query, optional}};
    }
  };
  struct Response : MovementReport {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::string other{};
    std::uint64_t other_epoch = 0;
    std::string from{};
    std::string to{};
    static constexpr auto fields() {
      return std::tuple_cat(std::tuple{Field{"ring", &Response::ring, "name of the ring before"},
                                       Field{"epoch", &Response::epoch, "its membership version"},
                                       Field{"other", &Response::other, "name of the ring after"},
                                       Field{"other_epoch", &Response::other_epoch, "its membership version"},
                                       Field{"from", &Response::from, "fingerprint of the ring before"},
                                       Field{"to", &Response::to, "and of the one after"}},
                            MovementReport::fields());
    }
  };
};

struct WhatIf {
  static constexpr OperationInfo info{"whatif",      Method::get, "/api/v1/rings/{ring}/whatif",
                                      Access::study, 200,         "Where keys would go if nodes were lost"};
  struct Request {
    std::string ring{default_ring};
    std::vector<std::string> lose{};
    std::uint32_t n = 1;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"lose", &Request::lose, "nodes that are lost together; or zone=NAME; or each, for every node by itself",
                In::query, Presence::required},
          Field{"n", &Request::n, "nodes that keep each key", In::query, Presence::optional}};
    }
  };
  struct Receiver {
    std::string node{};
    double gets = 0;
    double share = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"node", &Receiver::node, "name of the node"},
                        Field{"gets", &Receiver::gets, "share of all keys that comes to it"},
                        Field{"share", &Receiver::share, "what it has then"}};
    }
  };
  struct Case {
    std::string lost{};
    std::uint64_t nodes = 0;
    double share = 0;
    double sets_lost = 0;
    std::vector<Receiver> receivers{};
    std::uint64_t receivers_left_out = 0;
    static constexpr auto fields() {
      return std::tuple{
          Field{"lost", &Case::lost, "what is lost: a node, or zone=NAME, or several nodes"},
          Field{"nodes", &Case::nodes, "how many nodes that are"},
          Field{"share", &Case::share, "share of all keys that they have"},
          Field{"sets_lost", &Case::sets_lost, "share of all keys whose n nodes are all among them"},
          Field{"receivers", &Case::receivers, "who gets these keys; the one that has most then is the first"},
          Field{"receivers_left_out", &Case::receivers_left_out, "receivers that are too many to list", In::body,
                Presence::optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::vector<Case> cases{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "its membership version"},
                        Field{"cases", &Response::cases, "the worst first: by the share of its first receiver"}};
    }
  };
};

}  // namespace chash::protocol
