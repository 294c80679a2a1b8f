// Studies: questions that take long are answered aside, one after the other, and each of them once.
#include "service/studies.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chash/limits.h"
#include "chash/losses.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;

// Holds whoever answers until it is opened.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    somebody_waits_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_until_somebody_waits() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return somebody_waits_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false, somebody_waits_ = false;
};

TEST_CASE("studies: while one is answered, as many as may wait, and the next is refused at once") {
  World world({{"a", 1}});
  Gate gate;
  Studies& studies = world.service->studies();
  studies.ask(History::Request(), [&](const Result<AnyResponse>&) { gate.wait(); });
  gate.wait_until_somebody_waits();
  std::atomic<std::size_t> answered = 0, good = 0;
  for (std::size_t i = 0; i < limits::queued_studies; ++i)
    studies.ask(History::Request(), [&](const Result<AnyResponse>& answer) { ++answered, good += answer.has_value(); });
  CHECK(answered == 0);
  const auto asker = std::this_thread::get_id();
  int refused = 0;
  studies.ask(History::Request(), [&](const Result<AnyResponse>& answer) {
    CHECK(std::this_thread::get_id() == asker);
    CHECK(refusal(answer).code == Errc::busy);
    ++refused;
  });
  studies.plan("default", add({"b"}), [&](const Result<Plan>& answer) {
    CHECK(refusal(answer).code == Errc::busy);
    ++refused;
  });
  CHECK(refused == 2);
  // Neither look-ups nor changes wait for them.
  GetNode::Request key;
  key.key = {"k"};
  CHECK(world.read<GetNode>(key));
  CHECK(ask(*world.service, add({"b"})));
  gate.open();
  while (answered < limits::queued_studies) std::this_thread::yield();
  CHECK(world.ask<History>({})->entries.size() == 2);
  CHECK(answered == limits::queued_studies);
  CHECK(good == limits::queued_studies);
}

TEST_CASE("studies: whoever still waits when they are destroyed is answered, and that once") {
  FakeStore store;
  const auto log = quiet_log();
  auto started = RingService::start(store, *log, {{"a", 1}});
  REQUIRE(started);
  PlanBook plans;
  auto studies = std::make_unique<Studies>(store, (*started)->rings(), plans);
  Gate gate;
  std::vector<int> answers(limits::queued_studies - 1);
  // Those that wait when it stops are not answered any more, but told.
  const auto is_fair = [](const auto& answer) { return answer || answer.error().code == Errc::shutting_down; };
  studies->ask(History::Request(), [&](const Result<AnyResponse>&) { gate.wait(); });
  gate.wait_until_somebody_waits();
  Studies& still = *studies;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i % 2 == 0)
      still.ask(History::Request(),
                [&, i](const Result<AnyResponse>& answer) { answers[i] += is_fair(answer) ? 1 : 100; });
    else still.plan("default", add({"b"}), [&, i](const Result<Plan>& plan) { answers[i] += is_fair(plan) ? 1 : 100; });
  }
  // Asked for in an answer, when it is too late or nearly so.
  std::atomic<int> late = 0;
  still.ask(History::Request(), [&](const Result<AnyResponse>&) {
    still.ask(History::Request(), [&](const Result<AnyResponse>& answer) {
      CHECK((answer || answer.error().code == Errc::shutting_down));
      ++late;
    });
  });
  std::thread stopper([&] { studies.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it may begin before or after the gate is open
  gate.open();
  stopper.join();
  for (const int count : answers) CHECK(count == 1);
  CHECK(late == 1);
  Studies never_asked(store, (*started)->rings(), plans);
}

TEST_CASE("studies: what waits when they stop is refused, so that nobody waits for it") {
  FakeStore store;
  const auto log = quiet_log();
  auto started = RingService::start(store, *log, {{"a", 1}});
  REQUIRE(started);
  PlanBook plans;
  auto studies = std::make_unique<Studies>(store, (*started)->rings(), plans);
  Studies& still = *studies;
  Gate gate;
  still.ask(History::Request(), [&](const Result<AnyResponse>&) { gate.wait(); });
  gate.wait_until_somebody_waits();
  std::size_t answered = 0, told = 0;
  for (std::size_t i = 0; i < limits::queued_studies; ++i)
    still.ask(History::Request(), [&](const Result<AnyResponse>& answer) {
      (answer ? answered : told) += !answer && answer.error().code != Errc::shutting_down ? 0 : 1;
    });
  std::thread stopper([&] { studies.reset(); });
  // Nothing more may wait: who asks is told at once whether it has begun to stop.
  for (Errc seen = Errc::busy; seen == Errc::busy;)
    still.ask(History::Request(), [&](const Result<AnyResponse>& answer) { seen = refusal(answer).code; });
  gate.open();
  stopper.join();
  CHECK(answered == 0);
  CHECK(told == limits::queued_studies);
}

TEST_CASE("studies: of many who ask at once each is answered") {
  World world({{"a", 1}, {"b", 1}});
  std::atomic<int> good = 0, busy = 0, other = 0;
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t)
    askers.emplace_back([&, t] {
      Handlers handlers(*world.service, world.daemon);
      for (int i = 0; i < 50; ++i) {
        Pending<PlanChange> pending;
        PlanChange::Request request;
        request.add = {{"n" + std::to_string(t)}};
        handlers.start(request, somebody(), pending.done());
        if (i % 10 == 0) (void)ask(*world.service, add({"m" + std::to_string(t) + "-" + std::to_string(i)}));
        const auto plan = pending.get();
        if (plan) good += plan->added.size() == 1;
        else (plan.error().code == Errc::busy ? busy : other) += 1;
      }
    });
  for (std::thread& asker : askers) asker.join();
  CHECK(good + busy == 200);
  CHECK(other == 0);
  CHECK(good > 0);
}

