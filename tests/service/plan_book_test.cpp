// PlanBook: what it remembers is bounded, and what it is told is counted right.
#include "service/plan_book.h"

#include <doctest/doctest.h>

#include "chash/limits.h"

namespace chash::service::test {
namespace {

SetRing ring_of(std::size_t nodes, std::size_t name_bytes) {
  SetRing set;
  for (std::size_t i = 0; i < nodes; ++i) {
    std::string name = std::to_string(i);
    name.resize(name_bytes, 'x');
    set.nodes.nodes.push_back({std::move(name)});
  }
  return set;
}

}  // namespace

TEST_CASE("plan book: another way to the same ring keeps the plan, and does not spoil the count") {
  PlanBook book;
  book.put("plan-a", {"r", RollBackRing{1}, 1, 2});
  book.put("plan-a", {"r", ring_of(3'000, 20), 1, 2});
  CHECK(std::holds_alternative<RollBackRing>(book.find("plan-a")->change));
  for (std::size_t i = 0; i < limits::plans; ++i) book.put("plan-" + std::to_string(i), {"r", RollBackRing{i}, 1, 2});
  CHECK_FALSE(book.find("plan-a"));
  // All but the oldest are still there.
  for (std::size_t i = 0; i < limits::plans; ++i) CHECK(book.find("plan-" + std::to_string(i)));
}

TEST_CASE("plan book: long names and fields count, and the newest plan is always kept") {
  PlanBook book;
  const std::size_t bytes = bytes_of(RingChange(ring_of(1'000, 200)));
  CHECK(bytes > 200'000);
  const std::size_t fit = limits::bytes_of_plans / bytes;
  for (std::size_t i = 0; i < 2 * fit; ++i) book.put("plan-" + std::to_string(i), {"r", ring_of(1'000, 200), 1, 2});
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 2 * fit; ++i) kept += book.find("plan-" + std::to_string(i)).has_value();
  CHECK(kept == fit);
  book.put("large", {"r", ring_of(1, limits::bytes_of_plans), 1, 2});
  CHECK(book.find("large"));
}

}  // namespace chash::service::test
