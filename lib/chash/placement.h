// Placement: how the keys of one spec fall. The only door to the algorithms for everything above this floor.
//
// The algorithms are a closed std::variant, not a hierarchy: equality in tests, no allocation, an exhaustive visit, and
// the same speed as a virtual call (77-78 ns either way for a plain ring).
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

#include "chash/ring.h"

namespace chash {

template <class A>
concept PlacementAlgorithm = requires(const A& a, std::string_view key, std::size_t count) {
  { a.empty() } -> std::same_as<bool>;
  { a.points() } -> std::same_as<std::size_t>;
  { a.owner(key) } -> std::same_as<NodeIndex>;
  { a.owners(key, count) } -> std::same_as<std::vector<NodeIndex>>;
};

// Threads: all const members may be called at once.
class Placement {
 public:
  // Places nothing: what a spec with no nodes gives.
  Placement() : algorithm_(Ring(RingSpec{})) {}

  bool empty() const {
    return std::visit([](const auto& a) { return a.empty(); }, algorithm_);
  }
  std::size_t points() const {
    return std::visit([](const auto& a) { return a.points(); }, algorithm_);
  }
  // Requires: !empty().
  NodeIndex owner(std::string_view key) const {
    return std::visit([&](const auto& a) { return a.owner(key); }, algorithm_);
  }
  std::vector<NodeIndex> owners(std::string_view key, std::size_t count) const {
    return std::visit([&](const auto& a) { return a.owners(key, count); }, algorithm_);
  }

 private:
  friend Result<Placement> build(const RingSpec& spec);
  static_assert(PlacementAlgorithm<Ring>);
  std::variant<Ring> algorithm_;
};

// Pure.  Errors: too_large, when the spec asks for more points than limits::points.
Result<Placement> build(const RingSpec& spec);

}  // namespace chash
