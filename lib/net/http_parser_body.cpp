// The body of a message: of known length, or in chunks.
#include "chash/limits.h"
#include "net/http_parser.h"
#include "net/http_text.h"

namespace chash::net {
namespace {

// A chunk line without extensions: 64 bits of hex digits. What is longer counts against limits::head_bytes.
constexpr std::size_t plain_chunk_line_bytes = 16 + line_end.size();

}  // namespace

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
