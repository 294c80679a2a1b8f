// RingService: how changes become durable, visible and answered, in that order, and what a batch of them comes to.
#include "service/ring_service.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "service/answers.h"
#include "service/fake_store.h"

namespace chash::service::test {
namespace {

using Names = std::vector<std::string>;

struct Running {
  explicit Running(FakeStore& store, const std::vector<Node>& initial_nodes = {}) : log(quiet_log()) {
    auto started = RingService::start(store, *log, initial_nodes);
    REQUIRE(started);
    service = std::move(*started);
  }
  std::shared_ptr<const Snapshot> now() const { return default_snapshot(*service); }

  std::unique_ptr<Log> log;
  std::unique_ptr<RingService> service;
};

// --- Starting -------------------------------------------------------------------------------------------------------

TEST_CASE("ring service: a store without history gets the initial nodes as its first change") {
  FakeStore store;
  const Running running(store, {{"a", 1}, {"b", 2.5}});
  CHECK(running.now()->ring == "default");
  CHECK(running.now()->epoch == 1);
  CHECK(running.now()->spec == RingSpec{"seed", {{"a", 1}, {"b", 2.5}}});
  CHECK(running.now()->placement.points() == 350);
  CHECK(store.stored().epoch == 1);
  CHECK(store.stored().spec == running.now()->spec);
  CHECK(running.service->changes_made() == 1);
}

TEST_CASE("ring service: a store without history and no initial nodes start empty, and nothing is committed") {
  FakeStore store;
  const Running running(store);
  CHECK(running.now()->epoch == 0);
  CHECK(running.now()->placement.empty());
  CHECK(store.commits().empty());
}

TEST_CASE("ring service: a ring with a history keeps its members, even if it has none") {
  for (const RingSpec& spec : {RingSpec{"seed,vnodes=7", {{"x", 3}}}, RingSpec{"seed", {}}}) {
    FakeStore store;
    store.put({"default", 41, spec});
    store.put({"another", 3, {"seed", {{"y", 1}}}});
    const Running running(store, {{"a", 1}});
    CHECK(running.now()->epoch == 41);
    CHECK(running.now()->spec == spec);
    CHECK(store.commits().empty());
  }
}

TEST_CASE("ring service: it does not start on a store that cannot be read, written, or placed") {
  const auto log = quiet_log();
  FakeStore unreadable;
  unreadable.fail_next_loads(1);
  auto started = RingService::start(unreadable, *log, {});
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::storage_failed);

  FakeStore read_only;
  read_only.fates({FakeStore::Fate::failed});
  started = RingService::start(read_only, *log, {{"a", 1}});
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::storage_failed);

  FakeStore too_large;
  too_large.put({"default", 1, {"seed,vnodes=1000000", {{"a", 1'000'000}}}});
  started = RingService::start(too_large, *log, {});
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::storage_failed);
  CHECK(started.error().message.starts_with("ring 'default' of the store cannot be placed: the ring would have 1000"));

  FakeStore fine;
  started = RingService::start(fine, *log, {{"a", 1}, {"not a name", 1}});
  REQUIRE_FALSE(started);
  CHECK(started.error().code == Errc::invalid_argument);
  CHECK(fine.commits().empty());
}

// --- One change -----------------------------------------------------------------------------------------------------

TEST_CASE("ring service: a change is durable before it is visible, and visible before it is answered") {
  FakeStore store;
  const RingService* service = nullptr;
  std::atomic<bool> answered = false;
  int commits = 0;
  store.on_commit = [&](const Commit& commit) {
    ++commits;
    CHECK_FALSE(answered);
    CHECK(commit.ring == "default");
    const auto visible = default_snapshot(*service);
    CHECK(visible->epoch == commit.expected_epoch);
    CHECK(visible->spec.nodes.size() == commit.expected_epoch);  // each change here adds one node
  };
  const Running running(store);
  service = running.service.get();
  for (std::uint64_t n = 1; n <= 5; ++n) {
    answered = false;
    Answers answers;
    const auto done = answers.next();
    running.service->change("default", add({"n" + std::to_string(n)}), somebody(), [&](Result<Committed> answer) {
      answered = true;
      CHECK(store.stored().epoch == n);
      CHECK(running.now()->epoch == n);
      CHECK(running.now()->placement.points() == n * 100);
      done(std::move(answer));
    });
    const auto answer = answers.all().front();
    REQUIRE(answer);
    CHECK(answer->epoch == n);
    CHECK(answer->previous_epoch == n - 1);
    CHECK(*answer->spec == running.now()->spec);
  }
  CHECK(commits == 5);
  CHECK(running.service->changes_made() == 5);
}

