#include "chash/rendezvous.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "chash/mixes.h"

namespace chash {
namespace {

constexpr std::uint64_t node_seed = 4193360111, key_seed = 2718281828;  // mcrouter's

// xorshift* over both hashes.  Source: dgryski/go-rendezvous; go-redis internal/hashtag/rendezvous.go.
std::uint64_t xorshift_multiply(std::uint64_t x) {
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  return x * 2685821657736338717U;
}

// The low byte of each code point, as pymemcache's murmur3 takes its text; bytes that are not UTF-8 as they are.
std::string low_bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
    if (first < 0xc2 || i + more >= text.size()) {
      out += text[i];
      continue;
    }
    unsigned point = first & (0x3fU >> more);
    for (std::size_t k = 0; k < more; ++k) point = point << 6 | (static_cast<unsigned char>(text[++i]) & 0x3fU);
    out += static_cast<char>(point & 0xff);
  }
  return out;
}

}  // namespace

Rendezvous Rendezvous::build(const Profile& profile, std::span<const Member> members) {
  Rendezvous made;
  made.key_rule_ = KeyRule(profile);
  made.score_ = profile.score;
  made.members_.assign(members.begin(), members.end());
  for (const Member& member : members) {
    if (profile.score == Profile::Score::text) made.texts_.push_back(low_bytes(member.identity + '-'));
    made.hashes_.push_back(profile.score == Profile::Score::xorshift
                               ? static_cast<std::uint64_t>(profile.hash->hash(member.identity))
                               : murmur2_64a(member.identity, node_seed));
  }
  return made;
}

std::vector<std::uint64_t> Rendezvous::whole_scores(std::string_view key) const {
  std::vector<std::uint64_t> found;
  std::string scratch;
  const std::string_view bytes = key_rule_.prepared(key, scratch);
  const std::uint64_t hash = score_ == Profile::Score::xorshift ? static_cast<std::uint64_t>(*key_rule_.hash(key))
                                                                : murmur2_64a(bytes, key_seed);
  const std::string key_text = score_ == Profile::Score::text ? low_bytes(bytes) : std::string();
  std::string text;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (score_ == Profile::Score::xorshift) found.push_back(xorshift_multiply(hashes_[i] ^ hash));
    else if (score_ == Profile::Score::text) found.push_back(murmur3_32((text = texts_[i]) += key_text, 0));
    else found.push_back(hash128to64(hashes_[i], hash));
  }
  return found;
}

// mcrouter compares as doubles, so that scores which differ in their last bits alone are equal.
std::vector<double> Rendezvous::scores(std::string_view key) const {
  std::vector<double> found;
  const auto whole = whole_scores(key);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (score_ == Profile::Score::mcrouter) {
      found.push_back(static_cast<double>(whole[i]));
    } else {
      constexpr std::uint64_t one = std::uint64_t{1} << 53;
      const double uniform = static_cast<double>(whole[i] & (one - 1)) / static_cast<double>(one);
      found.push_back(members_[i].weight / -std::log(uniform));
    }
  }
  return found;
}

// Calls visit(better), where better(a, b) tells whether member a comes before b for this key.
template <class Visit>
auto Rendezvous::with_order(std::string_view key, Visit visit) const {
  if (score_ == Profile::Score::xorshift || score_ == Profile::Score::text) {
    const auto all = whole_scores(key);
    return visit([&](std::size_t a, std::size_t b) {
      if (all[a] != all[b]) return all[a] > all[b];
      return score_ == Profile::Score::text ? members_[a].identity > members_[b].identity : a < b;
    });
  }
  const auto all = scores(key);
  // Of equal ones mcrouter takes the last, but the first where they are weighted.
  const bool last = score_ == Profile::Score::mcrouter;
  return visit([&](std::size_t a, std::size_t b) { return all[a] != all[b] ? all[a] > all[b] : last ? a > b : a < b; });
}

bool Rendezvous::places(std::string_view key) const {
  return score_ != Profile::Score::xorshift || key_rule_.hash(key).has_value();
}

NodeIndex Rendezvous::owner(std::string_view key) const {
  if (!places(key)) return no_node;
  return with_order(key, [&](auto better) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < members_.size(); ++i)
      if (better(i, best)) best = i;
    return members_[best].node;
  });
}

std::vector<NodeIndex> Rendezvous::owners(std::string_view key, std::size_t count) const {
  if (!places(key)) return {};
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  with_order(key, [&](auto better) {
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count), better);
    return 0;
  });
  std::vector<NodeIndex> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(members_[order[i]].node);
  return found;
}

}  // namespace chash
