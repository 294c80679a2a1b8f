#include "protocol/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "chash/limits.h"

namespace chash::protocol {
namespace {

using nlohmann::json;

// Builds the document from SAX events; returning false from an event stops the parser for good.
class Builder : public nlohmann::json_sax<json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary values do not exist in JSON text"); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    json& object = *open_.back();
    if (object.size() >= limits::json_members)
      return refuse("an object has more than " + std::to_string(limits::json_members) + " members");
    if (object.contains(name)) return refuse("a member stands twice in one object");
    member_ = &object[name];
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while parsing value - …": the
    // reason stands behind the last " - " and may quote what was read; keep what is ours to say.
    const bool bad_utf8 = std::string_view(e.what()).find("UTF-8") != std::string_view::npos;
    return refuse((bad_utf8 ? "a string is not UTF-8, near byte " : "a syntax error near byte ") +
                  std::to_string(position));
  }

  json take() { return std::move(root_); }
  std::string take_reason() { return std::move(reason_); }

 private:
  bool put(json value) {
    slot() = std::move(value);
    return true;
  }
  bool open(json container) {
    if (open_.size() >= limits::json_depth)
      return refuse("it is nested deeper than " + std::to_string(limits::json_depth) + " levels");
    json& where = slot();
    where = std::move(container);
    open_.push_back(&where);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // Where the next value goes. Pointers in open_ stay good: a container grows only while it is the innermost.
  json& slot() {
    if (open_.empty()) return root_;
    json& container = *open_.back();
    if (container.is_object()) return *std::exchange(member_, nullptr);
    container.push_back(nullptr);
    return container.back();
  }
  bool refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }

  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;
  std::string reason_;
};

}  // namespace

Result<json> parse_json(std::string_view text) {
  const auto refused = [](std::string reason) {
    return make_error(Errc::invalid_request, "the request is not JSON that chashd takes: " + std::move(reason));
  };
  if (text.find('\0') != std::string_view::npos) return refused("it has a NUL byte");
  if (text.starts_with("\xef\xbb\xbf")) return refused("it starts with a byte order mark");
  Builder builder;
  if (!json::sax_parse(text, &builder)) return refused(builder.take_reason());
  return builder.take();
}

}  // namespace chash::protocol
