#include "chash/node_list.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace chash {
namespace {

constexpr std::size_t spared_bytes = 64 * 1024;  // of erased nodes, that are not worth copying the others

}  // namespace

std::size_t bytes_of(const Node& node) {
  std::size_t bytes = sizeof node + node.name.size();
  for (const NodeFields* texts : {&node.fields, &node.labels})
    for (const auto& [name, value] : *texts) bytes += sizeof(NodeFields::value_type) + name.size() + value.size();
  return bytes;
}

NodeList NodeList::from(std::size_t first) const {
  NodeList rest;
  rest.order_.assign(order_.begin() + static_cast<std::ptrdiff_t>(first), order_.end());
  rest.owned_ = owned_;
  for (const Node& node : rest) rest.bytes_ += bytes_of(node);
  rest.owned_bytes_ = owned_bytes_;
  return rest;
}

void NodeList::append(std::vector<Node> nodes) {
  if (nodes.empty()) return;
  owned_.push_back(std::make_shared<const std::vector<Node>>(std::move(nodes)));
  for (const Node& node : *owned_.back()) {
    order_.push_back(&node);
    bytes_ += bytes_of(node);
    owned_bytes_ += bytes_of(node);
  }
  tidy();
}

void NodeList::replace(const std::vector<Node>& altered) {
  if (altered.empty()) return;
  owned_.push_back(std::make_shared<const std::vector<Node>>(altered));
  std::unordered_map<std::string_view, const Node*> by_name;
  for (const Node& node : *owned_.back()) by_name.emplace(node.name, &node);
  for (const Node*& node : order_) {
    const auto found = by_name.find(node->name);
    if (found == by_name.end()) continue;
    bytes_ += bytes_of(*found->second) - bytes_of(*node);
    owned_bytes_ += bytes_of(*found->second);
    node = found->second;
  }
  tidy();
}

void NodeList::replace(std::string_view name, Node node) {
  const auto place = std::ranges::find(order_, name, &Node::name);
  if (place == order_.end()) return;
  owned_.push_back(std::make_shared<const std::vector<Node>>(1, std::move(node)));
  const Node& now = owned_.back()->front();
  bytes_ += bytes_of(now) - bytes_of(**place);
  owned_bytes_ += bytes_of(now);
  *place = &now;
  tidy();
}

// Every copy counts the references of all that is owned, and what was erased is still there: neither may grow.
void NodeList::tidy() {
  if (owned_.size() <= 64 + order_.size() / 64 && owned_bytes_ <= spared_bytes + 2 * bytes_) return;
  std::vector<Node> all(begin(), end());
  *this = {};
  append(std::move(all));
}

bool operator==(const NodeList& a, const NodeList& b) {
  return std::ranges::equal(a.order_, b.order_, [](const Node* x, const Node* y) { return x == y || *x == *y; });
}

}  // namespace chash
