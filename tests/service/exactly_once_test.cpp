// Changes with care: on the epoch that was looked at, and none of them twice.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "chash/limits.h"
#include "service/careful.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;
using Fate = FakeStore::Fate;
using Names = std::vector<std::string>;

// --- Expected epochs ------------------------------------------------------------------------------------------------

TEST_CASE("expect epoch: of two who looked at the same ring one changes it, and the other hears who that was") {
  World world({{"a", 1}});
  REQUIRE(world.ask<protocol::AddNodes>(adding("b", expecting(1, "for the sale")), {"uid 7 (anna)", {}}));
  const Error late = refusal(world.ask<protocol::AddNodes>(adding("c", expecting(1)), {"uid 8 (bert)", {}}));
  CHECK(late.code == Errc::conflict);
  CHECK(late.message.starts_with("ring 'default' is at epoch 2, not at 1: uid 7 (anna) made epoch 2 by add at 20"));
  CHECK(late.message.ends_with(" (for the sale)"));
  CHECK(late.hint == "look at it, then try again with --expect-epoch 2");
  CHECK(refusal(world.ask<protocol::AddNodes>(adding("c", expecting(3)))).message ==
        "ring 'default' is at epoch 2, not at 3");
  REQUIRE(world.ask<protocol::AddNodes>(adding("c", expecting(2))));
  // Not the last change, but the first that the other did not know of.
  CHECK(refusal(world.ask<protocol::RemoveNodes>({expecting(1), "default", {"a"}, false})).message.find("anna") !=
        std::string::npos);
  CHECK(names_of(world.ring()->spec) == Names{"a", "b", "c"});
}

TEST_CASE("expect epoch: of two that wait at once one changes the ring, and the other hears who that was") {
  World world({{"a", 1}});
  world.store.shut_gate();
  const auto gate = world.begin<protocol::AddNodes>(adding("gate"));
  world.store.wait_until_somebody_waits();
  const auto won = world.begin<protocol::AddNodes>(adding("b", expecting(2)), {"anna", {}});
  const auto lost = world.begin<protocol::AddNodes>(adding("c", expecting(2)), {"bert", {}});
  const auto easy = world.begin<protocol::AddNodes>(adding("d"), {"carl", {}});
  world.store.open_gate();
  REQUIRE(gate.get());
  REQUIRE(won.get());
  CHECK(won.get()->epoch == 3);
  const Error error = refusal(lost.get());
  CHECK(error.code == Errc::conflict);
  CHECK(error.message.starts_with("ring 'default' is at epoch 3, not at 2: anna made epoch 3 by add at "));
  REQUIRE(easy.get());
  CHECK(easy.get()->epoch == 4);
  CHECK(names_of(world.ring()->spec) == Names{"a", "gate", "b", "d"});
}

TEST_CASE("expect epoch: every change takes it") {
  World world({{"a", 1}, {"b", 1}});
  RingCreate::Request create;
  create.ring = "r";
  REQUIRE(world.ask<RingCreate>(create));
  const auto commits = world.store.commits().size();
  const auto code = [](const auto& answer) { return refusal(answer).code; };
  CHECK(code(world.ask<protocol::RemoveNodes>({expecting(9), "default", {"a"}, false})) == Errc::conflict);
  CHECK(code(world.ask<ApplyChange>(setting({{"c"}}, expecting(0)))) == Errc::conflict);
  CHECK(code(world.ask<RollBack>({expecting(9), "default", 0})) == Errc::conflict);
  CHECK(code(world.ask<RingSet>({expecting(9), "default", 0.5})) == Errc::conflict);
  CHECK(code(world.ask<RingDelete>({expecting(9), "r", false})) == Errc::conflict);
  static_cast<ChangeOptions&>(create) = expecting(5);
  create.ring = "s";
  CHECK(code(world.ask<RingCreate>(create)) == Errc::conflict);
  // Also where there is nothing to do.
  CHECK(code(world.ask<protocol::AddNodes>({expecting(9), "default", {{"a"}}, true})) == Errc::conflict);
  CHECK(world.store.commits().size() == commits);
  static_cast<ChangeOptions&>(create) = expecting(0);
  CHECK(world.ask<RingCreate>(create));
  CHECK(world.ask<RingDelete>({expecting(1), "r", false}));
}

// --- Exactly once ---------------------------------------------------------------------------------------------------

// One kind of change, with one of another content.
template <class Op>
void check_once(World& world, typename Op::Request request, typename Op::Request other) {
  const std::string id = std::string(Op::info.name) + "-once";
  request.request_id = id;
  other.request_id = id;
  const auto first = world.ask<Op>(request);
  REQUIRE(first);
  const auto rings = world.service->rings().latest();
  const auto made = world.service->changes_made();
  const std::size_t commits = world.store.commits().size();
  for (int i = 0; i < 3; ++i) {
    const auto again = world.ask<Op>(request);
    REQUIRE(again);
    CHECK(text_of(*again) == text_of(*first));
  }
  const Error error = refusal(world.ask<Op>(other));
  CHECK(error.code == Errc::conflict);
  CHECK(error.message == "the request id '" + id + "' was used for another request");
  CHECK(world.service->rings().latest() == rings);
  CHECK(world.service->changes_made() == made);
  CHECK(world.store.commits().size() == commits);
  CHECK(world.store.requests().size() == 1);
}

