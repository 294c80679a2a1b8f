// NODE[=WEIGHT] as `chash add` takes it.
#pragma once

#include <string>
#include <string_view>

#include "chash/result.h"
#include "chash/ring_spec.h"
#include "protocol/operations.h"

namespace chash::cli {

// What stands behind the last `=` is the weight. A name may have a `=` too, and then needs its weight written.
// Errors: invalid_argument (the weight, or the name).
Result<protocol::AddNodes::Member> parse_node(std::string_view word, double default_weight);

// A number from 0 to limits::max_weight; whether 0 is one, the ring's profile says.
Result<double> parse_weight(std::string_view text);

// NAME=VALUE, blanks between.
std::string fields_text(const NodeFields& fields);

// For a table: two decimals, more where those would say 0.00.
std::string weight_text(double weight);
// As JSON has it elsewhere: a float even when whole, "1.0".
std::string json_number(double number);

}  // namespace chash::cli
