#include "placement_sections.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chash/line_index.h"
#include "chash/md5_many.h"
#include "chash/placement.h"
#include "placement_rivals.h"

namespace placement_bench {
namespace {

using chash::LineIndex;
using chash::Node;
using chash::NodeIndex;
using chash::Placement;
using chash::Point;
using chash::Token;

Placement placed(const chash::RingSpec& spec) {
  auto placement = chash::build(spec);
  if (!placement) {
    std::cerr << "bench_placement: " << placement.error().message << '\n';
    std::exit(1);
  }
  return std::move(*placement);
}

Placement placed(const std::string& profile, const chash::NodeList& nodes) {
  return placed(chash::RingSpec{profile, nodes});
}

std::vector<Token> random_tokens(std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<Token> tokens(count);
  for (Token& token : tokens) token = Token{random()} << 64 | random();
  return tokens;
}

std::vector<std::string> random_keys(std::size_t count) {
  std::mt19937_64 random(8);
  std::vector<std::string> keys(count);
  for (std::string& key : keys) {
    key = "user:" + std::to_string(random());
    key.resize(8 + random() % 17, 'x');
  }
  return keys;
}

// Random points, as those of MD5 are: for rings of any size without hashing for minutes.
std::vector<Point> random_points(std::size_t nodes, std::size_t vnodes) {
  std::mt19937_64 random(9);
  std::vector<Point> points(nodes * vnodes);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = {Token{random()} << 64 | random(), static_cast<NodeIndex>(i / vnodes)};
  std::ranges::sort(points, {}, &Point::position);
  return points;
}

// The points go when both are made: the largest take 5 GiB.
struct Rings {
  explicit Rings(const std::vector<Point>& points)
      : index(points, 128, true, [](NodeIndex) { return std::vector<Token>(); }), sorted(points) {}
  LineIndex index;
  SortedRing sorted;
};

constexpr std::size_t key_count = std::size_t{1} << 18;  // 4 MiB of tokens: not all in the second cache

// Independent keys, and keys that hang on the answer before.
template <class Owner>
std::array<Row, 2> both(const std::string& name, const std::vector<Token>& keys, Owner owner) {
  return {Row{name + ", single",
              [&keys, owner](std::size_t count) {
                std::uint64_t sum = 0;
                for (std::size_t i = 0; i < count; ++i) sum += owner(keys[i % key_count]);
                return sum;
              }},
          Row{name + ", dependent", [&keys, owner](std::size_t count) {
                std::uint64_t last = 0;
                for (std::size_t i = 0; i < count; ++i) last = owner(keys[i % key_count] + (Token{last} << 64));
                return last;
              }}};
}

}  // namespace

void look_ups(Report& report, std::size_t nodes, Curves& curves) {
  const Rings rings(random_points(nodes, 160));
  const LineIndex& index = rings.index;
  const std::vector<Token> keys = random_tokens(key_count);
  const LineCycle cycle(std::max<std::size_t>(1, index.bytes() / 64));
  std::vector<NodeIndex> found(1024);
  std::vector<Row> rows;
  const auto add = [&](std::array<Row, 2> pair) { rows.insert(rows.end(), pair.begin(), pair.end()); };
  add(both("line index", keys, [&](Token key) { return index.owner(key, true); }));
  rows.push_back({"line index, batch", [&](std::size_t count) {
                    for (std::size_t done = 0; done < count; done += found.size())
                      index.owners(std::span(keys).subspan(done % key_count, found.size()), true, found);
                    return std::uint64_t{found[0]};
                  }});
  add(both("upper_bound", keys, [&](Token key) { return rings.sorted.owner(key); }));
  rows.push_back({"one random line, dependent", [&](std::size_t count) { return std::uint64_t{cycle.follow(count)}; }});
  const auto buckets = static_cast<std::uint32_t>(nodes);
  add(both("jump", keys, [&](Token key) { return chash::jump(static_cast<std::uint64_t>(key >> 64), buckets); }));
  const std::string title = "look-up of a hashed key, " + std::to_string(nodes) + " nodes x 160";
  report.table(title, rows);
  for (const auto& row : report.json().at(title)) curves[row.at("name")][nodes] = row.at("ns");
  report.figure("bytes a point, " + std::to_string(nodes) + " nodes x 160",
                static_cast<double>(index.bytes()) / static_cast<double>(index.points()), "bytes");
}

void keys_to_nodes(Report& report, std::size_t count) {
  const chash::NodeList nodes = named_nodes(count);
  const std::vector<std::string> keys = random_keys(1 << 12);  // reading them is not what is measured
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<NodeIndex> found(1024);
  std::vector<Row> rows;
  std::vector<std::pair<std::string, Placement>> placements;
  for (const char* profile : {"seed", "chash", "envoy-maglev", "jump", "go-rendezvous-xxhash"})
    if (count <= 1000 || std::string_view(profile) != "go-rendezvous-xxhash")
      placements.emplace_back(profile, placed(profile, nodes));
  for (const auto& [name, placement] : placements) {
    rows.push_back({name + ", single", [&](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; ++i) sum += placement.owner(views[i % views.size()]);
                      return sum;
                    }});
    rows.push_back({name + ", batch", [&](std::size_t n) {
                      for (std::size_t done = 0; done < n; done += found.size())
                        placement.owners_of(std::span(views).subspan(done % views.size(), found.size()), found);
                      return std::uint64_t{found[0]};
                    }});
  }
  for (Row& row : libmemcached_rows(nodes, views)) rows.push_back(std::move(row));
  report.table("key to node, " + std::to_string(count) + " nodes", rows);
}

