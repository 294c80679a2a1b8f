// LineIndex: which point of a ring a position belongs to, at the price of one cache line.
//
// The circle is cut into as many equal buckets as there are lines. One multiplication gives a position its bucket and
// its fraction of the bucket's width; it keeps the order, so that any number of buckets will do:
//
//   position (64 bits) x buckets = bucket . fraction
//
//   a line, 64 bytes, holds the points of its bucket:
//   ┌───────────────────────────────────┬────────────┬────────────────────────────────────────────────┐
//   │ 12 fractions of 16 bits, sorted;  │ how many   │ 13 owners of 24 bits: those of the points, and │
//   │ 0xffff where there is no point    │ points     │ behind the last that of the next line's first  │
//   └───────────────────────────────────┴────────────┴────────────────────────────────────────────────┘
//
// A look-up loads the line, counts with two comparisons of 16 bytes how many fractions are at or before its own, and
// loads the owner of that place. 64 lines are a page, and pages hang on a directory. A changed index has copies of the
// pages that were written to, and shares the others.
//
// What a line cannot say, its page can:
// - 8 more bits of each fraction. Where 24 bits are equal, too, the positions themselves are compared: the ring makes
//   the points of that owner again. Positions of 32 bits never need it: their 24 bits tell all of them apart.
// - The points beyond the twelfth (6 % of the lines have such, and 1 % of the keys meet them).
//
// All this lives on hashes that spread. Where they do not, because tokens are given by hand, the sorted points are kept
// instead and searched by halves: `crowded_`.
//
// With 8.25 points a line: 9.5 bytes a point. std::upper_bound over sorted positions, which this replaces, took 20, and
// a cache miss for each of its last steps. Source: PERFORMANCE.md, B1, whose prototype this follows.
//
// Threads: immutable; all const members may be called at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "chash/hash.h"
#include "chash/points.h"
#include "chash/shared_vector.h"

namespace chash {

class LineIndex {
 public:
  // All positions of one owner, in any order: asked for where two fractions are equal.
  using PositionsOf = std::function<std::vector<Token>(NodeIndex owner)>;

  // A point: its bucket, and its place among the points of that.
  struct Place {
    std::size_t bucket = 0;
    std::size_t at = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  static constexpr NodeIndex most_owners = (1 << 24) - 1;

  LineIndex() = default;
  // Requires: `points`, whose members are taken for owners, ascend by position, equal ones as they are to be found;
  // owners below most_owners; `bits` is 32, 64 or 128, and positions have no more. `positions_of` may also name
  // positions that another point of equal position took the place of, if `distinct` says that no two points have equal
  // ones. Cost: 7 ns a point.
  LineIndex(std::span<const Point> points, unsigned bits, bool distinct, PositionsOf positions_of);

  // Whether the points of one owner come before those of another where their positions are equal.
  using Before = std::function<bool(NodeIndex, NodeIndex)>;

  // The same index with some points taken out and then others put in. All pages that this does not touch are shared, so
  // that it costs ~0.2 us a point in a ring of any size, and the one before stays as it was. Where no two points may
  // have equal positions, the one that comes before the other stays, and the other is appended to `covered`.
  // Nothing where the whole is better built anew: the ring has grown or shrunk by half, is crowded, or it is so where
  // the points are.
  // Requires: the removed points are in the index.
  std::optional<LineIndex> changed(std::span<const Point> removed, std::span<const Point> added,
                                   PositionsOf positions_of, const Before& before, std::vector<Point>& covered) const;

  std::vector<Token> positions_of(NodeIndex owner) const { return positions_of_(owner); }
  bool empty() const { return points_ == 0; }
  std::size_t points() const { return points_; }
  std::size_t bytes() const;

  // Requires of all below: !empty().

  // The owner of the first point at or after the position (strictly: after), round the end to the first.
  NodeIndex owner(Token position, bool strictly) const;
  // The same for many, several times as fast where lines do not fit the caches.  Requires: equal sizes.
  void owners(std::span<const Token> positions, bool strictly, std::span<NodeIndex> found) const;

  Place first(Token position, bool strictly) const;
  Place next(Place place) const;
  Place previous(Place place) const;
  NodeIndex owner(Place place) const;
  Token position(Place place) const;

