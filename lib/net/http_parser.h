// Bytes of a connection to HTTP/1.x requests, without a socket: the strict reading that leaves two parties nothing to
// disagree about.
//
// llhttp does the grammar, and is kept from where it is lenient, always or in some of its versions and build modes:
// each phase of a message reaches it in slices of known length, so that line endings, blanks, versions, body framing
// and all limits are judged here, each at one byte of the input. So a verdict never depends on how reads cut the bytes.
//
// Refused: what RFC 9112 lets a server refuse, and beyond it fields of which only one can be meant but two are there,
// CONNECT, and targets with a fragment or bytes outside 0x21..0x7e. `Upgrade` is ignored: protocols are never switched.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace chash::net {

// One object for each connection. It holds no memory between messages.
class HttpParser {
 public:
  enum class State : std::uint8_t { idle, head, body, complete, failed };

  // Takes bytes up to the end of one message at most and says how many: all of them, unless a message became complete
  // or the parser failed. A failure is for good: where the next message would begin is no longer known.
  std::size_t feed(std::string_view bytes);

  // No more bytes will come: a message that was cut short fails.
  void finish();

  State state() const;
  const HttpFailure& failure() const { return failure_; }

  // The head was read and accepted, and the body has not ended: a request can be refused before its body comes.
  bool head_complete() const { return state() == State::body; }
  // Requires: head_complete().
  const HttpRequest& head() const;
  // The client asked for `100 Continue`, and nothing of the body has arrived yet.
  bool expects_continue() const { return head_complete() && request_.expects_continue && !now_.body_begun; }

  // Requires: State::complete. The parser is ready for the next message then, unless this one closes the connection.
  HttpRequest take();

 private:
  struct Callbacks;
  struct KnownField;

  enum class Phase : std::uint8_t {
    empty_lines,   // before a request
    request_line,  // method and target, with the space after each
    version,       // the rest of that line
    fields,        // with the empty line after them
    body,          // of known length
    chunk_line,
    chunk_data,
    chunk_end,  // CR LF after the data
    trailers,   // with the empty line after them
    complete,
    failed,
  };

  enum class FieldKind : std::uint8_t { plain, host, content_length, transfer_encoding, connection, expect };

  // chunk-size *( ";" name [ "=" ( value / quoted ) ] ) CR LF; without the blanks that RFC 9112 calls bad.
  enum class ChunkPart : std::uint8_t {
    size_begin,
    size,
    name_begin,
    name,
    value_begin,
    value,
    quoted,
    escaped,
    quoted_end,
    line_end,
    end,
    bad,
  };

  // What is known of the message at hand beside the request itself.
  struct Progress {
    std::size_t left = 0;            // bytes that the phase may still take
    std::size_t head_left = 0;       // bytes of limits::head_bytes left for chunk extensions and trailers
    std::uint64_t body_length = 0;   // by Content-Length
    std::uint32_t singles_seen = 0;  // a bit for each row of KnownField
    std::uint16_t field_count = 0;
    FieldKind kind = FieldKind::plain;
    ChunkPart chunk_part = ChunkPart::size_begin;
    char last = 0;          // the byte before
    bool in_field = false;  // between a name's first byte and its value's end
    bool has_length = false;
    bool chunked = false;
    bool body_begun = false;
    bool says_close = false;
    bool says_keep_alive = false;
  };

  static const llhttp_settings_t& settings();

  std::size_t step(std::string_view bytes);
  std::size_t skip_empty_lines(std::string_view bytes);
  void begin_message();
  std::size_t read_request_line(std::string_view bytes);
  std::size_t read_version(std::string_view bytes);
  std::size_t read_lines(std::string_view bytes);
  std::size_t read_body(std::string_view bytes);
  std::size_t read_chunk_line(std::string_view bytes);
  std::size_t read_chunk_data(std::string_view bytes);
  std::size_t read_chunk_end(std::string_view bytes);
  std::size_t run(std::string_view bytes);

  void enter(Phase phase, std::size_t left);
  void enter_chunk_line();
  static ChunkPart after(ChunkPart part, char c);
  void begin_body();
  void begin_chunk();
  void fail(int status, std::string reason);
  void fail_as_llhttp(std::string_view bytes, std::size_t at);

  void check_target();
  bool check_lines(std::string_view bytes);
  void end_field_name(HttpField& field);
  void end_field_value(HttpField& field);
  void read_connection_field(std::string_view value);

  llhttp_t llhttp_{};
  HttpRequest request_;
  HttpFailure failure_;
  Progress now_;
  Phase phase_ = Phase::empty_lines;
  std::uint8_t empty_line_bytes_ = 0;
  bool closing_ = false;  // the message before was the last
};

}  // namespace chash::net
