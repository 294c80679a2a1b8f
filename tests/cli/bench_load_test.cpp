#include "bench_load.h"

#include <doctest/doctest.h>

#include "confirm.h"

namespace chash::cli {
namespace {

TEST_CASE("latencies: a percentile is right to a part in 64, whatever the time") {
  for (const std::uint64_t ns : {1ull, 63ull, 64ull, 127ull, 128ull, 1000ull, 55'555ull, 1'000'000'007ull}) {
    CAPTURE(ns);
    Latencies latencies;
    latencies.add(ns);
    CHECK(latencies.percentile_us(0.5) * 1000 == doctest::Approx(static_cast<double>(ns)).epsilon(1.0 / 64));
  }
  CHECK(Latencies().percentile_us(0.99) == 0);
}

TEST_CASE("latencies: percentiles part the sorted times, also of two that are put together") {
  Latencies all, slow;
  for (int i = 0; i < 990; ++i) all.add(50);
  for (int i = 0; i < 10; ++i) slow.add(100);
  slow.add(UINT64_MAX);
  all.add(slow);
  CHECK(all.count() == 1001);
  CHECK(all.percentile_us(0.5) * 1000 == doctest::Approx(50));
  CHECK(all.percentile_us(0.995) * 1000 == doctest::Approx(100));
  CHECK(all.percentile_us(1) > 1e6);
}

TEST_CASE("confirm: much is more than half of what had a node, and nothing where nothing had") {
  protocol::Plan plan;
  plan.moved = 0.5;
  plan.flows = {{"a", "b", 0.5}};
  CHECK_FALSE(is_much(plan));
  plan.moved = 0.51;
  plan.flows = {{"a", "b", 0.51}};
  CHECK(is_much(plan));
  plan.flows = {{"", "b", 0.51}};
  CHECK_FALSE(is_much(plan));
  plan.flows = {{"a", "b", 0.01}};
  plan.flows_left_out = 100;
  CHECK(is_much(plan));
}

}  // namespace
}  // namespace chash::cli
