#include "net/http_parser.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "chash/limits.h"
#include "protocol/text.h"

namespace chash::net {
namespace {

// After the target and its space. llhttp would take RTSP/1.0, ICE/1.0, HTTP/0.9 and HTTP/2.0 there too.
constexpr std::string_view version_tail = "HTTP/1.x\r\n";
constexpr std::string_view line_end = "\r\n";
constexpr std::size_t line_bytes_before_version = limits::request_line_bytes - (version_tail.size() - line_end.size());

// Empty lines before a request that are skipped: RFC 9112 asks for one, after old clients that end a body with it.
constexpr std::size_t skipped_bytes = 2 * line_end.size();

// A chunk line without extensions: 64 bits of hex digits. What is longer counts against limits::head_bytes.
constexpr std::size_t plain_chunk_line_bytes = 16 + line_end.size();

// Lower case of the bytes that a token (a method, a field's name) may hold, 0 for all others.
constexpr auto token_lower = [] {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    if (is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos)
      table[i] = ascii_lower(c);
  }
  return table;
}();

char as_token(char c) { return token_lower[static_cast<unsigned char>(c)]; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_hex_digit(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }

std::size_t find_line_end(std::string_view bytes, std::size_t at) {
  while (at < bytes.size() && bytes[at] != '\r' && bytes[at] != '\n') ++at;
  return at;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Whether the start of a Transfer-Encoding may still become `chunked`, perhaps with blanks after it.
bool may_be_chunked(std::string_view value) {
  constexpr std::string_view chunked = "chunked";
  const std::string_view head = value.substr(0, chunked.size());
  return equal_ignoring_case(head, chunked.substr(0, head.size())) &&
         value.find_first_not_of(" \t", chunked.size()) == std::string_view::npos;
}

std::string shown(std::string_view bytes) { return protocol::printable(bytes, 64); }

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

// What llhttp calls. Spans come in pieces, cut where reads were cut; a failure ends the run at once. Memory that is not
// there ends the process: C code in between cannot be unwound.
struct HttpParser::Callbacks {
  static HttpParser& self(llhttp_t* llhttp) { return *static_cast<HttpParser*>(llhttp->data); }
  static int verdict(const HttpParser& parser) { return parser.phase_ == Phase::failed ? HPE_USER : HPE_OK; }

  static int on_url(llhttp_t* llhttp, const char* at, std::size_t size) noexcept {
    HttpParser& parser = self(llhttp);
    const std::string_view piece(at, size);
    if (std::ranges::all_of(piece, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
      parser.request_.target += piece;
    else parser.fail(400, "the request target holds a fragment or a byte that must be percent-encoded");
    return verdict(parser);
  }

  static int on_url_complete(llhttp_t* llhttp) noexcept {
    self(llhttp).phase_ = Phase::version;
    return HPE_PAUSED;
  }

  static int on_header_field(llhttp_t* llhttp, const char* at, std::size_t size) noexcept {
    HttpParser& parser = self(llhttp);
    auto& fields = parser.request_.fields;
    if (!std::exchange(parser.now_.in_field, true)) {
      if (fields.empty()) fields.reserve(8);  // what curl and browsers send to an API
      fields.emplace_back();
    }
    std::string& name = fields.back().name;
    const std::size_t old = name.size();
    name.append(at, size);
    std::transform(at, at + size, name.begin() + static_cast<std::ptrdiff_t>(old), as_token);
    return HPE_OK;
  }

  static int on_header_field_complete(llhttp_t* llhttp) noexcept {
    HttpParser& parser = self(llhttp);
    if (!parser.now_.in_field) on_header_field(llhttp, "", 0);
    parser.end_field_name(parser.request_.fields.back());
    return verdict(parser);
  }

  static int on_header_value(llhttp_t* llhttp, const char* at, std::size_t size) noexcept {
    HttpParser& parser = self(llhttp);
    std::string& value = parser.request_.fields.back().value;
    value.append(at, size);
    if (parser.now_.kind == FieldKind::transfer_encoding && !may_be_chunked(value))
      parser.fail(400, "the transfer encoding is not chunked");
    return verdict(parser);
  }

  static int on_header_value_complete(llhttp_t* llhttp) noexcept {
    HttpParser& parser = self(llhttp);
    parser.now_.in_field = false;
    parser.end_field_value(parser.request_.fields.back());
    return verdict(parser);
  }

  static int on_headers_complete(llhttp_t* llhttp) noexcept {
    self(llhttp).phase_ = Phase::body;
    return HPE_PAUSED;
  }

  static int on_chunk_header(llhttp_t* llhttp) noexcept {
    self(llhttp).phase_ = Phase::chunk_data;
    return HPE_OK;
  }

  static int on_message_complete(llhttp_t* llhttp) noexcept {
    self(llhttp).phase_ = Phase::complete;
    return HPE_PAUSED;
  }
};

const llhttp_settings_t& HttpParser::settings() {
  static const llhttp_settings_t all = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_url = Callbacks::on_url;
    made.on_url_complete = Callbacks::on_url_complete;
    made.on_header_field = Callbacks::on_header_field;
    made.on_header_field_complete = Callbacks::on_header_field_complete;
    made.on_header_value = Callbacks::on_header_value;
    made.on_header_value_complete = Callbacks::on_header_value_complete;
    made.on_headers_complete = Callbacks::on_headers_complete;
    made.on_chunk_header = Callbacks::on_chunk_header;
    made.on_message_complete = Callbacks::on_message_complete;
    return made;
  }();
  return all;
}

// --- The whole -------------------------------------------------------------------------------------------------------

std::size_t HttpParser::feed(std::string_view bytes) {
  llhttp_.data = this;  // we may have been moved
  std::size_t taken = 0;
  while (taken < bytes.size() && phase_ != Phase::complete && phase_ != Phase::failed)
    taken += step(bytes.substr(taken));
  return taken;
}

void HttpParser::finish() {
  if (state() == State::head || state() == State::body) fail(400, "the connection ended within a request");
}

HttpParser::State HttpParser::state() const {
  switch (phase_) {
    case Phase::empty_lines: return State::idle;
    case Phase::request_line:
    case Phase::version:
    case Phase::fields: return State::head;
    case Phase::complete: return State::complete;
    case Phase::failed: return State::failed;
    default: return State::body;
  }
}

const HttpRequest& HttpParser::head() const {
  assert(head_complete());
  return request_;
}

HttpRequest HttpParser::take() {
  assert(phase_ == Phase::complete);
  closing_ = !request_.keep_alive;
  empty_line_bytes_ = 0;
  phase_ = Phase::empty_lines;
  return std::exchange(request_, {});
}

void HttpParser::fail(int status, std::string reason) {
  phase_ = Phase::failed;
  failure_ = {status, std::move(reason)};
  request_ = {};
}

void HttpParser::enter(Phase phase, std::size_t left) {
  phase_ = phase;
  now_.left = left;
}

// Takes some bytes, or changes the phase.
std::size_t HttpParser::step(std::string_view bytes) {
  if (phase_ == Phase::empty_lines) return skip_empty_lines(bytes);
  bytes = bytes.substr(0, now_.left);
  switch (phase_) {
    case Phase::request_line: return read_request_line(bytes);
    case Phase::version: return read_version(bytes);
    case Phase::fields:
    case Phase::trailers: return read_lines(bytes);
    case Phase::body: return read_body(bytes);
    case Phase::chunk_line: return read_chunk_line(bytes);
    case Phase::chunk_data: return read_chunk_data(bytes);
    case Phase::chunk_end: return read_chunk_end(bytes);
    default: return 0;
  }
}

// Lets llhttp read, until the end of the bytes, a pause or an error, and says how far it came.
std::size_t HttpParser::run(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  if (error == HPE_OK) return bytes.size();
  const auto at = std::min(static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - bytes.data()), bytes.size());
  if (error == HPE_PAUSED) llhttp_resume(&llhttp_);
  else if (phase_ != Phase::failed) fail_as_llhttp(bytes, at);
  return at;
}

void HttpParser::fail_as_llhttp(std::string_view bytes, std::size_t at) {
  // llhttp knows the methods of HTTP, and those of RTSP until it has seen the protocol.
  const bool in_method = phase_ == Phase::request_line && llhttp_get_errno(&llhttp_) == HPE_INVALID_METHOD;
  if (phase_ == Phase::version || (in_method && at < bytes.size() && as_token(bytes[at]) != 0)) {
    fail(501, "the request method is none that this server knows");
  } else {
    fail(400, std::string("the request is malformed: ") + llhttp_get_error_reason(&llhttp_));
  }
}

// --- The request line ------------------------------------------------------------------------------------------------

std::size_t HttpParser::skip_empty_lines(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool within = empty_line_bytes_ % line_end.size() != 0;
    if (within || bytes[i] == '\r' || bytes[i] == '\n') {
      if (empty_line_bytes_ == skipped_bytes || bytes[i] != line_end[within ? 1 : 0]) {
        fail(400, "too many empty lines, or a line that does not end with CR LF, before a request");
        return i;
      }
      ++empty_line_bytes_;
    } else if (closing_) {
      fail(400, "more bytes came after a request that closes the connection");
      return i;
    } else {
      begin_message();
      return i;
    }
  }
  return bytes.size();
}

void HttpParser::begin_message() {
  llhttp_init(&llhttp_, HTTP_REQUEST, &settings());
  llhttp_.data = this;
  now_ = {};
  enter(Phase::request_line, line_bytes_before_version + 1);
}

std::size_t HttpParser::read_request_line(std::string_view bytes) {
  const std::size_t taken = run(bytes);
  now_.left -= taken;
  if (phase_ != Phase::failed && now_.left == 0)
    fail(414, "the request line is longer than " + std::to_string(limits::request_line_bytes) + " bytes");
  if (phase_ != Phase::version) return taken;

  // llhttp took the target, whatever number of blanks before it, and the blank after it.
  request_.method = llhttp_method_name(static_cast<llhttp_method_t>(llhttp_.method));
  const std::size_t length = line_bytes_before_version + 1 - now_.left;
  if (length != request_.method.size() + 1 + request_.target.size() + 1)
    fail(400, "the request line is not method, target and version with one space between them");
  else check_target();
  if (phase_ == Phase::version) now_.left = version_tail.size();
  return taken;
}

void HttpParser::check_target() {
  const std::string_view target = request_.target;
  if (request_.method == "CONNECT") return fail(400, "this server is no proxy");
  if (target.starts_with('/') || (target == "*" && request_.method == "OPTIONS")) return;
  const auto authority = authority_of(target, "http");
  const auto split = authority ? split_authority(*authority) : std::nullopt;
  if (!split || split->host.empty())
    fail(400, "the request target " + shown(target) + " is neither a path nor an http url");
}

std::size_t HttpParser::read_version(std::string_view bytes) {
  std::size_t good = 0;
  for (std::size_t at = version_tail.size() - now_.left; good < bytes.size(); ++good, ++at) {
    const char c = bytes[good];
    if (version_tail[at] == 'x' ? c != '0' && c != '1' : c != version_tail[at]) break;
  }
  const std::size_t taken = run(bytes.substr(0, good));
  now_.left -= taken;
  if (phase_ == Phase::failed) return taken;
  if (good < bytes.size()) {
    const bool in_number = now_.left > line_end.size() && now_.left <= line_end.size() + 3;
    if (in_number && is_digit(bytes[good]))
      fail(505, "the request is in a version of HTTP that is neither 1.0 nor 1.1");
    else fail(400, "the request line does not end with HTTP/1.0 or HTTP/1.1 and CR LF");
  } else if (now_.left == 0) {
    request_.minor_version = llhttp_.http_minor;
    enter(Phase::fields, limits::head_bytes + line_end.size());
    now_.last = '\n';
  }
  return taken;
}

// --- Fields and trailers ---------------------------------------------------------------------------------------------

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

// --- The body --------------------------------------------------------------------------------------------------------

void HttpParser::begin_body() {
  if (request_.minor_version == 1 && !request_.field("host")) return fail(400, "there is no host field");
  request_.keep_alive = !now_.says_close && (request_.minor_version == 1 || now_.says_keep_alive);
  now_.head_left = now_.left;
  if (now_.chunked) {
    if ((llhttp_.flags & F_CHUNKED) == 0) return fail(400, "the transfer encoding is not chunked");
    return enter_chunk_line();
  }
  if (now_.body_length > limits::body_bytes)
    return fail(413, "the body is longer than " + std::to_string(limits::body_bytes) + " bytes");
  enter(now_.body_length == 0 ? Phase::complete : Phase::body, static_cast<std::size_t>(now_.body_length));
}

std::size_t HttpParser::read_body(std::string_view bytes) {
  now_.body_begun = true;
  request_.body += bytes;
  now_.left -= bytes.size();
  if (now_.left == 0) phase_ = Phase::complete;
  return bytes.size();
}

void HttpParser::enter_chunk_line() {
  enter(Phase::chunk_line, plain_chunk_line_bytes + now_.head_left);
  now_.chunk_part = ChunkPart::size_begin;
}

HttpParser::ChunkPart HttpParser::after(ChunkPart part, char c) {
  const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  const auto otherwise = [&] {
    return c == ';' ? ChunkPart::name_begin : c == '\r' ? ChunkPart::line_end : ChunkPart::bad;
  };
  switch (part) {
    case ChunkPart::size_begin: return is_hex_digit(c) ? ChunkPart::size : ChunkPart::bad;
    case ChunkPart::size: return is_hex_digit(c) ? ChunkPart::size : otherwise();
    case ChunkPart::name_begin: return as_token(c) ? ChunkPart::name : ChunkPart::bad;
    case ChunkPart::name: return as_token(c) ? ChunkPart::name : c == '=' ? ChunkPart::value_begin : otherwise();
    case ChunkPart::value_begin: return c == '"' ? ChunkPart::quoted : as_token(c) ? ChunkPart::value : ChunkPart::bad;
    case ChunkPart::value: return as_token(c) ? ChunkPart::value : otherwise();
    case ChunkPart::quoted:
      if (c == '"') return ChunkPart::quoted_end;
      return control ? ChunkPart::bad : c == '\\' ? ChunkPart::escaped : ChunkPart::quoted;
    case ChunkPart::escaped: return control ? ChunkPart::bad : ChunkPart::quoted;
    case ChunkPart::quoted_end: return otherwise();
    case ChunkPart::line_end: return c == '\n' ? ChunkPart::end : ChunkPart::bad;
    default: return ChunkPart::bad;
  }
}

// Extensions are checked and kept from llhttp, which takes some that are malformed and refuses some that are not.
std::size_t HttpParser::read_chunk_line(std::string_view bytes) {
  now_.body_begun = true;
  std::size_t taken = 0;
  while (taken < bytes.size() && phase_ == Phase::chunk_line) {
    const std::string_view byte = bytes.substr(taken++, 1);
    --now_.left;
    const ChunkPart part = now_.chunk_part = after(now_.chunk_part, byte.front());
    const bool framing = part == ChunkPart::size || part == ChunkPart::line_end || part == ChunkPart::end;
    if (framing) run(byte);
    if (phase_ == Phase::chunk_data) begin_chunk();
    if (phase_ == Phase::chunk_line && (part == ChunkPart::bad || part == ChunkPart::end))
      fail(400, "a chunk of the body does not start with its size, well-formed extensions and CR LF");
    else if (phase_ == Phase::chunk_line && now_.left == 0)
      fail(400, "the extensions of the chunks of the body are longer than header fields may be");
  }
  return taken;
}

void HttpParser::begin_chunk() {
  const std::size_t length = plain_chunk_line_bytes + now_.head_left - now_.left;
  if (length > plain_chunk_line_bytes) now_.head_left -= length - plain_chunk_line_bytes;
  const std::uint64_t size = llhttp_.content_length;
  if (size > limits::body_bytes - request_.body.size())
    return fail(413, "the body is longer than " + std::to_string(limits::body_bytes) + " bytes");
  now_.last = '\n';
  if (size == 0) return enter(Phase::trailers, now_.head_left + line_end.size());
  enter(Phase::chunk_data, static_cast<std::size_t>(size));
}

std::size_t HttpParser::read_chunk_data(std::string_view bytes) {
  const std::size_t taken = run(bytes);
  if (phase_ == Phase::failed) return taken;
  request_.body += bytes.substr(0, taken);
  now_.left -= taken;
  if (now_.left == 0) enter(Phase::chunk_end, line_end.size());
  return taken;
}

std::size_t HttpParser::read_chunk_end(std::string_view bytes) {
  if (bytes != line_end.substr(line_end.size() - now_.left, bytes.size())) {
    fail(400, "a chunk of the body does not end with CR LF where its size says so");
    return 0;
  }
  const std::size_t taken = run(bytes);
  now_.left -= taken;
  if (phase_ == Phase::chunk_end && now_.left == 0) enter_chunk_line();
  return taken;
}

}  // namespace chash::net
