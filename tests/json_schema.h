// A checker for the part of JSON Schema that our own documents use: type, properties, required, items, enum, oneOf,
// minimum, additionalProperties and $ref. Stricter in one thing: an object has the members of its schema and no others,
// unless additionalProperties says how those are.
#pragma once

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace chash::test {

class SchemaChecker {
 public:
  using json = nlohmann::json;
  // What a $ref leads to.
  using Resolve = std::function<json(const std::string&)>;

  explicit SchemaChecker(Resolve resolve) : resolve_(std::move(resolve)) {}

  // What is wrong with the value, a line each: "/nodes/0/name: ...".
  std::vector<std::string> faults(const json& schema, const json& value) {
    faults_.clear();
    check(schema, value, "");
    return faults_;
  }
  // The members that values had, by their path: "/nodes/name".
  const std::set<std::string>& seen() const { return seen_; }

 private:
  static bool is_a(const std::string& type, const json& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
  }

  void check(json schema, const json& value, const std::string& at) {
    if (schema.contains("$ref")) {
      const json own = schema;
      schema = resolve_(own.at("$ref"));
      schema.merge_patch(own);  // members beside those of what it refers to
      schema.erase("$ref");
    }
    const auto fault = [&](const std::string& what) { faults_.push_back(at + ": " + what + ": " + value.dump()); };
    for (const auto& [word, rule] : schema.items())
      if (!known_words().contains(word)) fault("the checker does not know " + word);
    if (schema.contains("type")) {
      const json types = schema.at("type").is_array() ? schema.at("type") : json{schema.at("type")};
      if (std::ranges::none_of(types, [&](const json& type) { return is_a(type, value); }))
        return fault("is no " + types.dump());
    }
    if (schema.contains("enum") && std::ranges::find(schema.at("enum"), value) == schema.at("enum").end())
      fault("is none of " + schema.at("enum").dump());
    if (schema.contains("minimum") && value.is_number() && value < schema.at("minimum")) fault("is too small");
    if (value.is_array() && schema.contains("items"))
      for (std::size_t i = 0; i < value.size(); ++i) check(schema.at("items"), value[i], at + '/' + std::to_string(i));
    if (value.is_object()) check_members(schema, value, at);
  }

  void check_members(const json& schema, const json& value, const std::string& at) {
    const auto has = [&](const json& name) { return value.contains(name.get<std::string>()); };
    for (const json& name : schema.value("required", json::array()))
      if (!has(name)) faults_.push_back(at + ": has no " + name.dump() + ": " + value.dump());
    if (schema.contains("oneOf") && std::ranges::count_if(schema.at("oneOf"), [&](const json& one) {
                                      return std::ranges::all_of(one.at("required"), has);
                                    }) != 1)
      faults_.push_back(at + ": is not one of " + schema.at("oneOf").dump() + ": " + value.dump());
    const json properties = schema.value("properties", json::object());
    const json others = schema.value("additionalProperties", json(false));
    for (const auto& [name, member] : value.items()) {
      const std::string path = at + '/' + name;
      if (properties.contains(name)) {
        seen_.insert(without_numbers(path));
        check(properties.at(name), member, path);
      } else if (others.is_object()) {
        check(others, member, path);
      } else {
        faults_.push_back(path + ": is not in the schema: " + member.dump());
      }
    }
  }

  static std::string without_numbers(const std::string& path) {
    std::string out;
    for (std::size_t start = 1, end = 0; start <= path.size(); start = end + 1) {
      end = std::min(path.find('/', start), path.size());
      const std::string part = path.substr(start, end - start);
      if (!std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; })) out += '/' + part;
    }
    return out;
  }

  static const std::set<std::string>& known_words() {
    static const std::set<std::string> words{"type",    "properties",           "required",   "items", "enum", "oneOf",
                                             "minimum", "additionalProperties", "description"};
    return words;
  }

  Resolve resolve_;
  std::vector<std::string> faults_;
  std::set<std::string> seen_;
};

}  // namespace chash::test
