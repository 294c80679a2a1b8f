#include "protocol/json.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "protocol/naive.h"
#include "protocol/text.h"
#include "shared_material.h"

namespace chash::protocol {
namespace {

using namespace std::literals;
using nlohmann::json;

bool accepted(std::string_view text) { return parse_json(text).has_value(); }

// What is said behind "the request is not JSON that chashd takes: ".
std::string reason(std::string_view text) {
  constexpr std::string_view opening = "the request is not JSON that chashd takes: ";
  const auto document = parse_json(text);
  REQUIRE_FALSE(document);
  CHECK(document.error().code == Errc::invalid_request);
  CHECK(test::is_printable(document.error().message));
  REQUIRE(document.error().message.starts_with(opening));
  return document.error().message.substr(opening.size());
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

std::string object_of(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) text += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":0";
  return text + "}";
}

// What JSON leaves open, decided: numbers that no double can hold, text that is not Unicode, depth and byte order marks
// are refused; what underflows is a zero, as everywhere.
const std::map<std::string, bool> left_open{
    {"i_number_double_huge_neg_exp", true},
    {"i_number_huge_exp", false},
    {"i_number_neg_int_huge_exp", false},
    {"i_number_pos_double_huge_exp", false},
    {"i_number_real_neg_overflow", false},
    {"i_number_real_pos_overflow", false},
    {"i_number_real_underflow", true},
    {"i_number_too_big_neg_int", true},
    {"i_number_too_big_pos_int", true},
    {"i_number_very_big_negative_int", true},
    {"i_object_key_lone_2nd_surrogate", false},
    {"i_string_1st_surrogate_but_2nd_missing", false},
    {"i_string_1st_valid_surrogate_2nd_invalid", false},
    {"i_string_UTF-16LE_with_BOM", false},
    {"i_string_UTF-8_invalid_sequence", false},
    {"i_string_UTF8_surrogate_U+D800", false},
    {"i_string_incomplete_surrogate_and_escape_valid", false},
    {"i_string_incomplete_surrogate_pair", false},
    {"i_string_incomplete_surrogates_escape_valid", false},
    {"i_string_invalid_lonely_surrogate", false},
    {"i_string_invalid_surrogate", false},
    {"i_string_invalid_utf-8", false},
    {"i_string_inverted_surrogates_U+1D11E", false},
    {"i_string_iso_latin_1", false},
    {"i_string_lone_second_surrogate", false},
    {"i_string_lone_utf8_continuation_byte", false},
    {"i_string_not_in_unicode_range", false},
    {"i_string_overlong_sequence_2_bytes", false},
    {"i_string_overlong_sequence_6_bytes", false},
    {"i_string_overlong_sequence_6_bytes_null", false},
    {"i_string_truncated-utf-8", false},
    {"i_string_utf16BE_no_BOM", false},
    {"i_string_utf16LE_no_BOM", false},
    {"i_structure_500_nested_arrays", false},
    {"i_structure_UTF-8_BOM_empty_object", false},
    // The suite's transformations: valid JSON that parsers read differently.
    {"number_-9223372036854775808", true},
    {"number_1.0", true},
    {"number_1.000000000000000005", true},
    {"number_1e-999", true},
    {"number_1e6", true},
    {"number_10000000000000000999", true},
    {"number_1000000000000000", true},
    {"object_key_nfc_nfd", true},
    {"object_key_nfd_nfc", true},
    {"object_same_key_different_values", false},
    {"object_same_key_same_value", false},
    {"object_same_key_unclear_values", false},
    {"string_1_escaped_invalid_codepoint", false},
    {"string_1_invalid_codepoint", false},
    {"string_2_escaped_invalid_codepoints", false},
    {"string_2_invalid_codepoints", false},
    {"string_3_escaped_invalid_codepoints", false},
    {"string_3_invalid_codepoints", false},
    {"string_with_escaped_NULL", true},
};

TEST_CASE("json: JSONTestSuite") {
  const auto suite = test::shared_material("material/json/JSONTestSuite");
  if (!suite) {
    MESSAGE(test::not_run("the cases of JSONTestSuite"));
    return;
  }
  std::size_t must = 0, must_not = 0, open = 0;
  for (const auto& file : test::files_in(*suite)) {
    if (file.extension() != ".json") continue;
    const std::string name = file.stem().string();
    CAPTURE(name);
    const bool verdict = accepted(test::read_file(file));
    if (name.starts_with("y_object_duplicated_key")) {  // legal, and refused on purpose: two readers would disagree
      CHECK_FALSE(verdict);
      ++must;
    } else if (name.starts_with("y_")) {
      CHECK(verdict);
      ++must;
    } else if (name.starts_with("n_")) {
      CHECK_FALSE(verdict);
      ++must_not;
    } else {
      REQUIRE(left_open.contains(name));
      CHECK(verdict == left_open.at(name));
      ++open;
    }
  }
  CHECK(must >= 45);
  CHECK(must_not >= 96);
  CHECK(open >= 25);
  MESSAGE("JSONTestSuite: " << must << " that must be accepted, " << must_not << " that must not, " << open
                            << " left open");
}

TEST_CASE("json: 32 levels are accepted and 33 are not") {
  REQUIRE(limits::json_depth == 32);
  for (const auto& [open, close] : std::vector<std::pair<std::string, std::string>>{{"[", "]"}, {"[[", "]]"}}) {
    CHECK(accepted(nested(32 / open.size(), open, close)));
    CHECK_FALSE(accepted(nested(34 / open.size(), open, close)));
  }
  CHECK(reason(nested(33, "[", "]")) == "it is nested deeper than 32 levels");
  CHECK(reason(nested(32, "{\"a\":", "") + "{}") == "it is nested deeper than 32 levels");
  CHECK(accepted(nested(31, "{\"a\":", "") + "{}" + std::string(31, '}')));
  CHECK(accepted(nested(16, "[{\"a\":", "") + "1" + nested(16, "", "}]")));
  CHECK_FALSE(accepted(nested(16, "[{\"a\":", "") + "[]" + nested(16, "", "}]")));
  CHECK(accepted("[" + nested(31, "[", "]") + "," + nested(31, "[", "]") + "]"));  // wide is not deep
}

TEST_CASE("json: nesting of 100000 levels is refused, whole or cut off") {
  for (const std::string_view open : {"["sv, "{\"a\":"sv, "[{\"a\":"sv, "[0,"sv}) {
    CAPTURE(open);
    CHECK(reason(nested(100'000, open, "")) == "it is nested deeper than 32 levels");
    CHECK(reason(nested(100'000, open, open == "[" ? "]" : "}")) == "it is nested deeper than 32 levels");
  }
  CHECK_FALSE(accepted(std::string(100'000, ']')));
}

TEST_CASE("json: 64 members are accepted and 65 are not, at any level") {
  CHECK(accepted(object_of(64)));
  CHECK(reason(object_of(65)) == "an object has more than 64 members");
  CHECK(accepted("[{\"a\":" + object_of(64) + "}]"));
  CHECK_FALSE(accepted("[{\"a\":" + object_of(65) + "}]"));
  CHECK(accepted("[" + object_of(64) + "," + object_of(64) + "]"));
  std::string zeros = "[0";
  for (int i = 0; i < 100'000; ++i) zeros += ",0";
  CHECK(accepted(zeros + "]"));  // the limit is one of objects
}

TEST_CASE("json: a member that stands twice is refused, at any level and however it is spelled") {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"a":{"b":1,"b":1}})", R"([[{"x":0,"x":[]}]])",
        R"({"a":1,"\u0061":2})", R"({"":0,"":0})", R"({"a":{},"a":{}})", R"({"\u00e9":1,"é":2})"}) {
    CAPTURE(text);
    CHECK(reason(text) == "a member stands twice in one object");
  }
  CHECK(accepted(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}],"A":0})"));
  CHECK(accepted("{\"e\xcc\x81\":1,\"\xc3\xa9\":2}"));  // two spellings of one letter are two names
}

TEST_CASE("json: a NUL byte is refused everywhere, the escape of one is a character") {
  for (const std::string& text : {"\0"s, "{}\0"s, "{}\0GARBAGE"s, "\0{}"s, "[\"\0\"]"s,
                                  "[1,\0"
                                  "2]"s})
    CHECK(reason(text) == "it has a NUL byte");
  const auto document = parse_json(R"(["\u0000"])");
  REQUIRE(document);
  CHECK(document->at(0) == "\0"s);
}

TEST_CASE("json: a byte order mark is refused") {
  CHECK(reason("\xef\xbb\xbf{}") == "it starts with a byte order mark");
  CHECK_FALSE(accepted("\xef\xbb{}"));
  CHECK_FALSE(accepted("\xff\xfe{\0}\0"sv));
  CHECK(accepted("[\"\xef\xbb\xbf\"]"));  // inside a string it is a character
}

TEST_CASE("json: text that is not UTF-8 is refused and told") {
  CHECK(reason("[\"\xff\"]") == "a string is not UTF-8, near byte 3");
  CHECK(reason("{\"a\xc3\":1}").starts_with("a string is not UTF-8"));
  CHECK(reason("[\"\xed\xa0\x80\"]").starts_with("a string is not UTF-8"));
  CHECK(accepted("[\"\xf4\x8f\xbf\xbf\"]"));
}

TEST_CASE("json: a syntax error tells where") {
  CHECK(reason("") == "a syntax error near byte 1");
  CHECK(reason("{\"a\":}") == "a syntax error near byte 6");
  CHECK(reason("[1,2") == "a syntax error near byte 5");
  CHECK(reason("[1] x") == "a syntax error near byte 5");
  CHECK(reason("{}{}") == "a syntax error near byte 3");
  CHECK(reason("[1e999]").starts_with("a syntax error near byte"));
}

TEST_CASE("json: numbers keep their kind") {
  const auto document = parse_json("[0,-0,18446744073709551615,18446744073709551616,-9223372036854775808,1.5,1e2,-1]");
  REQUIRE(document);
  CHECK(document->at(0).is_number_unsigned());
  CHECK(document->at(2) == 18446744073709551615u);
  CHECK(document->at(2).is_number_unsigned());
  CHECK(document->at(3).is_number_float());
  CHECK(document->at(4).is_number_integer());
  CHECK(document->at(5).is_number_float());
  CHECK(document->at(6).is_number_float());
  CHECK_FALSE(document->at(7).is_number_unsigned());
}

json random_document(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return random() % 2 == 0;
    case 2: return random();
    case 3: return -static_cast<std::int64_t>(random() >> 2);
    case 4: return static_cast<double>(random()) / 1e15;
    case 5: return std::string(random() % 5, static_cast<char>('!' + random() % 90)) + "\n\"\\\u20ac";
    case 6: {
      json list = json::array();
      for (std::size_t n = random() % 5; n > 0; --n) list.push_back(random_document(random, depth - 1));
      return list;
    }
    default: {
      json object = json::object();
      for (std::size_t n = random() % 5; n > 0; --n)
        object["m" + std::to_string(random() % 10)] = random_document(random, depth - 1);
      return object;
    }
  }
}

TEST_CASE("json: random documents are read as nlohmann reads them, and no beginning of one is") {
  std::mt19937_64 random(31);
  for (int i = 0; i < 1000; ++i) {
    const json document{{"only", random_document(random, 4)}};
    const std::string text = document.dump(i % 3 - 1);
    const auto read = parse_json(text);
    REQUIRE(read);
    REQUIRE(*read == document);
    REQUIRE_FALSE(accepted(std::string_view(text).substr(0, random() % text.size())));
  }
}

}  // namespace
}  // namespace chash::protocol
