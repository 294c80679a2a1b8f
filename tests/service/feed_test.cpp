// Feed: whoever watches a ring is told every change once and in order, whatever happens meanwhile.
#include "service/feed.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chash/limits.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;
using Epochs = std::vector<std::uint64_t>;

Watch::Request from(std::uint64_t epoch, std::uint32_t wait_s = 0, std::uint32_t limit = 1000) {
  return {"default", epoch, wait_s, limit};
}

Epochs epochs_of(const Watch::Response& response) {
  Epochs epochs;
  for (const ChangeEntry& change : response.changes) epochs.push_back(change.epoch);
  return epochs;
}

// All there is from an epoch on, page by page, as a client reads it.
Epochs read_on(World& world, Watch::Request request) {
  Epochs all;
  while (true) {
    const auto response = world.ask<Watch>(request);
    REQUIRE(response);
    for (const std::uint64_t epoch : epochs_of(*response)) all.push_back(epoch);
    if (response->changes.empty()) return all;
    CHECK(response->changes.size() <= request.limit);
    CHECK(response->next == all.back() + 1);
    request.from = response->next;
  }
}

Epochs all_between(std::uint64_t first, std::uint64_t last) {
  Epochs all;
  for (std::uint64_t epoch = first; epoch <= last; ++epoch) all.push_back(epoch);
  return all;
}

// Makes an epoch: whatever there is, one more or one fewer.
void change(World& world, int i) {
  if (i % 2 == 0) CHECK(ask(*world.service, add({"x" + std::to_string(i / 2)})));
  else CHECK(ask(*world.service, remove({"x" + std::to_string(i / 2)})));
}

// A change larger than all that memory keeps.
ApplyChange::Request large_change(const std::string& prefix) {
  ApplyChange::Request request;
  for (int i = 0; i < 500; ++i) {
    NodeGiven node{prefix + std::to_string(i)};
    for (int label = 0; label < 16; ++label)
      node.labels.emplace_back("l" + std::to_string(label), std::string(limits::label_bytes, 'v'));
    request.add.push_back(std::move(node));
  }
  return request;
}

TEST_CASE("feed: what is there already is told at once, as much of it as is asked for, and as history has it") {
  World world({{"a", 1}});
  for (int i = 0; i < 20; ++i) change(world, i);
  for (const std::uint32_t limit : {1U, 2U, 7U, 1000U}) CHECK(read_on(world, from(1, 0, limit)) == all_between(1, 21));
  CHECK(read_on(world, from(5, 0, 3)) == all_between(5, 21));
  CHECK(read_on(world, from(0, 0, 3)) == all_between(1, 21));
  const auto told = world.ask<Watch>(from(1));
  const auto history = world.ask<History>({"default", 1000});
  REQUIRE(told);
  REQUIRE(history);
  CHECK(told->epoch == 21);
  REQUIRE(told->changes.size() == history->entries.size());
  for (std::size_t i = 0; i < told->changes.size(); ++i) {
    std::string change, entry;
    encode_item(told->changes[i], change);
    encode_item(history->entries[history->entries.size() - 1 - i], entry);
    CHECK(change == entry);
  }
}

TEST_CASE("feed: without an epoch only what comes is told, to everybody who waits for it") {
  World world({{"a", 1}});
  std::vector<Pending<Watch>> waiting;
  for (int i = 0; i < 50; ++i) waiting.push_back(world.begin<Watch>({"default", {}, 60}));
  Watch::Request other;
  other.ring = "other";
  CHECK(refusal(world.ask<Watch>(other)).code == Errc::not_found);
  change(world, 0);
  for (const auto& one : waiting) {
    const auto response = one.get();
    REQUIRE(response);
    CHECK(epochs_of(*response) == Epochs{2});
    CHECK(response->next == 3);
  }
  // Where none comes in time, the answer says where to go on.
  const auto nothing = world.ask<Watch>({"default", {}, 0});
  REQUIRE(nothing);
  CHECK(nothing->changes.empty());
  CHECK(nothing->next == 3);
  const auto in_time = world.ask<Watch>({"default", {}, 1});
  REQUIRE(in_time);
  CHECK(in_time->changes.empty());
}

