// What every change can be asked with, optional fields both ways, and the plan that an error may carry.
#include "protocol/change_options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/codec.h"
#include "protocol/openapi.h"
#include "protocol/samples.h"

namespace chash::protocol {
namespace {

using nlohmann::json;
using test::for_each_operation;
using test::refuses;
using test::same;

template <class T>
concept HasOptions = std::is_base_of_v<ChangeOptions, T>;

Result<AnyRequest> over_http(const AnyRequest& request) {
  const HttpCall call = encode_http(request);
  const auto question = std::min(call.target.find('?'), call.target.size());
  const RouteMatch match = match_route(call.method, call.target.substr(0, question));
  REQUIRE(match.row);
  const auto query = parse_query(std::string_view(call.target).substr(std::min(call.target.size(), question + 1)));
  REQUIRE(query);
  return decode_http(*match.row, match.path_fields, *query, call.body);
}

TEST_CASE("change options: every change of a ring has them, in the query, and nothing else has them") {
  std::size_t changes = 0;
  for_each_operation([&]<class Op>(std::size_t) {
    CAPTURE(Op::info.name);
    using Request = typename Op::Request;
    const bool is_of_a_ring = Op::info.path.starts_with("/api/v1/rings");
    CHECK(HasOptions<Request> == (Op::info.access == Access::write && is_of_a_ring));
    if constexpr (HasOptions<Request>) {
      ++changes;
      test::Random random(7);
      auto request = test::random_value<Request>(random);
      static_cast<ChangeOptions&>(request) = {};
      const std::string without = encode_http(request).target;
      CHECK(encode_request(request).find("expect_epoch") == std::string::npos);
      static_cast<ChangeOptions&>(request) = {0, "why & how", "id-1", true, true};
      const std::string target = encode_http(request).target;
      CAPTURE(target);
      CHECK(target == without + (without.find('?') == std::string::npos ? "?" : "&") +
                          "expect_epoch=0&note=why%20%26%20how&request_id=id-1&dry_run=true&force=true");
      const auto decoded = over_http(request);
      REQUIRE(decoded);
      CHECK(same(*decoded, AnyRequest(request)));
      const json line = json::parse(encode_request(request));
      CHECK(line.at("expect_epoch") == 0);
      CHECK(line.at("note") == "why & how");
      CHECK(line.at("request_id") == "id-1");
      CHECK(line.at("dry_run") == true);
      CHECK(line.at("force") == true);
    }
  });
  CHECK(changes >= 8);
}

TEST_CASE("change options: a text that is empty would be taken for none, and is refused") {
  for (const std::string option : {"note", "request_id"}) {
    const RouteMatch match = match_route(Method::post, "/api/v1/rings/r/nodes");
    REQUIRE(match.row);
    const std::string nodes = R"({"nodes":[{"name":"a"}]})";
    refuses(decode_http(*match.row, match.path_fields, *parse_query(option + "="), nodes), Errc::invalid_argument,
            "'" + option + "' must be a text that is not empty");
    refuses(decode_request(R"({"op":"add","nodes":[{"name":"a"}],")" + option + R"(":""})"), Errc::invalid_argument,
            "'" + option + "' must be a text that is not empty");
  }
  refuses(decode_request(R"({"op":"get-node","key":"k","at":""})"), Errc::invalid_argument,
          "'at' must be a text that is not empty");
}

TEST_CASE("change options: in a body they are refused, and it is said where they stand") {
  const auto posted = [](std::string_view path, const std::string& query, std::string_view body) {
    const RouteMatch match = match_route(Method::post, path);
    REQUIRE(match.row);
    return decode_http(*match.row, match.path_fields, *parse_query(query), body);
  };
  const std::string nodes = R"({"nodes":[{"name":"a"}])";
  for (const std::string option : {"expect_epoch", "note", "request_id", "dry_run", "force"}) {
    CAPTURE(option);
    for (const char* path : {"/api/v1/rings/r/nodes", "/api/v1/rings/r/apply"})
      refuses(posted(path, "", nodes + ",\"" + option + "\":1}"), Errc::invalid_argument,
              "'" + option + "' does not belong here", "it stands in the query");
    const std::string given = option + (option == "note" || option == "request_id" ? "=x" : "=");
    refuses(posted("/api/v1/rings/r/nodes", given + "&" + given, nodes + "}"), Errc::invalid_argument,
            option == "note" || option == "request_id" ? "'" + option + "' is given twice"
            : option == "expect_epoch"                 ? "'expect_epoch' must be a whole number from 0 to "
                                                         "18446744073709551615"
                                                       : "'" + option + "' must be true or false");
  }
  const auto good = posted("/api/v1/rings/r/nodes", "dry_run=true&expect_epoch=3", nodes + "}");
  REQUIRE(good);
  CHECK(std::get<AddNodes::Request>(*good).expect_epoch == 3);
  CHECK(std::get<AddNodes::Request>(*good).dry_run);
}

// --- Optional fields ------------------------------------------------------------------------------------------------

TEST_CASE("optional fields: none and zero are two things, on the socket and in a URL") {
  for (const std::optional<std::uint64_t> epoch : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(0),
                                                   std::optional<std::uint64_t>(18'446'744'073'709'551'615u)}) {
    GetNode::Request request{"r", {"k"}, 1, epoch, ""};
    const std::string line = encode_request(request), target = encode_http(request).target;
    CHECK((line.find("epoch") != std::string::npos) == epoch.has_value());
    CHECK((target.find("epoch") != std::string::npos) == epoch.has_value());
    const auto by_line = decode_request(line), by_http = over_http(request);
    REQUIRE(by_line);
    REQUIRE(by_http);
    CHECK(std::get<GetNode::Request>(*by_line).epoch == epoch);
    CHECK(std::get<GetNode::Request>(*by_http).epoch == epoch);
  }
  const auto none = decode_request(R"({"op":"diff"})");
  REQUIRE(none);
  CHECK(std::get<Diff::Request>(*none).from == std::nullopt);
  const auto empty = decode_request(R"({"op":"apply","nodes":[]})");  // all nodes are to go, with prune
  REQUIRE(empty);
  REQUIRE(std::get<ApplyChange::Request>(*empty).nodes);
  CHECK(std::get<ApplyChange::Request>(*empty).nodes->empty());
  CHECK(encode_request(*empty) == R"({"op":"apply","ring":"default","nodes":[]})");
}

TEST_CASE("optional fields: they are as strict as others") {
  const auto refused = [](std::string_view line, std::string_view message) {
    CAPTURE(line);
    refuses(decode_request(line), Errc::invalid_argument, message);
  };
  constexpr auto whole = "'epoch' must be a whole number from 0 to 18446744073709551615";
  for (const char* epoch : {"null", "-1", "1.5", "\"1\"", "[]", "18446744073709551616"})
    refused(R"({"op":"get-node","key":"k","epoch":)" + std::string(epoch) + "}", whole);
  refused(R"({"op":"apply","nodes":null})", "'nodes' must be a list");
  refused(R"({"op":"apply","max_move":"1"})", "'max_move' must be a number");
  refused(R"({"op":"apply","nodes":[{"weight":1}]})", "'name' is missing");
}

TEST_CASE("optional fields: whatever may be absent is declared so, and is absent by default") {
  const auto check = []<class T>(const auto& self, const T& record) -> void {
    for_each_field<T>([&](const auto& field) {
      const auto& member = record.*field.member;
      using Member = std::remove_cvref_t<decltype(member)>;
      CAPTURE(field.name);
      if constexpr (test::is_optional<Member>::value) {
        CHECK(field.presence == Presence::optional);
        CHECK_FALSE(member.has_value());
        if constexpr (Record<typename Member::value_type>) self(self, typename Member::value_type{});
      } else if constexpr (Record<Member>) {
        self(self, member);
      }
    });
  };
  for_each_operation([&]<class Op>(std::size_t) {
    check(check, typename Op::Request{});
    check(check, typename Op::Response{});
  });
}

TEST_CASE("optional fields: in OpenAPI they have the type of what they may hold, and are not required") {
  const json paths = json::parse(openapi_document()).at("paths");
  const json& apply = paths.at("/api/v1/rings/{ring}/apply").at("post");
  const json& body = apply.at("requestBody").at("content").at("application/json").at("schema");
  CHECK(body.at("properties").at("nodes").at("type") == "array");
  CHECK(body.at("properties").at("nodes").at("items").at("required") == json{"name"});
  CHECK(body.at("properties").at("max_move").at("type") == "number");
  CHECK(body.at("properties").at("rollback").at("type") == "integer");
  CHECK_FALSE(body.contains("required"));
  std::size_t options = 0;
  for (const json& parameter : apply.at("parameters"))
    for (const char* name : {"expect_epoch", "note", "request_id", "dry_run", "force"})
      if (parameter.at("name") == name) {
        ++options;
        CHECK(parameter.at("in") == "query");
        CHECK(parameter.at("required") == false);
      }
  CHECK(options == 5);
  const json& answer = apply.at("responses").at("200").at("content").at("application/json").at("schema");
  CHECK(answer.at("properties").at("plan").at("properties").at("flows").at("type") == "array");
  for (const json& name : answer.at("required")) CHECK((name != "plan" && name != "moved" && name != "warnings"));
}

// --- The plan of a refusal ------------------------------------------------------------------------------------------

Plan some_plan() {
  test::Random random(9);
  auto plan = test::random_value<Plan>(random);
  plan.over_budget = true;
  plan.moved = 0.262509;
  plan.flows = {{"a", "b", 0.25}};
  return plan;
}

TEST_CASE("an error's plan: it comes back over the socket and over HTTP, and stands there as an object") {
  const Plan plan = some_plan();
  Error error = make_error(Errc::over_budget, "too much", "force it");
  error.plan = encode_plan(plan);
  const std::string line = encode_error(error), problem = encode_problem(error, 409);
  CHECK(json::parse(line).at("error").at("plan") == test::expected_json(plan));
  CHECK(json::parse(problem).at("plan") == test::expected_json(plan));
  CHECK(json::parse(encode_error(error, 6)).at("error").at("exit") == 6);
  const auto reply = decode_reply(0, line);
  REQUIRE_FALSE(reply);
  for (const Error& told : {reply.error(), decode_problem(409, problem)}) {
    CHECK(told.code == Errc::over_budget);
    CHECK(told.message == "too much");
    CHECK(told.hint == "force it");
    const auto decoded = decode_plan(told);
    REQUIRE(decoded);
    CHECK(same(*decoded, plan));
  }
}

TEST_CASE("an error's plan: without one there is none, and what is none is not taken for one") {
  const Error plain = make_error(Errc::conflict, "no");
  CHECK(encode_error(plain).find("plan") == std::string::npos);
  CHECK(encode_problem(plain, 409).find("plan") == std::string::npos);
  CHECK_FALSE(decode_plan(plain));
  for (const char* plan : {"null", "1", "[]", "\"text\"", "{}", R"({"ring":1})"}) {
    CAPTURE(plan);
    const auto reply =
        decode_reply(0, R"({"error":{"code":"over_budget","message":"m","plan":)" + std::string(plan) + "}}");
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::over_budget);
    CHECK(reply.error().message == "m");
    CHECK_FALSE(decode_plan(reply.error()));
  }
  // A newer daemon may say more.
  json more = json::parse(encode_plan(some_plan()));
  more["mood"] = "good";
  const Error newer{Errc::over_budget, "m", "", more.dump()};
  REQUIRE(decode_plan(newer));
  CHECK(same(*decode_plan(newer), some_plan()));
}

TEST_CASE("an error's plan: OpenAPI names it among what a problem may say") {
  const json problem = json::parse(openapi_document()).at("components").at("schemas").at("Problem");
  REQUIRE(problem.at("properties").contains("plan"));
  CHECK(problem.at("properties").at("plan").at("type") == "object");
  for (const json& name : problem.at("required")) CHECK(name != "plan");
}

}  // namespace
}  // namespace chash::protocol
