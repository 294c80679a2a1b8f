#include "chash/node_name.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>

#include "shared_material.h"

namespace chash {
namespace {

// The rule as the threat model states it.
bool by_the_rule(const std::string& name) {
  static const std::regex rule(R"(^[A-Za-z0-9_\[/][A-Za-z0-9._:@/+=~%\[\],-]{0,254}$)", std::regex::ECMAScript);
  return std::regex_match(name, rule);
}

bool accepted(const std::string& name) { return check_node_name(name).has_value(); }

TEST_CASE("node name: every name of one byte and of two bytes, by the rule") {
  for (int first = 0; first < 256; ++first) {
    std::string name(1, static_cast<char>(first));
    CAPTURE(first);
    REQUIRE(accepted(name) == by_the_rule(name));
    name += '\0';
    for (int second = 0; second < 256; ++second) {
      CAPTURE(second);
      name[1] = static_cast<char>(second);
      REQUIRE(accepted(name) == by_the_rule(name));
    }
  }
}

TEST_CASE("node name: a bad byte is found at every position of the longest name") {
  for (std::size_t place = 0; place < 255; ++place) {
    CAPTURE(place);
    for (const char bad : {' ', '\0', '\n', '\x7f', '\xc3', '$', '"', '\\', ';'}) {
      std::string name(255, 'a');
      name[place] = bad;
      const auto outcome = check_node_name(name);
      REQUIRE_FALSE(outcome);
      REQUIRE(outcome.error().message.ends_with(" at position " + std::to_string(place + 1)));
    }
  }
}

TEST_CASE("node name: 255 bytes are accepted and 256 are not") {
  CHECK(accepted(std::string(255, 'n')));
  CHECK(by_the_rule(std::string(255, 'n')));
  CHECK_FALSE(by_the_rule(std::string(256, 'n')));
  const auto outcome = check_node_name(std::string(256, 'n'));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error() == Error{Errc::invalid_argument, "a node name has 256 bytes", "the limit is 255 bytes"});
}

TEST_CASE("node name: random names, by the rule") {
  std::mt19937_64 random(12);
  const std::string alphabet = "abcXYZ019._:@/+=~%[],-_ !\t\"'$`;\\(){}<>|&*?#^";
  std::size_t good = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string name(random() % 6, ' ');
    for (char& c : name) c = alphabet[random() % alphabet.size()];
    CAPTURE(name);
    REQUIRE(accepted(name) == by_the_rule(name));
    good += accepted(name);
  }
  CHECK(good > 100);
}

TEST_CASE("node name: what would be an option, a directory or two words is refused") {
  for (const char* name : {"",           "-",       "-oProxyCommand=x",
                           "--help",     ".",       "..",
                           "...",        ".hidden", "a b",
                           " a",         "a ",      "a\n",
                           "~root",      "+1",      "=",
                           "@a",         ":",       ":80",
                           ",",          "%41",     "]",
                           "caf\xc3\xa9"}) {
    CAPTURE(name);
    CHECK_FALSE(accepted(name));
  }
  for (const char* name : {"cache-node-1", "10.0.0.1:11211", "[::1]:80", "/srv/a", "_", "0", "null", "a..", "a/../b",
                           "x%2F", "a,b", "u@h"}) {
    CAPTURE(name);
    CHECK(accepted(name));
  }
}

TEST_CASE("node name: the message names the byte and is printable whatever the name is") {
  const auto message = [](const std::string& name) { return check_node_name(name).error().message; };
  CHECK(message("") == "a node name is empty");
  CHECK(message("a b") == "a node name has a space at position 2");
  CHECK(message("-x") == "a node name has '-' at position 1");
  CHECK(message("a\x1b[31m") == "a node name has byte 0x1b at position 2");
  CHECK(message(std::string("a\0", 2)) == "a node name has byte 0x00 at position 2");
  CHECK(message("a\xff") == "a node name has byte 0xff at position 2");
  for (int byte = 0; byte < 256; ++byte) {
    const auto outcome = check_node_name(std::string("n") + static_cast<char>(byte));
    if (outcome) continue;
    CHECK(outcome.error().code == Errc::invalid_argument);
    CHECK_FALSE(outcome.error().hint.empty());
    for (const char c : outcome.error().message) REQUIRE((c >= 0x20 && c < 0x7f));
  }
}

TEST_CASE("node name: the Big List of Naughty Strings") {
  const auto strings = test::shared_material("material/names/blns.json");
  const auto verdicts = test::shared_material("material/names/blns-as-node-names.json");
  if (!strings || !verdicts) {
    MESSAGE(test::not_run("515 naughty strings as node names"));
    return;
  }
  const auto wanted =
      nlohmann::json::parse(test::read_file(*verdicts)).at("accepted_as_node_name").get<std::vector<std::string>>();
  std::vector<std::string> good;
  for (const auto& text : nlohmann::json::parse(test::read_file(*strings)))
    if (accepted(text.get<std::string>())) good.push_back(text.get<std::string>());
  CHECK(good == wanted);
  CHECK(good.size() == 75);
}

}  // namespace
}  // namespace chash