TEST_CASE("feed: many that watch while changes are made are told each of them once and in order") {
  World world({{"a", 1}});
  constexpr std::uint64_t last = 301;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (std::uint32_t i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      Handlers handlers(*world.service, world.daemon);
      Epochs seen;
      std::uint64_t next = 2;
      while (next <= last) {
        Pending<Watch> pending;
        handlers.start(from(next, 60, 1 + i * i), somebody(), pending.done());
        const auto response = pending.get();
        if (!response) return;
        for (const std::uint64_t epoch : epochs_of(*response)) seen.push_back(epoch);
        next = response->next;
        if (i % 2 == 0) std::this_thread::yield();
      }
      good += seen == all_between(2, last);
    });
  for (int i = 0; i < 300; ++i) change(world, i);
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 8);
}

TEST_CASE("feed: what memory no longer has is read from the store, and none is missed between them") {
  World world({{"a", 1}});
  for (int i = 0; i < 5; ++i) change(world, i);
  // 8 MB of labels push out all that was before, and itself.
  REQUIRE(world.ask<ApplyChange>(large_change("n")));
  REQUIRE(world.ask<ApplyChange>(large_change("m")));
  change(world, 5);
  CHECK(read_on(world, from(1)) == all_between(1, 9));
  CHECK(read_on(world, from(6, 0, 2)) == all_between(6, 9));
  // A page ends when it has become long.
  const auto page = world.ask<Watch>(from(7));
  REQUIRE(page);
  CHECK(page->changes.size() < 3);
}

TEST_CASE("feed: as many changes as memory holds push out the oldest, which the store still has") {
  World world({{"a", 1}});
  const int count = static_cast<int>(limits::recent_changes) + 50;
  Answers answers;
  for (int i = 0; i < count; ++i) {
    RingChange one = i % 2 == 0 ? RingChange(add({"x"})) : RingChange(remove({"x"}));
    world.service->change("default", std::move(one), somebody(), answers.next());
    if (i % 1000 == 0) (void)answers.all();
  }
  CHECK(answers.all().size() == static_cast<std::size_t>(count));
  const std::uint64_t last = world.ring()->epoch;
  CHECK(last == static_cast<std::uint64_t>(count) + 1);
  CHECK(read_on(world, from(1)) == all_between(1, last));
  world.store.drop_history_before("default", last);
  // Of those the store forgot, memory still has the youngest, and what is refused is told exactly.
  const std::uint64_t oldest = last + 1 - limits::recent_changes;
  CHECK(read_on(world, from(oldest)) == all_between(oldest, last));
  const Error gone = refusal(world.ask<Watch>(from(oldest - 1)));
  CHECK(gone.code == Errc::not_found);
  CHECK(gone.message.ends_with("the oldest that is made epoch " + std::to_string(oldest)));
}

TEST_CASE("feed: what the history no longer has is refused, with the oldest epoch and the way out") {
  World world({}, [](FakeStore& store) {
    std::vector<FakeStore::Epoch> epochs;
    for (std::uint64_t epoch = 0; epoch <= 9; ++epoch) {
      RingSpec spec;
      if (epoch > 0) spec.nodes = {{{"n" + std::to_string(epoch), 1}}};
      Delta delta{{{"n" + std::to_string(epoch), 1}}, {}};
      if (epoch > 1) delta.removed = {"n" + std::to_string(epoch - 1)};
      epochs.push_back({epoch, spec, {"apply", "somebody", "", 1}, delta});
    }
    store.put_history("default", std::move(epochs));
    store.drop_history_before("default", 4);
  });
  CHECK(read_on(world, from(5)) == all_between(5, 9));
  const Error gone = refusal(world.ask<Watch>(from(4)));
  CHECK(gone.code == Errc::not_found);
  CHECK(gone.message ==
        "the change that made epoch 4 of ring 'default' is not known any more: the oldest that is made epoch 5");
  CHECK(gone.hint == "read the ring, which is at epoch 9, then watch from epoch 10");
  CHECK(refusal(world.ask<Watch>(from(1))).message.ends_with("the oldest that is made epoch 5"));
}

TEST_CASE("feed: an epoch that is not the next one is refused, since an older state may have been put back") {
  World world({{"a", 1}});
  const Error beyond = refusal(world.ask<Watch>(from(3)));
  CHECK(beyond.code == Errc::conflict);
  CHECK(beyond.message == "ring 'default' is at epoch 1, so that epoch 3 is not the next one");
  CHECK(refusal(world.ask<Watch>(from(~std::uint64_t{0}))).code == Errc::conflict);
  CHECK(world.ask<Watch>(from(2)));
  CHECK(refusal(world.ask<Watch>(from(1, limits::watch_seconds + 1))).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<Watch>(from(1, 0, 0))).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<Watch>(from(1, 0, limits::listed_changes + 1))).code == Errc::invalid_argument);
}

