#include "protocol/codec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "protocol/json.h"
#include "protocol/text.h"

namespace chash::protocol {
namespace {

using nlohmann::json;

constexpr std::size_t quoted_bytes = 64;  // of somebody else's text in our messages

constexpr std::string_view base64_suffix = "_b64";

// --- Writing: straight into the reply, in the order of the fields -----------------------------------------------------

template <class Number>
void append_number(Number value, std::string& out) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if constexpr (std::is_floating_point_v<Number>)
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a float for typed readers
}

void append(bool value, std::string& out) { out += value ? "true" : "false"; }
void append(std::uint32_t value, std::string& out) { append_number(value, out); }
void append(std::uint64_t value, std::string& out) { append_number(value, out); }
void append(double value, std::string& out) { append_number(value, out); }
void append(const std::string& value, std::string& out) { append_json_string(value, out); }

template <Record T>
void append(const T& record, std::string& out);

template <class T>
void append(const std::vector<T>& list, std::string& out) {
  out += '[';
  for (const T& item : list) {
    if (&item != list.data()) out += ',';
    append(item, out);
  }
  out += ']';
}

void append_member(std::string_view name, const Key& key, std::string& out) {
  append_key_member(name, key.bytes, out);
}

// A list of keys is all text or all base64: one look tells the reader which.
void append_member(std::string_view name, const std::vector<Key>& keys, std::string& out) {
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
    if (!wanted(field)) return;
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

// --- Reading -----------------------------------------------------------------------------------------------------------

enum class Unknown : unsigned char { refuse, skip };

Error bad_field(std::string_view name, std::string_view wanted) {
  return make_error(Errc::invalid_argument, "'" + std::string(name) + "' must be " + std::string(wanted));
}

template <class Whole>
std::string whole_number_text() {
  return "a whole number from 0 to " + std::to_string(std::numeric_limits<Whole>::max());
}

Result<void> read(const json& from, std::string_view name, bool& to) {
  if (!from.is_boolean()) return bad_field(name, "true or false");
  to = from.get<bool>();
  return {};
}

template <std::unsigned_integral Whole>
Result<void> read(const json& from, std::string_view name, Whole& to) {
  if (!from.is_number_unsigned() || from.get<std::uint64_t>() > std::numeric_limits<Whole>::max())
    return bad_field(name, whole_number_text<Whole>());
  to = from.get<Whole>();
  return {};
}

Result<void> read(const json& from, std::string_view name, double& to) {
  if (!from.is_number() || !std::isfinite(from.get<double>())) return bad_field(name, "a number");
  to = from.get<double>();
  return {};
}

Result<void> read(const json& from, std::string_view name, std::string& to) {
  if (!from.is_string()) return bad_field(name, "a string");
  to = from.get_ref<const std::string&>();
  return {};
}

Result<void> read(const json& from, std::string_view name, Key& to) { return read(from, name, to.bytes); }

template <Record T>
Result<void> read(const json& from, std::string_view name, T& to);

template <class T>
Result<void> read(const json& from, std::string_view name, std::vector<T>& to) {
  if (!from.is_array()) return bad_field(name, "a list");
  to.clear();
  to.reserve(from.size());
  for (const json& item : from) {
    T value{};
    if (auto ok = read(item, name, value); !ok) return ok;
    to.push_back(std::move(value));
  }
  return {};
}

Result<void> from_base64(std::string_view name, Key& key) {
  auto bytes = base64_decode(key.bytes);
  if (!bytes) return bad_field(std::string(name) + std::string(base64_suffix), "base64 with padding");
  key.bytes = std::move(*bytes);
  return {};
}
Result<void> from_base64(std::string_view name, std::vector<Key>& keys) {
  for (Key& key : keys)
    if (auto ok = from_base64(name, key); !ok) return ok;
  return {};
}

template <class T>
constexpr bool holds_keys = std::is_same_v<T, Key> || std::is_same_v<T, std::vector<Key>>;

// Reads one field out of an object, under either of its names.  Returns how many members it took: 0, or 1.
template <class Field, class T>
Result<std::size_t> read_field(const json& object, const Field& field, T& record) {
  auto& value = record.*field.member;
  std::size_t taken = 0;
  if (const auto at = object.find(field.name); at != object.end()) {
    if (auto ok = read(*at, field.name, value); !ok) return std::move(ok).error();
    ++taken;
  }
  if constexpr (holds_keys<std::remove_cvref_t<decltype(value)>>) {
    if (const auto at = object.find(std::string(field.name) + std::string(base64_suffix)); at != object.end()) {
      if (taken != 0)
        return make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is given as text and as base64");
      if (auto ok = read(*at, field.name, value); !ok) return std::move(ok).error();
      if (auto ok = from_base64(field.name, value); !ok) return std::move(ok).error();
      ++taken;
    }
  }
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

// `op` is the socket's own member beside the fields.
template <Record T>
Result<void> read_record(const json& object, T& record, Unknown unknown, std::string_view beside = {}) {
  Result<void> outcome;
  std::size_t taken = 0;
  for_each_field<T>([&](const auto& field) {
    if (!outcome) return;
    auto members = read_field(object, field, record);
    if (members) taken += *members;
    else outcome = std::move(members).error();
  });
  if (!outcome || unknown == Unknown::skip) return outcome;
  if (taken + (beside.empty() ? 0 : 1) == object.size()) return {};
  for (const auto& [name, value] : object.items())
    if (name != beside && !is_field<T>(name)) return unknown_field<T>(name);
  return {};
}

template <Record T>
Result<void> read(const json& from, std::string_view name, T& to) {
  if (!from.is_object()) return bad_field(name, "an object");
  return read_record(from, to, Unknown::refuse);
}

// The row's own function for each row, by number: the runtime half of the table.
template <class Result, class... Args, class MakeRow>
Result call_row(std::size_t row, MakeRow make, Args&&... args) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    Result result;
    const bool found = ((I == row && (result = make.template operator()<std::tuple_element_t<I, Operations>>(args...), true)) || ...);
    return found ? std::move(result) : Result(make_error(Errc::internal, "no such row"));
  }(std::make_index_sequence<std::tuple_size_v<Operations>>{});
}

Result<AnyResponse> response_from(std::size_t row, const json& object) {
  return call_row<Result<AnyResponse>>(row, [&]<class Op>() -> Result<AnyResponse> {
    typename Op::Response response;
    if (!object.is_object()) return make_error(Errc::internal, "the answer is not an object");
    if (auto ok = read_record(object, response, Unknown::skip); !ok) return std::move(ok).error();
    return AnyResponse(std::move(response));
  });
}

Error error_from(const json& object, Errc fallback) {
  const auto text = [&](const char* name) {
    const auto at = object.find(name);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const std::string message = text("message").empty() ? text("detail") : text("message");
  return make_error(errc_from_name(text("code")).value_or(fallback), message, text("hint"));
}

// --- URL values ------------------------------------------------------------------------------------------------------------

Result<void> from_url(std::string_view text, std::string_view, std::string& to) {
  to = text;
  return {};
}
Result<void> from_url(std::string_view text, std::string_view, Key& to) {
  to.bytes = text;
  return {};
}
Result<void> from_url(std::string_view text, std::string_view name, bool& to) {
  if (text != "true" && text != "false") return bad_field(name, "true or false");
  to = text == "true";
  return {};
}
template <std::unsigned_integral Whole>
Result<void> from_url(std::string_view text, std::string_view name, Whole& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (error != std::errc() || end != text.data() + text.size()) return bad_field(name, whole_number_text<Whole>());
  return {};
}
Result<void> from_url(std::string_view text, std::string_view, std::vector<std::string>& to) {
  to.emplace_back(text);
  return {};
}

template <class T>
constexpr bool fits_url = requires(T& to) { from_url(std::string_view(), std::string_view(), to); };

void to_url(const std::string& value, std::vector<std::string>& texts) { texts.push_back(value); }
void to_url(const Key& value, std::vector<std::string>& texts) { texts.push_back(value.bytes); }
void to_url(bool value, std::vector<std::string>& texts) { texts.push_back(value ? "true" : "false"); }
void to_url(std::uint32_t value, std::vector<std::string>& texts) { texts.push_back(std::to_string(value)); }
void to_url(const std::vector<std::string>& value, std::vector<std::string>& texts) { texts = value; }

template <Record T>
Result<void> read_parameters(const Parameters& from, In in, T& request, std::vector<std::string_view>& seen) {
  for (const auto& [name, text] : from) {
    Result<void> outcome = unknown_field<T>(name);
    for_each_field<T>([&](const auto& field) {
      using Value = std::remove_cvref_t<decltype(request.*field.member)>;
      if (field.in != in || field.name != name) return;
      if constexpr (fits_url<Value>) {
        constexpr bool repeats = std::is_same_v<Value, std::vector<std::string>>;
        if (!repeats && std::ranges::find(seen, field.name) != seen.end()) {
          outcome = make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is given twice");
        } else {
          outcome = from_url(text, field.name, request.*field.member);
          seen.push_back(field.name);
        }
      }
    });
    if (!outcome) return outcome;
  }
  return {};
}

template <Record T>
constexpr bool has_body() {
  bool found = false;
  for_each_field<T>([&](const auto& field) { found |= field.in == In::body; });
  return found;
}

template <Record T>
Result<void> read_body(std::string_view body, T& request) {
  if (!has_body<T>() && !body.empty())
    return make_error(Errc::invalid_request, "this operation takes no body", "put its fields in the query");
  if (!has_body<T>()) return {};
  auto document = parse_json(body);
  if (!document) return std::move(document).error();
  if (!document->is_object()) return make_error(Errc::invalid_request, "the body must be a JSON object");
  for (const auto& [name, value] : document->items()) {
    bool elsewhere = false;
    for_each_field<T>([&](const auto& field) { elsewhere |= field.name == name && field.in != In::body; });
    if (elsewhere || !is_field<T>(name)) return unknown_field<T>(name);
  }
  Result<void> outcome;
  for_each_field<T>([&](const auto& field) {
    if (!outcome || field.in != In::body) return;
    if (auto members = read_field(*document, field, request); !members) outcome = std::move(members).error();
  });
  return outcome;
}

template <class Op>
Result<AnyRequest> request_from_http(const Parameters& path_fields, const Parameters& query, std::string_view body) {
  typename Op::Request request;
  std::vector<std::string_view> seen;
  if (auto ok = read_parameters(path_fields, In::path, request, seen); !ok) return std::move(ok).error();
  if (auto ok = read_parameters(query, In::query, request, seen); !ok) return std::move(ok).error();
  if (auto ok = read_body(body, request); !ok) return std::move(ok).error();
  Result<void> complete;
  for_each_field<typename Op::Request>([&](const auto& field) {
    if (field.in != In::body && field.presence == Presence::required && std::ranges::find(seen, field.name) == seen.end())
      complete = make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is missing from the query");
  });
  if (!complete) return std::move(complete).error();
  return AnyRequest(std::move(request));
}

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool is_path_field(std::string_view segment) {
  return segment.starts_with('{');
}

}  // namespace

// --- The socket ---------------------------------------------------------------------------------------------------------------

std::string encode_request(const AnyRequest& request) {
  std::string line = "{\"op\":\"";
  line += info(request).name;
  line += '"';
  std::visit(
      [&](const auto& typed) {
        std::string members;
        append_members(typed, members, [](const auto&) { return true; });
        if (!members.empty()) line += ',' + members;
      },
      request);
  line += '}';
  return line;
}

Result<AnyRequest> decode_request(std::string_view line) {
  auto document = parse_json(line);
  if (!document) return std::move(document).error();
  if (!document->is_object())
    return make_error(Errc::invalid_request, "a request must be a JSON object", R"(for example {"op":"ping"})");
  const auto op = document->find("op");
  if (op == document->end() || !op->is_string())
    return make_error(Errc::invalid_request, "a request needs an 'op', a string", R"(for example {"op":"ping"})");

  const std::string& wanted = op->get_ref<const std::string&>();
  const auto at = std::ranges::find(operation_table, wanted, &OperationInfo::name);
  if (at == operation_table.end()) {
    std::vector<std::string_view> names;
    for (const OperationInfo& row : operation_table) names.push_back(row.name);
    const std::string_view meant = nearest(wanted, names);
    return make_error(Errc::invalid_request, "unknown operation '" + printable(wanted, quoted_bytes) + "'",
                      meant.empty() ? "see chash-protocol(7)" : "did you mean '" + std::string(meant) + "'?");
  }
  return call_row<Result<AnyRequest>>(
      static_cast<std::size_t>(at - operation_table.begin()), [&]<class Op>() -> Result<AnyRequest> {
        typename Op::Request request;
        if (auto ok = read_record(*document, request, Unknown::refuse, "op"); !ok) return std::move(ok).error();
        return AnyRequest(std::move(request));
      });
}

void encode_reply(const Result<AnyResponse>& reply, std::string& out) {
  if (reply) {
    out += "{\"ok\":";
    encode_response(*reply, out);
    out += '}';
  } else {
    out += encode_error(reply.error());
  }
  out += '\n';
}

Result<AnyResponse> decode_reply(std::size_t row, std::string_view line) {
  auto document = parse_json(line);
  if (!document || !document->is_object()) return make_error(Errc::internal, "the daemon's answer is not a JSON object");
  if (const auto ok = document->find("ok"); ok != document->end()) return response_from(row, *ok);
  if (const auto error = document->find("error"); error != document->end() && error->is_object())
    return error_from(*error, Errc::internal);
  return make_error(Errc::internal, "the daemon's answer has neither 'ok' nor 'error'");
}

// --- HTTP ------------------------------------------------------------------------------------------------------------------------

std::string_view name(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::del: return "DELETE";
  }
  return "";
}

