// Placement: how the keys of one membership fall. The only door to the algorithms for everything above this floor.
//
// The algorithms are a closed std::variant, not a hierarchy: equality in tests, no allocation, an exhaustive visit, and
// the same speed as a virtual call (77-78 ns either way for a plain ring).
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "chash/balanced.h"
#include "chash/indexed.h"
#include "chash/limits.h"
#include "chash/pins.h"
#include "chash/probes.h"
#include "chash/rendezvous.h"
#include "chash/ring.h"
#include "chash/standing.h"
#include "chash/table.h"

namespace chash {

template <class A>
concept PlacementAlgorithm =
    requires(const A& a, std::string_view key, std::size_t count, std::vector<std::uint64_t>& by_node) {
      { a.empty() } -> std::same_as<bool>;
      { a.points() } -> std::same_as<std::size_t>;
      { a.count_points(by_node) } -> std::same_as<void>;
      { a.owner(key) } -> std::same_as<NodeIndex>;
      { a.owners(key, count) } -> std::same_as<std::vector<NodeIndex>>;
      { a.key_rule() } -> std::same_as<const KeyRule&>;
    };

struct Cuts;

// Threads: all const members may be called at once.
class Placement {
 public:
  // Places nothing: what no nodes give.
  Placement() = default;

  // The placement after a change, sharing all that it does not touch, where the algorithm can. It is made of `after`:
  // the nodes that this was made of but for those at the positions `removed`, which ascend, and new ones behind them;
  // those that stay may have become others as far as are_placed_alike() has it. Nothing where build() is to make it.
  std::optional<Placement> changed(std::span<const NodeIndex> removed, const NodeList& after) const;

  // Whether no key has a node that may answer.
  bool empty() const {
    if (standing_ != nullptr && standing_->is_silent()) return true;
    return std::visit([](const auto& a) { return a.empty(); }, algorithm_);
  }
  std::size_t points() const {
    return std::visit([](const auto& a) { return a.points(); }, algorithm_);
  }
  // How many of them each of the nodes from which this was built has.  Shape: [nodes].  Cost: O(points).
  std::vector<std::uint64_t> points_by_node(std::size_t nodes) const {
    std::vector<std::uint64_t> by_node(nodes);
    std::visit([&](const auto& a) { a.count_points(by_node); }, algorithm_);
    return by_node;
  }
  // The node responsible for the key; no_node where that is not a pure function of the key, or where those that could
  // stand in for a node that is down all drain.  Requires: !empty().
  NodeIndex owner(std::string_view key) const {
    if (is_pinned(key)) return stand_in(key);
    if (only_ != no_node) return only_;
    const NodeIndex first = std::visit([&](const auto& a) { return a.owner(key); }, algorithm_);
    return is_missing(first) ? stand_in(key) : first;
  }
  // owner() of each key, as fast as the algorithm can many.  Requires: !empty(), and equal sizes.
  void owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const;
  // The owner and the distinct nodes after it, as far as the software names any; with `zones`, of as many zones as can
  // be. standing.h says which.
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count, const Zones* zones = nullptr) const {
    if (count == 0) return {};
    return choose(standing_.get(), zones, count, [&](std::size_t asked) { return order(key, asked); });
  }
  // All nodes in order of responsibility, whatever their states, pinned ones first; the first `count` of them.
  std::vector<NodeIndex> order(std::string_view key, std::size_t count) const;
  // The same as if nothing were pinned.
  std::vector<NodeIndex> order_by_hash(std::string_view key, std::size_t count) const {
    if (only_ != no_node) return {only_};
    return std::visit([&](const auto& a) { return a.empty() ? std::vector<NodeIndex>() : a.owners(key, count); },
                      algorithm_);
  }
  // The nodes that are said for a key by hand, first of its order.
  std::span<const NodeIndex> pinned(std::string_view key) const {
    return pins_ == nullptr ? std::span<const NodeIndex>() : pins_->nodes_of(key);
  }
  // The same of one pin, whose keys may have others before it.
  std::span<const NodeIndex> pinned(const PinName& name) const {
    return pins_ == nullptr ? std::span<const NodeIndex>() : pins_->nodes_of(name);
  }
  // The same placement with these pins.  Requires: the profile and nodes that it was made of.
  void pin(const Profile& profile, const NodeList& nodes, const PinList& pins) {
    pins_ = PinIndex::of(profile, nodes, pins);
  }
  // By position on the circle of the key's hash, where no pin is known: the node that is named at that rank, the owner
  // at rank 0; no_node where so many are not named.  Requires: equal sizes, and common_cuts() with this.
  void named_at(std::span<const Token> positions, std::size_t rank, std::span<NodeIndex> found) const;
  // owners() by position.  Requires: as named_at().
  std::vector<NodeIndex> owners_at(Token position, std::size_t count) const;
  // Whether a node drains (standing.h).
  bool has_drain() const { return standing_ != nullptr && standing_->has_drain(); }
  // Whether the keys of a node that goes are those of whoever is named behind it.
  bool goes_to_next() const;
  // How the key becomes a number; nothing to hash with (bits() == 0) where the algorithm does that itself.
  const KeyRule& key_rule() const {
    return std::visit([](const auto& a) -> const KeyRule& { return a.key_rule(); }, algorithm_);
  }

 private:
  friend std::optional<Cuts> common_cuts(const Placement& a, const Placement& b, bool lists);
  bool is_constant() const { return only_ != no_node || empty(); }
  bool is_missing(NodeIndex node) const { return standing_ != nullptr && node != no_node && standing_->is_down(node); }
  bool is_pinned(std::string_view key) const { return pins_ != nullptr && !pins_->nodes_of(key).empty(); }
  NodeIndex stand_in(std::string_view key) const;
  friend Result<Placement> build(const Profile& profile, const NodeList& nodes, const SlotTable& slots,
                                 std::uint64_t most_points);
  static_assert(PlacementAlgorithm<Ring> && PlacementAlgorithm<Table> && PlacementAlgorithm<Rendezvous> &&
                PlacementAlgorithm<Indexed> && PlacementAlgorithm<Probes> && PlacementAlgorithm<Balanced>);
  std::variant<Ring, Table, Rendezvous, Indexed, Probes, Balanced> algorithm_;
  NodeIndex only_ = no_node;                  // one server alone is not hashed to: not even for an empty key
  bool is_heavy_ = false;                     // Profile::heavier places
  std::shared_ptr<const Standing> standing_;  // nullptr while all nodes are up
  std::shared_ptr<const PinIndex> pins_;      // nullptr while there is none
};

// Where on the circle of a key's hash either of two placements may answer otherwise than just before.
struct Cuts {
  unsigned bits = 0;             // of the circle
  std::vector<Token> positions;  // ascending, from 0 on
};
// `lists`: also where lists of several nodes change. Nothing where the two do not answer by a place on one circle; see
// movement.h.
std::optional<Cuts> common_cuts(const Placement& a, const Placement& b, bool lists);

// Pure; without pins. `slots` is for the profile `balanced`; without, it takes the nodes for those of a new ring.
// Errors: invalid_argument (a node that the profile cannot have), too_large (most_points; see points_of()).
Result<Placement> build(const Profile& profile, const NodeList& nodes, const SlotTable& slots = {},
                        std::uint64_t most_points = limits::points);
Result<Placement> build(const RingSpec& spec);

}  // namespace chash
