#include "protocol/plan_report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chash/movement.h"

namespace chash::protocol {
namespace {

// A ring and its placement, which a report refers to.
struct Built {
  explicit Built(RingSpec wanted) : spec(std::move(wanted)), placement(*build(spec)) {}
  operator PlacedRing() const { return {spec, placement}; }
  RingSpec spec;
  Placement placement;
};

const RingSpec seeds{"seed", {{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}}};

RingSpec with(RingSpec spec, const Change& change) {
  const auto delta = resolve(spec, change);
  REQUIRE(delta);
  return apply(std::move(spec), *delta);
}

MovementReport report(const RingSpec& before, const RingSpec& after, const ReportOptions& options = {}) {
  auto found = movement_report(Built(before), Built(after), options);
  if (!found) FAIL(found.error().message);
  return std::move(*found);
}

bool near(double a, double b) { return std::abs(a - b) < 1e-6; }

double total(const std::vector<FlowShare>& flows) {
  double sum = 0;
  for (const FlowShare& flow : flows) sum += flow.share;
  return sum;
}

TEST_CASE("plan report: a fourth node of the seed's ring takes 26.25 % of all keys, and nothing else moves") {
  const MovementReport found = report(seeds, with(seeds, AddNodes{{{"cache-node-4", 1}}, false}));
  CHECK(near(found.moved, 0.262509));
  CHECK(near(found.minimum, 0.262509));
  CHECK(found.needless == 0);
  CHECK(found.error == 0);
  CHECK(found.flows_left_out == 0);
  REQUIRE(found.added.size() == 1);
  CHECK(found.added[0].name == "cache-node-4");
  CHECK(found.removed.empty());
  CHECK(found.altered.empty());
  CHECK(found.ranks.empty());
  CHECK(found.ranges.empty());
  std::map<std::string, double> flows;
  for (const FlowShare& flow : found.flows) {
    CHECK(flow.to == "cache-node-4");
    flows[flow.from] = flow.share;
  }
  CHECK(flows.size() == 3);
  CHECK(near(flows["cache-node-1"], 0.089461));
  CHECK(near(flows["cache-node-2"], 0.102792));
  CHECK(near(flows["cache-node-3"], 0.070255));
  CHECK(std::ranges::is_sorted(found.flows, std::ranges::greater(), &FlowShare::share));

  REQUIRE(found.nodes.size() == 4);
  double before = 0, after = 0;
  for (const NodeShare& node : found.nodes) {
    CAPTURE(node.name);
    before += node.before;
    after += node.after;
    CHECK(near(node.after - node.before, node.gains - node.loses));
    CHECK(near(node.loses, flows.contains(node.name) ? flows[node.name] : 0));
  }
  CHECK(near(before, 1));
  CHECK(near(after, 1));
  CHECK(found.nodes[3].name == "cache-node-4");
  CHECK(found.nodes[3].before == 0);
  CHECK(near(found.nodes[3].gains, 0.262509));
}

TEST_CASE("plan report: what goes, what gets another weight and what stays are told apart") {
  const RingSpec after =
      with(with(seeds, RemoveNodes{{"cache-node-2"}, false}), SetNodes{{{"cache-node-3", 2}, {"new", 1}}, false});
  const MovementReport found = report(seeds, after);
  CHECK(found.removed == std::vector<std::string>{"cache-node-2"});
  REQUIRE(found.added.size() == 1);
  CHECK(found.added[0].name == "new");
  REQUIRE(found.altered.size() == 1);
  CHECK(found.altered[0].before.name == "cache-node-3");
  CHECK(found.altered[0].before.weight == 1);
  CHECK(found.altered[0].after.weight == 2);
  CHECK(near(total(found.flows), found.moved));
  const MovementReport nothing = report(seeds, seeds);
  CHECK(nothing.moved == 0);
  CHECK(nothing.flows.empty());
  CHECK(nothing.nodes.empty());
}

TEST_CASE("plan report: all keys come from nobody to the first node, and go to nobody with the last") {
  const RingSpec empty{"seed", {}}, one{"seed", {{"a", 1}}};
  const MovementReport first = report(empty, one), last = report(one, empty);
  REQUIRE(first.flows.size() == 1);
  CHECK(first.flows[0].from.empty());
  CHECK(first.flows[0].to == "a");
  CHECK(near(first.moved, 1));
  REQUIRE(last.flows.size() == 1);
  CHECK(last.flows[0].from == "a");
  CHECK(last.flows[0].to.empty());
  CHECK(last.removed == std::vector<std::string>{"a"});
}

TEST_CASE("plan report: the ranges are those positions whose owner changes, and come to what moves") {
  const RingSpec after = with(seeds, AddNodes{{{"cache-node-4", 1}}, false});
  const MovementReport found = report(seeds, after, {.n = 1, .ranges = true});
  CHECK(found.ranges.size() > 50);
  double sum = 0;
  std::string end;
  for (const MovedArc& arc : found.ranges) {
    REQUIRE(arc.first.size() == 32);
    REQUIRE(arc.last.size() == 32);
    CHECK(arc.first <= arc.last);
    CHECK(end < arc.first);
    CHECK(arc.from != arc.to);
    CHECK(arc.to == "cache-node-4");
    sum += std::stod("0x0." + arc.last) - std::stod("0x0." + arc.first);
    end = arc.last;
  }
  CHECK(near(sum, found.moved));

  // A short circle has short positions.
  const RingSpec ketama{"libketama", {{"a:1", 1}, {"b:1", 1}}};
  const MovementReport short_ones =
      report(ketama, with(ketama, AddNodes{{{"c:1", 1}}, false}), {.n = 1, .ranges = true});
  CHECK_FALSE(short_ones.ranges.empty());
  for (const MovedArc& arc : short_ones.ranges) CHECK(arc.first.size() == 8);
}

TEST_CASE("plan report: replicas are told of rank by rank") {
  const RingSpec after = with(seeds, AddNodes{{{"cache-node-4", 1}}, false});
  const MovementReport found = report(seeds, after, {.n = 3});
  REQUIRE(found.ranks.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(found.ranks[i].rank == i + 2);
    CHECK(found.ranks[i].moved > found.ranks[i].needless);
    CHECK(found.ranks[i].moved >= found.ranks[i].minimum);
    CHECK(near(total(found.ranks[i].flows), found.ranks[i].moved));
  }
  const Built from(seeds), to(after);
  const auto second = movement({from.placement, from.spec.nodes}, {to.placement, to.spec.nodes}, 1);
  REQUIRE(second);
  CHECK(found.ranks[0].moved == second->moved);
}

TEST_CASE("plan report: where nothing better is to be had keys are sampled, and it is said how near that is") {
  for (const std::string profile : {"jump", "envoy-maglev"}) {
    CAPTURE(profile);
    RingSpec before{profile, {}};
    for (int i = 0; i < 9; ++i) before.nodes.push_back({"n" + std::to_string(i), 1});
    const RingSpec after = with(before, AddNodes{{{"n9", 1}}, false});
    const MovementReport found = report(before, after);
    CHECK(found.error > 0);
    CHECK(found.error < 0.01);
    CHECK(std::abs(found.moved - 0.1) < (profile == "jump" ? 2 * found.error : 0.15));
    CHECK(near(total(found.flows), found.moved));
    CHECK(report(before, after).moved == found.moved);  // by the same keys each time
    for (const ReportOptions& options : {ReportOptions{.n = 2}, ReportOptions{.ranges = true}}) {
      const auto refused = movement_report(Built(before), Built(after), options);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Errc::unpredictable);
    }
  }
}

TEST_CASE("plan report: a plan has the same id on any machine, and another plan has another one") {
  const Token from = fingerprint(seeds), to = fingerprint(with(seeds, AddNodes{{{"cache-node-4", 1}}, false}));
  const std::string id = plan_id("default", from, to, 1);
  CHECK(id == plan_id("default", from, to, 1));
  CHECK(id == "plan-b6cd73c419281ec5");
  CHECK(is_plan_id(id));
  std::set<std::string> ids{id};
  ids.insert(plan_id("other", from, to, 1));
  ids.insert(plan_id("default", to, from, 1));
  ids.insert(plan_id("default", from, from, 1));
  ids.insert(plan_id("default", from, to, 0.5));
  CHECK(ids.size() == 5);
  for (const std::string& one : ids) CHECK(is_plan_id(one));
  for (const std::string& text : {std::string(), std::string("plan-"), id.substr(1), id + "0", id.substr(0, 20),
                                  "Plan-" + id.substr(5), id.substr(0, 20) + "G", id.substr(0, 20) + "A"})
    CHECK_FALSE(is_plan_id(text));
}

TEST_CASE("plan report: a node as it is given is the node that it becomes") {
  const Node node{"n", 2.5, {{"zone", "z"}, {"id", "7"}}};
  CHECK(nodes_of({given(node)}) == std::vector<Node>{node});
  CHECK(nodes_of({}).empty());
}

}  // namespace
}  // namespace chash::protocol
