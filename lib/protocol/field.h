// Field: one member of a request or a response, named once for every surface.
//
// A record is a struct with `static constexpr auto fields()`, a tuple of Field. JSON both ways, URL reading, the
// OpenAPI document and the help texts are all made from it; there is no second list of members anywhere.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace chash::protocol {

// Where HTTP puts a request's field. The socket protocol has them all in one object.
enum class In : unsigned char { path, query, body };

enum class Presence : unsigned char { required, optional };

template <class Record, class Value>
struct Field {
  std::string_view name;
  Value Record::*member;
  std::string_view help;
  In in = In::body;
  Presence presence = Presence::required;
};

// Written out for clang 16, which does not deduce aggregates.
template <class Record, class Value>
Field(std::string_view, Value Record::*, std::string_view, In = In::body, Presence = Presence::required)
    -> Field<Record, Value>;

template <class T>
concept Record = requires { T::fields(); };

template <Record T, class Visit>
constexpr void for_each_field(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, T::fields());
}

// A key: any bytes. In JSON it is a string where the bytes are UTF-8, else base64 under the same name with `_b64`
// behind it.
struct Key {
  std::string bytes;
  friend bool operator==(const Key&, const Key&) = default;
};
inline constexpr std::string_view base64_suffix = "_b64";

// Texts by name: an object of strings in JSON.
using Texts = std::vector<std::pair<std::string, std::string>>;

template <class Value>
constexpr bool holds_keys = std::is_same_v<Value, Key> || std::is_same_v<Value, std::vector<Key>>;

}  // namespace chash::protocol