template <class Change>
void in_a_world(Change change) {
  World world({{"a", 1}, {"b", 1}, {"c", 1}});
  RingCreate::Request pool;
  pool.ring = "pool";
  pool.nodes = {{"x"}, {"y"}};
  REQUIRE(world.ask<RingCreate>(pool));
  REQUIRE(world.ask<protocol::AddNodes>(adding("d")));
  change(world);
}

TEST_CASE("exactly once: every change that is sent again gets the answer that it got") {
  in_a_world([](World& world) {
    check_once<protocol::AddNodes>(world, {{}, "default", {{"e"}, {"f", 2}}, true}, adding("g"));
  });
  in_a_world([](World& world) {
    check_once<protocol::RemoveNodes>(world, {{}, "default", {"a", "d"}, false}, {{}, "default", {"b"}, false});
  });
  in_a_world([](World& world) {
    RingCreate::Request create, other;
    create.ring = "new";
    create.profile = "ex-hash-ring";  // names are ambiguous: a warning is part of the answer
    create.nodes = {{"n"}, {"n1"}};
    other.ring = "newer";
    check_once<RingCreate>(world, create, other);
  });
  in_a_world([](World& world) { check_once<RingCopy>(world, {{}, "pool", "copy"}, {{}, "pool", "copy2"}); });
  in_a_world([](World& world) { check_once<RingDelete>(world, {{}, "pool", false}, {{}, "pool", true}); });
  in_a_world([](World& world) {
    check_once<ApplyChange>(world, setting({{"a", 2}, {"h"}}), setting({{"a", 2}, {"i"}}));
  });
  in_a_world([](World& world) {
    PlanChange::Request asked;
    asked.remove = {"b"};
    ApplyChange::Request by_id, other;
    by_id.plan = world.ask<PlanChange>(asked)->id;
    asked.remove = {"c"};
    other.plan = world.ask<PlanChange>(asked)->id;
    check_once<ApplyChange>(world, by_id, other);
  });
  in_a_world([](World& world) { check_once<RollBack>(world, {{}, "default", 1}, {{}, "default", 0}); });
  in_a_world([](World& world) { check_once<RingSet>(world, {{}, "default", 0.5}, {{}, "default", 0.6}); });
}

TEST_CASE("exactly once: the id belongs to all that is asked, whatever it is asked of") {
  World world({{"a", 1}});
  RingCreate::Request create;
  create.ring = "r";
  REQUIRE(world.ask<RingCreate>(create));
  REQUIRE(world.ask<protocol::AddNodes>(adding("b", with_id("x"))));
  const auto is_another = [](const auto& answer) { return refusal(answer).code == Errc::conflict; };
  CHECK(is_another(world.ask<protocol::AddNodes>({with_id("x"), "r", {{"b"}}, false})));
  CHECK(is_another(world.ask<protocol::AddNodes>({with_id("x"), "default", {{"b", 2}}, false})));
  CHECK(is_another(world.ask<protocol::AddNodes>({with_id("x"), "default", {{"b"}}, true})));
  CHECK(is_another(world.ask<protocol::RemoveNodes>({with_id("x"), "default", {"b"}, false})));
  CHECK(is_another(world.ask<RingDelete>({with_id("x"), "r", false})));
  ChangeOptions noted = with_id("x");
  noted.note = "why";
  CHECK(is_another(world.ask<protocol::AddNodes>(adding("b", noted))));
  CHECK(world.ask<protocol::AddNodes>(adding("b", with_id("x")))->epoch == 2);
  CHECK(world.ask<protocol::AddNodes>(adding("c", with_id("X")))->epoch == 3);
}

TEST_CASE("exactly once: requests of one id that wait at once are one change") {
  World world({{"a", 1}});
  world.store.shut_gate();
  const auto gate = world.begin<protocol::AddNodes>(adding("gate"));
  world.store.wait_until_somebody_waits();
  const auto one = world.begin<protocol::AddNodes>(adding("b", with_id("x")));
  const auto beside = world.begin<protocol::AddNodes>(adding("c"));
  const auto two = world.begin<protocol::AddNodes>(adding("b", with_id("x")));
  const auto other = world.begin<protocol::AddNodes>(adding("d", with_id("x")));
  RingCreate::Request create;
  create.ring = "r";
  create.request_id = "y";
  const auto made = world.begin<RingCreate>(create);
  const auto made_again = world.begin<RingCreate>(create);
  const auto three = world.begin<protocol::AddNodes>(adding("b", with_id("x")));
  world.store.open_gate();
  REQUIRE(gate.get());
  REQUIRE(beside.get());
  REQUIRE(one.get());
  for (const auto& again : {two, three}) {
    REQUIRE(again.get());
    CHECK(text_of(*again.get()) == text_of(*one.get()));
  }
  CHECK(refusal(other.get()).code == Errc::conflict);
  REQUIRE(made.get());
  REQUIRE(made_again.get());
  CHECK(text_of(*made.get()) == text_of(*made_again.get()));
  CHECK(names_of(world.ring()->spec) == Names{"a", "gate", "b", "c"});
  CHECK(world.store.requests().size() == 2);
}

