// A ring's index through a long history of changes, read on other threads meanwhile, beside a sorted map.
//
// A fifth of the points share the upper half of their position with others, and some are equal.
// CHASH_TEST_CHANGES in the environment: how many changes there are of each kind of ring (default 1,500).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "asked_for.h"
#include "chash/line_index.h"
#include "service/published.h"

namespace chash::service {
namespace {

using Random = std::mt19937_64;
using Owners = std::map<NodeIndex, std::vector<Token>>;

std::size_t changes_asked_for() { return test::asked_for("CHASH_TEST_CHANGES", 1'500); }

Token largest(unsigned bits) { return bits == 128 ? ~Token{0} : (Token{1} << bits) - 1; }

// What a ring is, slowly: the owners of each position, the first of them before the others. Where only one may be, it
// is the first one, and the others wait.
class Naive {
 public:
  explicit Naive(bool distinct) : distinct_(distinct) {}
  void add(Token position, NodeIndex owner) { points_[position].insert(owner); }
  void remove(Token position, NodeIndex owner) {
    const auto at = points_.find(position);
    at->second.erase(at->second.find(owner));
    if (at->second.empty()) points_.erase(at);
  }
  NodeIndex owner(Token position, bool strictly) const {
    const auto at = strictly ? points_.upper_bound(position) : points_.lower_bound(position);
    return *(at == points_.end() ? points_.begin() : at)->second.begin();
  }
  const std::multiset<NodeIndex>* at(Token position) const {
    const auto found = points_.find(position);
    return found == points_.end() ? nullptr : &found->second;
  }
  std::vector<Point> points() const {
    std::vector<Point> all;
    for (const auto& [position, owners] : points_)
      for (const NodeIndex owner : owners) {
        all.push_back({position, owner});
        if (distinct_) break;
      }
    return all;
  }

 private:
  bool distinct_;
  std::map<Token, std::multiset<NodeIndex>> points_;
};

struct Snapshot {
  LineIndex index;
  std::vector<Point> points;  // empty: not to be compared
};

class History {
 public:
  History(unsigned bits, bool distinct, Random& random) : bits_(bits), naive_(distinct), random_(random) {
    for (Token& spot : spots_) spot = random_token() & ~largest(bits / 2);
    distinct_ = distinct;
    for (NodeIndex owner = 0; owner < 60; ++owner) come(owner);
    index_ = anew();
  }

  // One owner leaves, loses some points, or comes. Returns how many of the keys at its points got another answer than
  // they should.
  std::size_t change(std::size_t& in_place) {
    std::vector<Point> removed, added, covered;
    if (owners_.size() > 90 || (owners_.size() > 30 && random_() % 2 == 0)) {
      const auto gone = std::next(owners_.begin(), static_cast<std::ptrdiff_t>(random_() % owners_.size()));
      const bool wholly = random_() % 3 != 0;
      leave(gone->first, wholly ? 0 : random_() % gone->second.size(), removed, added);
    } else {
      NodeIndex owner = static_cast<NodeIndex>(random_() % 1'000'000);
      while (owners_.contains(owner)) ++owner;
      for (const Token position : come(owner)) added.push_back({position, owner});
    }
    const auto first = [](NodeIndex a, NodeIndex b) { return a < b; };
    auto next = index_.changed(removed, added, positions(), first, covered);
    in_place += next.has_value();
    index_ = next ? std::move(*next) : anew();
    std::size_t wrong = 0;
    removed.insert(removed.end(), added.begin(), added.end());
    removed.push_back({random_token(), 0});
    for (const Point& point : removed) {
      for (const Token shift : {Token{0}, Token{1}, ~Token{0}}) {
        const Token key = (point.position + shift) & largest(bits_);
        for (const bool strictly : {false, true}) wrong += index_.owner(key, strictly) != naive_.owner(key, strictly);
      }
    }
    return wrong;
  }

  const LineIndex& index() const { return index_; }
  std::vector<Point> points() const { return naive_.points(); }

 private:
  Token random_token() { return (Token{random_()} << 64 | random_()) & largest(bits_); }

  const std::vector<Token>& come(NodeIndex owner) {
    std::vector<Token>& points = owners_[owner];
    for (std::size_t i = 1 + random_() % 24; i > 0; --i) {
      Token position = random_token();
      if (random_() % 5 == 0) position = spots_[random_() % spots_.size()] | (position & largest(bits_ / 2));
      const std::vector<Token>& others = owners_.begin()->second;
      if (random_() % 20 == 0 && !others.empty()) position = others.front();
      points.push_back(position);
      naive_.add(position, owner);
    }
    return points;
  }

  // All points of an owner go but the first few. What waited behind them comes up.
  void leave(NodeIndex owner, std::size_t kept, std::vector<Point>& removed, std::vector<Point>& added) {
    std::vector<Token>& points = owners_[owner];
    for (; points.size() > kept; points.pop_back()) {
      const Token position = points.back();
      const bool was_there = !distinct_ || *naive_.at(position)->begin() == owner;
      naive_.remove(position, owner);
      const auto* rest = naive_.at(position);
      const bool again = distinct_ && rest != nullptr && rest->contains(owner);
      if (!was_there || again) continue;
      removed.push_back({position, owner});
      if (distinct_ && rest != nullptr) added.push_back({position, *rest->begin()});
    }
    if (points.empty()) owners_.erase(owner);
  }

  LineIndex::PositionsOf positions() const {
    return [held = std::make_shared<const Owners>(owners_)](NodeIndex owner) { return held->at(owner); };
  }
  LineIndex anew() const { return {naive_.points(), bits_, distinct_, positions()}; }

  unsigned bits_;
  bool distinct_ = false;
  Naive naive_;
  Random& random_;
  std::array<Token, 24> spots_;
  Owners owners_;
  LineIndex index_;
};

// Asks whatever is published, as long as it lasts. Returns how many answers were wrong.
std::size_t read(const Published<Snapshot>& published, const std::atomic<bool>& stop, unsigned bits,
                 std::uint64_t seed) {
  Published<Snapshot>::Reader reader(published);
  Random random(seed);
  std::size_t wrong = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const Snapshot& now = reader.current();
    for (int i = 0; i < 32; ++i) {
      Token key = (Token{random()} << 64 | random()) & largest(bits);
      if (now.points.empty()) {
        wrong += now.index.owner(key, true) > 2'000'000;
        continue;
      }
      if (i % 2 == 0) key = now.points[random() % now.points.size()].position;
      const auto at = std::ranges::upper_bound(now.points, key, {}, &Point::position);
      wrong += now.index.owner(key, true) != (at == now.points.end() ? now.points.front() : *at).member;
    }
    std::this_thread::yield();
  }
  return wrong;
}

TEST_CASE("index: through a long history of changes it answers as a sorted map, also on other threads") {
  Random random(31);
  for (const unsigned bits : {32U, 64U, 128U}) {
    for (const bool distinct : {false, true}) {
      CAPTURE(bits);
      CAPTURE(distinct);
      History history(bits, distinct, random);
      const auto published = std::make_unique<Published<Snapshot>>(
          std::make_shared<const Snapshot>(Snapshot{history.index(), history.points()}));
      std::atomic<bool> stop = false;
      std::array<std::size_t, 2> wrong{};
      std::vector<std::thread> readers;
      for (std::size_t i = 0; i < wrong.size(); ++i)
        readers.emplace_back([&, i] { wrong[i] = read(*published, stop, bits, 40 + i); });
      std::size_t wrong_here = 0, in_place = 0;
      const std::size_t changes = changes_asked_for();
      for (std::size_t i = 0; i < changes; ++i) {
        wrong_here += history.change(in_place);
        const bool compared = i % 50 == 0;
        published->publish(std::make_shared<const Snapshot>(
            Snapshot{history.index(), compared ? history.points() : std::vector<Point>()}));
      }
      stop = true;
      for (std::thread& reader : readers) reader.join();
      CHECK(wrong_here == 0);
      CHECK(wrong[0] == 0);
      CHECK(wrong[1] == 0);
      CHECK(in_place > changes * 9 / 10);
    }
  }
}

}  // namespace
}  // namespace chash::service
