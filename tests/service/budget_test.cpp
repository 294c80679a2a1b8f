// The budget: what one change of a ring may move.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/plan_report.h"
#include "service/careful.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;
using Fate = FakeStore::Fate;
using Names = std::vector<std::string>;

TEST_CASE("budget: what moves more than the ring allows is refused with its plan, unless it is forced") {
  World world({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}});
  const auto set = world.ask<RingSet>({{}, "default", 0.1});
  REQUIRE(set);
  CHECK(set->epoch == 2);
  const auto commits = world.store.commits().size();
  const auto check_refused = [&](const Error& error) {
    CHECK(error.code == Errc::over_budget);
    const auto plan = decode_plan(error);
    REQUIRE(plan);
    CHECK(plan->over_budget);
    CHECK(plan->moved > 0.1);
    CHECK(plan->max_move == 0.1);
    CHECK(plan->epoch == world.ring()->epoch);
    CHECK(plan->from == hex(fingerprint(world.ring()->spec)));
    CHECK(world.store.commits().size() == commits);
  };
  check_refused(refusal(world.ask<protocol::AddNodes>(adding("e"))));
  check_refused(refusal(world.ask<protocol::RemoveNodes>({{}, "default", {"a"}, false})));
  check_refused(refusal(world.ask<ApplyChange>(setting({{"a", 3}}))));
  check_refused(refusal(world.ask<RollBack>({{}, "default", 0})));
  PlanChange::Request asked;
  asked.add = {{"e"}};
  const auto plan = world.ask<PlanChange>(asked);
  REQUIRE(plan);
  CHECK(plan->over_budget);
  ApplyChange::Request by_id;
  by_id.plan = plan->id;
  check_refused(refusal(world.ask<ApplyChange>(by_id)));
  CHECK(names_of(world.ring()->spec) == Names{"a", "b", "c", "d"});

  // What moves less, or nothing, goes.
  REQUIRE(world.ask<protocol::AddNodes>({{}, "default", {{"tiny", 0.05}}, false}));
  REQUIRE(world.ask<ApplyChange>(setting({{"a", 1, {{"state", "up"}}}})));
  static_cast<ChangeOptions&>(by_id) = forced();
  CHECK(refusal(world.ask<ApplyChange>(by_id)).code == Errc::conflict);  // that was another ring
  const auto again = world.ask<PlanChange>(asked);
  by_id.plan = again->id;
  CHECK(world.ask<ApplyChange>(by_id)->added == Names{"e"});
  REQUIRE(world.ask<protocol::AddNodes>(adding("f", forced())));
  REQUIRE(world.ask<RollBack>({forced(), "default", 1}));
  CHECK(names_of(world.ring()->spec) == Names{"a", "b", "c", "d"});
  CHECK(world.ring()->spec.max_move == 0.1);  // a rollback does not take it back
}

TEST_CASE("budget: taking nodes down is never refused, and what is done beside it is") {
  World world({{"a", 1}, {"b", 1}, {"c", 1}});
  REQUIRE(world.ask<RingSet>({{}, "default", 0}));
  CHECK(refusal(world.ask<ApplyChange>(setting({{"a", 1, {{"state", "down"}}}, {"b", 2}}))).code == Errc::over_budget);
  CHECK(refusal(world.ask<ApplyChange>(setting({{"a", 2, {{"state", "down"}}}}))).code == Errc::over_budget);
  ApplyChange::Request pruning = setting({{"a", 1, {{"state", "down"}}}});
  pruning.prune = true;
  CHECK(refusal(world.ask<ApplyChange>(pruning)).code == Errc::over_budget);
  PlanChange::Request asked;
  asked.nodes = std::vector<NodeGiven>{{"a", 1, {{"state", "down"}}}};
  const auto plan = world.ask<PlanChange>(asked);
  CHECK(plan->moved > 0.2);
  CHECK_FALSE(plan->over_budget);
  REQUIRE(world.ask<ApplyChange>(setting({{"a", 1, {{"state", "down"}}}, {"b", 1, {{"state", "down"}}}})));
  CHECK(owner_of(*world.ring(), "k") == "c");
  CHECK(refusal(world.ask<ApplyChange>(setting({{"a", 1}}))).code == Errc::over_budget);
  CHECK(refusal(world.ask<ApplyChange>(setting({{"a", 1, {{"state", "up"}}}}))).code == Errc::over_budget);
  REQUIRE(world.ask<ApplyChange>(setting({{"a", 1, {{"state", "up"}}}}, forced())));
}

