#include "ring_file.h"

#include <algorithm>
#include <cmath>
#include <functional>

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "node_argument.h"
#include "offline.h"
#include "output.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using protocol::NodeGiven;
using protocol::PinGiven;
using protocol::RingFile;

// --- Reading --------------------------------------------------------------------------------------------------------

Result<void> append_json(const toml::node& node, std::string& out) {
  if (const auto* text = node.as_string()) {
    protocol::append_json_string(text->get(), out);
  } else if (const auto* whole = node.as_integer()) {
    out += std::to_string(whole->get());
  } else if (const auto* real = node.as_floating_point(); real != nullptr && std::isfinite(real->get())) {
    out += number_text(real->get());
  } else if (const auto* flag = node.as_boolean()) {
    out += flag->get() ? "true" : "false";
  } else if (const auto* list = node.as_array()) {
    out += '[';
    for (const toml::node& item : *list) {
      if (out.back() != '[') out += ',';
      if (auto ok = append_json(item, out); !ok) return ok;
    }
    out += ']';
  } else if (const auto* table = node.as_table()) {
    out += '{';
    for (const auto& [name, value] : *table) {
      if (out.back() != '{') out += ',';
      protocol::append_json_string(name.str(), out);
      out += ':';
      if (auto ok = append_json(value, out); !ok) return ok;
    }
    out += '}';
  } else {
    return make_error(Errc::invalid_argument,
                      "line " + std::to_string(node.source().begin.line) + " has a date, or a number that is none");
  }
  return {};
}

Result<RingFile> parse_toml(std::string_view text) {
  try {
    const toml::table table = toml::parse(text);
    std::string json;
    if (auto ok = append_json(table, json); !ok) return std::move(ok).error();
    return protocol::decode_ring_file(json);
  } catch (const toml::parse_error& error) {
    return make_error(Errc::invalid_argument, "line " + std::to_string(error.source().begin.line) + ": " +
                                                  protocol::printable(error.description(), 200));
  }
}

// A key and its value, or a table: lists of nodes have neither at the beginning of their first line.
bool looks_like_toml(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("[[")) return true;
    const std::size_t name = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    const std::size_t sign = line.find_first_not_of(" \t", std::min(name, line.size()));
    return name != 0 && sign != line.npos && line[sign] == '=' && name < line.size();
  }
  return false;
}

// --- Writing --------------------------------------------------------------------------------------------------------

// JSON's escapes are TOML's, too, which wants one more character escaped.
std::string quoted(std::string_view text) {
  std::string json, out;
  protocol::append_json_string(text, json);
  for (const char c : json) c == '\x7f' ? out += "\\u007f" : out += c;
  return out;
}

// As JSON has keys: text if it is some, else base64.
std::string key_text(const std::string& name, const std::string& bytes) {
  const bool text = protocol::is_utf8(bytes);
  return name + (text ? "" : "_b64") + " = " + quoted(text ? bytes : protocol::base64_encode(bytes)) + '\n';
}

std::string toml_text(const RingFile& file) {
  std::string out = "# Ring " + file.ring + " at epoch " + std::to_string(file.epoch.value_or(0)) +
                    ". Look before you apply it: chash plan --prune FILE\n";
  // A list of nodes was read without either, and an empty text is refused.
  if (!file.ring.empty()) out += "ring = " + quoted(file.ring) + '\n';
  if (!file.profile.empty()) out += "profile = " + quoted(file.profile) + '\n';
  if (file.max_move) out += "max_move = " + json_number(*file.max_move) + '\n';
  if (file.nodes.empty()) out += "nodes = []\n";
  if (file.pins && file.pins->empty()) out += "pins = []\n";
  for (const NodeGiven& node : file.nodes) {
    out += "\n[[nodes]]\nname = " + quoted(node.name) + "\nweight = " + json_number(node.weight) + '\n';
    const auto add_texts = [&](std::string_view kind, const protocol::Texts& texts) {
      if (texts.empty()) return;
      std::string list;
      for (const auto& [name, value] : texts) list += (list.empty() ? "" : ", ") + quoted(name) + " = " + quoted(value);
      out += std::string(kind) + " = { " + list + " }\n";
    };
    add_texts("fields", node.fields_given);
    add_texts("labels", node.labels);
  }
  for (const PinGiven& pin : file.pins.value_or(std::vector<PinGiven>())) {
    out += "\n[[pins]]\n" +
           key_text(pin.key.bytes.empty() ? "prefix" : "key", pin.key.bytes.empty() ? pin.prefix.bytes : pin.key.bytes);
    std::string nodes;
    for (const std::string& node : pin.nodes) nodes += (nodes.empty() ? "" : ", ") + quoted(node);
    out += "nodes = [" + nodes + "]\n";
    if (!pin.expires.empty()) out += "expires = " + quoted(pin.expires) + '\n';
  }
  return out;
}

