// Keys of every kind, through every door, against an oracle that shares no code with the daemon.
//
// CHASH_TEST_SEED in the environment: other random keys than usual.
#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <random>

#include "harness.h"
#include "oracle.h"
#include "protocol/text.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr std::size_t largest_key = 65'536;

class Keys {
 public:
  Keys()
      : random_(std::getenv("CHASH_TEST_SEED") != nullptr ? std::strtoull(std::getenv("CHASH_TEST_SEED"), nullptr, 10)
                                                          : 20261123) {}

  std::size_t below(std::size_t end) { return random_() % end; }
  template <class List>
  const auto& one_of(const List& list) {
    return list[below(std::size(list))];
  }

  std::string word() {
    std::string key(1 + below(30), ' ');
    for (char& c : key) c = "abcdefghijklmnopqrstuvwxyz0123456789:._-/"[below(41)];
    return key;
  }
  std::string binary(std::size_t size) { return test::random_bytes(random_, size); }
  // Code points from all over Unicode, in UTF-8.
  std::string unicode() {
    static constexpr char32_t firsts[]{0x20,   0xa0,   0x300,  0x5d0,  0x900,   0x2000,  0x3040,
                                       0x4e00, 0xac00, 0xe000, 0xfff0, 0x1f300, 0x10fff0};
    std::string key;
    for (std::size_t left = 1 + below(12); left > 0; --left)
      append(one_of(firsts) + static_cast<char32_t>(below(16)), key);
    return key;
  }
  std::string looking_empty() {
    static const std::string blanks[]{" ",      "\t",     "\n",     "\r\n",   "\u00a0", "\u200b",
                                      "\u2028", "\u3000", "\ufeff", "\u00ad", "\u202e"};
    std::string key;
    for (std::size_t left = 1 + below(4); left > 0; --left) key += one_of(blanks);
    return key;
  }
  // What a parser, a shell, a URL or a log could trip over.
  std::string hostile() {
    static const std::string pieces[]{"\"",
                                      "\\",
                                      "\\u0000",
                                      "'",
                                      "{",
                                      "}",
                                      "[a,b]",
                                      "%",
                                      "%2F",
                                      "%zz",
                                      "+",
                                      "?",
                                      "#",
                                      "&",
                                      "..",
                                      "/",
                                      "\x01",
                                      "\x1b[31m",
                                      "\x7f",
                                      "key_b64",
                                      "\n",
                                      "\r",
                                      std::string(1, '\0'),
                                      ":0"};
    std::string key;
    for (std::size_t left = 1 + below(6); left > 0; --left) key += one_of(pieces);
    return key;
  }
  // The label of a node's point: a key with the token of a point belongs to the next one.
  std::string label() { return "cache-node-" + std::to_string(1 + below(3)) + ':' + std::to_string(below(100)); }

  std::string any() {
    switch (below(7)) {
      case 0: return word();
      case 1: return unicode();
      case 2: return looking_empty();
      case 3: return hostile();
      case 4: return label();
      case 5: return word() + std::string(1, '\0') + word();
      default: return binary(1 + below(200));
    }
  }
  std::string large() { return binary(below(8) == 0 ? largest_key : 1024 + below(largest_key - 1024)); }

 private:
  static void append(char32_t point, std::string& to) {
    const auto tail = [&](int shift) { to += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
    if (point < 0x80) to += static_cast<char>(point);
    else if (point < 0x800) to += static_cast<char>(0xc0 | point >> 6), tail(0);
    else if (point < 0x10000) to += static_cast<char>(0xe0 | point >> 12), tail(6), tail(0);
    else to += static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0);
  }

  std::mt19937_64 random_;
};

struct Tally {
  std::size_t right = 0, wrong = 0;
  void count(bool agrees) { ++(agrees ? right : wrong); }
};

