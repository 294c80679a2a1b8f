#include "placement_rivals.h"

#include <memory>
#include <random>

#if defined(CHASH_BENCH_LIBMEMCACHED)
#include <libmemcached/memcached.h>
#endif

namespace placement_bench {

SortedRing::SortedRing(std::span<const chash::Point> points) {
  positions.reserve(points.size());
  owners.reserve(points.size());
  for (const chash::Point& point : points) {
    positions.push_back(point.position);
    owners.push_back(point.member);
  }
}

LineCycle::LineCycle(std::size_t lines) : next(lines * 16) {
  std::vector<std::uint32_t> order(lines);
  for (std::size_t i = 0; i < lines; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random(10);
  std::ranges::shuffle(order, random);
  for (std::size_t i = 0; i < lines; ++i) next[std::size_t{order[i]} * 16] = order[(i + 1) % lines];
}

#if defined(CHASH_BENCH_LIBMEMCACHED)
std::vector<Row> libmemcached_rows(const chash::NodeList& nodes, std::span<const std::string_view> keys) {
  if (nodes.size() > 100) return {};  // at its 101st host it aborts
  const std::shared_ptr<memcached_st> peer(memcached_create(nullptr), memcached_free);
  memcached_behavior_set(peer.get(), MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA);
  for (const chash::Node& node : nodes) memcached_server_add(peer.get(), node.name.c_str(), 11211);
  return {{"libmemcached ketama, single", [peer, keys](std::size_t n) {
             std::uint64_t sum = 0;
             for (std::size_t i = 0; i < n; ++i)
               sum += memcached_generate_hash(peer.get(), keys[i % keys.size()].data(), keys[i % keys.size()].size());
             return sum;
           }}};
}
#else
std::vector<Row> libmemcached_rows(const chash::NodeList&, std::span<const std::string_view>) { return {}; }
#endif

}  // namespace placement_bench
