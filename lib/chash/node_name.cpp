#include "chash/node_name.h"

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

}  // namespace chash
