#include "protocol/text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/naive.h"

namespace chash::protocol {
namespace {

using namespace std::literals;
using Random = std::mt19937_64;

std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Calls `check` with every text of `size` letters of the alphabet.
template <class Check>
void every_text(std::string_view alphabet, std::size_t size, Check check) {
  std::vector<std::size_t> letters(size, 0);
  std::string text(size, alphabet[0]);
  for (;;) {
    check(text);
    std::size_t place = 0;
    while (place < size && ++letters[place] == alphabet.size()) {
      letters[place] = 0;
      text[place] = alphabet[0];
      ++place;
    }
    if (place == size) return;
    text[place] = alphabet[letters[place]];
  }
}

std::string all_bytes() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

// The bytes are the beginning of longer ones that would go on well: whoever looks past the end is found out.
void agrees_on_utf8(std::string_view bytes) {
  const std::string longer = std::string(bytes) + "\x80\x80\x80";
  if (is_utf8(std::string_view(longer).substr(0, bytes.size())) == test::naive_is_utf8(bytes)) return;
  CAPTURE(printable(bytes, bytes.size()));
  FAIL_CHECK("is_utf8 is wrong");
}

TEST_CASE("utf-8: every sequence of one and of two bytes") {
  every_text(all_bytes(), 1, agrees_on_utf8);
  every_text(all_bytes(), 2, agrees_on_utf8);
  CHECK(is_utf8(""));
}

TEST_CASE("utf-8: every sequence of three and of four bytes from the edges of the table") {
  constexpr std::string_view edges =
      "\x00\x41\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff"sv;
  every_text(edges, 3, agrees_on_utf8);
  every_text(edges, 4, agrees_on_utf8);
}

TEST_CASE("utf-8: random bytes, alone and behind good text") {
  Random random(21);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes = random_bytes(random, 3 + random() % 2);
    if (i % 2 == 0) bytes[0] = static_cast<char>(0xe0 + random() % 0x18);  // mostly a lead of three or four
    if (i % 4 == 0)
      for (std::size_t k = 1; k < bytes.size(); ++k) bytes[k] = static_cast<char>(0x80 | (bytes[k] & 0x3f));
    agrees_on_utf8(bytes);
    agrees_on_utf8("caf\xc3\xa9 " + bytes + " \xf0\x9f\x94\x91");
  }
}

TEST_CASE("utf-8: every code point, and no surrogate") {
  for (std::uint32_t point = 0; point <= 0x10ffff; ++point) {
    std::string bytes;
    const auto follow = [&](int shift) { bytes += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
    if (point < 0x80) {
      bytes += static_cast<char>(point);
    } else if (point < 0x800) {
      bytes += static_cast<char>(0xc0 | point >> 6), follow(0);
    } else if (point < 0x10000) {
      bytes += static_cast<char>(0xe0 | point >> 12), follow(6), follow(0);
    } else {
      bytes += static_cast<char>(0xf0 | point >> 18), follow(12), follow(6), follow(0);
    }
    if (is_utf8(bytes) != (point < 0xd800 || point > 0xdfff)) FAIL_CHECK("code point " << point);
  }
}

TEST_CASE("base64: the test vectors of RFC 4648") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
  CHECK(base64_encode("\xfb\xff\xbf") == "+/+/");
}

TEST_CASE("base64: random bytes come back") {
  Random random(22);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string bytes = random_bytes(random, size);
    const std::string text = base64_encode(bytes);
    REQUIRE(text.size() == (size + 2) / 3 * 4);
    REQUIRE(base64_decode(text) == bytes);
  }
}

// Strict means: nothing is decoded but what base64_encode writes. Letters with and without stray low bits, padding,
// the URL-safe alphabet, white space and NUL, in every combination.
TEST_CASE("base64: every text that is decoded is the one that encoding gives") {
  std::size_t decoded = 0;
  const auto check = [&](const std::string& text) {
    const auto bytes = base64_decode(text);
    if (!bytes) return;
    ++decoded;
    REQUIRE(base64_encode(*bytes) == text);
  };
  constexpr std::string_view alphabet = "ABQgw9+/=-_ \n\0"sv;
  for (std::size_t size = 1; size <= 4; ++size) every_text(alphabet, size, check);
  every_text("AQB=", 8, check);
  CHECK(decoded > 1000);
  for (std::size_t size = 1; size <= 40; ++size)
    if (size % 4 != 0) CHECK_FALSE(base64_decode(std::string(size, 'A')));
}

