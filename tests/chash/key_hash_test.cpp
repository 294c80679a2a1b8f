// Hash functions against what the real programs computed, and against published check values.
#include "chash/key_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chash/mixes.h"
#include "chash/naive.h"
#include "shared_material.h"

namespace chash {
namespace {

using namespace std::literals;
using test::hex;

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

// A number with a sign such that < is right: whether it is positive, and its two's complement in 128 bits.
using Number = std::pair<bool, Token>;

Number number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  REQUIRE(!text.empty());
  Token magnitude = 0;
  for (const char c : text) {
    REQUIRE((c >= '0' && c <= '9'));
    magnitude = magnitude * 10 + static_cast<unsigned>(c - '0');
  }
  return {!negative, negative ? 0 - magnitude : magnitude};
}

// A value of hash_golden.json: "17", "-17" or "(17, -17)".
std::vector<Number> numbers(std::string_view text) {
  if (!text.starts_with('(')) return {number(text)};
  const std::size_t comma = text.find(", ");
  REQUIRE(comma != text.npos);
  REQUIRE(text.ends_with(')'));
  return {number(text.substr(1, comma - 1)), number(text.substr(comma + 2, text.size() - comma - 3))};
}

Token natural_value(const std::vector<Number>& parts, unsigned bits) {
  constexpr Token low_64 = ~std::uint64_t{0};
  if (parts.size() == 2) return (parts[0].second & low_64) << 64 | (parts[1].second & low_64);
  return bits == 128 ? parts[0].second : parts[0].second & ((Token{1} << bits) - 1);
}

struct Golden {
  std::vector<std::string> keys;
  std::map<std::string, std::vector<std::vector<Number>>> values;  // by name, parallel to keys
};

const Golden& golden() {
  static const Golden read = [] {
    const auto document = nlohmann::json::parse(test::read_file(test::test_data("hash_golden.json")));
    Golden all;
    for (const auto& key : document.at("keys_hex")) all.keys.push_back(from_hex(key.get<std::string>()));
    for (const auto& [name, values] : document.at("values").items())
      for (const auto& value : values) all.values[name].push_back(numbers(value.get<std::string>()));
    return all;
  }();
  return read;
}

// Names in hash_golden.json that are no hash function but made of one.
const std::set<std::string> compositions{"sdbm+avalanche", "crc32+avalanche", "furc/100"};

Token hash_of(std::string_view name, std::string_view key) {
  const KeyHash* const row = find_key_hash(name);
  REQUIRE(row != nullptr);
  return row->hash(key);
}

TEST_CASE("key_hash: every golden value of every function") {
  REQUIRE(golden().keys.size() == 70);
  REQUIRE(golden().values.size() == 40);
  std::size_t compared = 0;
  for (const auto& entry : golden().values) {
    const std::string& name = entry.first;
    const std::vector<std::vector<Number>>& values = entry.second;
    if (compositions.contains(name)) continue;
    CAPTURE(name);
    const KeyHash* const row = find_key_hash(name);
    CHECK(row != nullptr);
    REQUIRE(values.size() == golden().keys.size());
    for (std::size_t i = 0; row != nullptr && i < values.size(); ++i, ++compared) {
      CAPTURE(i);
      CHECK(hex(row->hash(golden().keys[i])) == hex(natural_value(values[i], row->bits)));
    }
  }
  CHECK(compared == 37 * 70);
}

TEST_CASE("key_hash: avalanche32 behind sdbm and crc32 is HAProxy's default and its crc32 with avalanche") {
  for (const auto& name : {"sdbm"s, "crc32"s}) {
    CAPTURE(name);
    const auto& values = golden().values.at(name + "+avalanche");
    for (std::size_t i = 0; i < golden().keys.size(); ++i) {
      CAPTURE(i);
      const auto hash = static_cast<std::uint32_t>(hash_of(name, golden().keys[i]));
      CHECK(avalanche32(hash) == natural_value(values.at(i), 32));
    }
  }
  MESSAGE("NOT RUN: furc/100, which is a placement on 100 nodes and no hash function");
}

TEST_CASE("key_hash: a value with its order_mask sorts as the real program's number does") {
  for (const KeyHash& row : key_hashes()) {
    const auto found = golden().values.find(std::string(row.name));
    if (found == golden().values.end()) continue;
    CAPTURE(row.name);
    std::vector<std::size_t> order(golden().keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return found->second.at(i); });
    const auto in_order = [&](std::size_t i) { return row.hash(golden().keys[i]) ^ row.order_mask; };
    CHECK(std::ranges::is_sorted(order, {}, in_order));
  }
}

TEST_CASE("key_hash: each row has a name of its own, a width, and values that fit it") {
  std::set<std::string_view> names;
  for (const KeyHash& row : key_hashes()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(find_key_hash(row.name) == &row);
    CHECK((row.bits == 32 || row.bits == 64 || row.bits == 128));
    if (row.bits == 128) continue;
    const Token largest = (Token{1} << row.bits) - 1;
    CHECK(row.order_mask <= largest);
    for (const std::string& key : golden().keys) CHECK(row.hash(key) <= largest);
  }
  CHECK(names.size() == key_hashes().size());
  for (const auto& name : compositions) CHECK(find_key_hash(name) == nullptr);
  CHECK(find_key_hash("") == nullptr);
  CHECK(find_key_hash("md5") == nullptr);
  CHECK(find_key_hash("MD5/le32") == nullptr);
}

