#include "protocol/codec.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "protocol/samples.h"

namespace chash::protocol {
namespace {

using namespace std::literals;
using nlohmann::json;
using test::expected_json;
using test::for_each_operation;
using test::same;
using test::with_random_responses;

TEST_CASE("codec: every operation's response comes back, bare and as a reply") {
  for_each_operation([]<class Op>(std::size_t row) {
    CAPTURE(Op::info.name);
    with_random_responses<Op>([&](const typename Op::Response& typed) {
      const AnyResponse response = typed;
      std::string bare = "kept";
      encode_response(response, bare);
      REQUIRE(bare.starts_with("kept"));
      bare.erase(0, 4);
      CAPTURE(bare);
      REQUIRE(json::parse(bare) == expected_json(typed));
      const auto decoded = decode_response(row, bare);
      REQUIRE(decoded);
      REQUIRE(same(*decoded, response));

      std::string line;
      encode_reply(response, line);
      REQUIRE(line == "{\"ok\":" + bare + "}\n");
      const auto reply = decode_reply(row, line);
      REQUIRE(reply);
      REQUIRE(same(*reply, response));
    });
  });
}

TEST_CASE("codec: a client skips fields that it does not know, since the daemon may be newer") {
  const auto ping = decode_reply(AnyRequest(Ping::Request{}).index(),
                                 R"({"ok":{"version":"9","protocol":1,"pid":7,"mood":"good"},"trace":1})");
  REQUIRE(ping);
  CHECK(same(*ping, Ping::Response{"9", 1, 7}));
  const auto bare =
      decode_response(AnyRequest(Ping::Request{}).index(), R"({"version":"9","protocol":1,"pid":7,"mood":{"a":[1]}})");
  REQUIRE(bare);
  CHECK(same(*bare, Ping::Response{"9", 1, 7}));
}

TEST_CASE("codec: a client skips fields that it does not know inside of others, too") {
  const auto list = decode_response(
      row_of<ListNodes>, R"({"ring":"r","epoch":3,"nodes":[{"name":"a","weight":1.0,"vnodes":100,"zone":"eu"}]})");
  REQUIRE(list);
  CHECK(same(*list, ListNodes::Response{"r", 3, {{"a", 1, 100}}}));

  std::string text;
  encode_response(Status::Response{}, text);
  json newer = json::parse(text);
  newer["counters"]["refused"] = 1;
  newer["store"]["size_bytes"] = 1;
  newer["daemon"]["host"] = "h";
  CHECK(decode_response(AnyRequest(Status::Request{}).index(), newer.dump()).has_value());
}

TEST_CASE("codec: an answer that is none is an internal error, not a crash") {
  for (const char* line :
       {"", "\n", "{", "[]", "null", "{}", R"({"ok":1})", R"({"ok":[]})", R"({"ok":{}})", R"({"error":1})",
        R"({"ok":{"version":"9"}})", R"({"ok":{"version":9,"protocol":1,"pid":7}})"}) {
    CAPTURE(line);
    const auto reply = decode_reply(AnyRequest(Ping::Request{}).index(), line);
    REQUIRE_FALSE(reply);
    CHECK_FALSE(reply.error().message.empty());
  }
  CHECK(decode_reply(AnyRequest(Ping::Request{}).index(), "<html>").error().code == Errc::internal);
  CHECK(decode_response(AnyRequest(Ping::Request{}).index(), "<html>").error().code == Errc::internal);
  CHECK(decode_response(operation_table.size(), "{}").error().code == Errc::internal);
  for (const char* wrong : {"{}", R"({"version":7,"protocol":1,"pid":7})", "[]"}) {
    const Error error = decode_response(AnyRequest(Ping::Request{}).index(), wrong).error();
    CHECK(error.code == Errc::internal);
  }
  CHECK(decode_http(operation_table.size(), {}, {}, "").error().code == Errc::internal);
}

TEST_CASE("codec: every error comes back over the socket and over HTTP") {
  for (const ErrcInfo& row : errc_table)
    for (const Error& error :
         {Error{row.code, "it went wrong", ""}, Error{row.code, "node 'a\"b\\c' \n \xc3\xa9", "try again"}}) {
      CAPTURE(row.name);
      std::string line;
      encode_reply(error, line);
      CHECK(line == encode_error(error) + "\n");
      const auto reply = decode_reply(0, line);
      REQUIRE_FALSE(reply);
      CHECK(reply.error() == error);

      const std::string problem = encode_problem(error, row.http_status);
      const json document = json::parse(problem);
      CHECK(document.at("type") == "about:blank");
      CHECK(document.at("title") == row.title);
      CHECK(document.at("status") == row.http_status);
      CHECK(document.at("detail") == error.message);
      CHECK(document.at("code") == row.name);
      CHECK(document.contains("hint") == !error.hint.empty());
      CHECK(decode_problem(row.http_status, problem) == error);
    }
}

TEST_CASE("codec: errors look like this") {
  const Error plain{Errc::not_found, "no node 'a' in the ring", ""};
  const Error hinted{Errc::unreachable, "no daemon", "systemctl start chashd"};
  CHECK(encode_error(plain) == R"({"error":{"code":"not_found","message":"no node 'a' in the ring"}})");
  CHECK(encode_error(hinted, 4) ==
        R"({"error":{"code":"unreachable","exit":4,"message":"no daemon","hint":"systemctl start chashd"}})");
  CHECK(encode_problem({Errc::not_found, "no node 'a'", ""}, 404) ==
        R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no node 'a'","code":"not_found"})");
}

TEST_CASE("codec: a problem that somebody else wrote is understood as far as it goes") {
  CHECK(decode_problem(404, R"({"detail":"Not Found"})") == Error{Errc::not_found, "Not Found", ""});
  CHECK(decode_problem(409, R"({"detail":"exists","code":"no_such_code"})") == Error{Errc::conflict, "exists", ""});
  CHECK(decode_problem(403, R"({"detail":1,"code":[],"hint":{}})") ==
        Error{Errc::denied, "the server answered HTTP status 403", ""});
  CHECK(decode_problem(502, "<html>Bad Gateway</html>") ==
        Error{Errc::unreachable, "the server answered HTTP status 502", ""});
  CHECK(decode_problem(504, "") == Error{Errc::timeout, "the server answered HTTP status 504", ""});
  CHECK(decode_problem(418, "[]") == Error{Errc::internal, "the server answered HTTP status 418", ""});
  CHECK(decode_problem(200, "") == Error{Errc::internal, "the server answered HTTP status 200", ""});
}

TEST_CASE("codec: a bare status 503 does not say that the ring is empty") {
  // Whatever stands between may be busy; a script would take exit status 7 for an answer about the ring.
  CHECK(decode_problem(503, "<html>Service Unavailable</html>").code != Errc::empty_ring);
}

}  // namespace
}  // namespace chash::protocol