TEST_CASE("what if: cases have names, and the worst is the first") {
  World world(std::vector<Node>{});
  RingCreate::Request create;
  create.ring = "r";
  create.profile = "balanced,slots=4096";
  create.nodes = {{"e1", 2, {{"zone", "east"}}}, {"e2", 1, {{"zone", "east"}}}, {"w1", 1, {{"zone", "west"}}}};
  REQUIRE(world.ask<RingCreate>(create));
  const auto ring = world.ring("r");
  WhatIf::Request request{"r", {"each"}, 2};
  const auto each = world.ask<WhatIf>(request);
  REQUIRE(each);
  CHECK(each->epoch == 1);
  REQUIRE(each->cases.size() == 3);
  double worst = 2;
  for (const WhatIf::Case& found : each->cases) {
    CHECK(found.nodes == 1);
    CHECK(found.sets_lost == 0);
    REQUIRE_FALSE(found.receivers.empty());
    CHECK(found.receivers.front().share <= worst);
    worst = found.receivers.front().share;
    double gets = 0;
    for (const WhatIf::Receiver& receiver : found.receivers) gets += receiver.gets;
    CHECK(gets == doctest::Approx(found.share));
    request.lose = {found.lost};
    const auto alone = world.ask<WhatIf>(request);
    REQUIRE(alone);
    CHECK(alone->cases.front().share == found.share);
  }
  request.lose = {"zone=east"};
  const auto east = world.ask<WhatIf>(request);
  REQUIRE(east);
  REQUIRE(east->cases.size() == 1);
  CHECK(east->cases[0].lost == "zone=east");
  CHECK(east->cases[0].nodes == 2);
  CHECK(east->cases[0].share == doctest::Approx(0.75));
  CHECK(east->cases[0].sets_lost == 0);
  REQUIRE(east->cases[0].receivers.size() == 1);
  CHECK(east->cases[0].receivers[0].node == "w1");
  CHECK(east->cases[0].receivers[0].share == doctest::Approx(1));
  request.lose = {"zone=east", "e1", "w1"};  // nobody twice
  const auto all = world.ask<WhatIf>(request);
  CHECK(all->cases[0].lost == "zone=east e1 w1");
  CHECK(all->cases[0].nodes == 3);
  CHECK(all->cases[0].sets_lost == doctest::Approx(1));

  for (const std::string unknown : {"zone=north", "nobody", ""}) {
    request.lose = {unknown};
    CHECK(refusal(world.ask<WhatIf>(request)).code == Errc::not_found);
  }
  request = {"r", {"e1"}, 0};
  CHECK(refusal(world.ask<WhatIf>(request)).code == Errc::invalid_argument);
  request = {"nobody", {"e1"}, 1};
  CHECK(refusal(world.ask<WhatIf>(request)).code == Errc::not_found);
}

}  // namespace
}  // namespace chash::service::test
