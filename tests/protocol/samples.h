// Every operation's request and response, filled at random through its fields; and what they look like as JSON, made by
// other code than ours. An operation that is added to the table is tested without a word here.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "chash/result.h"
#include "protocol/naive.h"
#include "protocol/operations.h"
#include "protocol/text.h"

namespace chash::test {

using protocol::AnyRequest;
using protocol::AnyResponse;
using protocol::for_each_field;
using protocol::Key;
using protocol::Operations;
using protocol::Record;
using Random = std::mt19937_64;

template <class T>
struct is_list : std::false_type {};
template <class T>
struct is_list<std::vector<T>> : std::true_type {};

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

inline std::string random_text(Random& random) {
  using namespace std::literals;
  static constexpr std::string_view pieces[] = {"a",  "node-1", " ",    "/",        "%2F",          "&",
                                                "=",  "+",      "?",    "#",        "\"",           "\\",
                                                "\n", "\t",     "\x01", "\x7f",     "\0"sv,         "{ring}",
                                                "..", "null",   "'",    "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x94\x91"};
  std::string text;
  for (std::size_t n = 1 + random() % 5; n > 0; --n) text += pieces[random() % std::size(pieces)];
  return text;
}

template <class T>
T random_value(Random& random) {
  if constexpr (std::is_same_v<T, bool>) {
    return random() % 2 == 0;
  } else if constexpr (std::is_unsigned_v<T>) {
    return static_cast<T>(random() >> random() % 64);
  } else if constexpr (std::is_floating_point_v<T>) {
    static constexpr T values[] = {0, 1, 0.1, 2.5, 1e6, 1e-300, 1e22, 1.0 / 3, 123456789, 5e-324, -0.75};
    return values[random() % std::size(values)];
  } else if constexpr (std::is_same_v<T, std::string>) {
    return random_text(random);
  } else if constexpr (std::is_same_v<T, Key>) {
    if (random() % 2 == 0) return Key{random_text(random)};
    std::string bytes(1 + random() % 20, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return Key{bytes};
  } else if constexpr (std::is_same_v<T, protocol::Texts>) {
    T texts;
    for (std::size_t n = random() % 4; n > 0; --n) texts.emplace_back(random_text(random), random_text(random));
    std::ranges::sort(texts);
    const auto twice = std::ranges::unique(texts, {}, [](const auto& text) { return text.first; });
    texts.erase(twice.begin(), twice.end());
    return texts;
  } else if constexpr (is_list<T>::value) {
    T list;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) list.push_back(random_value<typename T::value_type>(random));
    return list;
  } else if constexpr (is_optional<T>::value) {
    return random() % 3 == 0 ? T() : T(random_value<typename T::value_type>(random));
  } else {
    T record;
    for_each_field<T>([&](const auto& field) {
      auto& member = record.*field.member;
      using Member = std::remove_reference_t<decltype(member)>;
      // What may be left out is nothing now and then. A path has no room for that.
      const bool may_be_nothing = field.presence == protocol::Presence::optional && field.in != protocol::In::path;
      member = may_be_nothing && random() % 4 == 0 ? Member() : random_value<Member>(random);
    });
    return record;
  }
}

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (Record<T>) {
    bool equal = true;
    for_each_field<T>([&](const auto& field) { equal = equal && same(a.*field.member, b.*field.member); });
    return equal;
  } else if constexpr (std::is_same_v<T, protocol::Texts>) {
    T one = a, other = b;
    std::ranges::sort(one);
    std::ranges::sort(other);
    return one == other;
  } else if constexpr (is_optional<T>::value) {
    return a.has_value() == b.has_value() && (!a || same(*a, *b));
  } else if constexpr (is_list<T>::value) {
    return std::ranges::equal(a, b, [](const auto& one, const auto& other) { return same(one, other); });
  } else {
    return a == b;
  }
}

inline bool same(const AnyRequest& a, const AnyRequest& b) {
  return a.index() == b.index() && std::visit([&]<class T>(const T& typed) { return same(typed, std::get<T>(b)); }, a);
}
inline bool same(const AnyResponse& a, const AnyResponse& b) {
  return a.index() == b.index() && std::visit([&]<class T>(const T& typed) { return same(typed, std::get<T>(b)); }, a);
}

// What an optional field may leave out: nothing, none, zero, false.
inline bool says_nothing(const nlohmann::json& value) {
  return value.is_null() || value == "" || value == 0 || value == false || value == nlohmann::json::array() ||
         value == nlohmann::json::object();
}

// The JSON that the fields say, made by somebody else's code. An optional field that says nothing is left out, if that
// is what its reader takes it for then.
template <class T>
nlohmann::json expected_json(const T& value) {
  if constexpr (Record<T>) {
    nlohmann::json object = nlohmann::json::object();
    for_each_field<T>([&](const auto& field) {
      const auto& member = value.*field.member;
      using Member = std::remove_cvref_t<decltype(member)>;
      if constexpr (std::is_same_v<Member, Key>) {
        if (member.bytes.empty() && field.presence == protocol::Presence::optional) return;
        const bool text = naive_is_utf8(member.bytes);
        object[std::string(field.name) + (text ? "" : "_b64")] =
            text ? member.bytes : protocol::base64_encode(member.bytes);
      } else if constexpr (std::is_same_v<Member, std::vector<Key>>) {
        const bool text = std::ranges::all_of(member, [](const Key& key) { return naive_is_utf8(key.bytes); });
        nlohmann::json list = nlohmann::json::array();
        for (const Key& key : member) list.push_back(text ? key.bytes : protocol::base64_encode(key.bytes));
        object[std::string(field.name) + (text ? "" : "_b64")] = list;
      } else if constexpr (std::is_same_v<Member, protocol::Texts>) {
        if (member.empty() && field.presence == protocol::Presence::optional) return;
        auto& texts = object[std::string(field.name)] = nlohmann::json::object();
        for (const auto& [name, text] : member) texts[name] = text;
      } else {
        nlohmann::json said = expected_json(member);
        // Of an optional value only none is nothing: a 0 is not.
        const bool left_out =
            field.presence == protocol::Presence::optional &&
            (is_optional<Member>::value ? said.is_null()
                                        : says_nothing(said) && says_nothing(expected_json(T().*field.member)));
        if (!left_out) object[std::string(field.name)] = std::move(said);
      }
    });
    return object;
  } else if constexpr (is_optional<T>::value) {
    return value ? expected_json(*value) : nlohmann::json();
  } else if constexpr (is_list<T>::value) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(expected_json(item));
    return list;
  } else {
    return value;
  }
}

// Calls `visit.operator()<Op>(row)` for every operation.
template <class Visit>
void for_each_operation(Visit visit) {
  [&]<std::size_t... Row>(std::index_sequence<Row...>) {
    (visit.template operator()<std::tuple_element_t<Row, Operations>>(Row), ...);
  }(std::make_index_sequence<std::tuple_size_v<Operations>>{});
}

template <class Op, class Visit>
void with_random_requests(Visit visit) {
  Random random(41);
  for (int i = 0; i < 300; ++i) visit(random_value<typename Op::Request>(random));
}
template <class Op, class Visit>
void with_random_responses(Visit visit) {
  Random random(42);
  for (int i = 0; i < 100; ++i) visit(random_value<typename Op::Response>(random));
}

inline void refuses(const Result<AnyRequest>& outcome, Errc code, std::string_view message,
                    std::string_view hint = "") {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == code);
  CHECK(outcome.error().message == message);
  CHECK(outcome.error().hint == hint);
}

}  // namespace chash::test
