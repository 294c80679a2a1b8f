// MD5 of many texts, by every set of instructions that this processor has, against md5() of each.
#include "chash/md5_many.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "chash/key_hash.h"

namespace chash {
namespace {

std::vector<std::string> random_texts(std::mt19937_64& random, std::size_t count, std::size_t longest) {
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    text.resize(random() % (longest + 1));
    for (char& byte : text) byte = static_cast<char>(random());
  }
  return texts;
}

template <class HashMany>
void check(const std::vector<std::string>& texts, const KeyHash& hash, HashMany hash_many_of) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<Token> values(views.size());
  hash_many_of(views, values);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < views.size(); ++i) wrong += values[i] != hash.hash(views[i]);
  CHECK(wrong == 0);
}

TEST_CASE("md5 of many: every path gives what md5() gives, for all lengths and numbers of texts") {
  const KeyHash& whole = *find_key_hash("md5/be128");
  std::size_t supported = 0;
  for (const Md5Path& path : md5_paths()) {
    if (!path.is_supported) {
      MESSAGE("this processor has no " << path.name);
      continue;
    }
    ++supported;
    CAPTURE(path.name);
    const auto many = [&](const auto& texts, auto& values) { md5_many(path, texts, values); };
    std::mt19937_64 random(31);
    for (std::size_t count = 0; count < 100; ++count) check(random_texts(random, count, 70), whole, many);
    for (std::size_t length = 0; length < 130; ++length)
      check(std::vector<std::string>(33, std::string(length, static_cast<char>(length + 1))), whole, many);
    check(random_texts(random, 100'000, 24), whole, many);
  }
#if defined(__x86_64__)
  CHECK(supported > 0);
#endif
}

TEST_CASE("hash of many: every hash gives what it gives for one text") {
  std::mt19937_64 random(32);
  const auto texts = random_texts(random, 300, 80);
  for (const KeyHash& hash : key_hashes()) {
    CAPTURE(hash.name);
    check(texts, hash, [&](const auto& views, auto& values) { hash_many(hash, views, values); });
  }
}

}  // namespace
}  // namespace chash
