// Output: what chash prints. Data goes to standard output and nothing else does; what is said to people goes to
// standard error, so that a failed command leaves standard output empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chash/result.h"

namespace chash::cli {

// Gathers output and writes it in large pieces; no iostream, whose set-up a command of one millisecond would feel.
class Output {
 public:
  explicit Output(int descriptor);
  ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool is_terminal() const { return is_terminal_; }
  // Append here.
  std::string& text() { return text_; }
  // Writes when much has been gathered.  Errors: as flush().
  Result<void> relieve();
  // Errors: internal, with the system's reason (a full disk).
  Result<void> flush();
  // Flushes and closes: some file systems tell only then that the data is not on the disk.
  Result<void> finish();

 private:
  int descriptor_;
  bool is_terminal_;
  std::string text_;
};

// Text for a terminal: what it would obey, and what is not UTF-8, is escaped. All else is left readable.
std::string for_people(std::string_view text);

// How errors are told.
struct ErrorStyle {
  bool json = false;
  bool color = false;
};

// `chash: message`, with the hint and any further lines indented below; or one JSON object. Returns the exit status.
int report(const Error& error, const ErrorStyle& style, const std::vector<std::string>& further = {});

// A remark on standard error.
void say(const std::string& remark);

// A table with a header line: columns of numbers stand to the right, others to the left.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void append_to(std::string& out, bool header, bool color) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A weight as it was given, at its shortest: "1", "2.5".
std::string number_text(double number);
std::string fixed_text(double number, int decimals);

}  // namespace chash::cli
