// bench_placement: what looking a key up, changing a ring and keeping it in memory cost, side by side in one run.
//
// Every row is measured in turn, and all of them again in each round, because machines are noisy: a row shows the
// median of its rounds. `ratio` is the first row of its table over this one, or this one over it: what the title says.
//
//   single      independent keys in a loop: the processor works on several at once
//   dependent   each key is made of the last answer: what one look-up takes by itself
//   batch       through the interface for many keys
//
// The peers are our own other placements, std::upper_bound over sorted points (which is what most programs have,
// without their locks and health checks), and Debian's libmemcached where it is installed.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "chash/line_index.h"
#include "chash/md5_many.h"
#include "chash/placement.h"
#include "chash/version.h"

#if defined(CHASH_BENCH_LIBMEMCACHED)
#include <libmemcached/memcached.h>
#endif

namespace {

using chash::LineIndex;
using chash::Node;
using chash::NodeIndex;
using chash::Placement;
using chash::Point;
using chash::Token;
using nlohmann::ordered_json;

constexpr const char* help =
    "usage: bench_placement [OPTION...]\n"
    "Measures look-ups, replica lists, hashing, building and memory beside other placements.\n"
    "  --quick       small rings and short rows: a first look in half a minute\n"
    "  --smoke       only shows that every row can be measured; the figures mean nothing\n"
    "  --json FILE   all figures, too\n"
    "  --svg FILE    the cost of a look-up against the size of the ring, as a picture\n"
    "  --help\n";

struct Options {
  bool quick = false, smoke = false;
  std::string json, svg;
};

// What the compiler must not leave out.
volatile std::uint64_t sink;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Row {
  std::string name;
  std::function<std::uint64_t(std::size_t count)> work;  // does it `count` times
  std::vector<double> ns{};                              // of one, by round

  double median() const {
    std::vector<double> sorted = ns;
    std::ranges::sort(sorted);
    return sorted.empty() ? 0 : sorted[sorted.size() / 2];
  }
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  // Measures the rows in turn, and prints them with their ratios to the first.
  void table(const std::string& title, std::vector<Row> rows) {
    const double least = options_.smoke ? 0.0005 : options_.quick ? 0.02 : 0.1;
    const int rounds = options_.smoke ? 1 : 5;
    std::vector<std::size_t> counts;
    for (Row& row : rows) {
      std::size_t count = 16;
      for (double took = 0; took < least / 4; count *= 2) {
        const auto start = std::chrono::steady_clock::now();
        sink = row.work(count);
        took = seconds_since(start);
      }
      counts.push_back(count * 2);
    }
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto start = std::chrono::steady_clock::now();
        sink = rows[i].work(counts[i]);
        rows[i].ns.push_back(seconds_since(start) * 1e9 / static_cast<double>(counts[i]));
      }
    }
    print(title, rows);
  }

  void print(const std::string& title, const std::vector<Row>& rows) {
    std::printf("\n%s\n", title.c_str());
    ordered_json told = ordered_json::array();
    for (const Row& row : rows) {
      const double ratio = rows.front().median() > 0 ? row.median() / rows.front().median() : 0;
      std::printf("  %-46s %11.2f ns %9.2fx\n", row.name.c_str(), row.median(), ratio);
      told.push_back({{"name", row.name}, {"ns", row.median()}, {"ratio", ratio}, {"rounds", row.ns}});
    }
    std::fflush(stdout);
    json_[title] = std::move(told);
  }

  void figure(const std::string& title, double value, const char* unit) {
    std::printf("  %-46s %11.2f %s\n", title.c_str(), value, unit);
    std::fflush(stdout);
    json_["figures"][title] = value;
  }

  const ordered_json& json() const { return json_; }

 private:
  const Options& options_;
  ordered_json json_;
};

std::vector<Node> nodes_of(std::size_t count) {
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < count; ++i) nodes.push_back({"node-" + std::to_string(i)});
  return nodes;
}

