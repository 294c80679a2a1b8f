// The options that every change has.
#pragma once

#include "protocol/change_options.h"
#include "run.h"

namespace chash::cli {

// A request id is made unless one is given, so that a change whose answer is lost can be sent again.
// Errors: invalid_argument.
Result<protocol::ChangeOptions> change_options(const Run& run);

// The values NAME=VALUE of an option that repeats.  Errors: invalid_argument.
Result<NodeFields> named_texts(const Run& run, Option option);
// --label and --address.  Errors: invalid_argument.
Result<NodeFields> labels_given(const Run& run);

// "10%" or "0.1", from 0 to 1.  Errors: invalid_argument.
Result<double> parse_share(std::string_view text);

// Errors: invalid_argument.
Result<std::uint64_t> parse_epoch(std::string_view text);
Result<std::optional<std::uint64_t>> epoch_option(const Run& run, Option option);
// As parse_moment(); empty where it is not given.  Errors: invalid_argument.
Result<std::string> moment_option(const Run& run, Option option);

}  // namespace chash::cli
