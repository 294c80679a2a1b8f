// What the table of operations says about its fields, for the help of the options that stand for them.
#pragma once

#include <string_view>

#include "protocol/operations.h"

namespace chash::cli {

template <protocol::Record T>
constexpr std::string_view field_help(std::string_view name) {
  std::string_view help;
  protocol::for_each_field<T>([&](const auto& field) {
    if (field.name == name) help = field.help;
  });
  return help;
}

}  // namespace chash::cli
