#include "protocol/openapi.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "chash/version.h"
#include "protocol/codec.h"
#include "protocol/operations.h"

namespace chash::protocol {
namespace {

using nlohmann::json;

json document() { return json::parse(openapi_document()); }

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

template <class Visit>
void for_each_value(const json& value, Visit visit) {
  visit(value);
  if (value.is_structured())
    for (const auto& child : value) for_each_value(child, visit);
}

TEST_CASE("openapi: the document names itself and is the same every time") {
  const json whole = document();
  CHECK(whole.at("openapi") == "3.1.0");
  CHECK(whole.at("info").at("title") == "Consistent Hashing Service");
  CHECK(whole.at("info").at("version") == version());
  CHECK(openapi_document() == openapi_document());
  CHECK(openapi_document().find('\n') == std::string::npos);
}

TEST_CASE("openapi: every row of the table stands in it, and nothing else under /api/v1") {
  const json paths = document().at("paths");
  std::set<std::pair<std::string, std::string>> rows, described;
  for (const OperationInfo& row : operation_table) {
    CAPTURE(row.name);
    rows.emplace(row.path, lower(name(row.method)));
    REQUIRE(paths.contains(row.path));
    REQUIRE(paths.at(row.path).contains(lower(name(row.method))));
    const json& operation = paths.at(row.path).at(lower(name(row.method)));
    CHECK(operation.at("operationId") == row.name);
    CHECK(operation.at("summary") == row.help);
    CHECK(operation.at("responses").contains(std::to_string(row.http_status)));
    CHECK(operation.at("responses").contains("default"));
  }
  for (const auto& [path, methods] : paths.items())
    for (const auto& [method, operation] : methods.items())
      if (path.starts_with("/api/v1/")) described.emplace(path, method);
  CHECK(described == rows);
}

TEST_CASE("openapi: the seed's routes stand in it") {
  const json paths = document().at("paths");
  for (const auto& [path, method] :
       std::vector<std::pair<std::string, std::string>>{{"/api/get-node/{key}", "get"},
                                                        {"/api/nodes", "get"},
                                                        {"/api/nodes/{node_name}", "post"},
                                                        {"/api/nodes/{node_name}", "delete"}}) {
    CAPTURE(path);
    REQUIRE(paths.contains(path));
    CHECK(paths.at(path).contains(method));
  }
}

TEST_CASE("openapi: every reference leads to something") {
  const json whole = document();
  std::size_t references = 0;
  for_each_value(whole, [&](const json& value) {
    if (!value.is_object() || !value.contains("$ref")) return;
    const std::string reference = value.at("$ref");
    CAPTURE(reference);
    REQUIRE(reference.starts_with("#/"));
    CHECK(whole.contains(json::json_pointer(reference.substr(1))));
    ++references;
  });
  CHECK(references >= operation_table.size());
}

TEST_CASE("openapi: no operation id is given twice") {
  std::set<std::string> ids;
  const json paths = document().at("paths");
  for (const auto& methods : paths)
    for (const auto& operation : methods) {
      CAPTURE(operation.at("operationId").get<std::string>());
      CHECK(ids.insert(operation.at("operationId")).second);
    }
}

TEST_CASE("openapi: the fields of a path are its parameters, and are required") {
  const json paths = document().at("paths");
  for (const auto& [path, methods] : paths.items())
    for (const auto& [method, operation] : methods.items()) {
      CAPTURE(path);
      CAPTURE(method);
      std::size_t in_path = 0;
      for (const auto& parameter : operation.value("parameters", json::array())) {
        if (parameter.at("in") != "path") continue;
        ++in_path;
        CHECK(parameter.at("required") == true);
        CHECK(path.find("{" + parameter.at("name").get<std::string>() + "}") != std::string::npos);
      }
      CHECK(in_path == static_cast<std::size_t>(std::ranges::count(path, '{')));
    }
}

TEST_CASE("openapi: every field of every request stands in its place, with its help") {
  const json paths = document().at("paths");
  const auto check = [&]<class Op>() {
    const json& operation = paths.at(std::string(Op::info.path)).at(lower(name(Op::info.method)));
    for_each_field<typename Op::Request>([&](const auto& field) {
      CAPTURE(Op::info.name);
      CAPTURE(field.name);
      if (field.in == In::body) {
        const json& schema = operation.at("requestBody").at("content").at("application/json").at("schema");
        CHECK(schema.at("properties").at(std::string(field.name)).at("description") == field.help);
        using Value = std::remove_cvref_t<decltype(std::declval<typename Op::Request>().*field.member)>;
        if constexpr (holds_keys<Value>) {
          const std::string text(field.name), encoded = text + "_b64";
          CHECK(schema.at("properties").contains(encoded));
          CHECK(schema.at("oneOf") ==
                json::parse(R"([{"required":[")" + text + R"("]},{"required":[")" + encoded + R"("]}])"));
          return;
        }
        const json required = schema.value("required", json::array());
        CHECK((std::ranges::find(required, json(field.name)) != required.end()) ==
              (field.presence == Presence::required));
      } else {
        std::size_t found = 0;
        for (const auto& parameter : operation.at("parameters"))
          if (parameter.at("name") == field.name) {
            ++found;
            CHECK(parameter.at("in") == (field.in == In::path ? "path" : "query"));
            CHECK(parameter.at("description") == field.help);
            CHECK(parameter.contains("schema"));
          }
        CHECK(found == 1);
      }
    });
    for_each_field<typename Op::Response>([&](const auto& field) {
      const json& schema = operation.at("responses")
                               .at(std::to_string(Op::info.http_status))
                               .at("content")
                               .at("application/json")
                               .at("schema");
      CHECK(schema.at("properties").at(std::string(field.name)).at("description") == field.help);
    });
  };
  [&]<class... Op>(std::type_identity<std::tuple<Op...>>) {
    (check.template operator()<Op>(), ...);
  }(std::type_identity<Operations>{});
}

}  // namespace
}  // namespace chash::protocol