TEST_CASE("exactly once: after a commit that failed the request is done, unless the store has it") {
  for (const Fate fate : {Fate::failed, Fate::failed_but_stored}) {
    World world({{"a", 1}});
    const bool stored = fate == Fate::failed_but_stored;
    world.store.fates({fate});
    CHECK(refusal(world.ask<protocol::AddNodes>(adding("b", with_id("x")))).code == Errc::storage_failed);
    CHECK(world.ring()->epoch == 1);
    CHECK(world.store.requests().size() == (stored ? 1 : 0));
    const auto again = world.ask<protocol::AddNodes>(adding("b", with_id("x")));
    REQUIRE(again);
    CHECK(again->epoch == 2);
    CHECK(again->previous_epoch == 1);
    CHECK(again->added == Names{"b"});
    CHECK(names_of(world.ring()->spec) == Names{"a", "b"});
    CHECK(world.store.stored().epoch == 2);

    RingCreate::Request create;
    create.ring = "r";
    create.request_id = "y";
    world.store.fates({fate});
    CHECK(refusal(world.ask<RingCreate>(create)).code == Errc::storage_failed);
    REQUIRE(world.ask<RingCreate>(create));
    CHECK(world.ask<RingCreate>(create)->epoch == 1);
    world.store.fates({fate});
    CHECK(refusal(world.ask<RingDelete>({with_id("z"), "r", false})).code == Errc::storage_failed);
    const auto deleted = world.ask<RingDelete>({with_id("z"), "r", false});
    REQUIRE(deleted);
    CHECK(deleted->deleted);
    CHECK(deleted->previous_epoch == 1);
  }
}

TEST_CASE("exactly once: a request that was refused is not remembered, and one for a ring that is gone is") {
  World world({{"a", 1}});
  RingCreate::Request create;
  create.ring = "r";
  CHECK(refusal(world.ask<protocol::AddNodes>({with_id("x"), "r", {{"b"}}, false})).code == Errc::not_found);
  REQUIRE(world.ask<RingCreate>(create));
  const auto added = world.ask<protocol::AddNodes>({with_id("x"), "r", {{"b"}}, false});
  REQUIRE(added);
  const auto set = world.ask<RingSet>({with_id("y"), "r", 0.5});
  REQUIRE(set);
  REQUIRE(world.ask<RingDelete>({{}, "r", false}));
  const auto again = world.ask<protocol::AddNodes>({with_id("x"), "r", {{"b"}}, false});
  REQUIRE(again);
  CHECK(text_of(*again) == text_of(*added));
  CHECK(text_of(*world.ask<RingSet>({with_id("y"), "r", 0.5})) == text_of(*set));
  CHECK(refusal(world.ask<RingSet>({with_id("z"), "r", 0.5})).code == Errc::not_found);
}

TEST_CASE("change: its request id and its note are of the form that they are said to have") {
  World world({{"a", 1}});
  const auto code = [&](ChangeOptions options) -> std::optional<Errc> {
    const auto answer = world.ask<protocol::AddNodes>({std::move(options), "default", {{"a"}}, true});
    return answer ? std::optional<Errc>() : answer.error().code;
  };
  for (const std::string& bad : {std::string("a b"), std::string("a/b"), std::string("a\n"), std::string("\xc3\xa9"),
                                 std::string("a\0", 2), std::string(limits::request_id_bytes + 1, 'x')})
    CHECK(code(with_id(bad)) == Errc::invalid_argument);
  CHECK_FALSE(code(with_id(std::string(limits::request_id_bytes, 'x'))));
  CHECK_FALSE(code(with_id("A.z_0-9")));
  ChangeOptions noted;
  for (const std::string& bad :
       {std::string("a\nb"), std::string("\x1b[2J"), std::string("\xff"), std::string(limits::note_bytes + 1, 'x')}) {
    noted.note = bad;
    CHECK(code(noted) == Errc::invalid_argument);
  }
  for (const std::string& good : {std::string("for the sale, \xc3\xa9"), std::string(limits::note_bytes, 'x')}) {
    noted.note = good;
    CHECK_FALSE(code(noted));
  }
}

}  // namespace
}  // namespace chash::service::test
