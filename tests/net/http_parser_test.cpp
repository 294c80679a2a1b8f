// Requests that the parser takes: what comes out, and when.
#include "net/http_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "net/http_reading.h"

namespace chash::net::test {
namespace {

TEST_CASE("http parser: a request is its method, target, fields and body") {
  const Reading reading = read(
      "POST /api/nodes?x=%20 HTTP/1.1\r\nHOST: LocalHost:80\r\nX-Odd:\t a\tb \t\r\nEmpty:\r\n"
      "Content-Length: 5\r\n\r\nhello");
  REQUIRE(reading.messages.size() == 1);
  const HttpRequest& request = reading.messages[0];
  CHECK(request.method == "POST");
  CHECK(request.target == "/api/nodes?x=%20");
  CHECK(request.minor_version == 1);
  CHECK(request.fields ==
        std::vector<HttpField>{{"host", "LocalHost:80"}, {"x-odd", "a\tb"}, {"empty", ""}, {"content-length", "5"}});
  CHECK(request.field("host") == "LocalHost:80");
  CHECK(request.field("missing") == std::nullopt);
  CHECK(request.count("empty") == 1);
  CHECK(request.body == "hello");
  CHECK(reading.state == State::idle);
}

TEST_CASE("http parser: pipelined requests come out one at a time, and the parser goes on after each") {
  const std::string first = get("Host: a\r\n");
  const std::string second = "PUT /b HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nGET";
  const std::string third = chunked("1\r\nx\r\n0\r\n\r\n");
  const std::string all = first + second + "\r\n" + third;

  const Reading reading = read(all);
  REQUIRE(reading.messages.size() == 3);
  CHECK(reading.messages[1].body == "GET");
  CHECK(reading.messages[1].target == "/b");
  CHECK(reading.messages[2].body == "x");
  CHECK(reading.state == State::idle);

  HttpParser parser;
  CHECK(parser.feed(all) == first.size());
  CHECK(parser.feed(all.substr(first.size())) == 0);  // a message waits to be taken
  CHECK(parser.take() == read_whole(first).messages[0]);
  CHECK(parser.state() == State::idle);
  CHECK(parser.feed(all.substr(first.size())) == second.size());
  CHECK(parser.take() == read_whole(second).messages[0]);
}

TEST_CASE("http parser: a parser that was moved within a message goes on") {
  HttpParser parser;
  parser.feed("GET /long-enough-for-the-heap-0123456789 HTTP/1.1\r\nHo");
  HttpParser moved = std::move(parser);
  moved.feed("st: a\r\n\r\n");
  REQUIRE(moved.state() == State::complete);
  CHECK(moved.take().field("host") == "a");
}

TEST_CASE("http parser: a chunked body is joined, and its extensions and trailers are dropped") {
  const Reading reading =
      read(chunked("5\r\nhello\r\n006;a=b;c=\"d;\\\"e\"\r\n world\r\n"
                   "0\r\nX-Sum: 1\r\nHost: b\r\n\r\n"));
  REQUIRE(reading.messages.size() == 1);
  CHECK(reading.messages[0].body == "hello world");
  CHECK(reading.messages[0].count("x-sum") == 0);
  CHECK(reading.messages[0].count("host") == 1);
}

TEST_CASE("http parser: chunk extensions are skipped where they are well-formed") {
  for (const std::string_view line :
       {"1", "0001", "1;a", "1;a=b", "1;a;b=c;d", "1;a=\"b\";c=d", "1;a=b;c=\"d;=\\\" \t\xc3\xa9\""}) {
    CAPTURE(line);
    CHECK(status_of(chunked(std::string(line) + "\r\nx\r\n0;a\r\n\r\n")) == 200);
  }
  for (const std::string_view line :
       {"1;", "1;;", "1;a;", "1;a=", "1;=b", "1;a=b=c", "1 ;a", "1; a", "1;a ", "1;a =b", "1;a= b", "1;a=\"b",
        "1;a=\"b\"c", "1;a=\"\\\"", "1;a\nb", "1;a\rb", "1;\x01", "1;a=\"\x01\"", "1;a=\"\x7f\""}) {
    CAPTURE(line);
    CHECK(status_of(chunked(std::string(line) + "\r\nx\r\n0\r\n\r\n")) == 400);
  }
}

TEST_CASE("http parser: an idle connection costs little") {
  CHECK(sizeof(HttpParser) <= 400);  // ten thousand of them
}

TEST_CASE("http parser: keep-alive is the rule in 1.1 and the exception in 1.0") {
  struct Case {
    std::string_view minor, connection;
    bool keep_alive;
  };
  for (const Case& one :
       {Case{"1", "", true}, Case{"1", "Connection: close\r\n", false}, Case{"1", "Connection: keep-alive\r\n", true},
        Case{"1", "Connection: x, CLOSE\r\n", false}, Case{"1", "Connection: x,, closed\r\n", true},
        Case{"0", "", false}, Case{"0", "Connection: Keep-Alive\r\n", true},
        Case{"0", "Connection: keep-alive, close\r\n", false},
        Case{"1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        Case{"1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true}}) {
    CAPTURE(one.minor);
    CAPTURE(one.connection);
    const Reading reading = read(get("Host: a\r\n" + std::string(one.connection), one.minor));
    REQUIRE(reading.messages.size() == 1);
    CHECK(reading.messages[0].keep_alive == one.keep_alive);
  }
  CHECK(status_of(get("Host: a\r\nConnection: close [\r\n")) == 400);
}

TEST_CASE("http parser: after the last request of a connection only empty lines may come") {
  const std::string last = get("Host: a\r\nConnection: close\r\n");
  CHECK(read(last + "\r\n").state == State::idle);
  const Reading reading = read(last + "\r\nG");
  CHECK(reading.messages.size() == 1);
  CHECK(reading.state == State::failed);
}

TEST_CASE("http parser: an upgrade is ignored, and what follows is the next request") {
  const std::string upgrade = get("Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n");
  CHECK(read(upgrade + get("Host: a\r\n")).messages.size() == 2);
  CHECK(read(chunked("0\r\n\r\n").insert(17, "Connection: upgrade\r\nUpgrade: x\r\n") + upgrade).messages.size() == 2);
  CHECK(status_of("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 400);
}

TEST_CASE("http parser: Expect is known until the body arrives") {
  HttpParser parser;
  parser.feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r");
  CHECK_FALSE(parser.head_complete());
  CHECK_FALSE(parser.expects_continue());
  parser.feed("\n");
  CHECK(parser.head_complete());
  CHECK(parser.expects_continue());
  CHECK(parser.head().method == "POST");
  parser.feed("x");
  CHECK(parser.head_complete());
  CHECK_FALSE(parser.expects_continue());
  parser.feed("y");
  CHECK_FALSE(parser.head_complete());
  REQUIRE(parser.state() == State::complete);
  CHECK(parser.take().expects_continue);

  CHECK_FALSE(read(get("Expect: 100-continue\r\n", "0")).messages.at(0).expects_continue);
}

}  // namespace
}  // namespace chash::net::test