Placement placed(const std::string& profile, const std::vector<Node>& nodes) {
  auto placement = chash::build(chash::RingSpec{profile, nodes});
  if (!placement) {
    std::cerr << "bench_placement: " << placement.error().message << '\n';
    std::exit(1);
  }
  return std::move(*placement);
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

// A ring as most programs have it: positions in order, and the owners beside them.
struct SortedRing {
  std::vector<Token> positions;
  std::vector<NodeIndex> owners;

  NodeIndex owner(Token position) const {
    const auto at = std::ranges::upper_bound(positions, position);
    return owners[at == positions.end() ? 0 : static_cast<std::size_t>(at - positions.begin())];
  }
  std::vector<NodeIndex> walk(Token position, std::size_t count) const {
    std::vector<NodeIndex> found;
    auto at = static_cast<std::size_t>(std::ranges::upper_bound(positions, position) - positions.begin());
    while (found.size() < count) {
      if (at >= positions.size()) at = 0;
      if (std::ranges::find(found, owners[at]) == found.end()) found.push_back(owners[at]);
      ++at;
    }
    return found;
  }
};

// Random points, as those of MD5 are: for rings of any size without hashing for minutes.
struct Rings {
  Rings(std::size_t nodes, std::size_t vnodes) {
    std::mt19937_64 random(9);
    std::vector<Point> points(nodes * vnodes);
    for (std::size_t i = 0; i < points.size(); ++i)
      points[i] = {Token{random()} << 64 | random(), static_cast<NodeIndex>(i / vnodes)};
    std::ranges::sort(points, {}, &Point::position);
    index = LineIndex(points, 128, true, [](NodeIndex) { return std::vector<Token>(); });
    sorted.positions.reserve(points.size());
    sorted.owners.reserve(points.size());
    for (const Point& point : points) {
      sorted.positions.push_back(point.position);
      sorted.owners.push_back(point.member);
    }
  }
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

// One random line of as many bytes, each address known only when the last was read.
std::vector<std::uint32_t> random_cycle(std::size_t lines) {
  std::vector<std::uint32_t> order(lines), cycle(lines * 16);
  for (std::size_t i = 0; i < lines; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random(10);
  std::ranges::shuffle(order, random);
  for (std::size_t i = 0; i < lines; ++i) cycle[std::size_t{order[i]} * 16] = order[(i + 1) % lines];
  return cycle;
}

void look_ups(Bench& bench, std::size_t nodes, std::map<std::string, std::map<std::size_t, double>>& curves) {
  const Rings rings(nodes, 160);
  const std::vector<Token> keys = random_tokens(key_count);
  const LineIndex& index = rings.index;
  const std::vector<std::uint32_t> cycle = random_cycle(std::max<std::size_t>(1, index.bytes() / 64));
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
  rows.push_back({"one random line, dependent", [&](std::size_t count) {
                    std::uint32_t at = 0;
                    for (std::size_t i = 0; i < count; ++i) at = cycle[std::size_t{at} * 16];
                    return std::uint64_t{at};
                  }});
  const auto buckets = static_cast<std::uint32_t>(nodes);
  add(both("jump", keys, [&](Token key) { return chash::jump(static_cast<std::uint64_t>(key >> 64), buckets); }));
  const std::string title = "look-up of a hashed key, " + std::to_string(nodes) + " nodes x 160";
  bench.table(title, rows);
  for (const ordered_json& row : bench.json().at(title)) curves[row.at("name")][nodes] = row.at("ns");
  bench.figure("bytes a point, " + std::to_string(nodes) + " nodes x 160",
               static_cast<double>(index.bytes()) / static_cast<double>(index.points()), "bytes");
}

// From the text of a key to its node, hashing included.
void keys_to_nodes(Bench& bench, std::size_t count) {
  const std::vector<Node> nodes = nodes_of(count);
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
#if defined(CHASH_BENCH_LIBMEMCACHED)
  memcached_st* peer = nullptr;
  if (count <= 100) {  // at its 101st host it aborts
    peer = memcached_create(nullptr);
    memcached_behavior_set(peer, MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA);
    for (const Node& node : nodes) memcached_server_add(peer, node.name.c_str(), 11211);
    rows.push_back({"libmemcached ketama, single", [&, peer](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; ++i)
                        sum += memcached_generate_hash(peer, views[i % views.size()].data(),
                                                       views[i % views.size()].size());
                      return sum;
                    }});
  }
#endif
  bench.table("key to node, " + std::to_string(count) + " nodes", rows);
#if defined(CHASH_BENCH_LIBMEMCACHED)
  if (peer != nullptr) memcached_free(peer);
#endif
}

void replica_lists(Bench& bench, std::size_t count) {
  const std::vector<Node> nodes = nodes_of(count);
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
  bench.table("replica lists, " + std::to_string(count) + " nodes x 160, xxh3", rows);
}

void hashing(Bench& bench) {
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
  bench.table("hashing keys of 8 to 24 bytes", rows);
}

// One node of 160 points comes, or goes: as a new placement beside the old one, and by building all of it.
void changing(Bench& bench, std::size_t count) {
  const std::vector<Node> before = nodes_of(count);
  const Placement placement = placed("seed,vnodes=160", before);
  const chash::Delta add{{{"node-new"}}, {}}, remove{{}, {before[count / 2].name}};
  std::vector<Row> rows;
  const auto change = [&](const chash::Delta& delta) {
    return [&](std::size_t n) {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += placement.changed(delta, before).value().points();
      return sum;
    };
  };
  rows.push_back({"add a node, as a snapshot", change(add)});
  rows.push_back({"remove a node, as a snapshot", change(remove)});
  Row whole{"build the ring", {}};
  for (int round = 0; round < 3; ++round) {
    const auto start = std::chrono::steady_clock::now();
    sink = placed("seed,vnodes=160", before).points();
    whole.ns.push_back(seconds_since(start) * 1e9);
  }
  bench.table("changing a ring of " + std::to_string(count) + " nodes x 160", rows);
  bench.print("and building it, " + std::to_string(count) + " nodes x 160", {whole});
}

void building(Bench& bench, std::size_t count) {
  const std::vector<Node> nodes = nodes_of(count);
  std::vector<Row> rows;
  for (const char* profile : {"seed", "seed,vnodes=160", "chash", "libketama", "envoy-maglev"})
    rows.push_back({profile, [&nodes, profile](std::size_t n) {
                      std::uint64_t sum = 0;
                      for (std::size_t i = 0; i < n; i += 16) sum += placed(profile, nodes).points();
                      return sum;
                    }});
  for (Row& row : rows) {
    const auto start = std::chrono::steady_clock::now();
    sink = row.work(16);
    row.ns.push_back(seconds_since(start) * 1e9);
  }
  bench.print("building a ring of " + std::to_string(count) + " nodes, once", rows);
}

void balance(Bench& bench) {
  constexpr std::size_t count = 100, sampled = 1'000'000;
  const std::vector<std::string> keys = random_keys(1 << 16);
  std::printf("\nbalance: keys of the fullest node over the average, %zu nodes, %zu keys\n", count, sampled);
  for (const char* profile : {"seed", "seed,vnodes=160", "chash", "libketama", "envoy-maglev", "jump"}) {
    const Placement placement = placed(profile, nodes_of(count));
    std::vector<double> loads(count);
    for (std::size_t i = 0; i < sampled; ++i) ++loads[placement.owner(std::to_string(i))];
    bench.figure(profile, *std::ranges::max_element(loads) * count / sampled, "max/mean");
  }
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "an unknown processor";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", std::gmtime(&now));
  return text.data();
}

// The curves on logarithmic axes.
void write_svg(const std::string& path, const std::map<std::string, std::map<std::size_t, double>>& curves) {
  constexpr double width = 760, height = 420, left = 60, bottom = 50, top = 30, right = 260;
  const auto x = [&](double nodes) { return left + (std::log10(nodes) - 1) / 5 * (width - left - right); };
  const auto y = [&](double ns) { return height - bottom - std::log10(ns) / 3.5 * (height - bottom - top); };
  std::ofstream out(path);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height
      << "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  out << "<text x=\"" << left << "\" y=\"16\">a look-up of a hashed key, " << today() << ", " << processor()
      << "</text>\n";
  for (int power = 0; power <= 3; ++power)
    out << "<line x1=\"" << left << "\" x2=\"" << width - right << "\" y1=\"" << y(std::pow(10, power)) << "\" y2=\""
        << y(std::pow(10, power)) << "\" stroke=\"#ddd\"/><text x=\"" << left - 6 << "\" y=\""
        << y(std::pow(10, power)) + 4 << "\" text-anchor=\"end\">" << std::pow(10, power) << " ns</text>\n";
  for (int power = 1; power <= 6; ++power)
    out << "<text x=\"" << x(std::pow(10, power)) << "\" y=\"" << height - bottom + 18 << "\" text-anchor=\"middle\">"
        << static_cast<long>(std::pow(10, power)) << "</text>\n";
  out << "<text x=\"" << (left + width - right) / 2 << "\" y=\"" << height - 12
      << "\" text-anchor=\"middle\">nodes (x 160 points)</text>\n";
  constexpr std::array colors{"#0b6", "#07c", "#c30", "#a0a", "#f80", "#555", "#2aa", "#960"};
  std::size_t color = 0;
  for (const auto& [name, curve] : curves) {
    const char* stroke = colors[color++ % colors.size()];
    out << "<polyline fill=\"none\" stroke=\"" << stroke << "\" stroke-width=\"1.8\" points=\"";
    for (const auto& [nodes, ns] : curve) out << x(static_cast<double>(nodes)) << ',' << y(ns) << ' ';
    const double label = top + 18.0 * static_cast<double>(color);
    out << "\"/><line x1=\"" << width - right + 14 << "\" x2=\"" << width - right + 32 << "\" y1=\"" << label
        << "\" y2=\"" << label << "\" stroke=\"" << stroke << "\" stroke-width=\"2\"/><text x=\"" << width - right + 38
        << "\" y=\"" << label + 4 << "\">" << name << "</text>\n";
  }
  out << "</svg>\n";
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = word == "--json" || word == "--svg";
    if (word == "--quick") options.quick = true;
    else if (word == "--smoke") options.smoke = options.quick = true;
    else if (has_value && i + 1 < argc) (word == "--json" ? options.json : options.svg) = argv[++i];
    else {
      std::fputs(help, word == "--help" ? stdout : stderr);
      std::exit(word == "--help" ? 0 : 2);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::printf("chash %s, placement, on %s\n", std::string(chash::version()).c_str(), processor().c_str());
  Bench bench(options);
  std::map<std::string, std::map<std::size_t, double>> curves;
  std::vector<std::size_t> sizes{10, 100, 1000, 10'000, 100'000, 1'000'000};
  if (options.quick) sizes.resize(4);
  if (options.smoke) sizes.resize(2);
  for (const std::size_t nodes : sizes) look_ups(bench, nodes, curves);
  std::vector<std::size_t> rings{10, 100, 1000, 10'000};
  if (options.smoke) rings.resize(2);
  for (const std::size_t nodes : rings) keys_to_nodes(bench, nodes);
  for (const std::size_t nodes : rings) replica_lists(bench, nodes);
  hashing(bench);
  for (const std::size_t nodes : rings) changing(bench, nodes);
  building(bench, options.smoke ? 100 : 1000);
  if (!options.smoke) balance(bench);
  if (!options.json.empty()) std::ofstream(options.json) << bench.json().dump(1) << '\n';
  if (!options.svg.empty()) write_svg(options.svg, curves);
  return 0;
}
