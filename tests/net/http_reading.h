// Reads bytes with the parser, cut in every way: what the tests of the parser share.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_parser.h"
#include "protocol/text.h"

namespace chash::net::test {

using State = HttpParser::State;

// What became of some bytes: all that may be compared between two ways of cutting them.
struct Reading {
  std::vector<HttpRequest> messages;
  State state = State::idle;
  int status = 0;  // of the failure

  friend bool operator==(const Reading&, const Reading&) = default;
};

inline void feed(HttpParser& parser, std::string_view bytes, Reading& reading) {
  while (!bytes.empty() && parser.state() != State::failed) {
    bytes.remove_prefix(parser.feed(bytes));
    if (parser.state() == State::complete) reading.messages.push_back(parser.take());
  }
}

inline Reading end(const HttpParser& parser, Reading reading) {
  reading.state = parser.state();
  reading.status = parser.failure().status;
  return reading;
}

inline Reading read_in_pieces(std::string_view bytes, std::size_t size) {
  HttpParser parser;
  Reading reading;
  for (std::size_t at = 0; at < bytes.size(); at += size) feed(parser, bytes.substr(at, size), reading);
  return end(parser, std::move(reading));
}

inline Reading read_whole(std::string_view bytes) {
  return read_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1));
}

inline Reading read_split(std::string_view bytes, std::size_t at) {
  HttpParser parser;
  Reading reading;
  feed(parser, bytes.substr(0, at), reading);
  feed(parser, bytes.substr(at), reading);
  return end(parser, std::move(reading));
}

// The same however the bytes are cut: whole, byte by byte, and once at every place (of long ones, at every `step`-th).
inline Reading read(std::string_view bytes, std::size_t step = 0) {
  if (step == 0) step = bytes.size() / 2000 + 1;
  const Reading whole = read_whole(bytes);
  CHECK(read_in_pieces(bytes, 1) == whole);
  for (std::size_t at = 1; at < bytes.size(); at += step)
    if (read_split(bytes, at) != whole)
      FAIL_CHECK("another verdict when cut at byte ", at, ": ", protocol::printable(bytes, 200));
  return whole;
}

inline int status_of(std::string_view bytes) {
  const Reading reading = read(bytes);
  return reading.state == State::failed ? reading.status : reading.messages.size() == 1 ? 200 : 0;
}

inline std::string get(std::string_view fields, std::string_view minor = "1") {
  return "GET / HTTP/1." + std::string(minor) + "\r\n" + std::string(fields) + "\r\n";
}

inline std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

}  // namespace chash::net::test
