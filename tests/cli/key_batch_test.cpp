#include "key_batch.h"

#include <doctest/doctest.h>

#include <random>

#include "chash/limits.h"
#include "protocol/codec.h"

namespace chash::cli {
namespace {

struct Taken {
  std::uint64_t number;
  std::string bytes;
  std::uint64_t size;
  friend bool operator==(const Taken&, const Taken&) = default;
};

// The records of `chunks`, as they come.
std::vector<Taken> split(const std::vector<std::string>& chunks, char end = '\n', std::size_t limit = 8) {
  std::vector<Taken> records;
  RecordSplitter splitter(end, limit);
  const auto take = [&](std::uint64_t number, std::string_view bytes, std::uint64_t size) {
    records.push_back({number, std::string(bytes.substr(0, limit)), size});
    return true;
  };
  for (const std::string& chunk : chunks) REQUIRE(splitter.feed(chunk, take));
  REQUIRE(splitter.finish(take));
  return records;
}

TEST_CASE("record splitter: lines, empty lines, and a last one without its end") {
  CHECK(split({"a\nbc\n"}) == std::vector<Taken>{{1, "a", 1}, {2, "bc", 2}});
  CHECK(split({"a\n\nb"}) == std::vector<Taken>{{1, "a", 1}, {2, "", 0}, {3, "b", 1}});
  CHECK(split({"\n"}) == std::vector<Taken>{{1, "", 0}});
  CHECK(split({""}).empty());
  CHECK(split({}).empty());
  CHECK(split({"a\r\n"}) == std::vector<Taken>{{1, "a\r", 2}});
}

TEST_CASE("record splitter: with NUL as the end a newline is an ordinary byte") {
  CHECK(split({std::string("a\nb\0c", 5)}, '\0') == std::vector<Taken>{{1, "a\nb", 3}, {2, "c", 1}});
}

TEST_CASE("record splitter: of a record over the limit the beginning and the size are known") {
  const std::string nine(9, 'x'), eight(8, 'x');
  CHECK(split({eight + '\n' + nine + "\nok\n"}) == std::vector<Taken>{{1, eight, 8}, {2, eight, 9}, {3, "ok", 2}});
  CHECK(split({"xxxx", "xxxx", "xxxx", "\nok"}) == std::vector<Taken>{{1, eight, 12}, {2, "ok", 2}});
}

TEST_CASE("record splitter: how the stream is cut into chunks does not matter") {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::string stream;
    for (int i = 0; i < 40; ++i) stream += "ab\nc\n"[random() % 5];
    std::vector<std::string> chunks;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t length = 1 + random() % 7;
      chunks.push_back(stream.substr(at, length));
      at += length;
    }
    CAPTURE(stream);
    CHECK(split(chunks) == split({stream}));
  }
}

TEST_CASE("record splitter: it stops when it is told to") {
  RecordSplitter splitter('\n', 8);
  int taken = 0;
  CHECK_FALSE(splitter.feed("a\nb\nc\n", [&](std::uint64_t, std::string_view, std::uint64_t) { return ++taken < 2; }));
  CHECK(taken == 2);
}

// Fills batches until the keys are used up, checking each against the limits.
std::size_t batches_of(const std::vector<std::string>& keys, std::uint32_t replicas = 1) {
  KeyBatch batch({"default", {}, replicas});
  std::size_t batches = 0, seen = 0;
  const auto submit = [&] {
    const protocol::GetNodes::Request request = batch.take();
    CHECK(batch.empty());
    CHECK(request.keys.size() <= limits::batch_keys);
    CHECK(request.n == replicas);
    CHECK(protocol::encode_request(request).size() + 1 <= limits::line_bytes);
    CHECK(protocol::encode_http(request).body.size() <= limits::body_bytes);
    for (const protocol::Key& key : request.keys) REQUIRE(key.bytes == keys[seen++]);
    ++batches;
  };
  for (const std::string& key : keys) {
    if (!batch.has_room_for(key)) submit();
    batch.add(key);
  }
  if (!batch.empty()) submit();
  CHECK(seen == keys.size());
  return batches;
}

TEST_CASE("key batch: small keys are bounded by their number") {
  CHECK(batches_of(std::vector<std::string>(25'000, "user:123")) == 3);
  CHECK(batches_of({}) == 0);
}

TEST_CASE("key batch: large keys, control characters and bytes that are not UTF-8 keep the line in its limit") {
  CHECK(batches_of(std::vector<std::string>(40, std::string(limits::key_bytes, 'a'))) == 3);
  CHECK(batches_of(std::vector<std::string>(4, std::string(limits::key_bytes, '\x01'))) == 2);
  CHECK(batches_of(std::vector<std::string>(40, std::string(limits::key_bytes, '\xff'))) == 4);
  CHECK(batches_of(std::vector<std::string>(40, std::string(limits::key_bytes, '"'))) == 6);
}

TEST_CASE("key batch: random mixtures keep the line in its limit") {
  std::mt19937 random(2);
  std::vector<std::string> keys;
  for (int i = 0; i < 400; ++i) {
    const char byte = "a\"\x01\xff\\"[random() % 5];
    keys.push_back(std::string(1 + random() % (i % 10 == 0 ? limits::key_bytes : 5000), byte));
  }
  CHECK(batches_of(keys) > 1);
}

TEST_CASE("key batch: many replicas make it smaller, for the answer has a limit too") {
  CHECK(batches_of(std::vector<std::string>(1000, "k"), 256) > 2);
}

}  // namespace
}  // namespace chash::cli
