#include "chash/points.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "chash/haproxy_points.h"
#include "chash/limits.h"
#include "chash/md5_many.h"
#include "chash/mixes.h"
#include "chash/node_identity.h"

namespace chash {
namespace {

constexpr std::size_t texts_at_once = 32;

// --- How many -------------------------------------------------------------------------------------------------------

// Each step rounds as the program named rounds it: at some numbers of equal nodes one digest is lost, and only there.
std::uint64_t share(const Profile& profile, double weight, double total, std::size_t members) {
  const auto n = static_cast<double>(members);
  const auto pct = static_cast<float>(weight) / static_cast<float>(total);
  switch (profile.arithmetic) {
    case Profile::Arithmetic::f32: {  // libmemcached/hosts.cc
      const auto words = static_cast<float>(profile.words);
      const float digests = pct * static_cast<float>(profile.vnodes * profile.words) / words * static_cast<float>(n);
      return static_cast<std::uint64_t>(std::floor(digests + 1e-10F));
    }
    case Profile::Arithmetic::libketama:  // ketama.c: floorf(pct * 40.0 * numservers)
      return static_cast<std::uint64_t>(std::floor(static_cast<float>(double{pct} * profile.vnodes * n)));
    case Profile::Arithmetic::f64: return static_cast<std::uint64_t>(std::floor(weight / total * profile.vnodes * n));
    case Profile::Arithmetic::whole: break;
  }
  return profile.vnodes * members * static_cast<std::uint64_t>(weight) / static_cast<std::uint64_t>(total);
}

double sum_of_weights(std::span<const Member> members) {
  return std::accumulate(members.begin(), members.end(), 0.0,
                         [](double sum, const Member& member) { return sum + member.weight; });
}

// Envoy: the lightest node gets whole points, and the others what is theirs beside it.
// Source: source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc
std::vector<std::uint64_t> fill(const Profile& profile, std::span<const Member> members) {
  const double total = sum_of_weights(members);
  double least = 1;
  for (const Member& member : members)
    if (member.weight > 0) least = std::min(least, member.weight / total);
  const double min_points = std::min(profile.min_points, profile.cap_points);
  const double max_points = std::min(profile.max_points, profile.cap_points);
  const double scale = std::min(std::ceil(least * min_points) / least, max_points);
  std::vector<std::uint64_t> counts;
  double current = 0, target = 0;
  for (const Member& member : members) {
    target += scale * (member.weight / total);
    std::uint64_t count = 0;
    for (; current < target; ++current) ++count;
    counts.push_back(count);
  }
  return counts;
}

std::uint64_t replicas_of(const Profile& profile, const Node& node) {
  const std::string text = node_field(node, "replicas");
  std::uint64_t count = profile.vnodes;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

// --- Which ----------------------------------------------------------------------------------------------------------

// The text of a point without building it anew for each number.
class PointText {
 public:
  PointText(const Profile& profile, const std::string& identity) {
    std::string_view rest = profile.point;
    while (!rest.empty()) {
      if (rest.starts_with("{id}")) {
        pieces_.back() += identity;
        rest.remove_prefix(4);
      } else if (rest.starts_with("{i}")) {
        pieces_.emplace_back();
        rest.remove_prefix(3);
      } else {
        pieces_.back() += rest.front();
        rest.remove_prefix(1);
      }
    }
  }

  std::string_view at(std::uint64_t i) {
    char digits[20];
    const std::string_view number(digits, static_cast<std::size_t>(std::to_chars(digits, digits + 20, i).ptr - digits));
    text_ = pieces_.front();
    for (std::size_t piece = 1; piece < pieces_.size(); ++piece) {
      text_ += number;
      text_ += pieces_[piece];
    }
    return text_;
  }

 private:
  std::vector<std::string> pieces_{1};
  std::string text_;
};

// The words of a digest that is one number, its first byte uppermost, each of them lowest byte first.
void append_words(Token digest, std::uint32_t words, std::vector<Token>& positions) {
  for (std::uint32_t word = 0; word < words; ++word)
    positions.push_back(__builtin_bswap32(static_cast<std::uint32_t>(digest >> (96 - 32 * word))));
}

// The first 16 bytes of SHA-1.
Token sha1_token(std::string_view bytes) {
  const Sha1Digest digest = sha1_digest(bytes);
  Token token = 0;
  for (std::size_t i = 0; i < sizeof token; ++i) token = token << 8 | digest[i];
  return token;
}

void append_text_points(const Profile& profile, const std::string& identity, std::uint64_t count,
                        std::vector<Token>& positions) {
  const KeyHash& hash = profile.point_hash == nullptr ? *profile.hash : *profile.point_hash;
  PointText text(profile, identity);
  if (profile.words > 1 && hash.name.starts_with("sha1")) {
    for (std::uint64_t i = 0; i < count; ++i) append_words(sha1_token(text.at(i)), profile.words, positions);
    return;
  }
  std::array<std::string, texts_at_once> texts;
  std::array<std::string_view, texts_at_once> views;
  std::array<Token, texts_at_once> values;
  for (std::uint64_t done = 0; done < count; done += texts_at_once) {
    const std::size_t some = std::min<std::uint64_t>(texts_at_once, count - done);
    for (std::size_t i = 0; i < some; ++i) views[i] = texts[i] = text.at(done + i);
    if (profile.words > 1) {
      md5_many(std::span(views).first(some), std::span(values).first(some));
      for (const Token digest : std::span(values).first(some)) append_words(digest, profile.words, positions);
    } else {
      hash_many(hash, std::span(views).first(some), std::span(values).first(some));
      for (const Token value : std::span(values).first(some)) positions.push_back(value ^ hash.order_mask);
    }
  }
}

// nginx: each point is the CRC of the server's text and the point before it.
void append_chain(const std::string& identity, std::uint64_t count, std::vector<Token>& positions) {
  const std::uint32_t base = crc32(identity);
  std::uint32_t last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    char bytes[4];
    for (int byte = 0; byte < 4; ++byte) bytes[byte] = static_cast<char>(last >> 8 * byte);
    last = crc32({bytes, 4}, base);
    positions.push_back(last);
  }
}

// A number of so many bits, or a negative one as its two's complement.
std::optional<Token> parse_token(std::string_view text, unsigned bits) {
  const Token largest = bits == 128 ? ~Token{0} : (Token{1} << bits) - 1;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Token token = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > 9 || token > (largest - digit) / 10) return std::nullopt;
    token = token * 10 + digit;
  }
  if (text.empty() || (negative && token > largest / 2 + 1)) return std::nullopt;
  return negative ? -token & largest : token;
}

