#include "protocol/codec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chash/limits.h"
#include "protocol/naive.h"
#include "protocol/samples.h"

namespace chash::protocol {
namespace {

using namespace std::literals;
using nlohmann::json;
using test::for_each_operation;
using test::Random;
using test::refuses;
using test::same;
using test::with_random_requests;

struct SplitTarget {
  std::string path, query;
};
SplitTarget split(const std::string& target) {
  const std::size_t question = std::min(target.find('?'), target.size());
  return {target.substr(0, question), target.substr(std::min(target.size(), question + 1))};
}

Result<AnyRequest> over_http(const HttpCall& call) {
  const SplitTarget target = split(call.target);
  const RouteMatch match = match_route(call.method, target.path);
  REQUIRE(match.row);
  const auto query = parse_query(target.query);
  REQUIRE(query);
  return decode_http(*match.row, match.path_fields, *query, call.body);
}

TEST_CASE("codec: every operation's request comes back over HTTP") {
  for_each_operation([]<class Op>(std::size_t row) {
    CAPTURE(Op::info.name);
    with_random_requests<Op>([&](const typename Op::Request& typed) {
      const AnyRequest request = typed;
      const HttpCall call = encode_http(request);
      CAPTURE(call.target);
      REQUIRE(call.method == Op::info.method);
      REQUIRE(test::is_printable(call.target));
      REQUIRE(call.target.find_first_of(" #\"\\") == std::string::npos);
      REQUIRE((call.body.empty() || json::parse(call.body).is_object()));
      REQUIRE(match_route(call.method, split(call.target).path).row == row);
      const auto decoded = over_http(call);
      REQUIRE(decoded);
      REQUIRE(same(*decoded, request));
    });
  });
}

TEST_CASE("codec: the largest key and a batch of keys come back") {
  Random random(44);
  std::string key(limits::key_bytes, '\0');
  for (char& byte : key) byte = static_cast<char>(random());
  const AnyRequest one = GetNode::Request{"default", {key}, 3};
  const auto by_socket = decode_request(encode_request(one));
  REQUIRE(by_socket);
  CHECK(same(*by_socket, one));
  const HttpCall call = encode_http(one);
  CHECK(call.target.size() < limits::request_line_bytes);
  const auto by_http = over_http(call);
  REQUIRE(by_http);
  CHECK(same(*by_http, one));

  GetNodes::Request batch;
  for (std::size_t i = 0; i < limits::batch_keys; ++i) batch.keys.push_back({"user:" + std::to_string(i)});
  const AnyRequest many = batch;
  CHECK(encode_request(many).size() < limits::line_bytes);
  const auto decoded = decode_request(encode_request(many));
  REQUIRE(decoded);
  CHECK(same(*decoded, many));
}

Result<AnyRequest> ask_http(Method method, std::string_view target, std::string_view body = "") {
  return over_http({method, std::string(target), std::string(body)});
}

TEST_CASE("codec: HTTP refuses unknown, missing, repeated and mistyped fields by name") {
  const auto refused = [](std::string_view target, std::string_view message, std::string_view hint = "") {
    CAPTURE(target);
    const Method method = target.starts_with("/api/v1/rings/r/nodes") ? Method::del : Method::get;
    refuses(ask_http(method, target), Errc::invalid_argument, message, hint);
  };
  refused("/api/v1/rings/r/node", "'key' is missing from the query");
  refused("/api/v1/rings/r/node?n=1", "'key' is missing from the query");
  refused("/api/v1/rings/r/nodes", "'nodes' is missing from the query");
  refused("/api/v1/rings/r/node?kee=a", "unknown field 'kee'", "did you mean 'key'?");
  refused("/api/v1/ping?=b", "unknown field ''");
  refused("/api/v1/ping?%0a=b", R"(unknown field '\x0a')");
  refused("/api/v1/ping?verbose=1", "unknown field 'verbose'");
  refused("/api/v1/rings/r/node?key=a&key=a", "'key' is given twice");
  refused("/api/v1/rings/r/node?key=a&n=1&n=1", "'n' is given twice");
  refused("/api/v1/rings/r/nodes?nodes=a&if_exists=true&if_exists=false", "'if_exists' is given twice");
  for (const char* n : {"", "x", "-1", "%2B1", "+1", "%201", "1%20", "1.5", "1e0", "0x1", "4294967296",
                        "99999999999999999999", "1%00"}) {
    CAPTURE(n);
    refused("/api/v1/rings/r/node?key=a&n=" + std::string(n), "'n' must be a whole number from 0 to 4294967295");
  }
  for (const char* flag : {"", "1", "yes", "True", "TRUE", "true%20"}) {
    CAPTURE(flag);
    refused("/api/v1/rings/r/nodes?nodes=a&if_exists=" + std::string(flag), "'if_exists' must be true or false");
  }
}

TEST_CASE("codec: a field in the wrong part of an HTTP request is refused, without a hint to write it as it is") {
  const auto hint_of = [](const Result<AnyRequest>& outcome) {
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == Errc::invalid_argument);
    return outcome.error().hint;
  };
  CHECK(hint_of(ask_http(Method::get, "/api/v1/rings/r/node?key=a&ring=x")) != "did you mean 'ring'?");
  CHECK(hint_of(ask_http(Method::get, "/api/v1/rings/r/nodes?ring=x")) != "did you mean 'ring'?");
  CHECK(hint_of(ask_http(Method::post, "/api/v1/rings/r/nodes?if_missing=true", R"({"nodes":[{"name":"a"}]})")) !=
        "did you mean 'if_missing'?");
  CHECK(hint_of(ask_http(Method::post, "/api/v1/rings/r/nodes", R"({"nodes":[{"name":"a"}],"ring":"x"})")) !=
        "did you mean 'ring'?");
}

TEST_CASE("codec: HTTP takes a body where the operation has one, and only there") {
  refuses(ask_http(Method::get, "/api/v1/ping", "{}"), Errc::invalid_request, "this operation takes no body",
          "put its fields in the query");
  refuses(ask_http(Method::del, "/api/v1/rings/r/nodes?nodes=a", R"({"nodes":["a"]})"), Errc::invalid_request,
          "this operation takes no body", "put its fields in the query");
  const auto posted = [](std::string_view body) { return ask_http(Method::post, "/api/v1/rings/r/get-nodes", body); };
  refuses(posted(""), Errc::invalid_request, "the request is not JSON that chashd takes: a syntax error near byte 1");
  refuses(posted("[]"), Errc::invalid_request, "the body must be a JSON object");
  refuses(posted("{}"), Errc::invalid_argument, "'keys' is missing");
  refuses(posted(R"({"keys":["a"],"op":"get-nodes"})"), Errc::invalid_argument, "unknown field 'op'");
  refuses(posted(R"({"kyes":["a"]})"), Errc::invalid_argument, "unknown field 'kyes'", "did you mean 'keys'?");
  refuses(posted(R"({"keys":["a"],"keys":["b"]})"), Errc::invalid_request,
          "the request is not JSON that chashd takes: a member stands twice in one object");
  refuses(posted(R"({"keys":["a"],"n":-1})"), Errc::invalid_argument,
          "'n' must be a whole number from 0 to 4294967295");
  const auto bytes = posted(R"({"keys_b64":["/w=="],"n":2})");
  REQUIRE(bytes);
  CHECK(same(*bytes, GetNodes::Request{"r", {{"\xff"}}, 2}));
}

TEST_CASE("codec: a repeated query field is a list where the field is one") {
  const auto removal = ask_http(Method::del, "/api/v1/rings/r/nodes?nodes=a&if_exists=true&nodes=b%26c&nodes=");
  REQUIRE(removal);
  CHECK(same(*removal, RemoveNodes::Request{{}, "r", {"a", "b&c", ""}, true}));
}

TEST_CASE("codec: a query is split first and decoded after") {
  const auto parsed = [](std::string_view query) {
    const auto parameters = parse_query(query);
    REQUIRE(parameters);
    return *parameters;
  };
  CHECK(parsed("").empty());
  CHECK(parsed("a=1&b=2") == Parameters{{"a", "1"}, {"b", "2"}});
  CHECK(parsed("a=1&a=2") == Parameters{{"a", "1"}, {"a", "2"}});
  CHECK(parsed("key=a%26b%3Dc%00+%2B") == Parameters{{"key", "a&b=c\0++"s}});
  CHECK(parsed("%6b=v") == Parameters{{"k", "v"}});
  CHECK(parsed("key=a=b==") == Parameters{{"key", "a=b=="}});
  CHECK(parsed("flag") == Parameters{{"flag", ""}});
  CHECK(parsed("&&a=1&&") == Parameters{{"a", "1"}});
  CHECK(parsed("=").empty());
  CHECK(parsed("=v") == Parameters{{"", "v"}});
  CHECK(parsed("a=\xff;b") == Parameters{{"a", "\xff;b"}});
  for (const char* bad : {"a=%", "a=%4", "a=%zz", "%=1", "a=1&b=%g1"}) {
    CAPTURE(bad);
    const auto parameters = parse_query(bad);
    REQUIRE_FALSE(parameters);
    CHECK(parameters.error() ==
          Error{Errc::invalid_request, "the query has a '%' that starts no escape", "write a '%' as %25"});
  }
}

TEST_CASE("codec: a path is split first and decoded after, so that %2F stays data") {
  const auto ring_of = [](std::string_view path) {
    const RouteMatch match = match_route(Method::get, path);
    REQUIRE(match.row == 0);
    REQUIRE(match.path_fields.size() == 1);
    CHECK(match.path_fields.front().first == "ring");
    return match.path_fields.front().second;
  };
  CHECK(ring_of("/api/v1/rings/default/node") == "default");
  CHECK(ring_of("/api/v1/rings/a%2Fb/node") == "a/b");
  CHECK(ring_of("/api/v1/rings/%252F/node") == "%2F");
  CHECK(ring_of("/api/v1/rings/%2e%2E/node") == "..");
  CHECK(ring_of("/api/v1/rings/../node") == "..");
  CHECK(ring_of("/api/v1/rings/a+b/node") == "a+b");
  CHECK(ring_of("/api/v1/rings/%ff%00/node") == "\xff\0"s);
  CHECK(ring_of("/api/v1/rings/{ring}/node") == "{ring}");
}

TEST_CASE("codec: a path that is none matches nothing and allows nothing") {
  for (const char* path : {"",
                           "/",
                           "//",
                           "/api",
                           "/api/v1",
                           "/api/v1/",
                           "/api/v1/rings//node",
                           "/api/v1/rings/r/node/",
                           "//api/v1/rings/r/node",
                           "/api/v1/rings/r/Node",
                           "/API/v1/ping",
                           "/api/v1/ping/",
                           "/api/v1/pin",
                           "/api/v1/pings",
                           "/api/v1/%70ing",
                           "api/v1/ping",
                           "/api/v1/rings/a/b/node",
                           "/api/v1/rings/r/",
                           "/api/v1/rings/",
                           "/api/v1/ping?x=1"}) {
    CAPTURE(path);
    const RouteMatch match = match_route(Method::get, path);
    CHECK_FALSE(match.row);
    CHECK(match.allow.empty());
    CHECK(match.path_fields.empty());
  }
  CHECK_FALSE(match_route(Method::get, "/api/v1/rings/%/node").row);
  CHECK_FALSE(match_route(Method::get, std::string(200'000, '/')).row);
  CHECK_FALSE(match_route(Method::get, "/api/v1/" + std::string(200'000, 'x')).row);
}

TEST_CASE("codec: every row is found by its own method and path, and the other methods of the path are allowed") {
  for (std::size_t row = 0; row < operation_table.size(); ++row) {
    std::string path(operation_table[row].path);
    CAPTURE(path);
    if (const auto slot = path.find("{ring}"); slot != std::string::npos) path.replace(slot, 6, "r");
    for (const Method method : {Method::get, Method::post, Method::del}) {
      const RouteMatch match = match_route(method, path);
      std::vector<Method> methods;
      for (const OperationInfo& other : operation_table)
        if (other.path == operation_table[row].path) methods.push_back(other.method);
      CHECK(match.allow == methods);
      CHECK(match.row.has_value() == (std::ranges::find(methods, method) != methods.end()));
      if (!match.row) CHECK(match.path_fields.empty());
    }
    CHECK(match_route(operation_table[row].method, path).row == row);
  }
  CHECK(match_route(Method::get, "/api/v1/rings/r/nodes").allow == std::vector{Method::get, Method::post, Method::del});
  CHECK(name(Method::get) == "GET");
  CHECK(name(Method::post) == "POST");
  CHECK(name(Method::del) == "DELETE");
}

}  // namespace
}  // namespace chash::protocol
