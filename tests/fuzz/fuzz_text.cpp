// Untrusted text at the borders: percent-encoding, base64, UTF-8, printing, quoting, URLs and node names.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "chash/limits.h"
#include "chash/node_identity.h"
#include "chash/node_name.h"
#include "chash/profile.h"
#include "protocol/codec.h"
#include "protocol/json.h"
#include "protocol/naive.h"
#include "protocol/text.h"

namespace {

using namespace chash;
using namespace chash::protocol;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void try_percent(std::string_view text) {
  must(percent_decode(percent_encode(text)) == text, "percent-encoding comes back");
  const auto kept = percent_decode(text, BadEscape::keep);
  must(kept.has_value(), "keep never refuses");
  must(kept->size() <= text.size(), "decoding does not grow");
  if (const auto strict = percent_decode(text)) must(*strict == *kept, "refuse and keep agree");
}

void try_base64(std::string_view text) {
  must(base64_decode(base64_encode(text)) == text, "base64 comes back");
  if (const auto bytes = base64_decode(text)) must(base64_encode(*bytes) == text, "only canonical base64 is decoded");
}

// A profile that can be read can be written, and read again to the same.
void try_profile(std::string_view text) {
  (void)node_identity(text, {"host:11211", 1, {{"alias", "a"}}});
  const auto profile = parse_profile(text);
  if (!profile) return;
  for (const ProfileParameter& parameter : profile_parameters()) {
    Profile copy = *profile;
    const std::string value = parameter.write(*profile);
    if (value == "off" && parameter.name == "hash") continue;
    must(parameter.read(copy, value).has_value(), "a written parameter can be read");
    must(parameter.write(copy) == value, "and is the same");
  }
}

void try_hex(std::string_view text) { must(hex_decode(hex_encode(text)) == text, "hex comes back"); }

void try_printing(std::string_view text) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{7}, text.size()}) {
    const std::string shown = printable(text, limit);
    must(test::is_printable(shown), "printable is printable");
    must(shown.size() <= 4 * limit + 40, "printable is bounded");
  }
  std::string quoted;
  append_json_string(text, quoted);
  const auto document = parse_json(quoted);
  must(document.has_value() && document->is_string(), "a quoted text is JSON");
  if (is_utf8(text)) must(document->get<std::string>() == text, "and says the same");
}

void try_url(std::string_view text) {
  const std::string_view path = text.substr(0, text.find('?'));
  for (const Method method : {Method::get, Method::post, Method::del}) {
    const RouteMatch match = match_route(method, path);
    if (!match.row) continue;
    const auto query = parse_query(text.substr(std::min(text.size(), path.size() + 1)));
    if (!query) continue;
    const auto request = decode_http(*match.row, match.path_fields, *query, "");
    if (!request) {
      must(test::is_printable(request.error().message), "a message is printable");
      continue;
    }
    const HttpCall call = encode_http(*request);
    must(test::is_printable(call.target), "a target is printable");
    must(match_route(call.method, std::string_view(call.target).substr(0, call.target.find('?'))).row == match.row,
         "and leads back");
  }
  (void)parse_query(text);
}

void try_node_name(std::string_view text) {
  constexpr std::string_view rest = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@/+=~%[],-";
  const bool good = !text.empty() && text.size() <= limits::name_bytes &&
                    text.find_first_not_of(rest) == std::string_view::npos &&
                    std::string_view(".:@+=~%],-").find(text[0]) == std::string_view::npos;
  const auto outcome = check_node_name(text);
  must(outcome.has_value() == good, "a node name is judged by the rule");
  if (!outcome) must(test::is_printable(outcome.error().message), "and the message is printable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  must(is_utf8(text) == test::naive_is_utf8(text), "UTF-8 is judged as the naive decoder does");
  try_percent(text);
  try_base64(text);
  try_printing(text);
  try_url(text);
  try_node_name(text);
  try_hex(text);
  try_profile(text);
  return 0;
}