Result<std::vector<Token>> parse_tokens(const Profile& profile, const Node& node) {
  constexpr auto hint = "write tokens=NUMBER,NUMBER as nodetool ring shows them";
  std::vector<Token> tokens;
  const std::string list = node_field(node, "tokens");
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    const auto token = parse_token(text, profile.hash->bits);
    if (!token)
      return make_error(
          Errc::invalid_argument,
          "node '" + node.name + "': a token is not a number of " + std::to_string(profile.hash->bits) + " bits", hint);
    tokens.push_back(*token ^ profile.hash->order_mask);
  }
  if (tokens.empty()) return make_error(Errc::invalid_argument, "node '" + node.name + "' has no tokens", hint);
  return tokens;
}

// How much is hashed for a point of this member, about.
std::uint64_t text_bytes(const Profile& profile, const Member& member) {
  constexpr std::string_view id = "{id}";
  if (profile.points != Profile::Points::text) return 0;
  std::uint64_t ids = 0;
  for (std::size_t at = 0; (at = profile.point.find(id, at)) != std::string::npos; ++at) ++ids;
  return profile.point.size() + ids * member.identity.size();
}

std::uint64_t ring_bytes(std::uint64_t points, std::size_t members) { return points * 19 / 2 + members * 140; }

Error too_many_points(std::uint64_t points, std::size_t members, std::uint64_t most) {
  return make_error(Errc::too_large,
                    "the ring would have " + std::to_string(points) + " points and take " +
                        std::to_string(ring_bytes(points, members) >> 20) + " MiB; the limit is " +
                        std::to_string(most) + " points",
                    "use smaller weights: only their ratio counts");
}

}  // namespace

std::vector<std::uint64_t> point_counts(const Profile& profile, std::span<const Member> members,
                                        const NodeList& nodes) {
  if (profile.count == Profile::Count::fill) return fill(profile, members);
  const double total = sum_of_weights(members);
  std::vector<std::uint64_t> counts;
  for (const Member& member : members) {
    if (member.weight == 0) {
      counts.push_back(0);
      continue;
    }
    switch (profile.count) {
      case Profile::Count::fixed: counts.push_back(profile.vnodes); break;
      case Profile::Count::replicas: counts.push_back(replicas_of(profile, nodes[member.node])); break;
      case Profile::Count::share: counts.push_back(share(profile, member.weight, total, members.size())); break;
      default:
        counts.push_back(
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(profile.vnodes * member.weight))));
    }
  }
  return counts;
}

