// NodeList beside a vector of nodes, with copies that are kept while others change.
#include "chash/node_list.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace chash {
namespace {

std::size_t bytes_of(const std::vector<Node>& nodes) {
  std::size_t bytes = 0;
  for (const Node& node : nodes) {
    bytes += sizeof node + node.name.size();
    for (const auto& [name, value] : node.fields) bytes += sizeof(NodeFields::value_type) + name.size() + value.size();
  }
  return bytes;
}

void check_equal(const NodeList& list, const std::vector<Node>& model) {
  REQUIRE(list.size() == model.size());
  CHECK(std::ranges::equal(list, model));
  CHECK(list == NodeList(model));
  CHECK(list.bytes() == bytes_of(model));
  for (std::size_t i = 0; i < model.size(); ++i) REQUIRE(list[i] == model[i]);
}

TEST_CASE("node list: through any changes it is the vector, and copies stay what they were") {
  std::mt19937_64 random(71);
  NodeList list;
  std::vector<Node> model;
  std::vector<std::pair<NodeList, std::vector<Node>>> kept;
  for (int step = 0; step < 4000; ++step) {
    if (random() % 2 == 0 || model.empty()) {
      std::vector<Node> some(random() % 4);
      for (Node& node : some) {
        node = {"n" + std::to_string(random()), static_cast<double>(random() % 9)};
        if (random() % 5 == 0) node.fields = {{"alias", std::string(random() % 20'000, 'x')}};
      }
      list.append(some);
      model.insert(model.end(), some.begin(), some.end());
    } else {
      const std::uint64_t unlucky = random() % (step % 500 == 0 ? 2 : 50);
      const auto is_out = [&](const Node& node) { return std::hash<std::string>()(node.name) % 50 == unlucky % 50; };
      list.erase_if(is_out);
      std::erase_if(model, is_out);
    }
    if (step % 97 == 0) kept.emplace_back(list, model);
    if (kept.size() > 5) kept.erase(kept.begin());
    if (step % 50 != 0) continue;
    check_equal(list, model);
    for (const auto& [copy, was] : kept) check_equal(copy, was);
    const std::size_t first = random() % (model.size() + 1);
    check_equal(list.from(first), {model.begin() + static_cast<std::ptrdiff_t>(first), model.end()});
  }
}

}  // namespace
}  // namespace chash
