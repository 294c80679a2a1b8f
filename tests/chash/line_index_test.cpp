// LineIndex against std::upper_bound over the sorted points, which it replaces.
//
// CHASH_TEST_KEYS in the environment: how many keys each random ring is asked (default 500).
#include "chash/line_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "asked_for.h"
#include "chash/line_search.h"

namespace chash {
namespace {

using Random = std::mt19937_64;
using Points = std::vector<Point>;

Token random_token(Random& random) { return Token{random()} << 64 | random(); }
Token largest(unsigned bits) { return bits == 128 ? ~Token{0} : (Token{1} << bits) - 1; }

struct Shape {
  unsigned bits;
  std::size_t points;
  std::uint32_t owners;
  bool distinct;
  unsigned crowded_percent;  // of the points: in one of a few spots, near or equal to each other
};

Points sorted_points(Random& random, const Shape& shape) {
  const Token mask = largest(shape.bits);
  std::vector<Token> spots;
  for (int i = 0; i < 7; ++i) spots.push_back(random_token(random) & mask);
  spots.insert(spots.end(), {0, mask});
  Points points;
  while (points.size() < shape.points) {
    Token position = random_token(random) & mask;
    if (random() % 100 < shape.crowded_percent) {
      // The same upper half, the very same position, or close to it.
      position = spots[random() % spots.size()];
      const Token half = largest(shape.bits / 2);
      if (random() % 3 != 0) position = (position & ~half) | (random_token(random) & half);
      else if (random() % 2 != 0) position = (position + random() % 5) & mask;
    }
    points.push_back({position, static_cast<std::uint32_t>(random() % shape.owners)});
  }
  std::ranges::stable_sort(points, {}, &Point::position);
  if (shape.distinct) {
    const auto twice = std::ranges::unique(points, {}, &Point::position);
    points.erase(twice.begin(), twice.end());
  }
  return points;
}

LineIndex index_of(const Points& points, unsigned bits, bool distinct) {
  std::map<NodeIndex, std::vector<Token>> positions;
  for (const Point& point : points) positions[point.member].push_back(point.position);
  return {points, bits, distinct, [positions](NodeIndex owner) { return positions.at(owner); }};
}

std::size_t naive(const Points& points, Token position, bool strictly) {
  const auto at = strictly ? std::ranges::upper_bound(points, position, {}, &Point::position)
                           : std::ranges::lower_bound(points, position, {}, &Point::position);
  return at == points.end() ? 0 : static_cast<std::size_t>(at - points.begin());
}

std::vector<Token> keys_for(Random& random, const Points& points, unsigned bits, std::size_t count) {
  const Token mask = largest(bits);
  std::vector<Token> keys{0, 1, mask, mask - 1, mask >> 1};
  for (std::size_t i = 0; i < count; ++i) {
    const Token near = points[random() % points.size()].position;
    const Token halves = (near & ~largest(bits / 2)) | (random_token(random) & largest(bits / 2));
    for (const Token key : {random_token(random), near, near - 1, near + 1, halves}) keys.push_back(key & mask);
  }
  return keys;
}

std::size_t keys_wanted() { return test::asked_for("CHASH_TEST_KEYS", 2'500) / 5; }

void check_keys(const Points& points, const LineIndex& index, const std::vector<Token>& keys) {
  std::vector<NodeIndex> batch(keys.size());
  for (const bool strictly : {false, true}) {
    std::size_t wrong = 0;
    index.owners(keys, strictly, batch);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Point& right = points[naive(points, keys[i], strictly)];
      const LineIndex::Place place = index.first(keys[i], strictly);
      wrong += index.owner(keys[i], strictly) != right.member || batch[i] != right.member ||
               index.owner(place) != right.member || index.position(place) != right.position;
    }
    CHECK(wrong == 0);
  }
}

void check_order(const Points& points, const LineIndex& index) {
  std::size_t wrong = 0;
  LineIndex::Place place = index.first(0, false);
  const LineIndex::Place begin = place;
  for (const Point& point : points) {
    wrong += index.owner(place) != point.member || index.position(place) != point.position;
    const LineIndex::Place following = index.next(place);
    wrong += index.previous(following) != place;
    place = following;
  }
  CHECK(wrong == 0);
  CHECK(place == begin);
  std::size_t at = 0;
  index.for_each_owner([&](NodeIndex owner) { wrong += at >= points.size() || owner != points[at++].member; });
  CHECK(wrong == 0);
  CHECK(at == points.size());
}

TEST_CASE("line index: every key has the owner that upper_bound and lower_bound find") {
  Random random(20);
  for (const unsigned bits : {32u, 64u, 128u}) {
    for (const std::size_t size : {1, 2, 3, 7, 12, 13, 40, 100, 511, 513, 4000, 40'000}) {
      for (const unsigned crowded : {0u, 20u, 100u}) {
        if (size > 4000 && crowded == 100) continue;
        for (const bool distinct : {false, true}) {
          CAPTURE(bits);
          CAPTURE(size);
          CAPTURE(crowded);
          CAPTURE(distinct);
          const Points points = sorted_points(random, {bits, size, 300, distinct, crowded});
          const LineIndex index = index_of(points, bits, distinct);
          CHECK(index.points() == points.size());
          // What crowds is made anew for every key: less of it.
          const std::size_t keys = crowded == 0 ? keys_wanted() : std::max<std::size_t>(5, 5000 / size);
          check_keys(points, index, keys_for(random, points, bits, keys));
          if (crowded == 0 || size <= 513) check_order(points, index);
        }
      }
    }
  }
}

// Owners' points come and go; between, every key is asked of the changed index and of one before it that is still held.
TEST_CASE("line index: after any changes it is the index of the points that are left, and the ones before stay") {
  Random random(26);
  for (const unsigned bits : {32u, 64u, 128u}) {
    for (const std::size_t each : {1, 7, 160}) {
      CAPTURE(bits);
      CAPTURE(each);
      std::map<NodeIndex, Points> owners;
      const auto grow = [&](NodeIndex owner) {
        Points points;
        for (std::size_t i = 0; i < each; ++i) {
          Token position = random_token(random) & largest(bits);
          // Rings of 32 bits have equal positions; the others nearly so. With 256 in one place they are built anew.
          if (random() % (each > 100 ? 50 : 20) == 0 && !owners.empty())
            position = owners.begin()->second.front().position;
          if (bits != 32 && random() % 20 == 0) position ^= Token{1} << random() % (bits / 2);
          points.push_back({position, owner});
        }
        return owners[owner] = points;
      };
      const auto all = [&] {
        Points points;
        for (const auto& [owner, some] : owners) points.insert(points.end(), some.begin(), some.end());
        std::ranges::stable_sort(points, {}, &Point::position);
        return points;
      };
      const auto positions = [&] {
        return [owners](NodeIndex owner) {
          std::vector<Token> found;
          for (const Point& point : owners.at(owner)) found.push_back(point.position);
          return found;
        };
      };
      const auto before = [](NodeIndex a, NodeIndex b) { return a < b; };
      for (NodeIndex owner = 0; owner < 40; ++owner) grow(owner);
      LineIndex index(all(), bits, false, positions());
      LineIndex held = index;
      Points held_points = all();
      std::size_t shared = 0;
      const NodeIndex steps = 600;
      for (NodeIndex step = 0; step < steps; ++step) {
        Points removed, added;
        if (owners.size() < 30 || (owners.size() < 60 && random() % 2 == 0)) added = grow(1000 + step);
        else {
          auto at = owners.begin();
          std::advance(at, static_cast<std::ptrdiff_t>(random() % owners.size()));
          removed = at->second;
          owners.erase(at);
        }
        std::vector<Point> covered;
        auto next = index.changed(removed, added, positions(), before, covered);
        shared += next.has_value();
        index = next ? std::move(*next) : LineIndex(all(), bits, false, positions());
        if (step % 60 != 0) continue;
        check_keys(all(), index, keys_for(random, all(), bits, 40));
        check_order(all(), index);
        check_keys(held_points, held, keys_for(random, held_points, bits, 40));
        held = index;
        held_points = all();
      }
      CHECK(shared > steps * 9 / 10);
    }
  }
}

void append(Points& points, const Points& more) { points.insert(points.end(), more.begin(), more.end()); }

// Each owner has one position among the thousands beside `near`, as if its token were given by hand.
std::vector<Token> clashing_positions(NodeIndex owner, std::size_t each, Token near) {
  Random random(owner);
  std::vector<Token> positions{near + random() % 4000};
  while (positions.size() < each) positions.push_back(random_token(random));
  return positions;
}

TEST_CASE("line index: a change costs little where the positions of hundreds of owners all but clash") {
  Random random(27);
  const Token near = random_token(random);
  const std::size_t each = 400;
  const auto positions = [=](NodeIndex owner) { return clashing_positions(owner, each, near); };
  const auto before = [](NodeIndex a, NodeIndex b) { return a < b; };
  std::vector<NodeIndex> owners;
  const auto points_of = [&](NodeIndex owner) {
    Points points;
    for (const Token position : positions(owner)) points.push_back({position, owner});
    return points;
  };
  const auto all = [&] {
    Points points;
    for (const NodeIndex owner : owners) append(points, points_of(owner));
    std::ranges::sort(points, by_position);
    return points;
  };
  for (NodeIndex owner = 0; owner < 200; ++owner) owners.push_back(owner);
  LineIndex index(all(), 128, false, positions);
  std::vector<Point> covered;
  std::size_t in_place = 0;
  const NodeIndex steps = 200;
  for (NodeIndex step = 0; step < steps; ++step) {
    // Two for two, and every tenth time one more.
    Points removed, added;
    for (int i = 0; i < 2; ++i) {
      std::swap(owners[random() % owners.size()], owners.back());
      append(removed, points_of(owners.back()));
      owners.pop_back();
    }
    for (NodeIndex i = 0; i < (step % 10 == 0 ? 3 : 2); ++i) {
      owners.push_back(1000 + 3 * step + i);
      append(added, points_of(owners.back()));
    }
    auto next = index.changed(removed, added, positions, before, covered);
    in_place += next.has_value();
    index = next ? std::move(*next) : LineIndex(all(), 128, false, positions);
    if (step % 50 != 49) continue;
    const Points points = all();
    std::vector<Token> keys = keys_for(random, points, 128, 100);
    for (const Token shift : {0, 1, 700, 2500, 3999, 4000}) keys.push_back(near + shift);
    check_keys(points, index, keys);
  }
  CHECK(in_place == steps);
  CHECK(covered.empty());

  // Where there are more yet, the index is built anew instead.
  Points added;
  for (NodeIndex owner = 10'000; owner < 10'060; ++owner) append(added, points_of(owner));
  CHECK(!index.changed({}, added, positions, before, covered));
}

TEST_CASE("line index: owners have 24 bits") {
  Random random(21);
  Points points = sorted_points(random, {64, 5000, 1u << 23, true, 0});
  for (Point& point : points) point.member += LineIndex::most_owners - (1u << 23);
  const LineIndex index = index_of(points, 64, true);
  check_keys(points, index, keys_for(random, points, 64, 1000));
}

TEST_CASE("line index: takes ten bytes a point and no more") {
  Random random(22);
  for (const unsigned bits : {32u, 64u, 128u}) {
    const Points points = sorted_points(random, {bits, 160'000, 1000, true, 0});
    const LineIndex index = index_of(points, bits, true);
    const double each = static_cast<double>(index.bytes()) / static_cast<double>(index.points());
    CHECK(each < 10.1);
  }
}

TEST_CASE("line index: the registers count as the plain loop does") {
  Random random(23);
  for (int round = 0; round < 300; ++round) {
    alignas(64) std::array<std::uint16_t, 32> line;
    for (std::uint16_t& fraction : line) fraction = static_cast<std::uint16_t>(random());
    const std::size_t used = random() % 13;
    if (round % 3 == 0)
      for (std::uint16_t& fraction : line) fraction = static_cast<std::uint16_t>(fraction % 3 * 32'767 + 1);
    std::fill(line.begin() + static_cast<std::ptrdiff_t>(used), line.begin() + 12, 0xffff);
    std::sort(line.begin(), line.begin() + 12);
    std::size_t wrong = 0;
    for (unsigned wanted = 0; wanted <= 0xffff; ++wanted) {
      const auto one = static_cast<std::uint16_t>(wanted);
      const LineSearch found = search_line(line.data(), one), plainly = search_line_plainly(line.data(), one);
      wrong += found.place != plainly.place || found.equal != plainly.equal;
    }
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace chash
