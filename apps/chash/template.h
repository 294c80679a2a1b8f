// Template: the user's `--format`, such as '{key}\t{node}' or '{name:>12} {weight:.2f}', applied to one record at a
// time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "chash/result.h"

namespace chash::cli {

using Value = std::variant<std::string, std::uint64_t, double>;
// The values that a template may name. Names are C strings, as the formatter wants them.
using Record = std::vector<std::pair<const char*, Value>>;

// The values with tabs between, and as a JSON object, a line each.
void append_plain(const Record& record, std::string& out);
void append_json(const Record& record, std::string& out);

class Template {
 public:
  // None: the command prints in its own way.
  Template() = default;
  explicit operator bool() const { return given_; }

  // `sample` has every name, with values of the right type: what does not fit is found before anything is asked.
  // Errors: invalid_argument.
  static Result<Template> parse(std::string_view text, const Record& sample);

  // Appends one record, and `end` unless the template has an end of its own (a newline or a NUL).
  Result<void> append(const Record& record, char end, std::string& out) const;

 private:
  bool given_ = false;
  std::string text_;
};

}  // namespace chash::cli
