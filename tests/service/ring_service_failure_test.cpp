// RingService when things go wrong: the store fails, somebody else writes, too much waits, the daemon stops.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "chash/limits.h"
#include "service/answers.h"
#include "service/fake_store.h"
#include "service/ring_service.h"

namespace chash::service::test {
namespace {

using Fate = FakeStore::Fate;
using Names = std::vector<std::string>;

struct Running {
  explicit Running(FakeStore& store) : log(quiet_log()) {
    store.put({"default", 1, {"seed,vnodes=10", {{"a", 1}}}});
    auto started = RingService::start(store, *log, {});
    REQUIRE(started);
    service = std::move(*started);
  }
  std::shared_ptr<const Snapshot> now() const { return default_snapshot(*service); }

  std::unique_ptr<Log> log;
  std::unique_ptr<RingService> service;
};

TEST_CASE("ring service: a failed commit refuses all of its batch and shows nothing and the next one works") {
  FakeStore store;
  const Running running(store);
  store.fates({Fate::stored, Fate::failed});
  store.shut_gate();
  Answers answers;
  running.service->change("default", add({"b"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  running.service->change("default", add({"c"}), somebody(), answers.next());
  running.service->change("default", add({"c"}), somebody(), answers.next());  // judged a ring that did not come to be
  running.service->change("default", remove({"nobody"}, true), somebody(), answers.next());
  running.service->change("default", remove({"b"}), somebody(), answers.next());
  store.open_gate();
  const auto all = answers.all();
  REQUIRE(all[0]);
  for (std::size_t i = 1; i < all.size(); ++i) {
    CHECK(code_of(all[i]) == Errc::storage_failed);
    CHECK(all[i].error().message == "the fake store failed");
  }
  CHECK(running.now()->epoch == 2);
  CHECK(names_of(running.now()->spec) == Names{"a", "b"});
  CHECK(store.stored().epoch == 2);
  CHECK(running.service->changes_made() == 1);

  const auto next = ask(*running.service, add({"c"}));
  REQUIRE(next);
  CHECK(next->epoch == 3);
  CHECK(names_of(running.now()->spec) == Names{"a", "b", "c"});
}

TEST_CASE("ring service: what a failed commit stored all the same is found, shown, and built upon") {
  FakeStore store;
  std::vector<std::uint64_t> visible_at_commit;
  const RingService* service = nullptr;
  store.on_commit = [&](const Commit&) { visible_at_commit.push_back(default_snapshot(*service)->epoch); };
  const Running running(store);
  service = running.service.get();
  store.fates({Fate::failed_but_stored});
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::storage_failed);
  CHECK(running.now()->epoch == 1);  // not known to be durable: not shown
  CHECK(store.stored().epoch == 2);

  const auto next = ask(*running.service, add({"c"}));
  REQUIRE(next);
  CHECK(next->previous_epoch == 2);
  CHECK(next->epoch == 3);
  CHECK(next->delta == Delta{{{"c", 1}}, {}});
  CHECK(names_of(*next->spec) == Names{"a", "b", "c"});
  CHECK(running.now()->epoch == 3);
  CHECK(running.now()->spec == store.stored().spec);
  CHECK(visible_at_commit.front() == 1);
  CHECK(visible_at_commit.back() == 2);  // the last try stood on what had been found
  CHECK(store.loads() == 2);
}

TEST_CASE("ring service: asking again for what a failed commit stored is answered by the ring that has it") {
  FakeStore store;
  const Running running(store);
  store.fates({Fate::failed_but_stored});
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::storage_failed);
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::conflict);  // "already in the ring"
  CHECK(running.now()->epoch == 2);
  const auto lenient = ask(*running.service, add({"b"}, true));
  REQUIRE(lenient);
  CHECK(lenient->epoch == 2);
  CHECK(lenient->previous_epoch == 2);
}

TEST_CASE("ring service: nothing is refused on the word of a ring that a failed commit may have moved on") {
  FakeStore store;
  const Running running(store);
  store.fates({Fate::failed_but_stored, Fate::stored, Fate::failed_but_stored});
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::storage_failed);
  const auto removed =
      ask(*running.service, remove({"b"}));  // not "no such node": it is there, and would be after a restart
  CHECK(removed);
  CHECK(running.now()->epoch == 3);
  CHECK(code_of(ask(*running.service, add({"c"}))) == Errc::storage_failed);
  const auto nothing = ask(*running.service, remove({"c"}, true));
  CHECK((nothing && nothing->delta.removed == Names{"c"}));
  CHECK(names_of(store.stored().spec) == Names{"a"});
}

TEST_CASE("ring service: what somebody else wrote is found at the next change") {
  FakeStore store;
  const Running running(store);
  store.put({"default", 7, {"seed,vnodes=10", {{"x", 1}, {"y", 2}}}});
  const auto answer = ask(*running.service, add({"z"}));
  REQUIRE(answer);
  CHECK(answer->previous_epoch == 7);
  CHECK(answer->epoch == 8);
  CHECK(running.now()->spec == RingSpec{"seed,vnodes=10", {{"x", 1}, {"y", 2}, {"z", 1}}});
}

TEST_CASE("ring service: a store that always conflicts is given up after three tries") {
  FakeStore store;
  const Running running(store);
  store.fates({Fate::conflict, Fate::conflict, Fate::conflict});
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::conflict);
  CHECK(store.commits().size() == 3);
  CHECK(running.now()->epoch == 1);
  CHECK(ask(*running.service, add({"b"})));
}

