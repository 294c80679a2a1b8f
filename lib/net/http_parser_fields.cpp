// The fields of a head, and the trailers of a chunked body.
#include <algorithm>
#include <array>
#include <charconv>

#include "chash/limits.h"
#include "net/http_parser.h"
#include "net/http_text.h"

namespace chash::net {
namespace {

std::size_t find_line_end(std::string_view bytes, std::size_t at) {
  while (at < bytes.size() && bytes[at] != '\r' && bytes[at] != '\n') ++at;
  return at;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

// Fields that decide something here, and those of which a second one is refused: whoever read the other one of the two
// would see another request.
struct HttpParser::KnownField {
  std::string_view name;
  FieldKind kind = FieldKind::plain;
  bool single = true;

  static constexpr std::size_t count = 12;
  static const std::array<KnownField, count> rows;
};

constexpr std::array<HttpParser::KnownField, HttpParser::KnownField::count> HttpParser::KnownField::rows{{
    {"host", FieldKind::host},
    {"content-length", FieldKind::content_length},
    {"transfer-encoding", FieldKind::transfer_encoding},
    {"connection", FieldKind::connection, false},
    {"expect", FieldKind::expect, false},
    {"content-type"},
    {"authorization"},
    {"origin"},
    {"referer"},
    {"sec-fetch-site"},
    {"if-modified-since"},
    {"if-unmodified-since"},
}};

std::size_t HttpParser::read_lines(std::string_view bytes) {
  const Phase phase = phase_;
  const std::size_t taken = run(bytes);
  now_.left -= taken;
  if (!check_lines(bytes.substr(0, taken))) return taken;
  if (phase_ == phase && now_.left == 0)
    fail(431, "the header fields are longer than " + std::to_string(limits::head_bytes) + " bytes");
  if (phase_ == Phase::body) begin_body();
  return taken;
}

// Every line ends with CR LF, and none continues the one before. Other control bytes llhttp finds.
bool HttpParser::check_lines(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char last = at == 0 ? now_.last : bytes[at - 1];
    if (last != '\r' && last != '\n') at = find_line_end(bytes, at);  // most bytes
    if (at == bytes.size()) break;
    const char c = bytes[at];
    if ((last == '\r') != (c == '\n')) return fail(400, "a line does not end with CR LF"), false;
    if (last == '\n' && is_blank(c)) return fail(400, "a header field is folded, or starts with a blank"), false;
  }
  if (!bytes.empty()) now_.last = bytes.back();
  return true;
}

void HttpParser::end_field_name(HttpField& field) {
  now_.kind = FieldKind::plain;
  // A byte that may not be in a name became 0: such as a blank before the colon, which llhttp lets pass.
  if (field.name.empty() || field.name.find('\0') != std::string::npos)
    return fail(400, "a header field has an empty name, or one with a byte that is not allowed in it");
  if (++now_.field_count > limits::head_fields)
    return fail(431, "there are more than " + std::to_string(limits::head_fields) + " header fields");
  if (phase_ == Phase::trailers) return;

  const auto row = std::ranges::find(KnownField::rows, field.name, &KnownField::name);
  if (row == KnownField::rows.end()) return;
  const std::uint32_t bit = 1u << (row - KnownField::rows.begin());
  if (row->single && (now_.singles_seen & bit) != 0)
    return fail(400, "there is more than one " + field.name + " field");
  now_.singles_seen |= bit;
  now_.kind = row->kind;

  now_.has_length |= row->kind == FieldKind::content_length;
  now_.chunked |= row->kind == FieldKind::transfer_encoding;
  if (now_.has_length && now_.chunked) return fail(400, "there is a content-length field beside transfer-encoding");
  if (now_.chunked && request_.minor_version == 0) return fail(400, "there is no transfer-encoding in http/1.0");
}

void HttpParser::end_field_value(HttpField& field) {
  if (phase_ == Phase::trailers) return request_.fields.pop_back();  // none of them means anything to us
  field.value.resize(field.value.find_last_not_of(" \t") + 1);
  const std::string& value = field.value;
  switch (now_.kind) {
    case FieldKind::plain: return;
    case FieldKind::host:
      if (!split_authority(value)) fail(400, "the host field " + shown(value) + " is not a host name or address");
      return;
    case FieldKind::content_length: {
      const char* end = value.data() + value.size();
      const auto [stop, error] = std::from_chars(value.data(), end, now_.body_length);
      if (error != std::errc{} || stop != end) fail(400, "the content-length " + shown(value) + " is not a number");
      return;
    }
    case FieldKind::transfer_encoding:
      if (!equal_ignoring_case(value, "chunked")) fail(400, "the transfer encoding is not chunked");
      return;
    case FieldKind::connection: return read_connection_field(value);
    case FieldKind::expect:
      if (equal_ignoring_case(value, "100-continue") && request_.minor_version == 1) request_.expects_continue = true;
      return;
  }
}

void HttpParser::read_connection_field(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (!std::ranges::all_of(option, as_token)) return fail(400, "the connection field is not a list of names");
    if (equal_ignoring_case(option, "close")) now_.says_close = true;
    if (equal_ignoring_case(option, "keep-alive")) now_.says_keep_alive = true;
  }
}

}  // namespace chash::net