TEST_CASE("budget: it is set however little the ring allows, and kept in the history") {
  World world({{"a", 1}, {"b", 1}});
  for (const double max_move : {0.0, 0.5, 1.0, 0.25}) {
    const auto set = world.ask<RingSet>({{}, "default", max_move});
    REQUIRE(set);
    CHECK(set->epoch == set->previous_epoch + 1);
    CHECK(world.ring()->spec.max_move == max_move);
    CHECK(world.ask<History>({"default", 1, {}, "", ""})->entries.front().max_move == max_move);
  }
  const auto same = world.ask<RingSet>({{}, "default", 0.25});
  CHECK(same->epoch == same->previous_epoch);
  // With nodes, the one that was there counts.
  ApplyChange::Request both = setting({{"c"}});
  both.max_move = 1;
  CHECK(refusal(world.ask<ApplyChange>(both)).code == Errc::over_budget);
  static_cast<ChangeOptions&>(both) = forced();
  CHECK(world.ask<ApplyChange>(both)->added == Names{"c"});
  CHECK(world.ring()->spec.max_move == 1);
  RingCreate::Request create;
  create.ring = "r";
  create.max_move = 0.01;
  create.nodes = {{"a"}, {"b"}};
  REQUIRE(world.ask<RingCreate>(create));  // nothing moves that was not there
  CHECK(world.ring("r")->spec.max_move == 0.01);
  REQUIRE(world.ask<RingCopy>({{}, "r", "copy"}));
  CHECK(world.ring("copy")->spec.max_move == 0.01);
}

TEST_CASE("budget: changes that wait together are weighed one by one") {
  World world({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}});
  REQUIRE(world.ask<RingSet>({{}, "default", 0.3}));
  world.store.shut_gate();
  const auto gate = world.begin<protocol::AddNodes>({{}, "default", {{"gate", 0.01}}, false});
  world.store.wait_until_somebody_waits();
  const auto first = world.begin<protocol::AddNodes>(adding("e"));
  const auto three = world.begin<protocol::AddNodes>({{}, "default", {{"x"}, {"y"}, {"z"}}, false});
  const auto second = world.begin<protocol::AddNodes>(adding("f"));
  const auto by_force = world.begin<protocol::AddNodes>({forced(), "default", {{"u"}, {"v"}, {"w"}, {"t"}}, false});
  const auto after = world.begin<protocol::RemoveNodes>({{}, "default", {"u", "v", "w", "t"}, false});
  world.store.open_gate();
  CHECK(gate.get());
  CHECK(first.get()->epoch == 4);
  CHECK(refusal(three.get()).code == Errc::over_budget);
  CHECK(decode_plan(refusal(three.get()))->epoch == 4);
  CHECK(second.get()->epoch == 5);
  CHECK(by_force.get()->epoch == 6);
  CHECK(refusal(after.get()).code == Errc::over_budget);
  CHECK(world.ring()->epoch == 6);
}

TEST_CASE("budget: one that only the store knew of holds for changes that wait together, too") {
  World world({{"a", 1}, {"b", 1}});
  world.store.fates({Fate::stored, Fate::failed_but_stored});
  world.store.shut_gate();
  const auto gate = world.begin<protocol::AddNodes>(adding("gate"));
  world.store.wait_until_somebody_waits();
  const auto set = world.begin<RingSet>({{}, "default", 0.05});
  const auto by_force = world.begin<protocol::AddNodes>(adding("c", forced()));
  const auto plain = world.begin<protocol::AddNodes>(adding("d"));
  world.store.open_gate();
  CHECK(gate.get());
  CHECK(refusal(set.get()).code == Errc::storage_failed);
  CHECK(by_force.get());
  CHECK(refusal(plain.get()).code == Errc::over_budget);
  CHECK(names_of(world.ring()->spec) == Names{"a", "b", "gate", "c"});
  CHECK(world.ring()->spec.max_move == 0.05);
}

TEST_CASE("budget: of a ring that is sampled, it holds as well") {
  World world(std::vector<Node>{});
  RingCreate::Request create;
  create.ring = "r";
  create.profile = "jump";
  create.max_move = 0.25;
  create.nodes = {{"a"}, {"b"}, {"c"}};
  REQUIRE(world.ask<RingCreate>(create));
  const Error error = refusal(world.ask<protocol::RemoveNodes>({{}, "r", {"c"}, false}));
  CHECK(error.code == Errc::over_budget);
  CHECK(decode_plan(error)->error > 0);
  REQUIRE(world.ask<protocol::AddNodes>({{}, "r", {{"d", 1}}, false}, somebody()).has_value() == false);
  REQUIRE(world.ask<protocol::AddNodes>({forced(), "r", {{"d", 1}}, false}));
  REQUIRE(world.ask<protocol::AddNodes>({{}, "r", {{"e", 1}}, false}));  // a fifth
}

}  // namespace
}  // namespace chash::service::test
