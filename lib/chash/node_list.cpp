#include "chash/node_list.h"

#include <algorithm>

namespace chash {

NodeList NodeList::from(std::size_t first) const {
  NodeList rest;
  rest.order_.assign(order_.begin() + static_cast<std::ptrdiff_t>(first), order_.end());
  rest.owned_ = owned_;
  return rest;
}

void NodeList::append(std::vector<Node> nodes) {
  if (nodes.empty()) return;
  owned_.push_back(std::make_shared<const std::vector<Node>>(std::move(nodes)));
  for (const Node& node : *owned_.back()) order_.push_back(&node);
  tidy();
}

// Every copy counts the references of all that is owned, and what was erased is still there: neither may grow.
void NodeList::tidy() {
  std::size_t nodes = 0;
  for (const auto& some : owned_) nodes += some->size();
  if (owned_.size() <= 64 + order_.size() / 64 && nodes <= 64 + 2 * order_.size()) return;
  std::vector<Node> all(begin(), end());
  *this = {};
  append(std::move(all));
}

bool operator==(const NodeList& a, const NodeList& b) {
  return std::ranges::equal(a.order_, b.order_, [](const Node* x, const Node* y) { return x == y || *x == *y; });
}

}  // namespace chash
