// What moves from one ring to another, as clients see it: of a plan, of a change, of two epochs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/field.h"
#include "protocol/pins.h"

namespace chash::protocol {

// A node as somebody gives it.
struct NodeGiven {
  std::string name{};
  double weight = 1;
  Texts fields_given{};
  Texts labels{};
  static constexpr auto fields() {
    return std::tuple{Field{"name", &NodeGiven::name, "name of the node"},
                      Field{"weight", &NodeGiven::weight, "share wanted relative to others; 1 is ordinary", In::body,
                            Presence::optional},
                      Field{"fields", &NodeGiven::fields_given,
                            "its state, and what else the ring's profile wants to know of it, as id or alias", In::body,
                            Presence::optional},
                      Field{"labels", &NodeGiven::labels, "address, zone, rack, or what else people want to know",
                            In::body, Presence::optional}};
  }
};

// Shares of all keys are from 0 to 1.
struct FlowShare {
  std::string from{};
  std::string to{};
  double share = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"from", &FlowShare::from, "the node that has the keys now; empty if none has"},
                      Field{"to", &FlowShare::to, "the node that will have them; empty if none will"},
                      Field{"share", &FlowShare::share, "of all keys"}};
  }
};

struct NodeShare {
  std::string name{};
  double before = 0;
  double after = 0;
  double gains = 0;
  double loses = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"name", &NodeShare::name, "name of the node"},
                      Field{"before", &NodeShare::before, "its share of all keys"},
                      Field{"after", &NodeShare::after, "and its share then"},
                      Field{"gains", &NodeShare::gains, "what comes to it"},
                      Field{"loses", &NodeShare::loses, "what goes away from it"}};
  }
};

// Of the nodes that are named second, third and so on for a key.
struct RankMovement {
  std::uint32_t rank = 0;
  double moved = 0;
  double minimum = 0;
  double needless = 0;
  std::vector<FlowShare> flows{};
  static constexpr auto fields() {
    return std::tuple{Field{"rank", &RankMovement::rank, "2 for the first node behind the owner"},
                      Field{"moved", &RankMovement::moved, "share of all keys that have another node there"},
                      Field{"minimum", &RankMovement::minimum, "the least for the same shares"},
                      Field{"needless", &RankMovement::needless, "between nodes that nobody changed"},
                      Field{"flows", &RankMovement::flows, "from which to which"}};
  }
};

struct MovedArc {
  std::string first{};
  std::string last{};
  std::string from{};
  std::string to{};
  static constexpr auto fields() {
    return std::tuple{Field{"first", &MovedArc::first, "the first position on the circle of the key's hash, in hex"},
                      Field{"last", &MovedArc::last, "the last that still moves"},
                      Field{"from", &MovedArc::from, "the node that has these keys now"},
                      Field{"to", &MovedArc::to, "the node that will have them"}};
  }
};

struct NodeAltered {
  NodeGiven before{};
  NodeGiven after{};
  static constexpr auto fields() {
    return std::tuple{Field{"before", &NodeAltered::before, "the node as it is"},
                      Field{"after", &NodeAltered::after, "and as it will be"}};
  }
};

struct MovementReport {
  std::vector<NodeGiven> added{};
  std::vector<std::string> removed{};
  std::vector<NodeAltered> altered{};
  double moved = 0;
  double minimum = 0;
  double needless = 0;
  double error = 0;
  std::vector<FlowShare> flows{};
  std::uint64_t flows_left_out = 0;
  std::vector<NodeShare> nodes{};
  std::vector<RankMovement> ranks{};
  std::vector<MovedArc> ranges{};
  std::vector<PinMove> pins{};
  std::uint64_t pins_left_out = 0;

  static constexpr auto fields() {
    using M = MovementReport;
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple{
        Field{"added", &M::added, "nodes that come", body, optional},
        Field{"removed", &M::removed, "nodes that go", body, optional},
        Field{"altered", &M::altered, "nodes that get another weight or other fields", body, optional},
        Field{"moved", &M::moved, "share of all keys that change owner"},
        Field{"minimum", &M::minimum, "the least for these shares, whatever the placement"},
        Field{"needless", &M::needless, "of what moves: between nodes that nobody changed"},
        Field{"error", &M::error,
              "0 where all of this is exact; else it was sampled, and 95 times of 100 moved is this near", body,
              optional},
        Field{"flows", &M::flows, "from which node to which, the largest first"},
        Field{"flows_left_out", &M::flows_left_out, "flows that are too many to list", body, optional},
        Field{"nodes", &M::nodes, "the nodes whose share changes", body, optional},
        Field{"ranks", &M::ranks, "the same for replicas, if asked for", body, optional},
        Field{"ranges", &M::ranges, "the positions that move, if asked for", body, optional},
        Field{"pins", &M::pins, "pins that change, or whose owner does; no share tells of them", body, optional},
        Field{"pins_left_out", &M::pins_left_out, "pins that are too many to list", body, optional}};
  }
};

// What a change would move. Its id stands for just this change of just this ring.
struct Plan : MovementReport {
  std::string id{};
  std::string ring{};
  std::uint64_t epoch = 0;
  std::string from{};
  std::string to{};
  double max_move = 1;
  bool over_budget = false;
  std::vector<std::string> warnings{};

  static constexpr auto fields() {
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple_cat(
        std::tuple{Field{"id", &Plan::id, "for apply: does this and nothing else, or fails", body, optional},
                   Field{"ring", &Plan::ring, "name of the ring"},
                   Field{"epoch", &Plan::epoch, "the membership version that it starts from"},
                   Field{"from", &Plan::from, "fingerprint of the ring that it starts from"},
                   Field{"to", &Plan::to, "and of the one that it leads to"}},
        MovementReport::fields(),
        std::tuple{
            Field{"max_move", &Plan::max_move, "what one change of this ring may move", body, optional},
            Field{"over_budget", &Plan::over_budget, "it moves more than that, and must be forced", body, optional},
            Field{"warnings", &Plan::warnings, "what is doubtful about the ring that it leads to", body, optional}});
  }
};

}  // namespace chash::protocol