  // The owners of the points from first() on, one after the other, until visit(owner) returns false or it has seen all.
  template <class Visit>
  void walk(Token position, bool strictly, Visit visit) const {
    if (!crowded_.empty()) {
      Place place = first(position, strictly);
      for (std::size_t left = points_; left > 0 && visit(owner(place)); --left) place = next(place);
      return;
    }
    const Spot where = spot(position);
    std::size_t at = place_in_bucket(where, position, strictly);
    std::size_t left = points_;
    for (std::size_t bucket = where.bucket; left > 0; bucket = bucket + 1 == buckets_ ? 0 : bucket + 1, at = 0) {
      const Line& here = line(bucket);
      const std::size_t in_line = here.count == overfull ? line_points : here.count;
      for (; at < in_line && left > 0; ++at, --left)
        if (!visit(here.owner(at))) return;
      if (here.count != overfull) continue;
      const std::span<const Extra> extras = page(bucket).extras_of(bucket % page_lines);
      for (at -= line_points; at < extras.size() && left > 0; ++at, --left)
        if (!visit(extras[at].owner)) return;
    }
  }

  template <class Visit>
  void for_each_owner(Visit visit) const {
    for (const Point& point : crowded_) visit(point.member);
    for (std::size_t bucket = 0; bucket < (crowded_.empty() ? buckets_ : 0); ++bucket)
      for (std::size_t at = 0; at < count(bucket); ++at) visit(owner(Place{bucket, at}));
  }

 private:
  static constexpr std::size_t line_points = 12;
  static constexpr std::size_t page_lines = 64;
  // A quarter more than 8 points a line, on average: of 9, too many had no room (12.7 ns a look-up instead of 8.7).
  static constexpr std::size_t quarters_each = 33;
  static constexpr std::uint8_t overfull = 0xff;

  struct alignas(64) Line {
    std::array<std::uint16_t, line_points> fractions;
    std::uint8_t count;  // or overfull
    std::array<std::uint8_t, 3 * (line_points + 1)> owners;

    NodeIndex owner(std::size_t at) const;
    void set_owner(std::size_t at, NodeIndex owner);
  };
  static_assert(sizeof(Line) == 64);

  // A point that its line has no room for.
  struct Extra {
    std::uint8_t line;
    std::uint8_t low;
    std::uint16_t fraction;
    NodeIndex owner;
  };
  struct Page {
    std::array<Line, page_lines> lines;
    std::array<std::array<std::uint8_t, line_points>, page_lines> low;  // of the fractions
    std::vector<Extra> extras;                                          // by line, then as on the ring

    std::span<const Extra> extras_of(std::size_t line) const;
  };

  // Where a position falls: 24 bits of its fraction.
  struct Spot {
    std::size_t bucket;
    std::uint32_t fraction;
    std::uint16_t high() const { return static_cast<std::uint16_t>(fraction >> 8); }
  };
  Spot spot(Token position) const;

  const Page& page(std::size_t bucket) const { return *directory_[bucket / page_lines]; }
  const Line& line(std::size_t bucket) const { return page(bucket).lines[bucket % page_lines]; }
  std::size_t count(std::size_t bucket) const;
  std::uint32_t fraction(Place place) const;
  NodeIndex owner(Spot spot, Token position, bool strictly) const;
  NodeIndex owner_behind(std::size_t bucket, std::size_t at) const;
  std::pair<std::size_t, std::size_t> places(std::size_t bucket, std::uint32_t wanted) const;
  std::size_t place_in_bucket(Spot spot, Token position, bool strictly) const;
  std::vector<Token> equal_positions(std::size_t bucket, std::size_t begin, std::size_t end) const;
  // A point as its line has it; the position may have to be made anew.
  struct Entry {
    std::uint32_t fraction;
    NodeIndex owner;
    std::size_t at = 0;  // its place before the change
    std::optional<Token> position{};
  };
  std::vector<Entry> entries(std::size_t bucket) const;
  void make_positions(std::span<Entry> run, std::size_t bucket) const;
  bool erase(const Point& point, std::vector<Entry>& from) const;
  std::optional<Point> insert(const Point& point, const Before& before, std::vector<Entry>& to) const;
  Page& own_page(std::size_t bucket, const LineIndex& shared_with);
  void write_line(std::size_t bucket, std::span<const Entry> points, NodeIndex following);
  void lead_on(std::size_t bucket, const LineIndex& shared_with);
  std::size_t crowded_place(Token position, bool strictly) const;

  std::size_t points_ = 0;
  std::size_t buckets_ = 0;
  unsigned bits_ = 128;
  bool distinct_ = false;
  bool fractions_tell_all_ = false;
  PositionsOf positions_of_;
  std::vector<const Page*> directory_;             // pages_, one step nearer
  SharedVector<std::shared_ptr<Page>, 16> pages_;  // a change of one node touches 160 of thousands
  std::vector<Point> crowded_;                     // all points, and then there are no pages; a Place has no bucket
};

}  // namespace chash