Result<RingPoints> points_of(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                             std::uint64_t most) {
  const auto seeds = haproxy_seeds(profile, members, nodes);
  if (!seeds) return seeds.error();
  const auto counts = point_counts(profile, members, nodes);
  const std::uint64_t each = profile.points == Profile::Points::text ? profile.words : 1;
  RingPoints all;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (counts[i] > most) return too_many_points(counts[i] * each, members.size(), most);
    MemberPoints made{members[i], static_cast<std::uint32_t>(counts[i])};
    if (!seeds->empty()) made.seed = (*seeds)[i];
    if (profile.points == Profile::Points::tokens) {
      auto tokens = parse_tokens(profile, nodes[members[i].node]);
      if (!tokens) return std::move(tokens).error();
      made.count = static_cast<std::uint32_t>(tokens->size());
      made.tokens = std::make_shared<const std::vector<Token>>(std::move(*tokens));
    }
    all.points += made.points(profile);
    const std::uint64_t text = text_bytes(profile, made.member);
    all.text_bytes += made.count * text;
    if (text > limits::field_bytes || all.text_bytes > most_text_bytes(most))
      return make_error(Errc::too_large, "the texts of the points of this ring are too long to hash",
                        "use shorter names, or fewer vnodes");
    all.members.push_back(std::move(made));
  }
  if (all.points > most) return too_many_points(all.points, members.size(), most);
  return all;
}

std::uint64_t RingPoints::bytes() const { return ring_bytes(points, members.size()); }

void MemberPoints::append(const Profile& profile, std::vector<Token>& positions) const {
  switch (profile.points) {
    case Profile::Points::text: append_text_points(profile, member.identity, count, positions); break;
    case Profile::Points::crc32_chain: append_chain(member.identity, count, positions); break;
    case Profile::Points::haproxy:
      for (std::uint32_t i = 0; i < count; ++i) positions.push_back(avalanche32(seed + i));
      break;
    case Profile::Points::tokens: positions.insert(positions.end(), tokens->begin(), tokens->end()); break;
  }
}

std::vector<Point> RingPoints::make(const Profile& profile) const {
  std::vector<Point> made;
  made.reserve(points);
  std::vector<Token> positions;
  for (std::uint32_t member = 0; member < members.size(); ++member) {
    positions.clear();
    members[member].append(profile, positions);
    for (const Token position : positions) made.push_back({position, member});
  }
  return made;
}

std::string ambiguous_names(const Profile& profile, const NodeList& nodes) {
  // With anything but a digit between them, the name and the number can be told apart: no need to look.
  const bool runs_together = profile.point.find("{id}{i}") != std::string::npos ||
                             profile.point.find("{i}{id}") != std::string::npos ||
                             std::ranges::any_of(profile.point, [](char c) { return c >= '0' && c <= '9'; });
  if (!runs_together || profile.points != Profile::Points::text || profile.algorithm != Profile::Algorithm::ring)
    return {};
  const auto members = members_of(profile, nodes);
  if (!members) return {};
  const auto counts = point_counts(profile, *members, nodes);
  if (std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) > limits::compared_points) return {};
  std::vector<std::pair<std::string, std::uint32_t>> texts;
  for (std::uint32_t i = 0; i < members->size(); ++i) {
    PointText text(profile, (*members)[i].identity);
    for (std::uint64_t j = 0; j < counts[i]; ++j) texts.emplace_back(text.at(j), i);
  }
  std::ranges::sort(texts);
  std::size_t clashes = 0;
  std::string example;
  for (std::size_t i = 1; i < texts.size(); ++i) {
    if (texts[i].first != texts[i - 1].first || texts[i].second == texts[i - 1].second) continue;
    if (clashes++ == 0)
      example = "'" + nodes[(*members)[texts[i - 1].second].node].name + "' and '" +
                nodes[(*members)[texts[i].second].node].name + "' both have the point '" + texts[i].first + "'";
  }
  if (clashes == 0) return {};
  return example + ", and " + std::to_string(clashes - 1) +
         " more such: which of them owns it depends on the inside of the program; choose names that do not end in "
         "digits";
}

}  // namespace chash
