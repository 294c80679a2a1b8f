// Records as JSON, both ways, made from their fields. Only the codec's own files include this: it brings nlohmann's
// header.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "chash/result.h"
#include "protocol/codec.h"
#include "protocol/field.h"
#include "protocol/operations.h"
#include "protocol/text.h"

namespace chash::protocol {

using nlohmann::json;

// How much of somebody else's text stands in our messages.
inline constexpr std::size_t quoted_bytes = 64;

// --- Writing: straight into the reply, in the order of the fields ---------------------------------------------------

template <class Number>
void append_number(Number value, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if constexpr (std::is_floating_point_v<Number>)
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a float for typed readers
}

inline void append(bool value, std::string& out) { out += value ? "true" : "false"; }
inline void append(std::uint32_t value, std::string& out) { append_number(value, out); }
inline void append(std::uint64_t value, std::string& out) { append_number(value, out); }
inline void append(double value, std::string& out) { append_number(value, out); }
inline void append(const std::string& value, std::string& out) { append_json_string(value, out); }

template <Record T>
void append(const T& record, std::string& out);
template <class T>
void append(const std::optional<T>& value, std::string& out);

template <class T>
void append(const std::vector<T>& list, std::string& out) {
  out += '[';
  for (const T& item : list) {
    if (&item != list.data()) out += ',';
    append(item, out);
  }
  out += ']';
}

inline void append(const Texts& texts, std::string& out) {
  out += '{';
  for (const auto& [name, text] : texts) {
    if (&name != &texts.front().first) out += ',';
    append_json_string(name, out);
    out += ':';
    append_json_string(text, out);
  }
  out += '}';
}

template <class T>
void append(const std::optional<T>& value, std::string& out) {
  append(*value, out);
}

template <class T>
bool is_nothing(const std::optional<T>& value) {
  return !value.has_value();
}
inline bool is_nothing(const Key& key) { return key.bytes.empty(); }
template <class T>
bool is_nothing(const T& value) {
  if constexpr (requires { value.empty(); }) return value.empty();
  else if constexpr (std::is_arithmetic_v<T>) return value == T();
  else return false;
}

// What is optional and says nothing is left out, where the reader takes it for the same.
template <class Field, Record T>
bool is_left_out(const Field& field, const T& record) {
  static const T defaults;
  return field.presence == Presence::optional && is_nothing(record.*field.member) && is_nothing(defaults.*field.member);
}

inline void append_member(std::string_view name, const Key& key, std::string& out) {
  append_key_member(name, key.bytes, out);
}

// A list of keys is all text or all base64: one look tells the reader which.
inline void append_member(std::string_view name, const std::vector<Key>& keys, std::string& out) {
  const bool text = std::ranges::all_of(keys, [](const Key& key) { return is_utf8(key.bytes); });
  out += '"';
  out += name;
  if (!text) out += base64_suffix;
  out += "\":[";
  for (const Key& key : keys) {
    if (&key != keys.data()) out += ',';
    append_json_string(text ? key.bytes : base64_encode(key.bytes), out);
  }
  out += ']';
}

template <class T>
void append_member(std::string_view name, const T& value, std::string& out) {
  out += '"';
  out += name;
  out += "\":";
  append(value, out);
}

// The members of a record, without its braces; `wanted` chooses among the fields.
template <Record T, class Wanted>
void append_members(const T& record, std::string& out, Wanted wanted) {
  bool first = true;
  for_each_field<T>([&](const auto& field) {
    if (!wanted(field) || is_left_out(field, record)) return;
    if (!std::exchange(first, false)) out += ',';
    append_member(field.name, record.*field.member, out);
  });
}

template <Record T>
void append(const T& record, std::string& out) {
  out += '{';
  append_members(record, out, [](const auto&) { return true; });
  out += '}';
}

// --- Reading --------------------------------------------------------------------------------------------------------

enum class Unknown : unsigned char { refuse, skip };

inline Error bad_field(std::string_view name, std::string_view wanted) {
  return make_error(Errc::invalid_argument, "'" + std::string(name) + "' must be " + std::string(wanted));
}

template <class Whole>
std::string whole_number_text() {
  return "a whole number from 0 to " + std::to_string(std::numeric_limits<Whole>::max());
}

inline Result<void> read(const json& from, std::string_view name, bool& to, Unknown = Unknown::refuse) {
  if (!from.is_boolean()) return bad_field(name, "true or false");
  to = from.get<bool>();
  return {};
}

template <std::unsigned_integral Whole>
Result<void> read(const json& from, std::string_view name, Whole& to, Unknown) {
  if (!from.is_number_unsigned() || from.get<std::uint64_t>() > std::numeric_limits<Whole>::max())
    return bad_field(name, whole_number_text<Whole>());
  to = from.get<Whole>();
  return {};
}

inline Result<void> read(const json& from, std::string_view name, double& to, Unknown = Unknown::refuse) {
  if (!from.is_number() || !std::isfinite(from.get<double>())) return bad_field(name, "a number");
  to = from.get<double>();
  return {};
}

inline Result<void> read(const json& from, std::string_view name, std::string& to, Unknown = Unknown::refuse) {
  if (!from.is_string()) return bad_field(name, "a string");
  to = from.get_ref<const std::string&>();
  return {};
}

inline Result<void> read(const json& from, std::string_view name, Key& to, Unknown = Unknown::refuse) {
  return read(from, name, to.bytes);
}

inline Result<void> read(const json& from, std::string_view name, Texts& to, Unknown = Unknown::refuse) {
  if (!from.is_object()) return bad_field(name, "an object of strings");
  to.clear();
  for (const auto& [member, text] : from.items()) {
    if (!text.is_string()) return bad_field(name, "an object of strings");
    to.emplace_back(member, text.get_ref<const std::string&>());
  }
  return {};
}

template <Record T>
Result<void> read(const json& from, std::string_view name, T& to, Unknown unknown);
template <class T>
Result<void> read(const json& from, std::string_view name, std::optional<T>& to, Unknown unknown);

template <class T>
Result<void> read(const json& from, std::string_view name, std::vector<T>& to, Unknown unknown) {
  if (!from.is_array()) return bad_field(name, "a list");
  to.clear();
  to.reserve(from.size());
  for (const json& item : from) {
    T value{};
    if (auto ok = read(item, name, value, unknown); !ok) return ok;
    to.push_back(std::move(value));
  }
  return {};
}

template <class T>
Result<void> read(const json& from, std::string_view name, std::optional<T>& to, Unknown unknown) {
  return read(from, name, to.emplace(), unknown);
}

inline Result<void> from_base64(std::string_view name, Key& key) {
  auto bytes = base64_decode(key.bytes);
  if (!bytes) return bad_field(std::string(name) + std::string(base64_suffix), "base64 with padding");
  key.bytes = std::move(*bytes);
  return {};
}
inline Result<void> from_base64(std::string_view name, std::vector<Key>& keys) {
  for (Key& key : keys)
    if (auto ok = from_base64(name, key); !ok) return ok;
  return {};
}

// Reads one field out of an object, under either of its names.  Returns how many members it took: 0, or 1.
template <class Field, class T>
Result<std::size_t> read_field(const json& object, const Field& field, T& record, Unknown unknown) {
  auto& value = record.*field.member;
  std::size_t taken = 0;
  if (const auto at = object.find(field.name); at != object.end()) {
    if (auto ok = read(*at, field.name, value, unknown); !ok) return std::move(ok).error();
    ++taken;
  }
  if constexpr (holds_keys<std::remove_cvref_t<decltype(value)>>) {
    if (const auto at = object.find(std::string(field.name) + std::string(base64_suffix)); at != object.end()) {
      if (taken != 0)
        return make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is given as text and as base64");
      if (auto ok = read(*at, field.name, value, unknown); !ok) return std::move(ok).error();
      if (auto ok = from_base64(field.name, value); !ok) return std::move(ok).error();
      ++taken;
    }
  }
  if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string>)
    if (taken != 0 && unknown == Unknown::refuse && is_left_out(field, record))
      return bad_field(field.name, "a text that is not empty");
  if (taken == 0 && field.presence == Presence::required)
    return make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is missing");
  return taken;
}