// What pins cost those keys that have none.
void pinned_rings(Report& report) {
  chash::RingSpec spec{"chash", named_nodes(1000)};
  const std::vector<std::string> keys = random_keys(1 << 12);
  const auto pins = [&](std::size_t count, bool is_prefix) {
    std::vector<chash::Pin> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back({{(is_prefix ? "user:9" : "user:") + std::to_string(i), is_prefix}, {spec.nodes[0].name}});
    return chash::PinList(std::move(made));
  };
  std::vector<std::pair<std::string, Placement>> placements;
  const auto add = [&](const std::string& name, const chash::PinList& list) {
    spec.pins = list;
    placements.emplace_back(name, placed(spec));
  };
  add("no pin", {});
  add("one key", pins(1, false));
  add("one prefix", pins(1, true));
  add("10,000 keys", pins(10'000, false));
  add("10,000 prefixes", pins(10'000, true));
  std::vector<Row> rows;
  for (const auto& [name, placement] : placements)
    rows.push_back({name, [&](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; ++i) sum += placement.owner(keys[i % keys.size()]);
                      return sum;
                    }});
  report.table("key to node, 1000 nodes, chash, with pins", rows);
}

void replica_lists(Report& report, std::size_t count) {
  const chash::NodeList nodes = named_nodes(count);
  const std::vector<std::string> keys = random_keys(1 << 16);
  std::vector<Row> rows;
  const Placement ring = placed("chash,vnodes=160", nodes);
  rows.push_back({"owner of a key", [&](std::size_t n) {
                    std::uint64_t sum = 0;
                    for (std::size_t i = 0; i < n; ++i) sum += ring.owner(keys[i % keys.size()]);
                    return sum;
                  }});
  for (const std::size_t replicas : {1, 2, 3, 5, 8})
    rows.push_back({std::to_string(replicas) + " nodes of a key", [&, replicas](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; ++i) sum += ring.owners(keys[i % keys.size()], replicas).back();
                      return sum;
                    }});
  report.table("replica lists, " + std::to_string(count) + " nodes x 160, xxh3", rows);
}

void hashing(Report& report) {
  const std::vector<std::string> keys = random_keys(1 << 12);
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<Token> digests(views.size());
  std::vector<Row> rows{{"md5 of one key", [&](std::size_t n) {
                           std::uint64_t sum = 0;
                           for (std::size_t i = 0; i < n; ++i)
                             sum += static_cast<std::uint64_t>(chash::md5(views[i % views.size()]));
                           return sum;
                         }}};
  for (const chash::Md5Path& path : chash::md5_paths())
    if (path.is_supported)
      rows.push_back({std::string("md5 of many, ") + path.name, [&](std::size_t n) {
                        for (std::size_t done = 0; done < n; done += views.size())
                          chash::md5_many(path, std::span(views).first(std::min(views.size(), n - done)),
                                          std::span(digests).first(std::min(views.size(), n - done)));
                        return static_cast<std::uint64_t>(digests[0]);
                      }});
  report.table("hashing keys of 8 to 24 bytes", rows);
}

void tables(Report& report, std::size_t count) {
  const chash::NodeList nodes = named_nodes(count);
  const std::vector<std::string> keys = random_keys(1 << 12);
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  // For ten nodes or a million; of Maglev the least primes that its authors would take, or the largest there is.
  const char* const slots = count <= 10'000 ? "balanced" : "balanced,slots=1048576";
  const char* const maglev = count <= 10'000    ? "envoy-maglev"
                             : count <= 100'000 ? "envoy-maglev,table=1000003"
                                                : "envoy-maglev,table=5000011";
  std::vector<std::pair<std::string, Placement>> placements;
  for (const char* profile : {slots, maglev, "jump"}) placements.emplace_back(profile, placed(profile, nodes));
  std::vector<Row> rows;
  for (const auto& [name, placement] : placements)
    rows.push_back({name + ", single", [&](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; ++i) sum += placement.owner(views[i % views.size()]);
                      return sum;
                    }});
  for (const auto& [name, placement] : placements)
    rows.push_back({name + ", dependent", [&](std::size_t n) {
                      std::uint64_t last = 0;
                      for (std::size_t i = 0; i < n; ++i)
                        last = placement.owner(views[(i + (last & 1)) % views.size()]);
                      return last;
                    }});
  report.table("key to node by a table, " + std::to_string(count) + " nodes", rows);
}

void building(Report& report, std::size_t count) {
  const chash::NodeList nodes = named_nodes(count);
  std::vector<Row> rows;
  for (const char* profile : {"seed", "seed,vnodes=160", "chash", "libketama", "envoy-maglev"})
    rows.push_back({profile, [&nodes, profile](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; i += 16) sum += placed(profile, nodes).points();
                      return sum;
                    }});
  for (Row& row : rows) row.ns.push_back(seconds_of(row.work, 16) * 1e9);
  report.print("building a ring of " + std::to_string(count) + " nodes, once", rows);
}

void balance(Report& report) {
  constexpr std::size_t count = 100, sampled = 1'000'000;
  std::printf("\nbalance: keys of the fullest node over the average, %zu nodes, %zu keys\n", count, sampled);
  for (const char* profile : {"seed", "seed,vnodes=160", "chash", "libketama", "envoy-maglev", "jump", "balanced"}) {
    const Placement placement = placed(profile, named_nodes(count));
    std::vector<double> loads(count);
    for (std::size_t i = 0; i < sampled; ++i) ++loads[placement.owner(std::to_string(i))];
    report.figure(profile, *std::ranges::max_element(loads) * count / sampled, "max/mean");
  }
  const auto slots = placed("balanced", named_nodes(count)).points_by_node(count);
  report.figure("balanced, by its slots", static_cast<double>(std::ranges::max(slots)) * count / 65'536, "max/mean");
}

}  // namespace placement_bench
