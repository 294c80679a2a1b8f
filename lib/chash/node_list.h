// NodeList: the nodes of a ring, in order. A value like a vector of them, but its copies share the nodes: one with a
// node more or less costs 8 bytes a node instead of a copy of all their texts.
//
// Threads: as a std::vector; that two lists share nodes nobody notices, since a node in a list is not written to.
#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chash {

// Texts of a node, by name.
using NodeFields = std::vector<std::pair<std::string, std::string>>;

struct Node {
  std::string name;     // hashed; see node_name.h
  double weight = 1;    // share wanted relative to others; 0 where the profile has that
  NodeFields fields{};  // what the profile reads (alias, id, tokens), and `state`
  NodeFields labels{};  // what it does not: `address`, `zone`, `rack`, and whatever else somebody wants to know

  friend bool operator==(const Node&, const Node&) = default;
};

// What a node takes, with its texts.
std::size_t bytes_of(const Node& node);

class NodeList {
 public:
  class iterator;
  using const_iterator = iterator;
  using value_type = Node;

  NodeList() = default;
  NodeList(std::initializer_list<Node> nodes) : NodeList(std::vector<Node>(nodes)) {}
  NodeList(std::vector<Node> nodes) { append(std::move(nodes)); }  // NOLINT: any list of nodes is one

  std::size_t size() const { return order_.size(); }
  bool empty() const { return order_.empty(); }
  const Node& operator[](std::size_t i) const { return *order_[i]; }
  const Node& front() const { return *order_.front(); }
  const Node& back() const { return *order_.back(); }
  iterator begin() const;
  iterator end() const;
  // Of all that the nodes hold.
  std::size_t bytes() const { return bytes_; }
  // Those from `first` on.
  NodeList from(std::size_t first) const;

  // Cost: O(added), but for once in a while when all are copied together.
  void append(std::vector<Node> nodes);
  void push_back(Node node) { append({std::move(node)}); }
  // Those of the same names become as these.  Cost: O(nodes), unless there is none.
  void replace(const std::vector<Node>& altered);
  // The node of that name becomes this one, in its place.
  void replace(std::string_view name, Node node);
  template <class Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(order_, [&](const Node* node) {
      if (!predicate(*node)) return false;
      bytes_ -= bytes_of(*node);
      return true;
    });
    tidy();
  }

  friend bool operator==(const NodeList& a, const NodeList& b);

 private:
  using Order = std::vector<const Node*>;

  void tidy();

  Order order_;
  std::vector<std::shared_ptr<const std::vector<Node>>> owned_;  // what order_ points into
  std::size_t bytes_ = 0;                                        // of the nodes in order_
  std::size_t owned_bytes_ = 0;                                  // and of those that were erased
};

class NodeList::iterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = Node;
  using difference_type = std::ptrdiff_t;
  using pointer = const Node*;
  using reference = const Node&;

  iterator() = default;
  explicit iterator(Order::const_iterator at) : at_(at) {}
  reference operator*() const { return **at_; }
  pointer operator->() const { return *at_; }
  reference operator[](difference_type n) const { return *at_[n]; }
  iterator& operator+=(difference_type n) { return at_ += n, *this; }
  iterator& operator-=(difference_type n) { return at_ -= n, *this; }
  iterator& operator++() { return *this += 1; }
  iterator& operator--() { return *this -= 1; }
  iterator operator++(int) { return iterator(at_++); }
  iterator operator--(int) { return iterator(at_--); }
  friend iterator operator+(iterator a, difference_type n) { return a += n; }
  friend iterator operator+(difference_type n, iterator a) { return a += n; }
  friend iterator operator-(iterator a, difference_type n) { return a -= n; }
  friend difference_type operator-(iterator a, iterator b) { return a.at_ - b.at_; }
  friend auto operator<=>(iterator a, iterator b) = default;

 private:
  Order::const_iterator at_{};
};

inline NodeList::iterator NodeList::begin() const { return iterator(order_.begin()); }
inline NodeList::iterator NodeList::end() const { return iterator(order_.end()); }

}  // namespace chash
