// The members of a ring.
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

struct ListNodes {
  static constexpr OperationInfo info{
      "list",       Method::get, "/api/v1/rings/{ring}/nodes",
      Access::read, 200,         "The nodes of a ring, in the order in which they were added"};
  struct Request {
    std::string ring{default_ring};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional}};
    }
  };
  struct Member {
    std::string name{};
    double weight = 1;
    std::uint64_t vnodes = 0;
    Texts fields_given{};
    std::string state{};
    Texts labels{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"name", &Member::name, "name of the node"},
          Field{"weight", &Member::weight, "share wanted relative to others"},
          Field{"vnodes", &Member::vnodes, "points that it takes on the ring"},
          Field{"fields", &Member::fields_given, "what else the profile knows of it", In::body, Presence::optional},
          Field{"state", &Member::state, "up, drain or down", In::body, Presence::optional},
          Field{"labels", &Member::labels, "what people want to know of it", In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::vector<Member> nodes{};
    std::vector<PinGiven> pins{};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version"},
                        Field{"nodes", &Response::nodes, "the members"},
                        Field{"pins", &Response::pins, "keys that are placed by hand", In::body, Presence::optional}};
    }
  };
};

struct AddNodes {
  static constexpr OperationInfo info{
      "add",         Method::post, "/api/v1/rings/{ring}/nodes",
      Access::write, 201,          "Add nodes to a ring: all of them in one epoch, or none"};
  using Member = NodeGiven;
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::vector<Member> nodes{};
    bool if_missing = false;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
              Field{"nodes", &Request::nodes, "the nodes to add", In::body, Presence::required},
              Field{"if_missing", &Request::if_missing, "leave alone, without an error, nodes that are already there",
                    In::body, Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> added{};
    std::vector<std::string> warnings{};
    std::optional<double> moved{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version after the change"},
          Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
          Field{"added", &Response::added, "the nodes that were added"},
          Field{"warnings", &Response::warnings, "what is doubtful about the ring as it is now", In::body,
                Presence::optional},
          Field{"moved", &Response::moved, "what share of all keys changed owner", In::body, Presence::optional},
          Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

struct RemoveNodes {
  static constexpr OperationInfo info{
      "remove",      Method::del, "/api/v1/rings/{ring}/nodes",
      Access::write, 200,         "Remove nodes from a ring: all of them in one epoch, or none"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::vector<std::string> nodes{};
    bool if_exists = false;
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                     Field{"nodes", &Request::nodes, "names of the nodes to remove", In::query, Presence::required},
                     Field{"if_exists", &Request::if_exists, "skip, without an error, nodes that are not there",
                           In::query, Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> removed{};
    std::optional<double> moved{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version after the change"},
          Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
          Field{"removed", &Response::removed, "the nodes that were removed"},
          Field{"moved", &Response::moved, "what share of all keys changed owner", In::body, Presence::optional},
          Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

struct AlterNodes {
  static constexpr OperationInfo info{
      "set-nodes",   Method::post, "/api/v1/rings/{ring}/set-nodes",
      Access::write, 200,          "Give nodes another weight, state, address or label: all in one epoch, or none"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::vector<std::string> nodes{};
    std::optional<double> weight{};
    std::optional<double> add_weight{};
    std::optional<double> scale_weight{};
    std::string state{};
    Texts fields_given{};
    Texts labels{};
    std::vector<std::string> remove_labels{};
    static constexpr auto fields() {
      using R = Request;
      constexpr auto body = In::body;
      constexpr auto optional = Presence::optional;
      return std::tuple_cat(
          std::tuple{Field{"ring", &R::ring, "name of the ring", In::path, optional},
                     Field{"nodes", &R::nodes, "their names; zone=NAME or rack=NAME is every node in there"},
                     Field{"weight", &R::weight, "the weight that they get", body, optional},
                     Field{"add_weight", &R::add_weight, "or what is added to the one they have", body, optional},
                     Field{"scale_weight", &R::scale_weight, "or what it is multiplied with", body, optional},
                     Field{"state", &R::state, "up, drain or down", body, optional},
                     Field{"fields", &R::fields_given, "what the profile is to know of them", body, optional},
                     Field{"labels", &R::labels, "labels that they get", body, optional},
                     Field{"remove_labels", &R::remove_labels, "names of labels that are taken away", body, optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> altered{};
    std::vector<std::string> warnings{};
    std::optional<double> moved{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      using R = Response;
      constexpr auto body = In::body;
      constexpr auto optional = Presence::optional;
      return std::tuple{Field{"ring", &R::ring, "name of the ring"},
                        Field{"epoch", &R::epoch, "the membership version after the change"},
                        Field{"previous_epoch", &R::previous_epoch, "and before it; equal if nothing changed"},
                        Field{"altered", &R::altered, "the nodes that are otherwise than before"},
                        Field{"warnings", &R::warnings, "what is doubtful about the ring as it is now", body, optional},
                        Field{"moved", &R::moved, "what share of all keys changed owner", body, optional},
                        Field{"plan", &R::plan, "with dry_run: what would move", body, optional}};
    }
  };
};

struct ReplaceNode {
  static constexpr OperationInfo info{
      "replace",     Method::post, "/api/v1/rings/{ring}/replace",
      Access::write, 200,          "Put another node in the place of one: it gets exactly its keys"};
  struct Request : ChangeOptions {
    std::string ring{default_ring};
    std::string node{};
    std::string with{};
    std::string address{};
    static constexpr auto fields() {
      return std::tuple_cat(
          std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                     Field{"node", &Request::node, "name of the node that is there"},
                     Field{"with", &Request::with, "name of the one that takes its place"},
                     Field{"address", &Request::address, "address of that one", In::body, Presence::optional}},
          change_fields());
    }
  };
  struct Response {
    std::string ring{};
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::string node{};
    std::string with{};
    std::optional<double> moved{};
    std::optional<Plan> plan{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version after the change"},
          Field{"previous_epoch", &Response::previous_epoch, "and before it"},
          Field{"node", &Response::node, "the node that is gone"},
          Field{"with", &Response::with, "and the one in its place"},
          Field{"moved", &Response::moved, "what share of all keys changed owner", In::body, Presence::optional},
          Field{"plan", &Response::plan, "with dry_run: what would move", In::body, Presence::optional}};
    }
  };
};

}  // namespace chash::protocol
