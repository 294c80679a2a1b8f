// Pins: keys, or what keys begin with, for which somebody has said the nodes by hand.
//
// The nodes of a pin come first in the order of its keys, those of the ring behind them; from that order everything
// else follows as ever (standing.h): a node that is down is passed over, one that drains gives no more than it holds.
// The key itself goes before what it begins with, and a longer beginning before a shorter one. Names of nodes that the
// ring does not have, or no longer, are passed over.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chash/node_list.h"
#include "chash/result.h"
#include "chash/slot_table.h"

namespace chash {

struct Profile;

struct PinName {
  std::string key;         // or what keys begin with; any bytes
  bool is_prefix = false;  // behind the key itself, of the same bytes

  friend auto operator<=>(const PinName&, const PinName&) = default;
};

struct Pin {
  PinName name;
  std::vector<std::string> nodes;
  std::int64_t expires_ms = 0;  // since 1970; 0: never. Whoever keeps the ring takes it away then

  friend bool operator==(const Pin&, const Pin&) = default;
};

// What can be said of one by itself.  Errors: invalid_argument, too_large.
Result<void> check_pin(const Pin& pin);
Result<void> check_pin_name(const PinName& name);

// "key 'a'" or "prefix 'a'", printable.
std::string pin_text(const PinName& name);

// The pins of a ring, by name. A value whose copies share the pins.
class PinList {
 public:
  using value_type = Pin;

  PinList() = default;
  // One that comes later in the list takes the place of an earlier one.
  PinList(std::vector<Pin> pins);  // NOLINT: any list of pins is one

  std::size_t size() const { return held_ == nullptr ? 0 : held_->pins.size(); }
  bool empty() const { return held_ == nullptr; }
  std::vector<Pin>::const_iterator begin() const { return pins().begin(); }
  std::vector<Pin>::const_iterator end() const { return pins().end(); }
  // Null if there is none.
  const Pin* find(const PinName& name) const;
  // That of a key: what PinIndex::nodes_of() knows of the names, without the nodes.  Cost: O(pins).
  const Pin* of_key(std::string_view key) const;
  // Of all that the pins hold.
  std::size_t bytes() const { return held_ == nullptr ? 0 : held_->bytes; }
  // The earliest of those that expire at all; 0 if none does.
  std::int64_t first_expiry_ms() const { return held_ == nullptr ? 0 : held_->first_expiry_ms; }

  // Without some, then with others, which may take the place of those of their names.  Cost: O(pins).
  PinList changed(const std::vector<PinName>& without, const std::vector<Pin>& with) const;

  friend bool operator==(const PinList& a, const PinList& b) { return a.held_ == b.held_ || a.pins() == b.pins(); }

 private:
  struct Held {
    std::vector<Pin> pins;  // in order
    std::size_t bytes = 0;
    std::int64_t first_expiry_ms = 0;
  };
  const std::vector<Pin>& pins() const;

  std::shared_ptr<const Held> held_;  // null if there is none
};

// The pins of a ring, for look-ups. Immutable.
class PinIndex {
 public:
  // Nothing without pins.  Cost: O(nodes + pins).
  static std::shared_ptr<const PinIndex> of(const Profile& profile, const NodeList& nodes, const PinList& pins);

  // The nodes that are said for a key and that may answer by their profile; none as a rule.
  // Cost, beside 20 ns for the node of a key (bench_placement): 15 ns with one pin, 40 with 10,000 keys, 65 with 10,000
  // prefixes.
  std::span<const NodeIndex> nodes_of(std::string_view key) const;
  // The same of one pin.
  std::span<const NodeIndex> nodes_of(const PinName& name) const;

 private:
  struct Nodes {
    std::uint32_t begin = 0, end = 0;  // in nodes_
  };
  struct Prefix {
    std::string text;
    std::uint32_t parent;  // the longest other prefix that this one begins with; no_parent
    Nodes nodes;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  static constexpr std::uint32_t no_parent = ~std::uint32_t{0};

  std::span<const NodeIndex> span_of(Nodes nodes) const {
    return std::span(nodes_).subspan(nodes.begin, nodes.end - nodes.begin);
  }

  std::vector<NodeIndex> nodes_;
  std::unordered_map<std::string, Nodes, Hash, std::equal_to<>> keys_;
  std::vector<Prefix> prefixes_;  // ascending
};

}  // namespace chash
