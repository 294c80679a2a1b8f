// Published: what readers see while one writer replaces the value.
#include "service/published.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace chash::service {
namespace {

// A value that would show if it were read half-made, and that counts how many of it there are.
struct Value {
  explicit Value(std::uint64_t number, std::atomic<int>* alive = nullptr) : alive_(alive) {
    numbers.fill(number);
    if (alive_ != nullptr) ++*alive_;
  }
  ~Value() {
    numbers.fill(~std::uint64_t{0});
    if (alive_ != nullptr) --*alive_;
  }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  std::uint64_t number() const { return numbers.front(); }
  bool is_whole() const {
    for (const std::uint64_t n : numbers)
      if (n != numbers.front()) return false;
    return true;
  }

  std::array<std::uint64_t, 32> numbers;

 private:
  std::atomic<int>* alive_;
};

// On the heap, as in the daemon: g++ 12's ASan does not align what stands on the stack to 64 bytes (GCC bug 110027).
std::unique_ptr<Published<Value>> published_value(std::shared_ptr<const Value> first) {
  return std::make_unique<Published<Value>>(std::move(first));
}

TEST_CASE("published: a reader sees the value that was published last") {
  const auto published = published_value(std::make_shared<Value>(1));
  Published<Value>::Reader early(*published);
  CHECK(early.current().number() == 1);
  CHECK(published->latest()->number() == 1);

  published->publish(std::make_shared<Value>(2));
  published->publish(std::make_shared<Value>(3));
  Published<Value>::Reader late(*published);
  CHECK(early.current().number() == 3);
  CHECK(late.current().number() == 3);
  CHECK(published->latest()->number() == 3);
}

TEST_CASE("published: what a reader looks at stays until it looks again") {
  const auto published = published_value(std::make_shared<Value>(1));
  Published<Value>::Reader reader(*published);
  const Value& seen = reader.current();
  for (std::uint64_t n = 2; n < 10; ++n) published->publish(std::make_shared<Value>(n));
  CHECK(seen.number() == 1);
  CHECK(seen.is_whole());
  CHECK(reader.current().number() == 9);
}

TEST_CASE("published: an unchanged value is not fetched again") {
  const auto value = std::make_shared<Value>(1);
  const auto published = published_value(value);
  Published<Value>::Reader reader(*published);
  const auto owners = value.use_count();
  for (int i = 0; i < 100; ++i) CHECK(&reader.current() == value.get());
  CHECK(value.use_count() == owners);
}

TEST_CASE("published: a value is freed when nobody holds it any more, and never by a reader") {
  std::atomic<int> alive = 0;
  {
    const auto published = published_value(std::make_shared<Value>(1, &alive));
    std::optional<Published<Value>::Reader> behind(*published);
    Published<Value>::Reader ahead(*published);
    CHECK(alive == 1);

    published->publish(std::make_shared<Value>(2, &alive));
    CHECK(alive == 2);  // both readers have the first
    CHECK(ahead.current().number() == 2);
    CHECK(alive == 2);  // one still has

    for (std::uint64_t n = 3; n <= 1000; ++n) published->publish(std::make_shared<Value>(n, &alive));
    CHECK(alive == 3);  // the first, the second, and the newest; nothing in between
    CHECK(ahead.current().number() == 1000);
    CHECK(alive == 3);
    published->drop_unused();
    CHECK(alive == 2);
    behind.reset();
    CHECK(alive == 2);
    published->drop_unused();
    CHECK(alive == 1);

    const auto kept = published->latest();
    published->publish(std::make_shared<Value>(1001, &alive));
    CHECK(ahead.current().number() == 1001);
    CHECK(kept->is_whole());
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}

TEST_CASE(
    "published: readers on many threads see whole values, never an older one, and the newest once publish has "
    "returned") {
  constexpr std::uint64_t last = 3'000;
  std::atomic<int> alive = 0;
  {
    const auto published = published_value(std::make_shared<Value>(0, &alive));
    std::atomic<std::uint64_t> surely_visible = 0;
    std::atomic<std::uint64_t> faults = 0;
    std::atomic<std::uint64_t> looks = 0;

    const auto read = [&] {
      Published<Value>::Reader reader(*published);
      std::uint64_t seen = 0;
      std::uint64_t count = 0;
      while (seen < last) {
        const std::uint64_t at_least = surely_visible.load(std::memory_order_acquire);
        const Value& value = reader.current();
        if (!value.is_whole() || value.number() < seen || value.number() < at_least) ++faults;
        seen = value.number();
        ++count;
        if (count % 256 == 0) {
          const auto copy = published->latest();
          if (!copy->is_whole() || copy->number() < seen) ++faults;
          std::this_thread::yield();
        }
      }
      looks += count;
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i) readers.emplace_back(read);
    for (std::uint64_t n = 1; n <= last; ++n) {
      published->publish(std::make_shared<Value>(n, &alive));
      surely_visible.store(n, std::memory_order_release);
      if (n % 16 == 0) std::this_thread::yield();
    }
    for (std::thread& reader : readers) reader.join();

    CHECK(faults == 0);
    CHECK(looks >= 4);
    published->drop_unused();
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

}  // namespace
}  // namespace chash::service
