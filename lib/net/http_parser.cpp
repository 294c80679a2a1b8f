// The whole of a message and its request line; its fields and its body have files of their own beside this one.
#include "net/http_parser.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "chash/limits.h"
#include "net/http_text.h"

namespace chash::net {
namespace {

// After the target and its space. llhttp would take RTSP/1.0, ICE/1.0, HTTP/0.9 and HTTP/2.0 there too.
constexpr std::string_view version_tail = "HTTP/1.x\r\n";
constexpr std::size_t line_bytes_before_version = limits::request_line_bytes - (version_tail.size() - line_end.size());

// Empty lines before a request that are skipped: RFC 9112 asks for one, after old clients that end a body with it.
constexpr std::size_t skipped_bytes = 2 * line_end.size();

// Whether the start of a Transfer-Encoding may still become `chunked`, perhaps with blanks after it.
bool may_be_chunked(std::string_view value) {
  constexpr std::string_view chunked = "chunked";
  const std::string_view head = value.substr(0, chunked.size());
  return equal_ignoring_case(head, chunked.substr(0, head.size())) &&
         value.find_first_not_of(" \t", chunked.size()) == std::string_view::npos;
}

}  // namespace

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

}  // namespace chash::net