HttpCall encode_http(const AnyRequest& request) {
  const OperationInfo& row = info(request);
  HttpCall call{row.method, std::string(row.path), {}};
  std::visit(
      [&]<class T>(const T& typed) {
        std::string query;
        for_each_field<T>([&](const auto& field) {
          using Value = std::remove_cvref_t<decltype(typed.*field.member)>;
          if constexpr (fits_url<Value>) {
            std::vector<std::string> texts;
            to_url(typed.*field.member, texts);
            if (field.in == In::path) {
              const std::string slot = "{" + std::string(field.name) + "}";
              call.target.replace(call.target.find(slot), slot.size(), percent_encode(texts.front()));
            } else if (field.in == In::query) {
              for (const std::string& text : texts)
                query += (query.empty() ? "?" : "&") + std::string(field.name) + '=' + percent_encode(text);
            }
          }
        });
        call.target += query;
        if (has_body<T>()) {
          call.body = "{";
          append_members(typed, call.body, [](const auto& field) { return field.in == In::body; });
          call.body += '}';
        }
      },
      request);
  return call;
}

RouteMatch match_route(Method method, std::string_view path) {
  RouteMatch match;
  const auto asked = segments(path);
  for (std::size_t row = 0; row < operation_table.size(); ++row) {
    const auto wanted = segments(operation_table[row].path);
    if (wanted.size() != asked.size()) continue;
    Parameters fields;
    bool fits = true;
    for (std::size_t i = 0; i < wanted.size() && fits; ++i) {
      if (!is_path_field(wanted[i])) {
        fits = wanted[i] == asked[i];
      } else if (auto value = percent_decode(asked[i]); value && !value->empty()) {
        fields.emplace_back(wanted[i].substr(1, wanted[i].size() - 2), std::move(*value));
      } else {
        fits = false;
      }
    }
    if (!fits) continue;
    match.allow.push_back(operation_table[row].method);
    if (operation_table[row].method != method) continue;
    match.row = row;
    match.path_fields = std::move(fields);
  }
  return match;
}