TEST_CASE("ring service: a change of several nodes is one epoch, or nothing") {
  FakeStore store;
  const Running running(store, {{"a", 1}});
  const auto three = ask(*running.service, AddNodes{{{"b", 2}, {"c", 1}, {"d", 0.5}}});
  REQUIRE(three);
  CHECK(three->epoch == 2);
  CHECK(three->delta == Delta{{{"b", 2}, {"c", 1}, {"d", 0.5}}, {}});
  CHECK(store.commits().back().deltas == std::vector{three->delta});

  const auto before = running.now();
  CHECK(code_of(ask(*running.service, add({"e", "f", "a"}))) == Errc::conflict);
  CHECK(code_of(ask(*running.service, add({"e", "f", "-rf"}))) == Errc::invalid_argument);
  CHECK(code_of(ask(*running.service, remove({"a", "b", "e"}))) == Errc::not_found);
  CHECK(code_of(ask(*running.service, remove({"a", "b", "a"}))) == Errc::invalid_argument);
  CHECK(code_of(ask(*running.service, add({}))) == Errc::invalid_argument);
  CHECK(running.now() == before);
  CHECK(store.commits().size() == 2);

  REQUIRE(ask(*running.service, remove({"c", "a"})));
  CHECK(running.now()->spec == RingSpec{"seed", {{"b", 2}, {"d", 0.5}}});
}

TEST_CASE("ring service: a change with nothing to do commits nothing and keeps the epoch") {
  FakeStore store;
  const Running running(store, {{"a", 1}, {"b", 1}});
  const auto before = running.now();
  for (const RingChange& change :
       {RingChange(AddNodes{{{"a", 5}, {"b", 1}}, true}), RingChange(remove({"x", "y"}, true))}) {
    const auto answer = ask(*running.service, change);
    REQUIRE(answer);
    CHECK(answer->epoch == 1);
    CHECK(answer->previous_epoch == 1);
    CHECK(answer->delta.empty());
    CHECK(*answer->spec == before->spec);
  }
  CHECK(running.now() == before);
  CHECK(store.commits().size() == 1);
  CHECK(running.service->changes_made() == 1);

  const auto partly = ask(*running.service, AddNodes{{{"a", 5}, {"c", 3}}, true});
  REQUIRE(partly);
  CHECK(partly->delta == Delta{{{"c", 3}}, {}});
  CHECK(running.now()->spec == RingSpec{"seed", {{"a", 1}, {"b", 1}, {"c", 3}}});
}

// --- Batches --------------------------------------------------------------------------------------------------------

