#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cstring>
#include <cwchar>

#include "protocol/codec.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t much = std::size_t{64} * 1024;  // a pipe's buffer

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view bold_red = "\x1b[1;31m";
constexpr std::string_view plain = "\x1b[0m";

// 0, or the errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

Error cannot_write(int error) {
  return make_error(Errc::internal, std::string("cannot write to standard output: ") + std::strerror(error));
}

}  // namespace

Output::Output(int descriptor) : descriptor_(descriptor), is_terminal_(::isatty(descriptor) == 1) {}

Result<void> Output::relieve() { return text_.size() < much ? Result<void>() : flush(); }

Result<void> Output::flush() {
  const int error = write_all(descriptor_, text_);
  text_.clear();
  if (error != 0) return cannot_write(error);
  return {};
}

Result<void> Output::finish() {
  if (auto ok = flush(); !ok) return ok;
  // Closed by whoever started us is no error as long as there was nothing to say.
  if (::close(descriptor_) != 0 && errno != EBADF) return cannot_write(errno);
  return {};
}

std::string for_people(std::string_view text) {
  std::string safe;
  const bool utf8 = protocol::is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F: control characters too, two bytes each.
    const bool control_pair = utf8 && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (control_pair) {
      safe += protocol::printable(text.substr(i, 2), 2);
      ++i;
    } else if ((byte >= 0x20 && byte < 0x7f) || (utf8 && byte >= 0x80)) {
      safe += text[i];
    } else {
      safe += protocol::printable(text.substr(i, 1), 1);
    }
  }
  return safe;
}

int report(const Error& error, const ErrorStyle& style, const std::vector<std::string>& further) {
  const int status = info(error.code).exit_status;
  std::string text;
  if (style.json) {
    text = protocol::encode_error(error, status) + '\n';
  } else {
    text += style.color ? std::string(bold_red) + "chash:" + std::string(plain) : "chash:";
    text += ' ' + for_people(error.message) + '\n';
    if (!error.hint.empty()) text += "  " + for_people(error.hint) + '\n';
    for (const std::string& line : further) text += "  " + line + '\n';
  }
  write_all(STDERR_FILENO, text);  // where this fails there is nobody left to tell
  return status;
}

void say(const std::string& remark) { write_all(STDERR_FILENO, "chash: " + for_people(remark) + '\n'); }

namespace {

// Of a count, a share in per cent, or a dash where there is none.
bool is_number(std::string_view cell) {
  if (cell == "-") return true;
  if (cell.ends_with('%')) cell.remove_suffix(1);
  if (cell.starts_with('+')) cell.remove_prefix(1);  // which from_chars() does not take
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return error == std::errc() && end == cell.data() + cell.size();
}

// Columns of a terminal that UTF-8 takes: two for wide characters, none for those that combine. The locale of whoever
// calls us may be any; C.UTF-8 is part of Debian's C library, and without it bytes are counted.
std::size_t display_width(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return text.size();
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) return text.size();
  const locale_t ours = ::uselocale(utf8);
  std::size_t width = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) break;  // for_people() lets neither pass
    width += static_cast<std::size_t>(std::max(0, ::wcwidth(character)));
    text.remove_prefix(length);
  }
  ::uselocale(ours);
  return width;
}

}  // namespace

void Table::append_to(std::string& out, bool header, bool color) const {
  std::vector<std::size_t> widths(rows_.front().size());
  std::vector<bool> numbers(rows_.front().size(), rows_.size() > 1);
  numbers.front() = false;  // the names, whatever they are
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
      if (&row != &rows_.front() && !is_number(row[i])) numbers[i] = false;
    }
  }
  for (const auto& row : rows_) {
    const bool is_header = &row == &rows_.front();
    if (is_header && !header) continue;
    if (is_header && color) out += bold;
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (numbers[i] ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line;
    if (is_header && color) out += plain;
    out += '\n';
  }
}

std::string number_text(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string fixed_text(double number, int decimals) {
  char digits[400];  // of the largest double there are 309 before the point
  return {digits, std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, decimals).ptr};
}

}  // namespace chash::cli
