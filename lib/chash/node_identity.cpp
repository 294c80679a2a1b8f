#include "chash/node_identity.h"

#include <algorithm>
#include <array>

#include "chash/limits.h"

namespace chash {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct HostPort {
  std::string_view host;
  std::string_view port;
};

HostPort split(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos || !is_digits(name.substr(colon + 1))) return {name, {}};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && std::ranges::equal(text.substr(0, start.size()), start, {},
                                                           [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
}

// As ngx_http_upstream_init_chash() reads the text of a server: `unix:` in any case, then all is the path.
std::string nginx_identity(std::string_view name) {
  HostPort parts = split(name);
  if (starts_ignoring_case(name, "unix:")) parts = {name.substr(5), {}};
  return std::string(parts.host) + '\0' + std::string(parts.port);
}

constexpr std::array<std::string_view, 5> made_from_name{"name", "host", "port", "socket", "nginx"};

Error malformed(std::string_view identity) {
  return make_error(Errc::invalid_argument, "the identity '" + std::string(identity.substr(0, 64)) +
                                                "' has a brace or bracket without its other");
}

// One field with what may follow `!` in it.
struct Slot {
  std::string_view name;
  std::string_view behind;  // the !
};
Slot slot_of(std::string_view inside) {
  const std::size_t mark = inside.find('!');
  return {inside.substr(0, mark), mark == std::string_view::npos ? std::string_view() : inside.substr(mark + 1)};
}

// Expands one alternative; `complete` turns false when a field outside brackets is not there.
Result<std::string> expand(std::string_view text, const Node& node, bool& complete) {
  std::string out;
  while (!text.empty()) {
    if (out.size() > limits::field_bytes)
      return make_error(Errc::too_large, "the text that stands for node '" + node.name + "' is too long",
                        "the limit is " + std::to_string(limits::field_bytes) + " bytes");
    const char opening = text.front();
    if (opening == '[') {
      const std::size_t end = text.find(']');
      if (end == std::string_view::npos) return malformed(text);
      const std::string_view section = text.substr(1, end - 1);
      const Slot split_section = slot_of(section);
      bool whole = true;
      auto inner = expand(split_section.name, node, whole);
      if (!inner) return inner;
      const std::size_t brace = section.find('{'), close = section.find('}');
      if (brace == std::string_view::npos || close == std::string_view::npos || close < brace) return malformed(text);
      if (whole && node_field(node, section.substr(brace + 1, close - brace - 1)) != split_section.behind)
        out += *inner;
      text.remove_prefix(end + 1);
    } else if (opening == '{') {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return malformed(text);
      const Slot slot = slot_of(text.substr(1, end - 1));
      std::string value = node_field(node, slot.name);
      if (value.empty()) value = slot.behind;
      complete = complete && !value.empty();
      out += value;
      text.remove_prefix(end + 1);
    } else {
      out += opening;
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

namespace {

const std::string& hashed_name(const Node& node) {
  for (const auto& [name, value] : node.fields)
    if (name == alias_field && !value.empty()) return value;
  return node.name;
}

}  // namespace

std::string node_field(const Node& node, std::string_view field) {
  for (const auto& [name, value] : node.fields)
    if (name == field) return value;
  if (field == "name") return hashed_name(node);
  if (field == "host") return std::string(split(node.name).host);
  if (field == "port") return std::string(split(node.name).port);
  if (field == "socket") return node.name.starts_with('/') ? node.name : std::string();
  if (field == "nginx") return nginx_identity(node.name);
  return {};
}

std::vector<std::string> fields_given(std::string_view identity) {
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = identity.find('{', at)) != std::string_view::npos; ++at) {
    const std::string_view rest = identity.substr(at + 1);
    const std::string_view name = slot_of(rest.substr(0, rest.find('}'))).name;
    if (std::ranges::find(made_from_name, name) == made_from_name.end()) names.emplace_back(name);
  }
  return names;
}

Result<std::string> node_identity(std::string_view identity, const Node& node) {
  if (identity == "{name}") return hashed_name(node);
  while (true) {
    const std::size_t bar = identity.find('|');
    bool complete = true;
    auto text = expand(identity.substr(0, bar), node, complete);
    if (!text || complete || bar == std::string_view::npos) return text;
    identity.remove_prefix(bar + 1);
  }
}

}  // namespace chash
