#include "node_argument.h"

#include <charconv>
#include <cmath>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "output.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t shown_bytes = 300;  // a name and a weight

std::string quoted(std::string_view text) { return "'" + protocol::printable(text, shown_bytes) + "'"; }

}  // namespace

Result<double> parse_weight(std::string_view text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(weight) || weight < 0 ||
      weight > limits::max_weight)
    return make_error(Errc::invalid_argument, "bad weight " + quoted(text), "a weight is a number from 0 to 1000000");
  return weight;
}

Result<protocol::AddNodes::Member> parse_node(std::string_view word, double default_weight) {
  const std::size_t sign = word.rfind('=');
  protocol::AddNodes::Member node{std::string(word.substr(0, sign)), default_weight};
  if (sign != word.npos) {
    auto weight = parse_weight(word.substr(sign + 1));
    if (!weight) {
      Error error = std::move(weight).error();
      error.message += " in " + quoted(word);
      error.hint += "; a name with a '=' needs its weight written: " + quoted(std::string(word) + "=1");
      return error;
    }
    node.weight = *weight;
  }
  if (auto ok = check_node_name(node.name); !ok) return std::move(ok).error();
  return node;
}

std::string fields_text(const NodeFields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += (text.empty() ? "" : " ") + name + '=' + value;
  return text;
}

std::string weight_text(double weight) { return weight >= 0.01 ? fixed_text(weight, 2) : number_text(weight); }

std::string json_number(double number) {
  std::string text = number_text(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace chash::cli
