// Any bytes as a connection of HTTP requests. The first byte chooses how the rest is cut into reads.
//
// However they are cut, the messages and the verdict must be the same; each message must be what a slow and obvious
// reader finds in the bytes that were taken for it; and the guards must have an answer to it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "net/http_guard.h"
#include "net/http_parser.h"

namespace {

using chash::net::HttpField;
using chash::net::HttpParser;
using chash::net::HttpRequest;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Reading {
  std::vector<HttpRequest> messages;
  std::vector<std::size_t> ends;  // of the messages, in the input
  HttpParser::State state = HttpParser::State::idle;
  int status = 0;

  friend bool operator==(const Reading&, const Reading&) = default;
};

Reading read_in_pieces(std::string_view bytes, std::size_t size) {
  HttpParser parser;
  Reading reading;
  std::size_t at = 0;
  while (at < bytes.size() && parser.state() != HttpParser::State::failed) {
    const std::string_view piece = bytes.substr(at, size - at % size);
    const std::size_t taken = parser.feed(piece);
    require(taken <= piece.size());
    at += taken;
    if (parser.state() == HttpParser::State::complete) {
      reading.messages.push_back(parser.take());
      reading.ends.push_back(at);
    } else {
      require(taken == piece.size() || parser.state() == HttpParser::State::failed);
    }
  }
  reading.state = parser.state();
  reading.status = parser.failure().status;
  require((reading.state == HttpParser::State::failed) == (reading.status >= 400 && reading.status < 600));
  return reading;
}

std::string_view take_line(std::string_view& raw) {
  const std::size_t end = raw.find("\r\n");
  require(end != std::string_view::npos);
  const std::string_view line = raw.substr(0, end);
  require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  raw.remove_prefix(end + 2);
  return line;
}

void check_field(std::string_view line, const HttpField& field) {
  const std::size_t name = field.name.size();
  require(name > 0 && line.size() > name && line[name] == ':');
  for (std::size_t i = 0; i < name; ++i) require(chash::net::ascii_lower(line[i]) == field.name[i] && line[i] > ' ');
  std::string_view value = line.substr(name + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  require(value == field.value);
}

void check_body(std::string_view raw, const HttpRequest& message) {
  if (!message.field("transfer-encoding")) {
    const std::string length(message.field("content-length").value_or("0"));
    require(raw == message.body && std::strtoul(length.c_str(), nullptr, 10) == raw.size());
    return;
  }
  std::string body;
  for (;;) {
    const std::string line(take_line(raw));
    const std::size_t size = std::strtoul(line.c_str(), nullptr, 16);
    if (size == 0) break;
    require(size <= raw.size());
    body += raw.substr(0, size);
    raw.remove_prefix(size);
    require(take_line(raw).empty());
  }
  while (!take_line(raw).empty()) {
  }
  require(raw.empty());
  require(body == message.body);
}

// The message by hand, from its own bytes.
void check_message(std::string_view raw, const HttpRequest& message) {
  namespace limits = chash::limits;
  while (raw.starts_with("\r\n")) raw.remove_prefix(2);
  const std::string_view line = take_line(raw);
  require(line == message.method + " " + message.target + " HTTP/1." + std::to_string(message.minor_version));
  require(line.size() <= limits::request_line_bytes);
  for (const char c : message.target) require(c > ' ' && c < 0x7f && c != '#');
  for (const HttpField& field : message.fields) check_field(take_line(raw), field);
  require(take_line(raw).empty());
  check_body(raw, message);

  require(message.fields.size() <= limits::head_fields && message.body.size() <= limits::body_bytes);
  require(message.count("host") == 1 || (message.count("host") == 0 && message.minor_version == 0));
  require(message.count("content-length") + message.count("transfer-encoding") <= 1);
}

void check_guards(const HttpRequest& message) {
  static const chash::net::GuardPolicy policy{{"known.example", "2001:db8::7"}, "opsbox"};
  for (const auto& refusal : {guard_host(message, "203.0.113.5", policy), guard_origin(message)}) {
    if (!refusal) continue;
    require(refusal->status == 421 || refusal->status == 403);
    require(!refusal->reason.empty() && refusal->reason.size() < 2048);
    for (const char c : refusal->reason) require(c >= ' ' && c < 0x7f);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = data[0] % 64u + 2;
  const std::string bytes(data + 1, data + size);

  const Reading whole = read_in_pieces(bytes, bytes.size());
  require(read_in_pieces(bytes, 1) == whole);
  require(read_in_pieces(bytes, piece) == whole);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    check_message(std::string_view(bytes).substr(begin, whole.ends[i] - begin), whole.messages[i]);
    check_guards(whole.messages[i]);
    begin = whole.ends[i];
  }
  return 0;
}
