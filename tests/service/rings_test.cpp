// RingService with several rings: each has its own members, epochs and placement.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chash/limits.h"
#include "service/answers.h"
#include "service/fake_store.h"

namespace chash::service::test {
namespace {

using Names = std::vector<std::string>;

struct Running {
  explicit Running(FakeStore& store) : log(quiet_log()) {
    auto started = RingService::start(store, *log, {{"seed-node", 1}});
    REQUIRE(started);
    service = std::move(*started);
  }
  Result<Committed> change(std::string ring, RingChange what) const {
    return ask(*service, std::move(what), std::move(ring));
  }
  std::shared_ptr<const Rings> rings() const { return service->rings().latest(); }
  Names names() const {
    Names all;
    for (const auto& [name, ring] : rings()->by_name) all.push_back(name);
    return all;
  }

  std::unique_ptr<Log> log;
  std::unique_ptr<RingService> service;
};

Error refusal(const Result<Committed>& answer) {
  REQUIRE_FALSE(answer);
  return answer.error();
}

TEST_CASE("rings: each has members, epochs and a placement of its own") {
  FakeStore store;
  const Running running(store);
  const auto made = running.change("pool", CreateRing{"libketama", {{"a:1", 2}, {"b:1", 1}}});
  REQUIRE(made);
  CHECK(made->epoch == 1);
  CHECK(made->previous_epoch == 0);
  REQUIRE(running.change("empty", CreateRing{"jump"}));
  CHECK(running.names() == Names{"default", "empty", "pool"});

  REQUIRE(running.change("pool", add({"c:1"})));
  REQUIRE(running.change("empty", add({"a"})));
  const auto rings = running.rings();
  CHECK((*rings->get("pool"))->epoch == 2);
  CHECK((*rings->get("empty"))->epoch == 2);
  CHECK(rings->default_ring().epoch == 1);
  CHECK((*rings->get("pool"))->spec == RingSpec{"libketama", {{"a:1", 2}, {"b:1", 1}, {"c:1", 1}}});
  CHECK((*rings->get("pool"))->placement.points() == 480);
  CHECK(store.stored("pool").spec == (*rings->get("pool"))->spec);
  CHECK(store.stored("empty").epoch == 2);
}

TEST_CASE("rings: what a profile cannot place is refused, and the ring stays as it was") {
  FakeStore store;
  const Running running(store);
  REQUIRE(running.change("cluster", CreateRing{"redis-cluster", {{"a", 1, {{"slots", "0-100"}}}}}));
  const AddNodes overlapping{{{"b", 1, {{"slots", "100-200"}}}}, false};
  CHECK(refusal(running.change("cluster", overlapping)).message == "node 'b': slot 100 is another node's, too");
  CHECK(refusal(running.change("new", CreateRing{"cassandra", {{"a"}}})).message == "node 'a' has no tokens");
  CHECK(refusal(running.change("new", CreateRing{"libmemcached-ketama", {{"a:11211"}, {"a"}}})).message ==
        "node 'a': it is the same as 'a:11211' to this profile");
  CHECK(running.names() == Names{"cluster", "default"});
  CHECK((*running.rings()->get("cluster"))->epoch == 1);
  CHECK(store.commits().size() == 2);
}

TEST_CASE("rings: of changes that wait together, only the one that cannot be placed is refused") {
  FakeStore store;
  const Running running(store);
  REQUIRE(running.change("cluster", CreateRing{"redis-cluster", {{"a", 1, {{"slots", "0-100"}}}}}));
  Answers answers;
  store.shut_gate();
  running.service->change("default", add({"gate"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  const auto slots = [](const char* name, const char* range) {
    return AddNodes{{{name, 1, {{"slots", range}}}}, false};
  };
  running.service->change("cluster", slots("b", "101-200"), somebody(), answers.next());
  running.service->change("cluster", slots("bad", "50"), somebody(), answers.next());
  running.service->change("default", add({"beside"}), somebody(), answers.next());
  running.service->change("cluster", slots("c", "201-300"), somebody(), answers.next());
  store.open_gate();
  const auto all = answers.all();
  CHECK(all[1]);
  CHECK(refusal(all[2]).message == "node 'bad': slot 50 is another node's, too");
  CHECK(all[3]);
  CHECK(all[4]);
  CHECK(names_of((*running.rings()->get("cluster"))->spec) == Names{"a", "b", "c"});
  CHECK((*running.rings()->get("cluster"))->epoch == 3);
  CHECK(names_of(running.rings()->default_ring().spec) == Names{"seed-node", "gate", "beside"});
}

TEST_CASE("rings: changes that wait keep their order around the making and deleting of rings") {
  FakeStore store;
  const Running running(store);
  Answers answers;
  store.shut_gate();
  running.service->change("default", add({"gate"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  running.service->change("r", add({"too-early"}), somebody(), answers.next());
  running.service->change("r", CreateRing{"seed"}, somebody(), answers.next());
  running.service->change("r", add({"a"}), somebody(), answers.next());
  running.service->change("default", add({"b"}), somebody(), answers.next());
  running.service->change("copy", CopyRing{"r"}, somebody(), answers.next());
  running.service->change("r", DeleteRing{}, somebody(), answers.next());
  running.service->change("r", add({"too-late"}), somebody(), answers.next());
  running.service->change("r", CreateRing{"jump"}, somebody(), answers.next());
  store.open_gate();
  const auto all = answers.all();
  CHECK(code_of(all[1]) == Errc::not_found);
  for (const std::size_t good : {2, 3, 4, 5, 6, 8}) CHECK(all[good]);
  CHECK(code_of(all[7]) == Errc::not_found);
  CHECK((*running.rings()->get("copy"))->spec == RingSpec{"seed", {{"a", 1}}});
  CHECK((*running.rings()->get("r"))->spec == RingSpec{"jump", {}});
}

TEST_CASE("rings: epochs under one name only grow, also when the ring is deleted and made anew") {
  FakeStore store;
  {
    const Running running(store);
    REQUIRE(running.change("r", CreateRing{"seed"}));
    for (const char* name : {"a", "b", "c"}) REQUIRE(running.change("r", add({name})));
    const auto deleted = running.change("r", DeleteRing{});
    REQUIRE(deleted);
    CHECK(deleted->previous_epoch == 4);
    CHECK(deleted->spec == nullptr);
    CHECK(running.change("r", CreateRing{"seed"})->epoch == 5);
    REQUIRE(running.change("r", DeleteRing{}));
  }
  const Running again(store);
  CHECK(again.change("r", CreateRing{"seed"})->epoch == 6);
}

TEST_CASE("rings: the default ring stays, and a name is taken once") {
  FakeStore store;
  const Running running(store);
  CHECK(refusal(running.change("default", DeleteRing{})).code == Errc::invalid_argument);
  CHECK(refusal(running.change("default", CreateRing{"jump"})).code == Errc::conflict);
  REQUIRE(running.change("r", CreateRing{"seed"}));
  CHECK(refusal(running.change("r", CreateRing{"seed"})).code == Errc::conflict);
  CHECK(refusal(running.change("r", CopyRing{"default"})).code == Errc::conflict);
  CHECK(refusal(running.change("s", CopyRing{"t"})).code == Errc::not_found);
  CHECK(refusal(running.change("s", DeleteRing{})).code == Errc::not_found);
  const auto nothing = running.change("s", DeleteRing{true});
  REQUIRE(nothing);
  CHECK(nothing->previous_epoch == 0);
  for (const char* bad : {"", "-r", ".r", "a/b", "a b", "a\n", "\xc3\xa9", "{ring}"}) {
    CAPTURE(bad);
    CHECK(refusal(running.change(bad, CreateRing{"seed"})).code == Errc::invalid_argument);
  }
  CHECK(running.change(std::string(limits::ring_name_bytes, 'r'), CreateRing{"seed"}));
  CHECK_FALSE(running.change(std::string(limits::ring_name_bytes + 1, 'r'), CreateRing{"seed"}));
  CHECK(refusal(running.change("s", CreateRing{std::string(limits::profile_bytes + 1, 'p')})).code == Errc::too_large);
}

TEST_CASE("rings: as many as the limit says, and not one more") {
  FakeStore store;
  const Running running(store);
  Answers answers;
  for (std::size_t i = 1; i < limits::rings; ++i)
    running.service->change("r" + std::to_string(i), CreateRing{"jump"}, somebody(), answers.next());
  for (const auto& answer : answers.all()) REQUIRE(answer);
  CHECK(refusal(running.change("one-more", CreateRing{"jump"})).code == Errc::too_large);
  REQUIRE(running.change("r1", DeleteRing{}));
  CHECK(running.change("one-more", CreateRing{"jump"}));
}

TEST_CASE("rings: the points of all together are as many as the limit says, and not one more") {
  FakeStore store;
  const Running running(store);
  const std::size_t others = running.rings()->default_ring().placement.points();
  // One point for each unit of weight.
  const auto ring_of = [](std::size_t points) {
    CreateRing ring{"nginx-hash", {}};
    constexpr auto most = static_cast<std::size_t>(limits::max_weight);
    for (std::size_t left = points; left > 0; left -= std::min(left, most))
      ring.nodes.push_back({"n" + std::to_string(left), static_cast<double>(std::min(left, most))});
    return ring;
  };
  static_assert(limits::points_of_all_rings == 2 * limits::points);
  const auto refusal_of = [](std::size_t points) {
    return "all rings together would have " + std::to_string(points) + " points; the limit is 32000000";
  };
  REQUIRE(running.change("full", ring_of(limits::points)));
  const Error error = refusal(running.change("rest", ring_of(limits::points - others + 1)));
  CHECK(error.code == Errc::too_large);
  CHECK(error.message == refusal_of(limits::points_of_all_rings + 1));
  CHECK(error.hint == "use smaller weights or fewer vnodes, or delete a ring");
  REQUIRE(running.change("rest", ring_of(limits::points - others)));
  // A node more, in a ring that is there.
  CHECK(refusal(running.change("default", add({"a"}))).message == refusal_of(limits::points_of_all_rings + 100));
  CHECK(names_of(running.rings()->default_ring().spec) == Names{"seed-node"});
  REQUIRE(running.change("rest", DeleteRing{}));
  CHECK(running.change("default", add({"a"})));
}

TEST_CASE("rings: the names and fields of one take no more bytes than the limit says") {
  FakeStore store;
  const Running running(store);
  const auto wide_nodes = [](std::size_t first, std::size_t count) {
    std::vector<Node> nodes;
    for (std::size_t i = first; i < first + count; ++i)
      nodes.push_back({"n" + std::to_string(i), 1, {{"alias", std::string(limits::field_bytes - 16, 'a')}}});
    return nodes;
  };
  constexpr std::size_t too_many = limits::ring_bytes / limits::field_bytes + 1;
  REQUIRE(running.change("wide", CreateRing{"jump,identity={name}{alias}", wide_nodes(0, too_many - 21)}));
  const Error error = refusal(running.change("wide", AddNodes{wide_nodes(too_many - 21, 21), false}));
  CHECK(error.code == Errc::too_large);
  CHECK(error.message.starts_with("the names, fields, slots and pins of the ring would have "));
  CHECK(error.hint == "the limit is " + std::to_string(limits::ring_bytes) + " bytes");
  CHECK((*running.rings()->get("wide"))->spec.nodes.size() == too_many - 21);
}

TEST_CASE("rings: after a failed commit the daemon goes on from what the store holds of all rings") {
  for (const auto fate : {FakeStore::Fate::failed, FakeStore::Fate::failed_but_stored}) {
    FakeStore store;
    const Running running(store);
    REQUIRE(running.change("r", CreateRing{"seed"}));
    store.fates({fate});
    CHECK(code_of(running.change("s", CreateRing{"jump", {{"a"}}})) == Errc::storage_failed);
    CHECK(running.names() == Names{"default", "r"});  // nobody was told of s
    REQUIRE(running.change("r", add({"a"})));
    const bool stored = fate == FakeStore::Fate::failed_but_stored;
    CHECK(running.names() == (stored ? Names{"default", "r", "s"} : Names{"default", "r"}));

    store.fates({fate});
    CHECK(code_of(running.change("r", DeleteRing{})) == Errc::storage_failed);
    CHECK((*running.rings()->get("r"))->epoch == 2);
    REQUIRE(running.change("default", add({"b"})));
    CHECK(running.rings()->get("r").has_value() == !stored);
    CHECK(running.rings()->epoch_floor == (stored ? 2 : 0));
  }
}

TEST_CASE("rings: a store that forgot a deleted ring is not followed") {
  FakeStore store;
  const Running running(store);
  REQUIRE(running.change("r", CreateRing{"seed"}));
  REQUIRE(running.change("r", DeleteRing{}));
  store.forget_deleted_rings();
  store.fates({FakeStore::Fate::failed});
  CHECK(code_of(running.change("default", add({"a"}))) == Errc::storage_failed);
  const Error error = refusal(running.change("default", add({"a"})));
  CHECK(error.code == Errc::storage_failed);
  CHECK(error.message == "the store does not know of rings that this daemon has deleted");
  CHECK(running.rings()->epoch_floor == 1);
}

TEST_CASE("rings: names that a profile cannot tell apart get a warning, and the change is made") {
  FakeStore store;
  const Running running(store);
  const auto made = running.change("r", CreateRing{"ex-hash-ring", {{"n", 1}, {"n1", 1}}});
  REQUIRE(made);
  CHECK(made->warning.starts_with("'n' and 'n1' both have the point 'n1"));
  const auto more = running.change("r", add({"other"}));
  REQUIRE(more);
  CHECK_FALSE(more->warning.empty());
  CHECK(running.change("r", remove({"n1"}))->warning.empty());
  CHECK(running.change("r", add({"x"}))->warning.empty());
}

}  // namespace
}  // namespace chash::service::test
