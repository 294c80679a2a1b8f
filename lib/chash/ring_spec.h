// RingSpec: what a ring should be — its members and how they are placed. A value; nothing here touches the world.
// Whether a membership can be placed at all, build() decides (placement.h); what is wrong with a change by itself is
// found here.
//
//   Change  what somebody asks for ("add a and b, if missing")
//   Delta   exactly what that means for one spec ("b is added"): what the store writes, the log tells, the answer names
//
//   resolve(spec, change) -> Delta    may refuse
//   apply(spec, delta)    -> RingSpec cannot fail
//   difference(a, b)      -> Delta    that leads from one to the other
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chash/hash.h"
#include "chash/node_list.h"
#include "chash/pins.h"
#include "chash/result.h"
#include "chash/slot_table.h"

namespace chash {

struct Profile;

struct RingSpec {
  // NAME[,PARAMETER=VALUE]… as parse_profile() reads it.
  std::string profile = "seed";
  // In order of adding, which is the order in which they are listed, and the order of those profiles that have none of
  // their own.
  NodeList nodes{};
  // Of the profile `balanced` alone: what its changes made of it. apply() keeps it.
  SlotTable slots{};
  // What share of all keys one change may move without being forced; 1 is any. It decides nothing about placement.
  double max_move = 1;
  // Keys that are placed by hand.
  PinList pins{};

  friend bool operator==(const RingSpec&, const RingSpec&) = default;
};

// A hash of all that decides placement: equal fingerprints place every key alike, on any machine. The order of adding
// counts only where the profile takes the nodes in the order given.
// Requires: a profile that parse_profile() reads.  Cost: O(nodes), ~30 ns each.
Token fingerprint(const RingSpec& spec);

// The same of all that somebody may have said of its nodes: labels, too.
Token digest(const RingSpec& spec);

struct AddNodes {
  std::vector<Node> nodes;
  bool if_missing = false;  // leave nodes alone that are already there, whatever their weight
};

struct RemoveNodes {
  std::vector<std::string> names;
  bool if_exists = false;
};

// First these go, then those come.
struct EditNodes {
  RemoveNodes remove;
  AddNodes add;
};

// The ring as somebody wrote it down: nodes and pins that differ become as they are here, new ones come, and with
// `prune` those go that are not here.
struct SetNodes {
  std::vector<Node> nodes;
  bool prune = false;
  std::optional<double> max_move{};
  std::optional<std::vector<Pin>> pins{};  // none: whatever there is stays
};

// The ring as it once was. Its limits stay as they are now.
struct RestoreRing {
  RingSpec spec;
};

struct SetLimits {
  double max_move = 1;
};

// These nodes become otherwise, each as far as it is said here.
struct AlterNodes {
  enum class Weigh : std::uint8_t { keep, set, add, scale };

  // Names of nodes, or zone=NAME or rack=NAME for all that are in there.
  std::vector<std::string> names;
  Weigh weigh = Weigh::keep;
  double weight = 0;    // to set, to add, or to multiply the one there is with
  std::string state{};  // empty: as it is
  NodeFields fields{};  // an empty value takes a field away
  NodeFields labels{};  // or a label
};

// Another node in the place of one, with its keys.
struct ReplaceNode {
  std::string name;
  std::string with;
  std::string address{};  // a label of the new one; the old one's is not taken over
};

// First these go, then those come, or become as they are here.
struct EditPins {
  std::vector<PinName> remove;
  bool if_exists = false;  // no error for one to remove that is not there
  std::vector<Pin> add;
};

using Change =
    std::variant<AddNodes, RemoveNodes, EditNodes, SetNodes, RestoreRing, SetLimits, AlterNodes, ReplaceNode, EditPins>;

// A node that takes the place of another one of the ring.
struct Replaced {
  std::string name;
  Node node;

  friend bool operator==(const Replaced&, const Replaced&) = default;
};

struct Delta {
  std::vector<Node> added;           // behind all others
  std::vector<std::string> removed;  // before anything is added: a name may stand in both
  std::vector<Node> altered{};       // they keep their places
  std::optional<SlotTable> slots{};  // where not reslotted() says what becomes of them
  std::optional<double> max_move{};
  std::vector<Replaced> replaced{};  // in the places of those whose names these have
  std::vector<PinName> unpinned{};
  std::vector<Pin> pinned{};  // also those that were there, and become so

  bool empty() const { return has_same_nodes() && unpinned.empty() && pinned.empty() && !max_move; }
  bool has_same_nodes() const {
    return added.empty() && removed.empty() && altered.empty() && replaced.empty() && !slots;
  }
  friend bool operator==(const Delta&, const Delta&) = default;
};

// All or nothing: one node that cannot be added or removed refuses the whole change.
// Errors: invalid_argument (a name, a name twice, or what the profile does not have: a weight, a field), conflict
// (exists), not_found, too_large (nodes, pins).
Result<Delta> resolve(const RingSpec& spec, const Change& change);

// Requires: `delta` came from resolve() on this very spec.  Cost: O(nodes), and O(slots) where the ring keeps them.
RingSpec apply(RingSpec spec, const Delta& delta);

// What leads from one ring to another of the same profile. Nodes keep their places as far as that gives the same
// placement: where the order of the nodes decides anything, it becomes that of `after`.  Cost: O(nodes).
Delta difference(const RingSpec& before, const RingSpec& after);

// Whether nothing that differs between two nodes decides where the keys of one of them are: labels do not, nor does the
// state where that only says who answers (standing.h), nor a name that is not what is hashed.
bool are_placed_alike(const Profile& profile, const Node& a, const Node& b);

// Where among `before` the nodes are that are gone, if changes led to `after`: those that stay, as far as they are
// placed alike, are in their old order and before those that came. Ascending.  Cost: O(nodes).
std::vector<NodeIndex> removed_between(const Profile& profile, const NodeList& before, const NodeList& after);

}  // namespace chash