TEST_CASE("feed: who watches a ring that is deleted is told so, and no other") {
  World world({{"a", 1}});
  CHECK(ask(*world.service, CreateRing{"jump", {{"x", 1}}}, "web"));
  const auto of_web = world.begin<Watch>({"web", {}, 60});
  const auto of_default = world.begin<Watch>({"default", {}, 60});
  CHECK(ask(*world.service, DeleteRing{}, "web"));
  const Error deleted = refusal(of_web.get());
  CHECK(deleted.code == Errc::not_found);
  CHECK(deleted.message == "ring 'web' was deleted");
  CHECK_FALSE(of_default.is_there());
  change(world, 0);
  CHECK(of_default.get());
  // One that is made anew under its name begins with that, behind all that was.
  CHECK(ask(*world.service, CreateRing{"jump", {{"y", 1}}}, "web"));
  const auto anew = world.ask<Watch>({"web", 2, 0});
  REQUIRE(anew);
  CHECK(epochs_of(*anew) == Epochs{2});
  CHECK(anew->changes.front().added.front().name == "y");
  CHECK(refusal(world.ask<Watch>({"web", 1, 0})).code == Errc::not_found);
}

TEST_CASE("feed: a daemon that stops answers at once who waits, and who asks after that") {
  World world({{"a", 1}});
  std::vector<Pending<Watch>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(world.begin<Watch>({"default", {}, 60}));
  world.service->feed().stop();
  for (const auto& one : waiting) CHECK(refusal(one.get()).code == Errc::shutting_down);
  CHECK(refusal(world.ask<Watch>({"default", {}, 60})).code == Errc::shutting_down);
  CHECK(refusal(world.ask<Watch>(from(1))).code == Errc::shutting_down);
  // So do those that are destroyed.
  World other({{"a", 1}});
  const auto late = other.begin<Watch>({"default", {}, 60});
  other.handlers.reset();
  other.service.reset();
  CHECK(refusal(late.get()).code == Errc::shutting_down);
}

TEST_CASE("feed: as many wait as may, and the next is refused at once") {
  World world({{"a", 1}});
  std::atomic<std::size_t> answered = 0;
  for (std::size_t i = 0; i < limits::watchers; ++i)
    world.service->feed().watch({"default", {}, 60}, [&](const Result<AnyResponse>& answer) {
      CHECK(answer.has_value());
      ++answered;
    });
  CHECK(refusal(world.ask<Watch>({"default", {}, 60})).code == Errc::busy);
  CHECK(answered == 0);
  change(world, 0);
  while (answered < limits::watchers) std::this_thread::yield();
  CHECK(world.ask<Watch>(from(2)));
}

TEST_CASE("feed: a change that was lost and found again by the writer is told as any other") {
  World world({{"a", 1}});
  change(world, 0);
  const auto waiting = world.begin<Watch>(from(3, 60));
  world.store.fates({FakeStore::Fate::failed_but_stored});
  CHECK(code_of(ask(*world.service, add({"b"}))) == Errc::storage_failed);
  CHECK_FALSE(waiting.is_there());
  change(world, 1);  // goes on from what the store has: epoch 3 is the lost one
  CHECK(world.ring()->epoch == 4);
  const auto response = waiting.get();
  REQUIRE(response);
  CHECK(response->changes.front().epoch == 3);
  CHECK(response->changes.front().added.front().name == "b");
  CHECK(read_on(world, from(1)) == all_between(1, 4));
  CHECK(read_on(world, from(1, 0, 1)) == all_between(1, 4));
}

TEST_CASE("feed: a change that failed is told to nobody") {
  World world({{"a", 1}});
  const auto waiting = world.begin<Watch>({"default", {}, 60});
  world.store.fates({FakeStore::Fate::failed});
  CHECK(code_of(ask(*world.service, add({"b"}))) == Errc::storage_failed);
  CHECK_FALSE(waiting.is_there());
  CHECK(ask(*world.service, add({"c"})));
  const auto response = waiting.get();
  REQUIRE(response);
  CHECK(epochs_of(*response) == Epochs{2});
  CHECK(response->changes.front().added.front().name == "c");
}

}  // namespace
}  // namespace chash::service::test