json request_for(const std::vector<std::string>& keys) {
  json request{{"op", "get-nodes"}};
  bool text = true;
  for (const std::string& key : keys) text = text && protocol::is_utf8(key);
  json& list = request[text ? "keys" : "keys_b64"] = json::array();
  for (const std::string& key : keys) list.push_back(text ? key : protocol::base64_encode(key));
  return request;
}

void ask_batch(LineClient& client, const Oracle& oracle, const std::vector<std::string>& keys, Tally& tally) {
  const json owners = client.ask(request_for(keys).dump()).at("ok").at("owners");
  REQUIRE(owners.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) tally.count(owners[i] == json::array({oracle.owner(keys[i])}));
}

std::vector<std::string> many(std::size_t count, const std::function<std::string()>& key) {
  std::vector<std::string> keys;
  while (keys.size() < count) keys.push_back(key());
  return keys;
}

}  // namespace

TEST_CASE("100000 random keys in batches over the socket have the owners that the oracle names") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Oracle oracle(seed_nodes());
  LineClient client(daemon.socket());
  Keys keys;
  Tally tally;
  for (int batch = 0; batch < 50; ++batch) {
    ask_batch(client, oracle, many(900, [&] { return keys.any(); }), tally);   // some are not UTF-8: base64
    ask_batch(client, oracle, many(300, [&] { return keys.word(); }), tally);  // from here on all are: text
    ask_batch(client, oracle, many(300, [&] { return keys.unicode(); }), tally);
    ask_batch(client, oracle, many(300, [&] { return keys.hostile(); }), tally);
    ask_batch(client, oracle, many(200, [&] { return keys.looking_empty(); }), tally);
  }
  for (int batch = 0; batch < 40; ++batch) ask_batch(client, oracle, many(8, [&] { return keys.large(); }), tally);
  CHECK(tally.wrong == 0);
  CHECK(tally.right >= 100'000);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("random keys one at a time and pipelined over the socket have the owners that the oracle names") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Oracle oracle(seed_nodes());
  const auto points = test::naive_points({"seed", {{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}}});
  LineClient client(daemon.socket());
  Keys keys;
  Tally tally;
  for (int round = 0; round < 100; ++round) {
    const auto asked = many(50, [&] { return round % 25 == 0 ? keys.large().substr(0, 2000) : keys.any(); });
    std::string lines;
    for (const std::string& key : asked) {
      json request{{"op", "get-node"}, {"n", 3}};
      if (protocol::is_utf8(key)) request["key"] = key;
      else request["key_b64"] = protocol::base64_encode(key);
      lines += request.dump() + '\n';
    }
    REQUIRE(client.send(lines));
    for (const std::string& key : asked) {
      const json answer = client.reply().at("ok");
      tally.count(answer.at("node") == oracle.owner(key) && answer.at("nodes") == test::naive_owners(points, key, 3));
    }
  }
  CHECK(tally.wrong == 0);
  CHECK(tally.right == 5'000);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("random keys percent-encoded in a path or a query have the owners that the oracle names") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const Oracle oracle(seed_nodes());
  HttpClient client(daemon.http_port());
  Keys keys;
  Tally tally;
  for (int i = 0; i < 4'000; ++i) {
    const std::string key = i % 50 == 0 ? keys.large() : keys.any();
    const std::string encoded = percent_encoded(key);  // up to the longest request line there may be
    if (i % 4 == 3) {
      const HttpReply reply = client.ask("GET", "/api/v1/rings/default/node?key=" + encoded);
      tally.count(reply.status == 200 && json::parse(reply.body).at("node") == oracle.owner(key));
    } else {
      const HttpReply reply = client.ask("GET", "/api/get-node/" + encoded);
      tally.count(reply.status == 200 && reply.body == '"' + oracle.owner(key) + '"');
    }
  }
  CHECK(tally.wrong == 0);
  CHECK(tally.right == 4'000);
  CHECK(daemon.stop() == 0);
}
