#include "chash/line_index.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <map>

#include "chash/line_search.h"

namespace chash {
namespace {

// From here on no two positions of 32 bits have the same bucket and 24 bits of fraction.
constexpr std::size_t least_buckets_of_32_bits = 256;

constexpr std::size_t in_flight = 32;  // lines that a batch waits for at once

// Points of a bucket that is still edited in place: no hash gives one so many, and where their 24 bits are equal, a
// change makes all points of as many owners again.
constexpr std::size_t most_edited = 256;

}  // namespace

NodeIndex LineIndex::Line::owner(std::size_t at) const {
  std::uint32_t word;
  std::memcpy(&word, owners.data() + 3 * at - 1, sizeof word);  // the byte before is the count, or another owner's
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap32(word);
  return word >> 8;
}

void LineIndex::Line::set_owner(std::size_t at, NodeIndex owner) {
  for (std::size_t byte = 0; byte < 3; ++byte) owners[3 * at + byte] = static_cast<std::uint8_t>(owner >> 8 * byte);
}

std::span<const LineIndex::Extra> LineIndex::Page::extras_of(std::size_t line) const {
  const auto range = std::ranges::equal_range(extras, static_cast<std::uint8_t>(line), {}, &Extra::line);
  return {range.begin(), range.end()};
}

LineIndex::LineIndex(std::span<const Point> points, unsigned bits, bool distinct, PositionsOf positions_of)
    : points_(points.size()), bits_(bits), distinct_(distinct), positions_of_(std::move(positions_of)) {
  if (points.empty()) return;
  buckets_ = std::max<std::size_t>(1, (points.size() * 4 + quarters_each - 1) / quarters_each);
  if (bits == 32) buckets_ = std::max(buckets_, least_buckets_of_32_bits);
  fractions_tell_all_ = bits == 32;
  directory_.resize((buckets_ + page_lines - 1) / page_lines);
  pages_.resize(directory_.size());
  for (std::size_t i = 0; i < directory_.size(); ++i) directory_[i] = (pages_.own(i) = std::make_shared<Page>()).get();

  // From the last bucket to the first, so that each knows who follows.
  NodeIndex following = points.front().member;
  std::size_t end = points.size();
  std::vector<Entry> here;
  for (std::size_t bucket = buckets_; bucket-- > 0;) {
    std::size_t begin = end;
    while (begin > 0 && spot(points[begin - 1].position).bucket == bucket) --begin;
    here.clear();
    for (const Point& point : points.subspan(begin, end - begin))
      here.push_back({spot(point.position).fraction, point.member});
    write_line(bucket, here, following);
    if (begin != end) following = points[begin].member;
    end = begin;
  }
  std::size_t extras = 0;
  for (const Page* page : directory_) extras += page->extras.size();
  if (extras > points.size() / 4 + line_points) {
    crowded_.assign(points.begin(), points.end());
    directory_.clear();
    pages_ = {};
    return;
  }
  for (std::size_t i = 0; i < directory_.size(); ++i) pages_[i]->extras.shrink_to_fit();
}

// The page's extras of this line are replaced.
void LineIndex::write_line(std::size_t bucket, std::span<const Entry> points, NodeIndex following) {
  Page& page = *pages_[bucket / page_lines];  // nobody else's: own_page()
  const std::size_t number = bucket % page_lines;
  Line& line = page.lines[number];
  line.fractions.fill(0xffff);
  line.count = points.size() > line_points ? overfull : static_cast<std::uint8_t>(points.size());
  const std::size_t in_line = std::min(points.size(), line_points);
  for (std::size_t at = 0; at < in_line; ++at) {
    line.fractions[at] = static_cast<std::uint16_t>(points[at].fraction >> 8);
    page.low[number][at] = static_cast<std::uint8_t>(points[at].fraction);
    line.set_owner(at, points[at].owner);
  }
  line.set_owner(in_line, points.size() > line_points ? points[line_points].owner : following);

  const auto old = std::ranges::equal_range(page.extras, static_cast<std::uint8_t>(number), {}, &Extra::line);
  if (old.empty() && points.size() <= line_points) return;
  std::vector<Extra> extras;
  extras.reserve(points.size() - in_line);
  for (const Entry& point : points.subspan(in_line))
    extras.push_back({static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(point.fraction),
                      static_cast<std::uint16_t>(point.fraction >> 8), point.owner});
  page.extras.insert(page.extras.erase(old.begin(), old.end()), extras.begin(), extras.end());
}

// --- Changes --------------------------------------------------------------------------------------------------------

std::vector<LineIndex::Entry> LineIndex::entries(std::size_t bucket) const {
  std::vector<Entry> found;
  const std::size_t points = count(bucket);
  found.reserve(points + 2);
  for (std::size_t at = 0; at < points; ++at) found.push_back({fraction({bucket, at}), owner(Place{bucket, at}), at});
  return found;
}

// Tells entries of equal fractions their positions: of one they cost as much as of all. Those that came know theirs.
void LineIndex::make_positions(std::span<Entry> run, std::size_t bucket) const {
  const auto old = std::ranges::find_if(run, [](const Entry& entry) { return !entry.position; });
  if (old == run.end()) return;
  const auto [begin, end] = places(bucket, old->fraction);
  const std::vector<Token> positions = equal_positions(bucket, begin, end);
  for (Entry& entry : run)
    if (!entry.position) entry.position = positions[entry.at - begin];
}

bool LineIndex::erase(const Point& point, std::vector<Entry>& from) const {
  const Spot where = spot(point.position);
  const auto run = std::ranges::equal_range(from, where.fraction, {}, &Entry::fraction);
  const bool is_alone = run.size() == 1 || fractions_tell_all_;
  if (!is_alone) make_positions(run, where.bucket);
  const auto entry = std::ranges::find_if(run, [&](const Entry& one) {
    return one.owner == point.member && (is_alone || *one.position == point.position);
  });
  if (entry == run.end()) return false;
  from.erase(entry);
  return true;
}

// Returns the point that another one of equal position takes the place of, where there may be only one.
std::optional<Point> LineIndex::insert(const Point& point, const Before& before, std::vector<Entry>& to) const {
  const Spot where = spot(point.position);
  const Entry entry{where.fraction, point.member, 0, point.position};
  const auto run = std::ranges::equal_range(to, where.fraction, {}, &Entry::fraction);
  if (!fractions_tell_all_) make_positions(run, where.bucket);
  auto at = run.begin();
  for (; at != run.end(); ++at) {
    const Token other = fractions_tell_all_ ? point.position : *at->position;
    if (other > point.position) break;
    if (other < point.position) continue;
    const bool is_first = before(point.member, at->owner);
    if (!distinct_ && is_first) break;
    if (!distinct_) continue;
    if (!is_first) return point;
    const Point covered{point.position, at->owner};
    *at = entry;
    return covered;
  }
  to.insert(at, entry);
  return std::nullopt;
}

LineIndex::Page& LineIndex::own_page(std::size_t bucket, const LineIndex& shared_with) {
  const std::size_t number = bucket / page_lines;
  if (directory_[number] == shared_with.directory_[number]) {
    auto copy = std::make_shared<Page>(*directory_[number]);
    directory_[number] = copy.get();
    pages_.own(number, shared_with.pages_) = std::move(copy);
  }
  return *pages_[number];
}

// Tells the lines before a bucket who follows them, back to the first that has points.
void LineIndex::lead_on(std::size_t bucket, const LineIndex& shared_with) {
  std::size_t following_bucket = bucket;
  while (line(following_bucket).count == 0)
    following_bucket = following_bucket + 1 == buckets_ ? 0 : following_bucket + 1;
  const NodeIndex following = line(following_bucket).owner(0);
  for (std::size_t left = buckets_; left > 0; --left) {
    bucket = bucket == 0 ? buckets_ - 1 : bucket - 1;
    const std::uint8_t count = line(bucket).count;
    if (count != overfull && line(bucket).owner(count) != following)
      own_page(bucket, shared_with).lines[bucket % page_lines].set_owner(count, following);
    if (count != 0) return;
  }
}

std::optional<LineIndex> LineIndex::changed(std::span<const Point> removed, std::span<const Point> added,
                                            PositionsOf positions_of, const Before& before,
                                            std::vector<Point>& covered) const {
  const std::size_t points = points_ + added.size() - removed.size();
  const std::size_t planned = buckets_ * quarters_each / 4;
  const bool has_room = points <= planned * 3 / 2 && (points >= planned / 2 || buckets_ <= least_buckets_of_32_bits);
  if (empty() || points == 0 || !crowded_.empty() || !has_room) return std::nullopt;
  LineIndex next = *this;
  std::map<std::size_t, std::vector<Entry>> edited;
  const auto bucket_of = [&](const Point& point) -> std::vector<Entry>& {
    const std::size_t bucket = spot(point.position).bucket;
    const auto [at, is_new] = edited.try_emplace(bucket);
    if (is_new) at->second = entries(bucket);
    return at->second;
  };
  const auto is_large = [&](const Point& point) { return count(spot(point.position).bucket) > most_edited; };
  if (std::ranges::any_of(removed, is_large) || std::ranges::any_of(added, is_large)) return std::nullopt;
  for (const Point& point : removed)
    if (!erase(point, bucket_of(point))) return std::nullopt;
  std::size_t in_index = points;
  for (const Point& point : added) {
    std::vector<Entry>& entries = bucket_of(point);
    if (entries.size() == most_edited) return std::nullopt;
    const auto hidden = insert(point, before, entries);
    if (!hidden) continue;
    covered.push_back(*hidden);
    --in_index;
  }
  next.points_ = in_index;
  for (const auto& [bucket, entries] : edited) {
    next.own_page(bucket, *this);
    next.write_line(bucket, entries, 0);
  }
  for (const auto& [bucket, entries] : edited) {
    next.lead_on(bucket, *this);
    next.lead_on(bucket + 1 == buckets_ ? 0 : bucket + 1, *this);
  }
  next.positions_of_ = std::move(positions_of);
  return next;
}

LineIndex::Spot LineIndex::spot(Token position) const {
  const auto high = static_cast<std::uint64_t>(bits_ == 128 ? position >> 64 : position << (64 - bits_));
  const Token product = Token{high} * buckets_;
  return {static_cast<std::size_t>(product >> 64), static_cast<std::uint32_t>(product >> 40) & 0xffffff};
}

std::size_t LineIndex::count(std::size_t bucket) const {
  const std::uint8_t in_line = line(bucket).count;
  return in_line == overfull ? line_points + page(bucket).extras_of(bucket % page_lines).size() : in_line;
}

std::uint32_t LineIndex::fraction(Place place) const {
  const Page& home = page(place.bucket);
  const std::size_t number = place.bucket % page_lines;
  if (place.at < line_points)
    return std::uint32_t{home.lines[number].fractions[place.at]} << 8 | home.low[number][place.at];
  const Extra& extra = home.extras_of(number)[place.at - line_points];
  return std::uint32_t{extra.fraction} << 8 | extra.low;
}

// How many points lie before the position (strictly: not after it); none where that is all of them.
std::size_t LineIndex::crowded_place(Token position, bool strictly) const {
  const auto at = strictly ? std::ranges::upper_bound(crowded_, position, {}, &Point::position)
                           : std::ranges::lower_bound(crowded_, position, {}, &Point::position);
  return at == crowded_.end() ? 0 : static_cast<std::size_t>(at - crowded_.begin());
}

NodeIndex LineIndex::owner(Place place) const {
  if (!crowded_.empty()) return crowded_[place.at].member;
  if (place.at < line_points) return line(place.bucket).owner(place.at);
  return page(place.bucket).extras_of(place.bucket % page_lines)[place.at - line_points].owner;
}

// The owner of a place, or of what follows the last one of the bucket.
NodeIndex LineIndex::owner_behind(std::size_t bucket, std::size_t at) const {
  const Line& here = line(bucket);
  if (here.count != overfull) return here.owner(at);
  if (at < count(bucket)) return owner(Place{bucket, at});
  return owner(next({bucket, at - 1}));
}

NodeIndex LineIndex::owner(Spot spot, Token position, bool strictly) const {
  const Line& here = line(spot.bucket);
  const LineSearch found = search_line(here.fractions.data(), spot.high());
  // An equal fraction decides nothing, and what fills the unused places equals the largest.
  if (!found.equal && (found.place < line_points || here.count != overfull)) [[likely]]
    return here.owner(found.place);
  return owner_behind(spot.bucket, place_in_bucket(spot, position, strictly));
}

NodeIndex LineIndex::owner(Token position, bool strictly) const {
  assert(!empty());
  if (!crowded_.empty()) return crowded_[crowded_place(position, strictly)].member;
  return owner(spot(position), position, strictly);
}

void LineIndex::owners(std::span<const Token> positions, bool strictly, std::span<NodeIndex> found) const {
  assert(!empty() && positions.size() == found.size());
  if (!crowded_.empty()) {
    for (std::size_t i = 0; i < positions.size(); ++i) found[i] = owner(positions[i], strictly);
    return;
  }
  std::array<Spot, in_flight> spots;
  for (std::size_t done = 0; done < positions.size(); done += in_flight) {
    const std::size_t some = std::min(in_flight, positions.size() - done);
    for (std::size_t i = 0; i < some; ++i) {
      spots[i] = spot(positions[done + i]);
      __builtin_prefetch(&line(spots[i].bucket));
    }
    for (std::size_t i = 0; i < some; ++i) found[done + i] = owner(spots[i], positions[done + i], strictly);
  }
}

// Where the points of a fraction are, or would be. Binary search, for a bucket may be crowded: tokens can be given by
// hand.
std::pair<std::size_t, std::size_t> LineIndex::places(std::size_t bucket, std::uint32_t wanted) const {
  const auto below = [&](std::uint32_t bound) {
    std::size_t begin = 0, end = count(bucket);
    while (begin < end) {
      const std::size_t middle = (begin + end) / 2;
      fraction({bucket, middle}) < bound ? begin = middle + 1 : end = middle;
    }
    return begin;
  };
  return {below(wanted), below(wanted + 1)};
}

// How many points of the bucket lie before the position (strictly: not after it).
std::size_t LineIndex::place_in_bucket(Spot spot, Token position, bool strictly) const {
  const LineSearch found = search_line(line(spot.bucket).fractions.data(), spot.high());
  if (!found.equal && (found.place < line_points || line(spot.bucket).count != overfull)) return found.place;
  const auto [begin, end] = places(spot.bucket, spot.fraction);
  if (begin == end) return begin;
  if (fractions_tell_all_) return strictly ? end : begin;
  const auto equal = equal_positions(spot.bucket, begin, end);
  const auto at = strictly ? std::ranges::upper_bound(equal, position) : std::ranges::lower_bound(equal, position);
  return begin + static_cast<std::size_t>(at - equal.begin());
}

// The positions of places whose 24 bits are equal, made anew.
std::vector<Token> LineIndex::equal_positions(std::size_t bucket, std::size_t begin, std::size_t end) const {
  const std::uint32_t wanted = fraction({bucket, begin});
  std::vector<NodeIndex> owners;
  for (std::size_t at = begin; at < end; ++at) owners.push_back(owner(Place{bucket, at}));
  std::ranges::sort(owners);
  const auto rest = std::ranges::unique(owners);
  owners.erase(rest.begin(), rest.end());
  std::vector<Token> equal;
  for (const NodeIndex owner : owners) {
    for (const Token position : positions_of_(owner)) {
      const Spot where = spot(position);
      if (where.bucket == bucket && where.fraction == wanted) equal.push_back(position);
    }
  }
  std::ranges::sort(equal);
  if (distinct_) {
    const auto twice = std::ranges::unique(equal);
    equal.erase(twice.begin(), twice.end());
  }
  assert(equal.size() == end - begin);
  return equal;
}

LineIndex::Place LineIndex::first(Token position, bool strictly) const {
  assert(!empty());
  if (!crowded_.empty()) return {0, crowded_place(position, strictly)};
  const Spot where = spot(position);
  const std::size_t at = place_in_bucket(where, position, strictly);
  if (at < count(where.bucket)) return {where.bucket, at};
  return next({where.bucket, at - 1});
}

// A place of -1 is that before the first of a bucket.
LineIndex::Place LineIndex::next(Place place) const {
  if (!crowded_.empty()) return {0, place.at + 1 == points_ ? 0 : place.at + 1};
  if (place.at + 1 < count(place.bucket)) return {place.bucket, place.at + 1};
  do place.bucket = place.bucket + 1 == buckets_ ? 0 : place.bucket + 1;
  while (line(place.bucket).count == 0);
  return {place.bucket, 0};
}

LineIndex::Place LineIndex::previous(Place place) const {
  if (!crowded_.empty()) return {0, place.at == 0 ? points_ - 1 : place.at - 1};
  if (place.at > 0) return {place.bucket, place.at - 1};
  do place.bucket = place.bucket == 0 ? buckets_ - 1 : place.bucket - 1;
  while (line(place.bucket).count == 0);
  return {place.bucket, count(place.bucket) - 1};
}

Token LineIndex::position(Place place) const {
  if (!crowded_.empty()) return crowded_[place.at].position;
  const std::uint32_t wanted = fraction(place);
  if (fractions_tell_all_) {
    // The one position of 32 bits that has this bucket and fraction: the least whose product is not below them.
    const std::uint64_t product = std::uint64_t{place.bucket} << 32 | std::uint64_t{wanted} << 8;
    return (product + buckets_ - 1) / buckets_;
  }
  const auto [begin, end] = places(place.bucket, wanted);
  return equal_positions(place.bucket, begin, end)[place.at - begin];
}

std::size_t LineIndex::bytes() const {
  std::size_t sum = sizeof *this + directory_.capacity() * sizeof directory_[0] + pages_.bytes() +
                    crowded_.capacity() * sizeof crowded_[0];
  for (const Page* page : directory_) sum += sizeof *page + page->extras.capacity() * sizeof(Extra);
  return sum;
}

}  // namespace chash