template <Record T>
std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for_each_field<T>([&](const auto& field) { names.push_back(field.name); });
  return names;
}

template <Record T>
Error unknown_field(std::string_view name) {
  const std::string_view meant = nearest(name, field_names<T>());
  return make_error(Errc::invalid_argument, "unknown field '" + printable(name, quoted_bytes) + "'",
                    meant.empty() ? "" : "did you mean '" + std::string(meant) + "'?");
}

template <Record T>
bool is_field(std::string_view name) {
  bool found = false;
  for_each_field<T>([&](const auto& field) {
    using Value = std::remove_cvref_t<decltype(std::declval<T>().*field.member)>;
    found |= name == field.name;
    if constexpr (holds_keys<Value>)
      found |= name.starts_with(field.name) && name.substr(field.name.size()) == base64_suffix;
  });
  return found;
}

// The first member that is no field. `beside` is one that may stand there too: the socket's `op`.
template <Record T>
std::optional<Error> find_unknown(const json& object, std::string_view beside) {
  for (const auto& [name, value] : object.items())
    if (name != beside && !is_field<T>(name)) return unknown_field<T>(name);
  return std::nullopt;
}

template <Record T>
Result<void> read_record(const json& object, T& record, Unknown unknown, std::string_view beside = {}) {
  Result<void> outcome;
  std::size_t taken = beside.empty() ? 0 : 1;
  for_each_field<T>([&](const auto& field) {
    if (!outcome) return;
    auto members = read_field(object, field, record, unknown);
    if (members) taken += *members;
    else outcome = std::move(members).error();
  });
  if (unknown == Unknown::skip || (outcome && taken == object.size())) return outcome;
  // A misspelt name is the better news than the right one that it leaves missing.
  if (auto error = find_unknown<T>(object, beside)) return std::move(*error);
  return outcome;
}

template <Record T>
Result<void> read(const json& from, std::string_view name, T& to, Unknown unknown) {
  if (!from.is_object()) return bad_field(name, "an object");
  return read_record(from, to, unknown);
}

// The row's own function for each row, by number: the runtime half of the table.
template <class Result, class... Args, class MakeRow>
Result call_row(std::size_t row, MakeRow make, Args&&... args) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    Result result;
    const bool found =
        ((I == row && (result = make.template operator()<std::tuple_element_t<I, Operations>>(args...), true)) || ...);
    return found ? std::move(result) : Result(make_error(Errc::internal, "no such row"));
  }(std::make_index_sequence<std::tuple_size_v<Operations>>{});
}

// What an error object of the socket, or a problem document, says.
inline Error error_from(const json& object, Errc fallback) {
  const auto text = [&](const char* name) {
    const auto at = object.find(name);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const std::string message = text("message").empty() ? text("detail") : text("message");
  Error error = make_error(errc_from_name(text("code")).value_or(fallback), message, text("hint"));
  if (const auto at = object.find("plan"); at != object.end() && at->is_object())
    if (Plan plan; read_record(*at, plan, Unknown::skip)) append(plan, error.plan);
  return error;
}

}  // namespace chash::protocol
