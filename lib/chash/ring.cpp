#include "chash/ring.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <string>

namespace chash {
namespace {

struct Point {
  Token token;
  NodeIndex node;
};

std::vector<Point> points_of(const RingSpec& spec) {
  std::vector<Point> points;
  points.reserve(point_count(spec));
  std::string label;
  for (NodeIndex node = 0; node < spec.nodes.size(); ++node) {
    label = spec.nodes[node].name + ':';
    const std::size_t stem = label.size();
    for (std::size_t i = 0; i < vnode_count(spec, spec.nodes[node].weight); ++i) {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof digits, i).ptr;
      label.resize(stem);
      label.append(digits, end);
      points.push_back({md5(label), node});
    }
  }
  return points;
}

}  // namespace

Ring::Ring(const RingSpec& spec) : node_count_(spec.nodes.size()) {
  std::vector<Point> points = points_of(spec);
  std::ranges::sort(points, [&](const Point& a, const Point& b) {
    return a.token != b.token ? a.token < b.token : spec.nodes[a.node].name < spec.nodes[b.node].name;
  });
  tokens_.reserve(points.size());
  owners_.reserve(points.size());
  for (const Point& point : points) {
    tokens_.push_back(point.token);
    owners_.push_back(point.node);
  }
}

std::size_t Ring::first_point_after(Token token) const {
  const auto after = std::ranges::upper_bound(tokens_, token);
  return after == tokens_.end() ? 0 : static_cast<std::size_t>(after - tokens_.begin());
}

NodeIndex Ring::owner(std::string_view key) const {
  assert(!empty());
  return owners_[first_point_after(md5(key))];
}

std::vector<NodeIndex> Ring::owners(std::string_view key, std::size_t count) const {
  std::vector<NodeIndex> found;
  if (empty()) return found;
  count = std::min(count, node_count_);
  std::vector<bool> seen(node_count_);
  for (std::size_t point = first_point_after(md5(key)); found.size() < count; point = (point + 1) % points()) {
    const NodeIndex node = owners_[point];
    if (seen[node]) continue;
    seen[node] = true;
    found.push_back(node);
  }
  return found;
}

}  // namespace chash