TEST_CASE("ring service: fifty waiting changes are one commit, and each has its own answer") {
  FakeStore store;
  const RingService* service = nullptr;
  std::vector<std::uint64_t> visible_at_commit;
  store.on_commit = [&](const Commit&) { visible_at_commit.push_back(default_snapshot(*service)->epoch); };
  const Running running(store);
  service = running.service.get();
  store.shut_gate();
  Answers answers;
  running.service->change("default", add({"first"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  for (int i = 0; i < 50; ++i) {
    // Every fifth takes away what came before it.
    const std::string name = "n" + std::to_string(i % 5 == 4 ? i - 1 : i);
    running.service->change("default", i % 5 == 4 ? RingChange(remove({name})) : RingChange(add({name})), somebody(),
                            answers.next());
  }
  CHECK(answers.count() == 0);
  store.open_gate();
  const auto all = answers.all();

  RingSpec members{"seed", {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i]);
    CHECK(all[i]->epoch == i + 1);
    CHECK(all[i]->previous_epoch == i);
    CHECK(all[i]->delta.added.size() + all[i]->delta.removed.size() == 1);
    members = apply(std::move(members), all[i]->delta);
    CHECK(*all[i]->spec == members);
  }
  const auto commits = store.commits();
  REQUIRE(commits.size() == 2);
  CHECK(commits[1].expected_epoch == 1);
  REQUIRE(commits[1].deltas.size() == 50);
  for (std::size_t i = 0; i < 50; ++i) CHECK(commits[1].deltas[i] == all[i + 1]->delta);
  CHECK(visible_at_commit ==
        std::vector<std::uint64_t>{0, 1});  // and none of the epochs in between was ever to be seen
  CHECK(running.now()->epoch == 51);
  CHECK(running.now()->spec == members);
  CHECK(running.service->changes_made() == 51);
}

TEST_CASE("ring service: changes of one batch see those before them, and refusals among them disturb nobody") {
  FakeStore store;
  const Running running(store, {{"a", 1}});
  store.shut_gate();
  Answers answers;
  const auto ask_later = [&](RingChange change) {
    running.service->change("default", std::move(change), somebody(), answers.next());
  };
  ask_later(add({"gate"}));
  store.wait_until_somebody_waits();
  ask_later(add({"b"}));                             // 1: epoch 3
  ask_later(add({"b"}));                             // 2: conflict with the one before it
  ask_later(add({"c", "two words"}));                // 3: no name
  ask_later(remove({"b", "a"}));                     // 4: epoch 4
  ask_later(remove({"a"}));                          // 5: gone already
  ask_later(add({"b"}, true));                       // 6: epoch 5, for it is missing again
  ask_later(add({"b"}, true));                       // 7: nothing to do
  ask_later(AddNodes{{{"d", -1}}, false});           // 8: no weight
  ask_later(remove({"nobody"}, true));               // 9: nothing to do
  ask_later(remove({"gate", "b"}));                  // 10: epoch 6, an empty ring
  ask_later(AddNodes{{{"e", 2}, {"f", 1}}, false});  // 11: epoch 7
  store.open_gate();
  const auto all = answers.all();

  const auto epochs_and_members = [&](std::size_t i) {
    REQUIRE(all[i]);
    std::string text = std::to_string(all[i]->previous_epoch) + "-" + std::to_string(all[i]->epoch) + ":";
    for (const std::string& name : names_of(*all[i]->spec)) text += " " + name;
    return text;
  };
  CHECK(epochs_and_members(0) == "1-2: a gate");
  CHECK(epochs_and_members(1) == "2-3: a gate b");
  CHECK(code_of(all[2]) == Errc::conflict);
  CHECK(code_of(all[3]) == Errc::invalid_argument);
  CHECK(epochs_and_members(4) == "3-4: gate");
  CHECK(code_of(all[5]) == Errc::not_found);
  CHECK(epochs_and_members(6) == "4-5: gate b");
  CHECK(epochs_and_members(7) == "5-5: gate b");
  CHECK(code_of(all[8]) == Errc::invalid_argument);
  CHECK(epochs_and_members(9) == "5-5: gate b");
  CHECK(epochs_and_members(10) == "5-6:");
  CHECK(epochs_and_members(11) == "6-7: e f");
  CHECK(store.commits().size() == 3);
  CHECK(store.stored().epoch == 7);
  CHECK(running.now()->spec == RingSpec{"seed", {{"e", 2}, {"f", 1}}});
}

TEST_CASE("ring service: a batch of refusals commits nothing") {
  FakeStore store;
  const Running running(store, {{"a", 1}});
  store.shut_gate();
  Answers answers;
  running.service->change("default", add({"gate"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  for (int i = 0; i < 10; ++i) running.service->change("default", add({"a"}), somebody(), answers.next());
  store.open_gate();
  const auto all = answers.all();
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(code_of(all[i]) == Errc::conflict);
  CHECK(store.commits().size() == 2);
  CHECK(running.now()->epoch == 2);
}

TEST_CASE("ring service: the store settles when changes have stopped for a while") {
  FakeStore store;
  const Running running(store);
  for (const char* name : {"b", "c", "d"}) REQUIRE(ask(*running.service, add({name})));
  store.wait_until_settled();
  CHECK(store.commits().size() == 3);
  CHECK(ask(*running.service, add({"e"})));
}

}  // namespace
}  // namespace chash::service::test
