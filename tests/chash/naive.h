// Slow and obviously right: what the fast paths of lib/chash must agree with, and the random keys to try them with.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "chash/ring_spec.h"

namespace chash::test {

inline std::string random_bytes(std::mt19937_64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// As md5sum prints it.
inline std::string hex(Token token) {
  std::string text(32, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, token >>= 4)
    *digit = "0123456789abcdef"[static_cast<std::size_t>(token & 15)];
  return text;
}

// RFC 1321 as it is written: sections 3.1 to 3.5.
inline Token naive_md5(std::string_view message) {
  static const auto sines = [] {
    std::array<std::uint32_t, 64> table{};
    for (std::size_t i = 0; i < 64; ++i)
      table[i] = static_cast<std::uint32_t>(std::floor(4294967296.0 * std::fabs(std::sin(static_cast<double>(i + 1)))));
    return table;
  }();
  static constexpr std::array<std::array<int, 4>, 4> turns{
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

  std::string text(message);
  text += '\x80';
  while (text.size() % 64 != 56) text += '\0';
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(std::uint64_t{message.size()} * 8 >> shift);

  std::array<std::uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (std::size_t block = 0; block < text.size(); block += 64) {
    auto [a, b, c, d] = state;
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t round = i / 16;
      const std::array<std::uint32_t, 4> mixed{(b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d, c ^ (b | ~d)};
      const std::array<std::size_t, 4> order{i, 5 * i + 1, 3 * i + 5, 7 * i};
      std::uint32_t word = 0;
      for (std::size_t k = 4; k-- > 0;)
        word = word << 8 | static_cast<std::uint8_t>(text[block + order[round] % 16 * 4 + k]);
      const std::uint32_t sum = a + mixed[round] + word + sines[i];
      a = d, d = c, c = b;
      b += std::rotl(sum, turns[round][i % 4]);
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
  }
  Token token = 0;
  for (const std::uint32_t word : state)
    for (int shift = 0; shift < 32; shift += 8) token = token << 8 | (word >> shift & 0xff);
  return token;
}

// The seed's placement with another number of virtual nodes, and that number again.
inline std::string seed_profile(std::uint32_t vnodes) { return "seed,vnodes=" + std::to_string(vnodes); }
inline double vnodes_of(const RingSpec& spec) {
  const std::size_t sign = spec.profile.find('=');
  return sign == std::string::npos ? 100 : std::stod(spec.profile.substr(sign + 1));
}

struct NaivePoint {
  Token token;
  std::string name;
};

// In no order that matters.
inline std::vector<NaivePoint> naive_points(const RingSpec& spec) {
  std::vector<NaivePoint> points;
  for (const Node& node : spec.nodes) {
    const double wanted = std::floor(vnodes_of(spec) * node.weight + 0.5);
    for (int i = 0; i < std::max(1.0, wanted); ++i)
      points.push_back({naive_md5(node.name + ":" + std::to_string(i)), node.name});
  }
  return points;
}

// Walks clockwise, one point at a time: the next is the one whose token is the fewest steps, at least one, behind the
// key (the subtraction wraps as the ring does), and of equal tokens the one of the smaller name.
inline std::vector<std::string> naive_owners(std::vector<NaivePoint> points, std::string_view key, std::size_t count) {
  const Token from = naive_md5(key) + 1;
  std::ranges::sort(points, [&](const NaivePoint& a, const NaivePoint& b) {
    return a.token != b.token ? a.token - from < b.token - from : a.name < b.name;
  });
  std::vector<std::string> owners;
  for (const NaivePoint& point : points)
    if (owners.size() < count && std::ranges::find(owners, point.name) == owners.end()) owners.push_back(point.name);
  return owners;
}

inline std::string naive_owner(const std::vector<NaivePoint>& points, std::string_view key) {
  const Token from = naive_md5(key) + 1;
  const NaivePoint* owner = &points.front();
  for (const NaivePoint& point : points) {
    const bool nearer = point.token - from < owner->token - from;
    if (nearer || (point.token == owner->token && point.name < owner->name)) owner = &point;
  }
  return owner->name;
}

}  // namespace chash::test