using NodeLine = std::function<Result<std::string>(const NodeGiven&)>;

std::string field_of(const NodeGiven& node, std::string_view name) {
  for (const auto& [field, value] : node.fields_given)
    if (field == name) return value;
  return {};
}

Error cannot_have(const NodeGiven& node, const std::string& what) {
  return make_error(Errc::invalid_argument, "node '" + node.name + "' " + what, "take --as toml");
}

// Its fields, but for those that the format has its own words for.
Result<void> check_fields(const NodeGiven& node, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : node.fields_given)
    if (std::ranges::find(known, name) == known.end())
      return cannot_have(node, "has a field '" + name + "', which this format has not");
  if (!node.labels.empty()) return cannot_have(node, "has labels, which this format has not");
  return {};
}

Result<std::string> plain_line(const NodeGiven& node) {
  std::string line = node.name + ' ' + number_text(node.weight);
  for (const auto& [name, value] : node.fields_given) line += ' ' + name + '=' + value;
  for (const auto& [name, value] : node.labels) line += " +" + name + '=' + value;
  return line;
}

Result<std::string> nginx_line(const NodeGiven& node) {
  if (auto ok = check_fields(node, {"state"}); !ok) return std::move(ok).error();
  if (node.weight != std::floor(node.weight) || node.weight < 1) return cannot_have(node, "has no whole weight");
  return "server " + node.name + (node.weight == 1 ? "" : " weight=" + number_text(node.weight)) +
         (field_of(node, "state") == "down" ? " down;" : ";");
}

Result<std::string> haproxy_line(const NodeGiven& node) {
  if (auto ok = check_fields(node, {"state", "addr", "id", "guid"}); !ok) return std::move(ok).error();
  if (node.weight != std::floor(node.weight)) return cannot_have(node, "has no whole weight");
  const std::string address = field_of(node, "addr");
  std::string line = "server " + node.name + ' ' + (address.empty() ? node.name : address);
  for (const std::string_view name : {"id", "guid"})
    if (const std::string value = field_of(node, name); !value.empty()) line += ' ' + std::string(name) + ' ' + value;
  if (node.weight != 1) line += " weight " + number_text(node.weight);
  return line + (field_of(node, "state") == "down" ? " disabled" : "");
}

Result<std::string> lines_text(const RingFile& file, const NodeLine& line_of) {
  if (file.pins && !file.pins->empty())
    return make_error(Errc::invalid_argument, "the ring has pins, which this format has not", "take --as toml");
  std::string out;
  for (const NodeGiven& node : file.nodes) {
    const auto line = line_of(node);
    if (!line) return line.error();
    out += *line + '\n';
  }
  return out;
}

}  // namespace

Result<RingFile> parse_ring_file(std::string_view text, const std::string& origin) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != text.npos && text[first] == '{';
  if (is_json || looks_like_toml(text)) {
    auto file = is_json ? protocol::decode_ring_file(text) : parse_toml(text);
    if (file) return file;
    Error error = std::move(file).error();
    error.code = Errc::invalid_argument;
    error.message = origin + ": " + error.message;
    return error;
  }
  auto nodes = parse_nodes_text(text, origin);
  if (!nodes) return std::move(nodes).error();
  // Whatever should have written it may have died: that is not to empty a ring.
  if (nodes->empty())
    return make_error(Errc::invalid_argument, origin + " names no node", "to mean none, write: nodes = []");
  RingFile file;
  for (const Node& node : *nodes) file.nodes.push_back(protocol::given(node));
  return file;
}

Result<RingFile> read_ring_file(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) return text.error();
  return parse_ring_file(*text, path == "-" ? "standard input" : protocol::printable(path, 300));
}

Result<std::string> write_ring_file(const RingFile& file, std::string_view format) {
  if (format == "toml") return toml_text(file);
  if (format == "json") return protocol::encode_ring_file(file) + '\n';
  if (format == "nodes") return lines_text(file, plain_line);
  if (format == "nginx") return lines_text(file, nginx_line);
  if (format == "haproxy") return lines_text(file, haproxy_line);
  return make_error(Errc::invalid_argument, "there is no format '" + protocol::printable(format, 64) + "'",
                    "there are toml, json, nodes, nginx and haproxy");
}

}  // namespace chash::cli
