#include "protocol/openapi.h"

#include <nlohmann/json.hpp>

#include "chash/version.h"
#include "protocol/codec.h"
#include "protocol/operations.h"

namespace chash::protocol {
namespace {

using json = nlohmann::ordered_json;

// The seed's own routes answer in their own shapes (a bare string, a bare array), so they are not rows of the table.
constexpr const char* seed_paths = R"json({
  "/api/get-node/{key}": {
    "get": {
      "tags": ["Hashing"],
      "summary": "Get Node For Key",
      "description": "Given a key, returns the node it is mapped to in the consistent hashing ring.",
      "operationId": "get_node_for_key_api_get_node__key__get",
      "parameters": [{"name": "key", "in": "path", "required": true, "schema": {"type": "string", "title": "Key"}}],
      "responses": {
        "200": {"description": "Successful Response", "content": {"application/json": {"schema": {"type": "string"}}}},
        "422": {"description": "Validation Error",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}}},
        "503": {"description": "The ring has no node",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Detail"}}}}
      }
    }
  },
  "/api/nodes/{node_name}": {
    "post": {
      "tags": ["Cluster Management"],
      "summary": "Add New Node",
      "description": "Dynamically adds a new node to the consistent hashing ring.",
      "operationId": "add_new_node_api_nodes__node_name__post",
      "parameters": [{"name": "node_name", "in": "path", "required": true, "schema": {"type": "string",
        "title": "Node Name"}}],
      "responses": {
        "201": {"description": "Successful Response",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Changed"}}}},
        "409": {"description": "The node is already there",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Detail"}}}},
        "422": {"description": "Validation Error",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}}}
      }
    },
    "delete": {
      "tags": ["Cluster Management"],
      "summary": "Remove Existing Node",
      "description": "Dynamically removes an existing node from the consistent hashing ring.",
      "operationId": "remove_existing_node_api_nodes__node_name__delete",
      "parameters": [{"name": "node_name", "in": "path", "required": true, "schema": {"type": "string",
        "title": "Node Name"}}],
      "responses": {
        "200": {"description": "Successful Response",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Changed"}}}},
        "404": {"description": "No such node",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Detail"}}}},
        "422": {"description": "Validation Error",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}}}
      }
    }
  },
  "/api/nodes": {
    "get": {
      "tags": ["Cluster Management"],
      "summary": "Get All Nodes",
      "description": "Returns a list of all physical nodes currently in the consistent hashing ring.",
      "operationId": "get_all_nodes_api_nodes_get",
      "responses": {
        "200": {"description": "Successful Response",
          "content": {"application/json": {"schema": {"items": {"type": "string"}, "type": "array"}}}}
      }
    }
  }
})json";

constexpr const char* shared_schemas = R"json({
  "Detail": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
  "Changed": {
    "type": "object",
    "properties": {"message": {"type": "string"}, "current_nodes": {"type": "array", "items": {"type": "string"}}},
    "required": ["message", "current_nodes"]
  },
  "HTTPValidationError": {
    "type": "object",
    "properties": {"detail": {"type": "array", "items": {"$ref": "#/components/schemas/ValidationError"}}}
  },
  "ValidationError": {
    "type": "object",
    "properties": {
      "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
      "msg": {"type": "string"},
      "type": {"type": "string"}
    },
    "required": ["loc", "msg", "type"]
  },
  "Problem": {
    "type": "object",
    "description": "RFC 9457, with a stable `code` and, where there is a next step, a `hint`.",
    "properties": {
      "type": {"type": "string"},
      "title": {"type": "string"},
      "status": {"type": "integer"},
      "detail": {"type": "string"},
      "code": {"type": "string"},
      "hint": {"type": "string"},
      "plan": {"type": "object", "description": "over_budget: what the change would move, as `plan` answers"}
    },
    "required": ["type", "title", "status", "detail", "code"]
  }
})json";

template <Record T>
json object_schema(bool (*wanted)(In));

