#include "balance.h"

#include <doctest/doctest.h>

namespace chash::cli {
namespace {

TEST_CASE("a balance measures each node by its weight") {
  const NodeList nodes{{"a", 1}, {"b", 3}};
  const Balance balance = balance_of(nodes, std::vector<double>{0.3, 0.7});
  CHECK(balance.nodes[0].ideal == 0.25);
  CHECK(balance.nodes[0].off_by() == doctest::Approx(0.2));
  CHECK(balance.nodes[1].ideal == 0.75);
  CHECK(balance.nodes[1].off_by() == doctest::Approx(-1.0 / 15));
  CHECK(balance.max_mean == doctest::Approx(1.2));
  // Of 0.2 and -1/15.
  CHECK(balance.stddev == doctest::Approx(0.149071));
}

TEST_CASE("a balance leaves nodes of weight 0 out of its sums, and divides by nothing") {
  const Balance balance = balance_of({{"a", 1}, {"b", 0}}, std::vector<double>{1, 0});
  CHECK(balance.nodes[1].off_by() == 0);
  CHECK(balance.max_mean == 1);
  CHECK(balance.stddev == 0);
  const Balance nothing = balance_of({{"a", 0}}, std::vector<double>{0});
  CHECK(nothing.nodes[0].ideal == 0);
  CHECK(nothing.max_mean == 0);
}

TEST_CASE("a bar is as long as its part, to an eighth of a column") {
  CHECK(bar(0.5, 8, true) == "████");
  CHECK(bar(1, 2, true) == "██");
  CHECK(bar(1.0 / 16, 2, true) == "▏");
  CHECK(bar(15.0 / 16, 2, true) == "█▉");
  CHECK(bar(0, 8, true) == "");
  CHECK(bar(0.5, 8, false) == "####");
  CHECK(bar(7, 3, false) == "###");
  CHECK(bar(-1, 3, true) == "");
}

}  // namespace
}  // namespace chash::cli
