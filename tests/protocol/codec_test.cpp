#include "protocol/codec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "protocol/json.h"
#include "protocol/naive.h"
#include "protocol/samples.h"
#include "protocol/text.h"

namespace chash::protocol {
namespace {

using namespace std::literals;
using nlohmann::json;
using test::expected_json;
using test::for_each_operation;
using test::Random;
using test::random_text;
using test::refuses;
using test::same;
using test::with_random_requests;

TEST_CASE("codec: every operation's request comes back over the socket") {
  for_each_operation([]<class Op>(std::size_t row) {
    CAPTURE(Op::info.name);
    with_random_requests<Op>([&](const typename Op::Request& typed) {
      const AnyRequest request = typed;
      const std::string line = encode_request(request);
      CAPTURE(line);
      REQUIRE(line.find('\n') == std::string::npos);
      json expected = expected_json(typed);
      expected["op"] = std::string(Op::info.name);
      REQUIRE(json::parse(line) == expected);
      const auto decoded = decode_request(line);
      REQUIRE(decoded);
      REQUIRE(decoded->index() == row);
      REQUIRE(same(*decoded, request));
    });
  });
}

TEST_CASE("codec: numbers come back to the bit") {
  Random random(43);
  for (int i = 0; i < 2000; ++i) {
    const double weight = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 120) - 100);
    const auto decoded = decode_request(encode_request(AddNodes::Request{{}, "r", {{"n", weight}}, false}));
    REQUIRE(decoded);
    REQUIRE(std::get<AddNodes::Request>(*decoded).nodes.front().weight == weight);
  }
  CHECK(encode_request(AddNodes::Request{{}, "r", {{"n", 2}}, false}) ==
        R"({"op":"add","ring":"r","nodes":[{"name":"n","weight":2.0}]})");
  CHECK(encode_request(AddNodes::Request{{}, "r", {{"n", 2}}, true}) ==
        R"({"op":"add","ring":"r","nodes":[{"name":"n","weight":2.0}],"if_missing":true})");
  Ping::Response response{"v", 4'294'967'295, 18'446'744'073'709'551'615u};
  std::string text;
  encode_response(response, text);
  CHECK(text == R"({"version":"v","protocol":4294967295,"pid":18446744073709551615})");
}

TEST_CASE("codec: a key that is not UTF-8 travels as base64, a list of keys all alike") {
  CHECK(encode_request(GetNode::Request{"default", {"user:123"}, 1}) ==
        R"({"op":"get-node","ring":"default","key":"user:123","n":1})");
  CHECK(encode_request(GetNode::Request{"default", {"\xff\xfe"}, 1}) ==
        R"({"op":"get-node","ring":"default","key_b64":"//4=","n":1})");
  CHECK(encode_request(GetNodes::Request{"r", {{"a"}, {"\xff"}}, 2}) ==
        R"({"op":"get-nodes","ring":"r","keys_b64":["YQ==","/w=="],"n":2})");
  CHECK(encode_http(GetNode::Request{"default", {"a/b\xff"}, 1}).target ==
        "/api/v1/rings/default/node?key=a%2Fb%FF&n=1");
  const auto decoded =
      decode_request(R"({"op":"get-node","key_b64":"dXNlcjoxMjM="})");  // text may be sent as base64 too
  REQUIRE(decoded);
  CHECK(std::get<GetNode::Request>(*decoded).key.bytes == "user:123");
}

TEST_CASE("codec: optional fields that are left out keep their defaults") {
  const auto node = decode_request(R"({"op":"get-node","key":"k"})");
  REQUIRE(node);
  CHECK(same(*node, GetNode::Request{"default", {"k"}, 1}));
  const auto add = decode_request(R"({"nodes":[{"name":"a"},{"name":"b","weight":3}],"op":"add"})");
  REQUIRE(add);
  CHECK(same(*add, AddNodes::Request{{}, "default", {{"a", 1}, {"b", 3}}, false}));
  const auto over = decode_http(row_of<AddNodes>, {{"ring", "x"}}, {}, R"({"nodes":[{"name":"a"}]})");
  REQUIRE(over);
  CHECK(same(*over, AddNodes::Request{{}, "x", {{"a", 1}}, false}));
  for (const char* line : {R"({"op":"ping"})", R"({"op":"status"})", R"({"op":"list"})", " {\"op\" :\t\"list\" }\r"}) {
    CAPTURE(line);
    CHECK(decode_request(line).has_value());
  }
}

TEST_CASE("codec: a line that is no request is refused and says what one looks like") {
  constexpr auto example = R"(for example {"op":"ping"})";
  const auto refused = [](std::string_view line, std::string_view message, std::string_view hint = "") {
    CAPTURE(line);
    refuses(decode_request(line), Errc::invalid_request, message, hint);
  };
  refused("", "the request is not JSON that chashd takes: a syntax error near byte 1");
  refused("GET / HTTP/1.1\r", "the request is not JSON that chashd takes: a syntax error near byte 1");
  refused("[]", "a request must be a JSON object", example);
  refused("\"ping\"", "a request must be a JSON object", example);
  refused("{}", "a request needs an 'op', a string", example);
  refused(R"({"op":1})", "a request needs an 'op', a string", example);
  refused(R"({"op":null})", "a request needs an 'op', a string", example);
  refused(R"({"Op":"ping"})", "a request needs an 'op', a string", example);
  refused(R"({"op":"ping","op":"ping"})",
          "the request is not JSON that chashd takes: a member stands twice in one object");
  refused(R"({"op":"get-nod"})", "unknown operation 'get-nod'", "did you mean 'get-node'?");
  refused(R"({"op":"Ping"})", "unknown operation 'Ping'", "did you mean 'ping'?");
  refused(R"({"op":""})", "unknown operation ''", "see chash-protocol(7)");
  refused(R"({"op":"frobnicate"})", "unknown operation 'frobnicate'", "see chash-protocol(7)");
  refused("{\"op\":\"x\\n\\u001b[2J\xe2\x80\xae\"}", R"(unknown operation 'x\x0a\x1b[2J\xe2\x80\xae')",
          "see chash-protocol(7)");
  refused("{\"op\":\"" + std::string(1000, 'x') + "\"}",
          "unknown operation '" + std::string(64, 'x') + "...(1000 bytes)'", "see chash-protocol(7)");
}

TEST_CASE("codec: an unknown, missing or mistyped field is refused by name") {
  const auto refused = [](std::string_view line, std::string_view message, std::string_view hint = "") {
    CAPTURE(line);
    refuses(decode_request(line), Errc::invalid_argument, message, hint);
  };
  refused(R"({"op":"get-node"})", "'key' is missing");
  refused(R"({"op":"get-nodes","n":1})", "'keys' is missing");
  refused(R"({"op":"add"})", "'nodes' is missing");
  refused(R"({"op":"add","nodes":[{"weight":1}]})", "'name' is missing");
  refused(R"({"op":"remove"})", "'nodes' is missing");

  refused(R"({"op":"ping","x":1})", "unknown field 'x'");
  refused(R"({"op":"get-node","key":"k","rng":"r"})", "unknown field 'rng'", "did you mean 'ring'?");
  refused(R"({"op":"get-node","key":"k","Ring":"r"})", "unknown field 'Ring'", "did you mean 'ring'?");
  refused(R"({"op":"get-node","key":"k","n_b64":"r"})", "unknown field 'n_b64'");
  refused(R"({"op":"get-node","key":"k","replicas_wanted":2})", "unknown field 'replicas_wanted'");
  refused(R"({"op":"add","nodes":[{"name":"a","weigth":2}]})", "unknown field 'weigth'", "did you mean 'weight'?");
  refused(R"({"op":"add","nodes":[{"name":"a","op":"add"}]})", "unknown field 'op'");
  refused(R"({"op":"add","nodes":[{"name":"a"}],"if_exists":true})", "unknown field 'if_exists'");
  refused(R"({"op":"remove","nodes":["a"],"if-exists":true})", "unknown field 'if-exists'",
          "did you mean 'if_exists'?");
  refused("{\"op\":\"ping\",\"\\u0007\xc2\x9b\":1}", R"(unknown field '\x07\xc2\x9b')");

  refused(R"({"op":"get-node","key":1})", "'key' must be a string");
  refused(R"({"op":"get-node","key":null})", "'key' must be a string");
  refused(R"({"op":"get-node","key":["k"]})", "'key' must be a string");
  refused(R"({"op":"get-node","key":"k","ring":1})", "'ring' must be a string");
  refused(R"({"op":"get-nodes","keys":"k"})", "'keys' must be a list");
  refused(R"({"op":"get-nodes","keys":{"0":"k"}})", "'keys' must be a list");
  refused(R"({"op":"remove","nodes":"a"})", "'nodes' must be a list");
  refused(R"({"op":"add","nodes":[{"name":1}]})", "'name' must be a string");
  refused(R"({"op":"add","nodes":[{"name":"a","weight":"2"}]})", "'weight' must be a number");
  refused(R"({"op":"add","nodes":[{"name":"a","weight":null}]})", "'weight' must be a number");
  refused(R"({"op":"add","nodes":[{"name":"a"}],"if_missing":1})", "'if_missing' must be true or false");
  refused(R"({"op":"add","nodes":[{"name":"a"}],"if_missing":"true"})", "'if_missing' must be true or false");
}

TEST_CASE("codec: a whole number is from 0 to 2^32 - 1 and nothing else") {
  const auto asked = [](const std::string& n) {
    return decode_request(R"({"op":"get-node","key":"k","n":)" + n + "}");
  };
  for (const std::uint32_t good : {0u, 1u, 256u, 4294967295u}) {
    const auto request = asked(std::to_string(good));
    REQUIRE(request);
    CHECK(std::get<GetNode::Request>(*request).n == good);
  }
  for (const char* bad : {"4294967296", "18446744073709551615", "18446744073709551616", "-1", "1.5", "1.0", "1e0",
                          "\"1\"", "true", "null", "[1]"}) {
    CAPTURE(bad);
    refuses(asked(bad), Errc::invalid_argument, "'n' must be a whole number from 0 to 4294967295");
  }
}

TEST_CASE("codec: base64 keys are decoded strictly, and never beside the text") {
  const auto refused = [](std::string_view line, std::string_view message) {
    CAPTURE(line);
    refuses(decode_request(line), Errc::invalid_argument, message);
  };
  refused(R"({"op":"get-node","key_b64":"Zg"})", "'key_b64' must be base64 with padding");
  refused(R"({"op":"get-node","key_b64":"Zh=="})", "'key_b64' must be base64 with padding");
  refused(R"({"op":"get-node","key_b64":1})", "'key' must be a string");
  refused(R"({"op":"get-node","key":"f","key_b64":"Zg=="})", "'key' is given as text and as base64");
  refused(R"({"op":"get-nodes","keys":["f"],"keys_b64":["Zg=="]})", "'keys' is given as text and as base64");
  refused(R"({"op":"get-nodes","keys_b64":["Zg==","?"]})", "'keys_b64' must be base64 with padding");
  refused(R"({"op":"get-node","key":"k","ring_b64":"Zg=="})", "unknown field 'ring_b64'");
}

TEST_CASE("codec: the table has no name twice, and no method and path twice") {
  for (std::size_t one = 0; one < operation_table.size(); ++one) {
    const OperationInfo& row = operation_table[one];
    CAPTURE(row.name);
    CHECK(row.path.starts_with("/api/v1/"));
    CHECK_FALSE(row.help.empty());
    CHECK((row.http_status >= 200 && row.http_status < 300));
    CHECK((row.access != Access::write || row.method != Method::get));  // a GET never changes anything
    for (std::size_t other = 0; other < one; ++other) {
      CHECK(row.name != operation_table[other].name);
      CHECK((row.method != operation_table[other].method || row.path != operation_table[other].path));
    }
  }
  for_each_operation([]<class Op>(std::size_t row) {
    CHECK(info(AnyRequest(typename Op::Request{})).name == operation_table[row].name);
  });
}

TEST_CASE("codec: any bytes make a valid JSON string") {
  const auto quoted = [](std::string_view text) {
    std::string out;
    append_json_string(text, out);
    return out;
  };
  CHECK(quoted("") == R"("")");
  CHECK(quoted("a\"b\\c/\b\f\n\r\t\0\x1f\x7f"sv) == "\"a\\\"b\\\\c/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\x7f\"");
  CHECK(quoted("\xc3\xa9\xf0\x9f\x94\x91") == "\"\xc3\xa9\xf0\x9f\x94\x91\"");
  CHECK(quoted("a\xff\n\\") == R"("a\\xff\\x0a\\\\")");
  Random random(45);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 2 == 0) bytes = random_text(random);
    const std::string text = json::parse(quoted(bytes)).get<std::string>();
    REQUIRE(text == (test::naive_is_utf8(bytes) ? bytes : printable(bytes, bytes.size())));
  }
}

TEST_CASE("codec: a key member says whether it is text or base64") {
  const auto member = [](std::string_view key) {
    std::string out;
    append_key_member("key", key, out);
    return out;
  };
  CHECK(member("user:123") == R"("key":"user:123")");
  CHECK(member("") == R"("key":"")");
  CHECK(member("a\n\0"sv) == R"("key":"a\n\u0000")");
  CHECK(member("\xff") == R"("key_b64":"/w==")");
  CHECK(member("\xed\xa0\x80") == R"("key_b64":"7aCA")");
}

}  // namespace
}  // namespace chash::protocol