TEST_CASE(
    "ring service: a store that cannot be read after a conflict refuses the change, and readers keep what they have") {
  FakeStore store;
  const Running running(store);
  store.put({"default", 2, {"seed,vnodes=10", {{"x", 1}}}});
  store.fail_next_loads(1);
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::storage_failed);
  CHECK(running.now()->epoch == 1);
  CHECK(names_of(running.now()->spec) == Names{"a"});
  const auto next = ask(*running.service, add({"b"}));
  REQUIRE(next);
  CHECK(names_of(*next->spec) == Names{"x", "b"});
}

TEST_CASE("ring service: a store that went back in time is not followed") {
  FakeStore store;
  const Running running(store);
  for (const char* name : {"b", "c", "d"}) REQUIRE(ask(*running.service, add({name})));
  store.put(
      {"default", 2, {"seed,vnodes=10", {{"a", 1}, {"b", 1}}}});  // a backup was put back, or the file was moved away
  CHECK(code_of(ask(*running.service, add({"e"}))) == Errc::storage_failed);
  CHECK(running.now()->epoch == 4);
  CHECK(names_of(running.now()->spec) == Names{"a", "b", "c", "d"});
  store.put({"default", 0, {"seed,vnodes=10", {}}});
  CHECK(code_of(ask(*running.service, add({"e"}))) == Errc::storage_failed);
  CHECK(running.now()->epoch == 4);
}

TEST_CASE("ring service: an exception inside a commit refuses its batch, and the writer goes on") {
  FakeStore store;
  bool throws = false;
  store.on_commit = [&](const Commit&) {
    if (throws) throw std::bad_alloc();
  };
  const Running running(store);
  throws = true;
  CHECK(code_of(ask(*running.service, add({"b"}))) == Errc::internal);
  CHECK(running.now()->epoch == 1);
  throws = false;
  CHECK(ask(*running.service, add({"b"})));
}

TEST_CASE("ring service: when as many changes wait as may, the next is refused at once and those that wait are not") {
  FakeStore store;
  const Running running(store);
  store.shut_gate();
  Answers answers;
  running.service->change("default", add({"b"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  for (std::size_t i = 0; i < limits::queued_changes; ++i)
    running.service->change("default", remove({"nobody"}, true), somebody(), answers.next());
  CHECK(answers.count() == 0);
  std::vector<Errc> refused;
  const auto asker = std::this_thread::get_id();
  for (int i = 0; i < 3; ++i)
    running.service->change("default", add({"c"}), somebody(), [&](const Result<Committed>& answer) {
      CHECK(std::this_thread::get_id() == asker);
      refused.push_back(code_of(answer));
    });
  CHECK(refused == std::vector{Errc::busy, Errc::busy, Errc::busy});
  store.open_gate();
  for (const auto& answer : answers.all()) CHECK(answer);
  CHECK(ask(*running.service, add({"c"})));
}

TEST_CASE("ring service: stopping finishes what waits and refuses what comes later") {
  FakeStore store;
  auto log = quiet_log();
  auto started = RingService::start(store, *log, {});
  REQUIRE(started);
  RingService* const service = started->get();
  store.shut_gate();
  Answers answers;
  service->change("default", add({"a"}), somebody(), answers.next());
  store.wait_until_somebody_waits();
  for (const char* name : {"b", "c", "d"}) service->change("default", add({name}), somebody(), answers.next());

  std::thread stopper([&] { started->reset(); });
  // It waits for the store; whoever asks meanwhile hears that it is too late.
  Errc last = Errc::internal;
  std::size_t came_in_time = 0;
  while (last != Errc::shutting_down) {
    auto answered = std::make_shared<std::optional<Errc>>();
    service->change("default", remove({"nobody"}, true), somebody(), [answered](const Result<Committed>& answer) {
      if (!answer) *answered = answer.error().code;
    });
    if (answered->has_value()) last = **answered;
    else ++came_in_time;
    REQUIRE((last == Errc::shutting_down || last == Errc::internal));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(came_in_time < limits::queued_changes);
  }
  store.open_gate();
  stopper.join();
  CHECK(answers.count() == 4);
  for (const auto& answer : answers.all()) CHECK(answer);
  CHECK(store.stored().epoch == 4);
  CHECK(names_of(store.stored().spec) == Names{"a", "b", "c", "d"});
}

TEST_CASE("ring service: a change asked for in the answer to another is made, too") {
  FakeStore store;
  const Running running(store);
  Answers answers;
  const auto inner = answers.next();
  const auto outer = answers.next();
  running.service->change("default", add({"b"}), somebody(), [&](Result<Committed> answer) {
    running.service->change("default", add({"c"}), somebody(), inner);
    outer(std::move(answer));
  });
  for (const auto& answer : answers.all()) CHECK(answer);
  CHECK(running.now()->epoch == 3);
}

}  // namespace
}  // namespace chash::service::test