Result<Parameters> parse_query(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(pair.substr(std::min(pair.size(), equals + 1)));
    if (!name || !value)
      return make_error(Errc::invalid_request, "the query has a '%' that starts no escape", "write a '%' as %25");
    if (!name->empty() || !value->empty()) parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

Result<AnyRequest> decode_http(std::size_t row, const Parameters& path_fields, const Parameters& query,
                               std::string_view body) {
  return call_row<Result<AnyRequest>>(
      row, [&]<class Op>() { return request_from_http<Op>(path_fields, query, body); });
}

void encode_response(const AnyResponse& response, std::string& out) {
  std::visit([&](const auto& typed) { append(typed, out); }, response);
}

Result<AnyResponse> decode_response(std::size_t row, std::string_view body) {
  auto document = parse_json(body);
  if (!document) return make_error(Errc::internal, "the daemon's answer is not JSON");
  return response_from(row, *document);
}

std::string encode_problem(const Error& error, int http_status) {
  const ErrcInfo& row = info(error.code);
  std::string out = R"({"type":"about:blank","title":)";
  append_json_string(row.title, out);
  out += ",\"status\":" + std::to_string(http_status) + ",\"detail\":";
  append_json_string(error.message, out);
  out += ",\"code\":";
  append_json_string(row.name, out);
  if (!error.hint.empty()) {
    out += ",\"hint\":";
    append_json_string(error.hint, out);
  }
  out += '}';
  return out;
}

Error decode_problem(int http_status, std::string_view body) {
  const auto row = std::ranges::find(errc_table, http_status, &ErrcInfo::http_status);
  const Errc fallback = row == errc_table.end() ? Errc::internal : row->code;
  auto document = parse_json(body);
  Error error = document && document->is_object() ? error_from(*document, fallback) : Error{fallback, {}, {}};
  if (error.message.empty()) error.message = "the server answered HTTP status " + std::to_string(http_status);
  return error;
}

// --- Pieces ------------------------------------------------------------------------------------------------------------------------

void append_json_string(std::string_view text, std::string& out) {
  if (!is_utf8(text)) return append_json_string(printable(text, text.size()), out);
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr std::string_view hex = "0123456789abcdef";
          out += "\\u00";
          out += {hex[static_cast<unsigned char>(c) >> 4], hex[c & 15]};
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_key_member(std::string_view name, std::string_view key, std::string& out) {
  const bool text = is_utf8(key);
  out += '"';
  out += name;
  if (!text) out += base64_suffix;
  out += "\":";
  append_json_string(text ? std::string_view(key) : base64_encode(key), out);
}

std::string encode_error(const Error& error, std::optional<int> exit_status) {
  std::string out = "{\"error\":{\"code\":";
  append_json_string(info(error.code).name, out);
  if (exit_status) out += ",\"exit\":" + std::to_string(*exit_status);
  out += ",\"message\":";
  append_json_string(error.message, out);
  if (!error.hint.empty()) {
    out += ",\"hint\":";
    append_json_string(error.hint, out);
  }
  out += "}}";
  return out;
}

}  // namespace chash::protocol