TEST_CASE("key_hash: rows without golden values") {
  CHECK(hash_of("xxh3/64", "") == 0x2d06800538d394c2);
  CHECK(hash_of("xxh3/128", "") == xxh3_128(""));
  CHECK(hash_of("xxh3/128", "user:123") == xxh3_128("user:123"));
}

TEST_CASE("key_hash: none takes the number that a key begins with") {
  const auto none = [](std::string_view key) { return hash_of("none", key); };
  CHECK(none("") == 0);
  CHECK(none("-") == 0);
  CHECK(none("key-7") == 0);
  CHECK(none(" 7") == 0);
  CHECK(none("+-7") == 0);
  CHECK(none("7") == 7);
  CHECK(none("+7up") == 7);
  CHECK(none("007.5") == 7);
  CHECK(none("-1") == 0xffffffff);
  CHECK(none("4294967295") == 0xffffffff);
  CHECK(none("4294967296") == 0);
  CHECK(none("4294967297") == 1);
  // The largest and the smallest number of 64 bits, and what stops at them.
  CHECK(none("9223372036854775806") == 0xfffffffe);
  CHECK(none("9223372036854775807") == 0xffffffff);
  CHECK(none("9223372036854775808") == 0xffffffff);
  CHECK(none("99999999999999999999999") == 0xffffffff);
  CHECK(none("-9223372036854775807") == 1);
  CHECK(none("-9223372036854775808") == 0);
  CHECK(none("-9223372036854775809") == 0);
  CHECK(none("-99999999999999999999999") == 0);
}

TEST_CASE("key_hash: published check values of the building blocks") {
  const auto check_text = "123456789"sv;
  CHECK(crc16_xmodem(check_text) == 0x31c3);
  CHECK(crc32(check_text) == 0xcbf43926);
  CHECK(xxh64("", 0) == 0xef46db3751d8e999);
  CHECK(xxh32("", 0) == 0x02cc5d05);
  CHECK(murmur3_32("", 1) == 0x514e28b7);
  CHECK(murmur3_32("Hello, world!", 0x9747b28c) == 0x24884cba);
  CHECK(hex(md5("abc")) == "900150983cd24fb0d6963f7d28e17f72");

  std::string counting;
  for (char byte = 0; byte < 15; ++byte) counting += byte;
  CHECK(siphash24(counting, 0x0706050403020100, 0x0f0e0d0c0b0a0908) == 0xa129ca6149be45e5);
  CHECK(siphash24("", 0x0706050403020100, 0x0f0e0d0c0b0a0908) == 0x726fdb47dd0e0e31);

  const Sha1Digest abc = sha1_digest("abc");  // FIPS 180, appendix A.1
  CHECK(std::string(abc.begin(), abc.end()) == from_hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
  const Md5Digest md5_abc = md5_digest("abc");
  CHECK(std::string(md5_abc.begin(), md5_abc.end()) == from_hex("900150983cd24fb0d6963f7d28e17f72"));
}

TEST_CASE("key_hash: crc32 goes on from what went before, wherever the bytes are cut") {
  const auto whole = "cache-node-1\0port\0\0\0\0"sv;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    CHECK(crc32(whole.substr(cut), crc32(whole.substr(0, cut))) == crc32(whole));
  }
  CHECK(crc32(std::string_view(), 0x12345678) == 0x12345678);
}

TEST_CASE("key_hash: no function minds where its bytes lie, or that there are none") {
  for (const KeyHash& row : key_hashes()) {
    CAPTURE(row.name);
    CHECK(row.hash(std::string_view()) == row.hash(""));
    for (const std::string& key : golden().keys) {
      // Exactly as many bytes as the key has, so that the sanitizers see a byte too many.
      for (std::size_t offset = 0; offset < 3; ++offset) {
        const std::vector<char> moved = [&] {
          std::vector<char> bytes(offset, '?');
          bytes.insert(bytes.end(), key.begin(), key.end());
          return bytes;
        }();
        if (row.hash(std::string_view(moved.data() + offset, key.size())) != row.hash(key)) FAIL(hex(row.hash(key)));
      }
    }
  }
}

TEST_CASE("key_hash: hash128to64 makes mcrouter's rendezvous") {
  CHECK(hash128to64(0, 0) == 0);
  const auto vectors = test::shared_material("vectors/mcrouter-rendezvous.json");
  if (!vectors) {
    MESSAGE(test::not_run("the placements of mcrouter's rendezvous"));
    return;
  }
  std::size_t answers = 0;
  const auto recorded = nlohmann::json::parse(test::read_file(*vectors));
  for (const auto& topology : recorded.at("topologies")) {
    CAPTURE(topology.at("name").get<std::string>());
    for (const auto& vector : topology.at("vectors")) {
      const std::uint64_t key = murmur2_64a(from_hex(vector.at(0).get<std::string>()), 2718281828);
      std::size_t winner = 0;
      double highest = -1;
      for (std::size_t i = 0; i < topology.at("nodes").size(); ++i) {
        const std::uint64_t node = murmur2_64a(topology.at("nodes")[i].at("name").get<std::string>(), 4193360111);
        const auto score = static_cast<double>(hash128to64(node, key));
        if (score >= highest) winner = i, highest = score;
      }
      CHECK(winner == vector.at(1).get<std::size_t>());
      ++answers;
    }
  }
  CHECK(answers == 7 * 44);
}

}  // namespace
}  // namespace chash
