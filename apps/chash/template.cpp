#include "template.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <iterator>

#include "node_argument.h"
#include "output.h"
#include "protocol/codec.h"

namespace chash::cli {
namespace {

Error bad_template(std::string_view why, std::string hint = {}) {
  return make_error(Errc::invalid_argument, "bad --format: " + std::string(why), std::move(hint));
}

Result<std::string> unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    switch (i < text.size() ? next : ' ') {
      case 't': plain += '\t'; break;
      case 'n': plain += '\n'; break;
      case '0': plain += '\0'; break;
      case '\\': plain += '\\'; break;
      default: return bad_template("a backslash starts no escape", R"(the escapes are \t \n \0 \\)");
    }
  }
  return plain;
}

std::string names_of(const Record& record) {
  std::string names;
  for (const auto& [name, value] : record) names += (names.empty() ? "" : " ") + ("{" + std::string(name) + "}");
  return names;
}

}  // namespace

void append_plain(const Record& record, std::string& out) {
  for (const auto& [name, value] : record) {
    if (&value != &record.front().second) out += '\t';
    if (const auto* text = std::get_if<std::string>(&value)) out += *text;
    else if (const auto* count = std::get_if<std::uint64_t>(&value)) out += std::to_string(*count);
    else out += json_number(std::get<double>(value));
  }
  out += '\n';
}

void append_json(const Record& record, std::string& out) {
  out += '{';
  for (const auto& [name, value] : record) {
    if (out.back() != '{') out += ',';
    out += '"' + std::string(name) + "\":";
    if (const auto* text = std::get_if<std::string>(&value)) protocol::append_json_string(*text, out);
    else if (const auto* count = std::get_if<std::uint64_t>(&value)) out += std::to_string(*count);
    else out += json_number(std::get<double>(value));
  }
  out += "}\n";
}

Result<Template> Template::parse(std::string_view text, const Record& sample) {
  auto plain = unescape(text);
  if (!plain) return std::move(plain).error();
  Template parsed;
  parsed.given_ = true;
  parsed.text_ = std::move(*plain);
  std::string ignored;
  if (auto ok = parsed.append(sample, '\n', ignored); !ok) return std::move(ok).error();
  return parsed;
}

Result<void> Template::append(const Record& record, char end, std::string& out) const {
  fmt::dynamic_format_arg_store<fmt::format_context> values;
  for (const auto& [name, value] : record)
    std::visit([&](const auto& typed) { values.push_back(fmt::arg(name, std::cref(typed))); }, value);
  try {
    fmt::vformat_to(std::back_inserter(out), text_, values);
  } catch (const fmt::format_error& error) {
    const std::string_view why = error.what();
    return bad_template(why == "argument not found" ? "it names a value that is not there" : why,
                        "the values are: " + names_of(record));
  }
  if (!text_.ends_with('\n') && !text_.ends_with('\0')) out += end;
  return {};
}

}  // namespace chash::cli
