#include "chash/node_name.h"

#include <algorithm>
#include <array>
#include <string>

#include "chash/limits.h"

namespace chash {
namespace {

constexpr std::string_view letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view first_extra = "_[/";
constexpr std::string_view rest_extra = "_.:@/+=~%[],-";

constexpr std::array<bool, 256> byte_set(std::string_view extra) {
  std::array<bool, 256> set{};
  for (const char c : letters_and_digits) set[static_cast<unsigned char>(c)] = true;
  for (const char c : extra) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr auto may_start = byte_set(first_extra);
constexpr auto may_follow = byte_set(rest_extra);

// In those of rings and of fields.
bool stands_in_names(char c) {
  return letters_and_digits.find(c) != letters_and_digits.npos || c == '.' || c == '_' || c == '-';
}

std::string describe(unsigned char byte) {
  constexpr std::string_view hex = "0123456789abcdef";
  if (byte > 0x20 && byte < 0x7f) return std::string{'\''} + static_cast<char>(byte) + '\'';
  if (byte == ' ') return "a space";
  return std::string{"byte 0x"} + hex[byte >> 4] + hex[byte & 15];
}

}  // namespace

Result<void> check_node_name(std::string_view name) {
  constexpr auto hint =
      "a name has letters, digits and . _ : @ / + = ~ % [ ] , - and starts with a letter, a digit, _ [ or /";
  if (name.empty()) return make_error(Errc::invalid_argument, "a node name is empty", hint);
  if (name.size() > limits::name_bytes)
    return make_error(Errc::invalid_argument, "a node name has " + std::to_string(name.size()) + " bytes",
                      "the limit is " + std::to_string(limits::name_bytes) + " bytes");
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (!(i == 0 ? may_start : may_follow)[byte])
      return make_error(Errc::invalid_argument,
                        "a node name has " + describe(byte) + " at position " + std::to_string(i + 1), hint);
  }
  return {};
}

Result<void> check_ring_name(std::string_view name) {
  const bool starts = !name.empty() && letters_and_digits.find(name.front()) != letters_and_digits.npos;
  if (starts && name.size() <= limits::ring_name_bytes && std::ranges::all_of(name, stands_in_names)) return {};
  return make_error(Errc::invalid_argument, "this is no name for a ring",
                    "it has 1 to 64 letters, digits and . _ - and starts with a letter or a digit");
}

namespace {

Result<void> check_texts(const Node& node, const NodeFields& texts, const std::string& kind) {
  const std::string of_node = " of node '" + node.name + "'";
  if (texts.size() > limits::node_fields)
    return make_error(Errc::too_large, "there are too many " + kind + "s" + of_node,
                      "the limit is " + std::to_string(limits::node_fields));
  for (const auto& [name, value] : texts) {
    const auto same = [&](const auto& text) { return text.first == name; };
    if (std::ranges::count_if(texts, same) != 1)
      return make_error(Errc::invalid_argument, "a " + kind + of_node + " is given twice");
    if (name.size() > limits::name_bytes || value.size() > limits::field_bytes)
      return make_error(Errc::too_large, "a " + kind + of_node + " is too long",
                        "the limit is " + std::to_string(limits::field_bytes) + " bytes");
    const auto is_text = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != ';'; };
    if (name.empty() || !std::ranges::all_of(name, stands_in_names))
      return make_error(Errc::invalid_argument, "the name of a " + kind + of_node + " is none",
                        "it has letters, digits and . _ -");
    if (!std::ranges::all_of(value, is_text))
      return make_error(Errc::invalid_argument,
                        "a " + kind + of_node + " has a blank, a semicolon or a control character");
  }
  return {};
}

}  // namespace

Result<void> check_node_fields(const Node& node) {
  if (auto ok = check_texts(node, node.fields, "field"); !ok) return ok;
  if (auto ok = check_texts(node, node.labels, "label"); !ok) return ok;
  for (const auto& [name, value] : node.labels)
    if (value.empty() || value.size() > limits::label_bytes)
      return make_error(
          value.empty() ? Errc::invalid_argument : Errc::too_large,
          "the label '" + name + "' of node '" + node.name + "' has " + std::to_string(value.size()) + " bytes",
          "it has 1 to " + std::to_string(limits::label_bytes));
  return {};
}

}  // namespace chash