TEST_CASE("base64: malformed text is refused") {
  for (const char* text :
       {"=",    "==",   "===",   "====",  "A===",   "A=A=", "=AAA", "Zg",   "Zg=",      "Zg==Zg==",  "Zm8=Zm9v",
        "Zh==", "Zm9=", " Zg==", "Zg== ", "Zg==\n", "Z g=", "Zm-v", "Zm_v", "Zm9v====", "\xc3\xa9zz"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("base64: every byte that is no letter is refused at every place") {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t place = 0; place < 8; ++place)
    for (const char byte : all_bytes()) {
      std::string text = "AAAAAAAA";
      text[place] = byte;
      CAPTURE(place);
      const bool letter = letters.find(byte) != std::string_view::npos || (byte == '=' && place == 7);
      REQUIRE(base64_decode(text).has_value() == letter);
    }
}

TEST_CASE("percent: decodes once, any byte, and leaves a plus alone") {
  CHECK(percent_decode("") == "");
  CHECK(percent_decode("user%3A123") == "user:123");
  CHECK(percent_decode("user%3a123") == "user:123");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("%2541") == "%41");
  CHECK(percent_decode("%00%ff%2F") == "\0\xff/"s);
  CHECK(percent_decode("\xff") == "\xff");
}

TEST_CASE("percent: a bad escape is refused, or kept as the seed's server keeps it") {
  for (const auto& [text, kept] : std::vector<std::pair<std::string, std::string>>{{"%", "%"},
                                                                                   {"%4", "%4"},
                                                                                   {"a%", "a%"},
                                                                                   {"%zz", "%zz"},
                                                                                   {"%4g", "%4g"},
                                                                                   {"%g4", "%g4"},
                                                                                   {"%%41", "%A"},
                                                                                   {"%4%41", "%4A"},
                                                                                   {"a%zzb%41", "a%zzbA"},
                                                                                   {"%\0"
                                                                                    "41"s,
                                                                                    "%\0"
                                                                                    "41"s},
                                                                                   {"%+1", "%+1"},
                                                                                   {"% 1", "% 1"}}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text));
    CHECK(percent_decode(text, BadEscape::keep) == kept);
  }
}

TEST_CASE("percent: an escape that is cut off is not completed by what lies behind the text") {
  constexpr std::string_view longer = "a%41";
  CHECK_FALSE(percent_decode(longer.substr(0, 2)));
  CHECK_FALSE(percent_decode(longer.substr(0, 3)));
  CHECK(percent_decode(longer.substr(0, 2), BadEscape::keep) == "a%");
  CHECK(percent_decode(longer.substr(0, 3), BadEscape::keep) == "a%4");
  CHECK(percent_decode(longer) == "aA");
}

TEST_CASE("percent: every byte comes back, and only the unreserved stay as they are") {
  for (const char byte : all_bytes()) {
    const std::string text = percent_encode({&byte, 1});
    const bool unreserved = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                            (byte >= 'A' && byte <= 'Z') || "-._~"s.find(byte) != std::string::npos;
    CHECK(text.size() == (unreserved ? 1 : 3));
    CHECK(percent_decode(text) == std::string(1, byte));
    CHECK(percent_decode(text, BadEscape::keep) == std::string(1, byte));
  }
  CHECK(percent_encode("a/b c%\xff") == "a%2Fb%20c%25%FF");
}

TEST_CASE("percent: refuse and keep agree on every text without a bad escape") {
  std::size_t good = 0;
  const auto check = [&](const std::string& text) {
    const auto kept = percent_decode(text, BadEscape::keep);
    REQUIRE(kept);
    if (const auto strict = percent_decode(text)) {
      REQUIRE(strict == kept);
      ++good;
    }
  };
  for (std::size_t size = 0; size <= 5; ++size) every_text("%4fG+", size, check);
  CHECK(good > 100);
}

