// SlotTable: which node has which slot, where that is part of a ring's state (the profile `balanced`).
//
// A value. Copies share what they hold, which never changes.  Threads: all const members may be called at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace chash {

using NodeIndex = std::uint32_t;  // position in RingSpec::nodes
// Where a profile names nobody: which node answers is not a pure function of the key.
inline constexpr NodeIndex no_node = 0xffffffff;

class SlotTable {
 public:
  SlotTable() = default;
  explicit SlotTable(std::vector<NodeIndex> nodes)
      : nodes_(nodes.empty() ? nullptr : std::make_shared<const std::vector<NodeIndex>>(std::move(nodes))) {}

  bool empty() const { return nodes_ == nullptr; }
  std::size_t size() const { return empty() ? 0 : nodes_->size(); }
  // Requires: slot < size().
  NodeIndex operator[](std::size_t slot) const { return (*nodes_)[slot]; }
  const std::vector<NodeIndex>& nodes() const {
    static const std::vector<NodeIndex> none;
    return empty() ? none : *nodes_;
  }

  friend bool operator==(const SlotTable& a, const SlotTable& b) {
    return a.nodes_ == b.nodes_ || a.nodes() == b.nodes();
  }

 private:
  std::shared_ptr<const std::vector<NodeIndex>> nodes_;
};

}  // namespace chash
