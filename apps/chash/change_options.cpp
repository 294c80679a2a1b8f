#include "change_options.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "chash/hash.h"
#include "moment.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

std::string new_request_id() {
  std::random_device device;
  std::uint64_t parts[2]{};
  for (std::uint64_t& part : parts) part = std::uint64_t{device()} << 32 | device();
  return hex(Token{parts[0]} << 64 | parts[1]);
}

}  // namespace

Result<protocol::ChangeOptions> change_options(const Run& run) {
  protocol::ChangeOptions options;
  const auto expected = epoch_option(run, Option::expect_epoch);
  if (!expected) return expected.error();
  options.expect_epoch = *expected;
  if (run.line.text(Option::request_id) == "")
    return make_error(Errc::invalid_argument, "the request id is empty", "leave --request-id out, and one is made");
  options.note = run.line.text(Option::note).value_or("");
  options.dry_run = run.line.has(Option::dry_run);
  options.force = run.line.has(Option::force);
  if (!options.dry_run) options.request_id = run.line.text(Option::request_id).value_or(new_request_id());
  return options;
}

Result<NodeFields> named_texts(const Run& run, Option option) {
  const std::string kind = option == Option::label ? "label" : "field";
  NodeFields texts;
  for (const std::string& word : run.line.all(option)) {
    const std::size_t sign = word.find('=');
    if (sign == word.npos || sign == 0)
      return make_error(Errc::invalid_argument, "a " + kind + " is not NAME=VALUE",
                        option == Option::label ? "such as --label zone=eu-1" : "such as --field alias=x");
    const std::string name = word.substr(0, sign);
    if (std::ranges::find(texts, name, &NodeFields::value_type::first) != texts.end())
      return make_error(Errc::invalid_argument,
                        "the " + kind + " '" + protocol::printable(name, 64) + "' is given twice");
    texts.emplace_back(name, word.substr(sign + 1));
  }
  return texts;
}

Result<NodeFields> labels_given(const Run& run) {
  auto labels = named_texts(run, Option::label);
  if (!labels) return labels;
  if (const auto address = run.line.text(Option::address)) {
    if (std::ranges::find(*labels, "address", &NodeFields::value_type::first) != labels->end())
      return make_error(Errc::invalid_argument, "the address is given twice");
    labels->emplace_back("address", *address);
  }
  return labels;
}

Result<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  const std::string_view digits = percent ? text.substr(0, text.size() - 1) : text;
  double share = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), share);
  if (percent) share /= 100;
  if (share == 0) share = 0;  // and not -0
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() || !(share >= 0 && share <= 1))
    return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not a share of all keys",
                      "such as 10% or 0.1");
  return share;
}

Result<std::uint64_t> parse_epoch(std::string_view text) {
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return epoch;
  return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not an epoch",
                    "it is a whole number; see: chash history");
}

Result<std::optional<std::uint64_t>> epoch_option(const Run& run, Option option) {
  const auto text = run.line.text(option);
  if (!text) return std::optional<std::uint64_t>();
  const auto epoch = parse_epoch(*text);
  return epoch ? Result<std::optional<std::uint64_t>>(*epoch) : Result<std::optional<std::uint64_t>>(epoch.error());
}

Result<std::string> moment_option(const Run& run, Option option) {
  const auto text = run.line.text(option);
  return text ? parse_moment(*text) : Result<std::string>(std::string());
}

}  // namespace chash::cli