TEST_CASE("printable: control, non-ASCII and backslash are escaped, the rest stays") {
  CHECK(printable("plain text ~!", 100) == "plain text ~!");
  CHECK(printable("a\nb\r\0\x1b[31m\x7f"sv, 100) == R"(a\x0ab\x0d\x00\x1b[31m\x7f)");
  CHECK(printable("\xe2\x80\xa8\xc2\x85\xff", 100) == R"(\xe2\x80\xa8\xc2\x85\xff)");
  CHECK(printable(R"(a\x0ab)", 100) == R"(a\\x0ab)");
}

TEST_CASE("printable: what it writes is printable and can be told apart") {
  Random random(23);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random_bytes(random, random() % 50);
    const std::string text = printable(bytes, 100);
    REQUIRE(test::is_printable(text));
    std::string back;  // undone byte by byte, so that no two inputs look the same
    for (std::size_t k = 0; k < text.size(); ++k) {
      if (text[k] != '\\') back += text[k];
      else if (text[k + 1] == '\\') back += text[++k];
      else back += static_cast<char>(std::stoi(text.substr(k + 2, 2), nullptr, 16)), k += 3;
    }
    REQUIRE(back == bytes);
  }
}

TEST_CASE("printable: longer text is cut and says how long it was") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcde...(6 bytes)");
  CHECK(printable("abc", 0) == "...(3 bytes)");
  CHECK(printable(std::string(65'536, '\n'), 2) == R"(\x0a\x0a...(65536 bytes))");
  CHECK(printable("", 0).empty());
}

// By the definition, exponentially.
std::size_t naive_distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const std::size_t replace = naive_distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1);
  return std::min({replace, naive_distance(a.substr(1), b) + 1, naive_distance(a, b.substr(1)) + 1});
}

TEST_CASE("edit distance: agrees with the definition for all short words") {
  for (std::size_t one = 0; one <= 4; ++one)
    for (std::size_t two = 0; two <= 4; ++two)
      every_text("ab", one, [&](const std::string& a) {
        every_text("ab", two, [&](const std::string& b) { REQUIRE(edit_distance(a, b) == naive_distance(a, b)); });
      });
  CHECK(edit_distance("get-nod", "get-node") == 1);
  CHECK(edit_distance("weigth", "weight") == 2);
}

TEST_CASE("nearest: finds what was meant, and nothing where nothing is near") {
  const std::array<std::string_view, 7> commands{"get-node", "get-nodes", "list", "add", "remove", "status", "ping"};
  CHECK(nearest("get-nod", commands) == "get-node");
  CHECK(nearest("getnode", commands) == "get-node");
  CHECK(nearest("get-nodess", commands) == "get-nodes");
  CHECK(nearest("lst", commands) == "list");
  CHECK(nearest("statsu", commands) == "status");
  CHECK(nearest("rm", commands).empty());
  CHECK(nearest("frobnicate", commands).empty());
  // The time of a comparison goes by the product of the lengths.
  const std::string longest(64, 'x'), too_long(65, 'x');
  CHECK(nearest(longest, std::array<std::string_view, 1>{too_long}) == too_long);
  CHECK(nearest(too_long, std::array<std::string_view, 1>{longest}).empty());
  CHECK(nearest("anything", std::array<std::string_view, 0>{}).empty());
}

TEST_CASE("nearest: a word that shares no letter with a candidate is not near it, however short they are") {
  const std::array<std::string_view, 2> fields{"n", "id"};
  CHECK(nearest("", fields).empty());
  CHECK(nearest("x", fields).empty());
  CHECK(nearest("\n", fields).empty());
  CHECK(nearest("xy", fields).empty());
  CHECK(nearest("N2", fields).empty());
  CHECK(nearest("nn", fields) == "n");
}

}  // namespace
}  // namespace chash::protocol
