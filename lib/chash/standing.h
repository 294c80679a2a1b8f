// Standing: which nodes may answer for keys, and in which zone each of them is.
//
// A placement gives every key an order of all nodes; states only say who of them answers. So the ring itself stays as
// it is, and the keys of a node that is down come back to it when it is up again.
//
//   up      answers
//   down    is passed over
//   drain   answers for what it holds and takes nothing new: it is passed over where somebody stands in for a node that
//           is down
//
// The owner is the first node of the order, or the first one behind it that is up where that one is down. A list of n
// nodes is the owner and then those behind it that are up, or that drain and are among the first n of the whole order.
// Where zones count, nodes of zones that the list has not yet come before the others, and of the whole order, too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chash/profile.h"
#include "chash/ring_spec.h"

namespace chash {

enum class NodeState : std::uint8_t { up, drain, down };
std::string_view state_name(NodeState state);

// Errors: invalid_argument (a state that there is not).
Result<NodeState> node_state(const Node& node);

bool is_draining(const Node& node);

// Empty if it has none.  `zone` may also be a field.
std::string node_label(const Node& node, std::string_view label);

// The labels by which nodes are lost together. Lists of replicas may be spread over them.
inline constexpr std::string_view failure_domains[] = {"zone", "rack"};

// Whether the order of the nodes for a key does not depend on which of them are there. Then a node that is down is
// passed over, and one may drain. Elsewhere a node that is down is what the software makes of it (Profile::down).
bool keeps_order(const Profile& profile);

// The zone of each node, as a number. One without a zone is a zone by itself.
struct Zones {
  std::vector<std::uint32_t> of_node;
  std::vector<bool> has_up;  // by zone: whether a node of it is up
  std::size_t up = 0;        // how many have
};
Zones zones_of(const NodeList& nodes, std::string_view label);

// The states of all nodes; a null pointer while every node is up. Immutable.
class Standing {
 public:
  // Cost: O(nodes).
  static std::shared_ptr<const Standing> of(const Profile& profile, const NodeList& nodes);

  bool is_up(NodeIndex node) const { return states_[node] == NodeState::up; }
  bool is_down(NodeIndex node) const { return states_[node] == NodeState::down; }
  bool has_drain() const { return has_drain_; }
  // No key has a node that may answer.
  bool is_silent() const { return all_down_; }
  // Nobody can stand in for a node that is down.
  bool has_up() const { return has_up_; }

 private:
  std::vector<NodeState> states_;
  bool has_drain_ = false;
  bool all_down_ = true;
  bool has_up_ = false;
};

// The list of a key's nodes. `order(count)` gives the first `count` nodes of its whole order, fewer where there are no
// more; it is asked for as many as are needed. Null pointers: all nodes are up, zones do not count.
// Cost: of a few orders, each twice as long as the one before.
template <class Order>
std::vector<NodeIndex> choose(const Standing* standing, const Zones* zones, std::size_t count, const Order& order);

// --- How ---

// The first `count` of these, nodes of zones that are not there yet before the others.
std::vector<NodeIndex> spread(const std::vector<NodeIndex>& nodes, const Zones& zones, std::size_t count);
// What choose() says of such an order, which may be the beginning of a longer one.
std::vector<NodeIndex> choose_from(const std::vector<NodeIndex>& order, const Standing* standing, const Zones* zones,
                                   std::size_t count);
// Whether a longer order could change the list.
bool is_settled(const std::vector<NodeIndex>& order, const std::vector<NodeIndex>& list, const Standing* standing,
                const Zones* zones, std::size_t count);

template <class Order>
std::vector<NodeIndex> choose(const Standing* standing, const Zones* zones, std::size_t count, const Order& order) {
  if (standing == nullptr && zones == nullptr) return order(count);
  for (std::size_t asked = std::max<std::size_t>(count, 4);; asked *= 2) {
    const std::vector<NodeIndex> nodes = order(asked);
    std::vector<NodeIndex> list = choose_from(nodes, standing, zones, count);
    if (nodes.size() < asked || is_settled(nodes, list, standing, zones, count)) return list;
  }
}

}  // namespace chash
