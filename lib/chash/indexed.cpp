#include "chash/indexed.h"

#include <bit>
#include <string>

#include "chash/mixes.h"

namespace chash {
namespace {

constexpr std::uint64_t furc_seed = 4193360111;
constexpr int furc_tries = 32;
constexpr unsigned furc_stride = 23;  // bits of one level, hence 2^23 nodes at most

// The bits of a key, a word more whenever one is asked for that is not there yet.
class KeyBits {
 public:
  explicit KeyBits(std::string_view key) { words_.push_back(murmur2_64a(key, furc_seed)); }
  bool at(unsigned i) {
    while (words_.size() <= i / 64) {
      char bytes[8];
      for (int byte = 0; byte < 8; ++byte) bytes[byte] = static_cast<char>(words_.back() >> 8 * byte);
      words_.push_back(murmur2_64a({bytes, 8}, furc_seed));
    }
    return (words_[i / 64] >> i % 64 & 1) != 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace

std::uint32_t jump(std::uint64_t key, std::uint32_t buckets) {
  std::int64_t bucket = -1, next = 0;
  while (next < std::int64_t{buckets}) {
    bucket = next;
    key = key * 2862933555777941757U + 1;
    next = static_cast<std::int64_t>(static_cast<double>(bucket + 1) * (static_cast<double>(std::int64_t{1} << 31) /
                                                                        static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::uint32_t>(bucket);
}

std::uint32_t furc(std::string_view key, std::uint32_t buckets) {
  if (buckets <= 1) return 0;
  KeyBits bits(key);
  auto depth = static_cast<unsigned>(std::bit_width(buckets - 1));
  unsigned at = depth;
  for (int tried = 0; tried < furc_tries; ++tried) {
    while (!bits.at(at)) {
      if (--depth == 0) return 0;
      at = depth;
    }
    at += furc_stride;
    std::uint32_t number = 1;
    for (unsigned level = 1; level < depth; ++level, at += furc_stride) number = number * 2 + (bits.at(at) ? 1 : 0);
    if (number < buckets) return number;
  }
  return 0;
}

Indexed Indexed::build(const Profile& profile, std::span<const Member> members) {
  Indexed made;
  made.key_rule_ = KeyRule(profile);
  made.is_jump_ = profile.algorithm == Profile::Algorithm::jump;
  made.is_weighted_ = profile.weights == Profile::Weights::fraction;
  made.members_.assign(members.begin(), members.end());
  return made;
}

// A node of weight w takes the share w of the keys that fall on it; the others are asked anew with a salt, whose digits
// are written backwards.  Source: mcrouter/lib/WeightedCh3HashFunc.cpp.
std::uint32_t Indexed::weighted_furc(std::string_view key) const {
  const auto buckets = static_cast<std::uint32_t>(members_.size());
  std::string salted(key);
  std::uint32_t found = 0;
  for (int salt = 0; salt < furc_tries; ++salt) {
    found = furc(salted, buckets);
    const auto bound = static_cast<std::uint32_t>(members_[found].weight * 4294967295.0);
    if (spooky_v2_32(salted, 0xface2014) < bound) return found;
    const std::string digits = std::to_string(salt);
    salted.assign(key);
    salted.append(digits.rbegin(), digits.rend());
  }
  return found;
}

NodeIndex Indexed::owner(std::string_view key) const {
  const auto buckets = static_cast<std::uint32_t>(members_.size());
  if (is_jump_) {
    const auto number = key_rule_.hash(key);
    return number ? members_[jump(static_cast<std::uint64_t>(*number), buckets)].node : no_node;
  }
  std::string scratch;
  const std::string_view bytes = key_rule_.prepared(key, scratch);
  return members_[is_weighted_ ? weighted_furc(bytes) : furc(bytes, buckets)].node;
}

std::vector<NodeIndex> Indexed::owners(std::string_view key, std::size_t count) const {
  if (empty() || count == 0) return {};
  const NodeIndex node = owner(key);
  return node == no_node ? std::vector<NodeIndex>() : std::vector<NodeIndex>{node};
}

}  // namespace chash
