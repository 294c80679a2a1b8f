// Requests as HTTP has them: a path, a query and a body, each field in the place that operations.h gives it.
#include "protocol/codec.h"

#include <algorithm>

#include "protocol/json.h"
#include "protocol/record_json.h"

namespace chash::protocol {
namespace {

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
Result<void> from_url(std::string_view text, std::string_view name, std::optional<T>& to)
  requires requires(T& value) { from_url(text, name, value); }
{
  return from_url(text, name, to.emplace());
}

template <class T>
constexpr bool fits_url = requires(T& to) { from_url(std::string_view(), std::string_view(), to); };

void to_url(const std::string& value, std::vector<std::string>& texts) { texts.push_back(value); }
void to_url(const Key& value, std::vector<std::string>& texts) { texts.push_back(value.bytes); }
void to_url(bool value, std::vector<std::string>& texts) { texts.push_back(value ? "true" : "false"); }
void to_url(std::uint32_t value, std::vector<std::string>& texts) { texts.push_back(std::to_string(value)); }
void to_url(std::uint64_t value, std::vector<std::string>& texts) { texts.push_back(std::to_string(value)); }
template <class T>
void to_url(const std::optional<T>& value, std::vector<std::string>& texts) {
  to_url(*value, texts);
}
void to_url(const std::vector<std::string>& value, std::vector<std::string>& texts) { texts = value; }

// A name that is no field here; perhaps it is one in another part of the request.
template <Record T>
Error misplaced_field(std::string_view name) {
  Error error = unknown_field<T>(name);
  for_each_field<T>([&](const auto& field) {
    if (field.name != name) return;
    const std::string_view part = field.in == In::path ? "path" : field.in == In::query ? "query" : "body";
    error.message = "'" + std::string(name) + "' does not belong here";
    error.hint = "it stands in the " + std::string(part);
  });
  return error;
}

template <Record T>
Result<void> read_parameters(const Parameters& from, In in, T& request, std::vector<std::string_view>& seen) {
  for (const auto& [name, text] : from) {
    bool known = false;
    Result<void> outcome;
    for_each_field<T>([&](const auto& field) {
      using Value = std::remove_cvref_t<decltype(request.*field.member)>;
      if (field.in != in || field.name != name) return;
      if constexpr (fits_url<Value>) {
        known = true;
        constexpr bool repeats = std::is_same_v<Value, std::vector<std::string>>;
        if (!repeats && std::ranges::find(seen, field.name) != seen.end()) {
          outcome = make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is given twice");
        } else {
          outcome = from_url(text, field.name, request.*field.member);
          if constexpr (std::is_same_v<Value, std::string>)
            if (outcome && is_left_out(field, request)) outcome = bad_field(field.name, "a text that is not empty");
          seen.push_back(field.name);
        }
      }
    });
    if (!known) return misplaced_field<T>(name);
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
    if (elsewhere || !is_field<T>(name)) return misplaced_field<T>(name);
  }
  Result<void> outcome;
  for_each_field<T>([&](const auto& field) {
    if (!outcome || field.in != In::body) return;
    if (auto members = read_field(*document, field, request, Unknown::refuse); !members)
      outcome = std::move(members).error();
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
    if (field.in != In::body && field.presence == Presence::required &&
        std::ranges::find(seen, field.name) == seen.end())
      complete = make_error(Errc::invalid_argument, "'" + std::string(field.name) + "' is missing from the query");
  });
  if (!complete) return std::move(complete).error();
  return AnyRequest(std::move(request));
}

// Longer paths than any of ours are cut: a path of slashes is not to become a list.
constexpr std::size_t most_segments = 8;

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size() && parts.size() <= most_segments;) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool is_path_field(std::string_view segment) { return segment.starts_with('{'); }

}  // namespace

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
            if (is_left_out(field, typed) && field.in != In::path) return;
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
  return call_row<Result<AnyRequest>>(row, [&]<class Op>() { return request_from_http<Op>(path_fields, query, body); });
}

std::string encode_problem(const Error& error, int http_status, std::string_view title) {
  const ErrcInfo& row = info(error.code);
  std::string out = R"({"type":"about:blank","title":)";
  append_json_string(title.empty() ? row.title : title, out);
  out += ",\"status\":" + std::to_string(http_status) + ",\"detail\":";
  append_json_string(error.message, out);
  out += ",\"code\":";
  append_json_string(row.name, out);
  if (!error.hint.empty()) {
    out += ",\"hint\":";
    append_json_string(error.hint, out);
  }
  if (!error.plan.empty()) out += ",\"plan\":" + error.plan;
  out += '}';
  return out;
}

Error decode_problem(int http_status, std::string_view body) {
  const auto row = std::ranges::find(errc_table, http_status, &ErrcInfo::http_status);
  Errc fallback = row == errc_table.end() ? Errc::internal : row->code;
  if (fallback == Errc::empty_ring) fallback = Errc::busy;  // 503 alone, from a proxy say, tells nothing of the ring
  auto document = parse_json(body);
  Error error = document && document->is_object() ? error_from(*document, fallback) : Error{fallback, {}, {}};
  if (error.message.empty()) error.message = "the server answered HTTP status " + std::to_string(http_status);
  return error;
}

}  // namespace chash::protocol