json schema(const std::string*) { return {{"type", "string"}}; }
json schema(const Key*) { return {{"type", "string"}}; }
json schema(const Texts*) { return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}; }
json schema(const bool*) { return {{"type", "boolean"}}; }
json schema(const double*) { return {{"type", "number"}}; }
json schema(const std::uint32_t*) { return {{"type", "integer"}, {"minimum", 0}}; }
json schema(const std::uint64_t*) { return {{"type", "integer"}, {"minimum", 0}}; }
template <Record T>
json schema(const T*) {
  return object_schema<T>([](In) { return true; });
}
template <class T>
json schema(const std::optional<T>*);
template <class T>
json schema(const std::vector<T>*) {
  return {{"type", "array"}, {"items", schema(static_cast<const T*>(nullptr))}};
}

template <class T>
json schema(const std::optional<T>*) {
  return schema(static_cast<const T*>(nullptr));
}

template <class T, class Field>
json field_schema(const Field& field) {
  using Value = std::remove_cvref_t<decltype(std::declval<T>().*field.member)>;
  json described = schema(static_cast<const Value*>(nullptr));
  described["description"] = field.help;
  return described;
}

template <Record T>
json object_schema(bool (*wanted)(In)) {
  json properties = json::object(), required = json::array(), either = json::array();
  for_each_field<T>([&](const auto& field) {
    using Value = std::remove_cvref_t<decltype(std::declval<T>().*field.member)>;
    if (!wanted(field.in)) return;
    const std::string name(field.name);
    properties[name] = field_schema<T>(field);
    if constexpr (holds_keys<Value>) {
      const std::string encoded = name + std::string(base64_suffix);
      properties[encoded] = field_schema<T>(field);
      properties[encoded]["description"] = "instead of " + name + ": " + std::string(field.help) + ", as base64";
      if (field.presence == Presence::required)
        for (const std::string& one : {name, encoded}) either.push_back({{"required", {one}}});
    } else if (field.presence == Presence::required) {
      required.push_back(name);
    }
  });
  json described{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) described["required"] = required;
  if (!either.empty()) described["oneOf"] = either;
  return described;
}

template <Record T>
json parameters() {
  json list = json::array();
  for_each_field<T>([&](const auto& field) {
    if (field.in == In::body) return;
    list.push_back({{"name", field.name},
                    {"in", field.in == In::path ? "path" : "query"},
                    {"required", field.in == In::path || field.presence == Presence::required},
                    {"description", field.help},
                    {"schema", field_schema<T>(field)}});
    list.back()["schema"].erase("description");
  });
  return list;
}

template <class Op>
void describe(json& paths) {
  json operation{{"tags", {"v1"}}, {"summary", Op::info.help}, {"operationId", Op::info.name}};
  if (json list = parameters<typename Op::Request>(); !list.empty()) operation["parameters"] = std::move(list);
  json body = object_schema<typename Op::Request>([](In in) { return in == In::body; });
  if (!body["properties"].empty())
    operation["requestBody"] = {{"required", true}, {"content", {{"application/json", {{"schema", body}}}}}};
  const typename Op::Response* response = nullptr;
  operation["responses"] = {
      {std::to_string(Op::info.http_status),
       {{"description", "Success"}, {"content", {{"application/json", {{"schema", schema(response)}}}}}}},
      {"default",
       {{"description", "What went wrong"},
        {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}};
  std::string method(name(Op::info.method));
  for (char& c : method) c = static_cast<char>(c | 0x20);
  paths[std::string(Op::info.path)][method] = std::move(operation);
}

}  // namespace

std::string openapi_document() {
  json paths = json::parse(seed_paths);
  [&]<class... Op>(std::type_identity<std::tuple<Op...>>) {
    (describe<Op>(paths), ...);
  }(std::type_identity<Operations>{});
  const json document{{"openapi", "3.1.0"},
                      {"info", {{"title", "Consistent Hashing Service"}, {"version", version()}}},
                      {"paths", std::move(paths)},
                      {"components", {{"schemas", json::parse(shared_schemas)}}}};
  return document.dump();
}

}  // namespace chash::protocol
