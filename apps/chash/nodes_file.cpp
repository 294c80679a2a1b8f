// Nodes from a list or a file.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "chash/limits.h"
#include "input_file.h"
#include "offline.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t shown_bytes = 64;
constexpr std::size_t file_bytes = std::size_t{64} * 1024 * 1024;  // tokens of a thousand nodes are a few MiB

std::string quoted(std::string_view text) { return "'" + protocol::printable(text, shown_bytes) + "'"; }

// Wider than the names of a daemon's ring: other software has others. But one word, in UTF-8, without control bytes.
Result<void> check_name(std::string_view name) {
  // What the lines of a file mean otherwise: comments, statements and blocks of nginx.conf.
  const bool is_syntax = name.starts_with('#') || name == "{" || name == "}" || name.find(';') != name.npos;
  const bool printable =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
  if (!name.empty() && name.size() <= limits::name_bytes && !is_syntax && printable && protocol::is_utf8(name))
    return {};
  return make_error(Errc::invalid_argument, quoted(name) + " is not the name of a node",
                    "a name is 1 to 255 bytes of UTF-8, without blanks and semicolons, and begins with no #");
}

Result<void> check_node(const Node& node) {
  for (const NodeFields* texts : {&node.fields, &node.labels}) {
    std::set<std::string_view> names;
    for (const auto& [name, value] : *texts) {
      const bool good = !name.empty() && protocol::is_utf8(name) && protocol::is_utf8(value);
      if (!good || !names.insert(name).second)
        return make_error(Errc::invalid_argument, std::string(texts == &node.fields ? "a field" : "a label") +
                                                      " of node " + quoted(node.name) +
                                                      (good ? " is given twice" : " is not NAME=VALUE in UTF-8"));
    }
  }
  return check_name(node.name);
}

std::optional<double> weight_from(std::string_view text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(weight)) return std::nullopt;
  return weight;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t\r";
  for (std::size_t at = line.find_first_not_of(blanks); at != line.npos; at = line.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

Error bad_weight(std::string_view text) {
  return make_error(Errc::invalid_argument, quoted(text) + " is not a weight", "a weight is a number");
}

Error backup_server(std::string_view name) {
  return make_error(Errc::invalid_argument, "server " + quoted(name) + " is a backup",
                    "backup servers are not hashed to: leave them out");
}

// nginx: server ADDRESS [weight=N] [down] …;
Result<Node> nginx_server(const std::vector<std::string_view>& words) {
  Node node{std::string(words[1]), 1};
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "down") node.fields.emplace_back("state", "down");
    if (words[i] == "backup") return backup_server(words[1]);
    if (!words[i].starts_with("weight=")) continue;
    const auto weight = weight_from(words[i].substr(7));
    if (!weight) return bad_weight(words[i].substr(7));
    node.weight = *weight;
  }
  return node;
}

// HAProxy: server NAME ADDRESS [weight N] [id N] [guid TEXT] [disabled] …
Result<Node> haproxy_server(const std::vector<std::string_view>& words) {
  if (std::ranges::find(words, "backup") != words.end()) return backup_server(words[1]);
  Node node{std::string(words[1]), 1, {{"addr", std::string(words[2])}}};
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i] == "disabled") node.fields.emplace_back("state", "down");
    if (i + 1 == words.size()) break;
    if (words[i] == "id" || words[i] == "guid") node.fields.emplace_back(words[i], words[i + 1]);
    if (words[i] != "weight") continue;
    const auto weight = weight_from(words[i + 1]);
    if (!weight) return bad_weight(words[i + 1]);
    node.weight = *weight;
  }
  return node;
}

Result<Node> node_from(const std::vector<std::string_view>& words) {
  const bool is_server = words.front() == "server" && words.size() > 2;
  if (is_server && words[2].find('=') == std::string_view::npos) return haproxy_server(words);
  Node node{std::string(words.front()), 1};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t sign = words[i].find('=');
    if (sign != words[i].npos) {
      const bool is_label = words[i].starts_with('+');
      (is_label ? node.labels : node.fields)
          .emplace_back(words[i].substr(is_label ? 1 : 0, sign - (is_label ? 1 : 0)), words[i].substr(sign + 1));
      continue;
    }
    const auto weight = i == 1 ? weight_from(words[i]) : std::nullopt;
    if (!weight)
      return make_error(
          Errc::invalid_argument, quoted(words[i]) + " is neither a weight nor a field",
          "a line is NAME [WEIGHT] [FIELD=VALUE]... [+LABEL=VALUE]..., or a server line of nginx or HAProxy");
    node.weight = *weight;
  }
  return node;
}

// What a comment leaves of a line: it begins at a # that is the first character of a word.
std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != line.npos; at = line.find('#', at + 1))
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
  return line;
}

// A line of nginx.conf: its statements end with a semicolon, and of those in an upstream block only servers count.
Result<void> append_nginx(std::string_view line, std::vector<Node>& nodes) {
  for (std::size_t end = 0; (end = line.find(';')) != line.npos; line.remove_prefix(end + 1)) {
    const std::string_view statement = line.substr(0, end);
    const auto words = words_of(statement.substr(statement.find('{') == statement.npos ? 0 : statement.find('{') + 1));
    if (words.size() < 2 || words.front() != "server") continue;
    auto node = nginx_server(words);
    if (!node) return std::move(node).error();
    if (auto ok = check_node(*node); !ok) return ok;
    nodes.push_back(std::move(*node));
  }
  return {};
}

Result<void> append_line(std::string_view line, std::vector<Node>& nodes) {
  const auto words = words_of(without_comment(line));
  if (words.empty() || words.back() == "{" || words.front() == "}") return {};
  if (without_comment(line).find(';') != line.npos) return append_nginx(without_comment(line), nodes);
  auto node = node_from(words);
  if (!node) return std::move(node).error();
  if (auto ok = check_node(*node); !ok) return ok;
  nodes.push_back(std::move(*node));
  return {};
}

}  // namespace

Result<std::vector<Node>> parse_nodes(std::string_view list) {
  std::vector<Node> nodes;
  for (bool more = !list.empty(); more;) {
    const std::size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    more = comma != list.npos;
    list.remove_prefix(more ? comma + 1 : list.size());
    const std::size_t sign = item.rfind('=');
    Node node{std::string(item.substr(0, sign)), 1};
    if (sign != item.npos) {
      const auto weight = weight_from(item.substr(sign + 1));
      if (!weight) return bad_weight(item.substr(sign + 1));
      node.weight = *weight;
    }
    if (auto ok = check_name(node.name); !ok) return std::move(ok).error();
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Result<std::vector<Node>> parse_nodes_text(std::string_view text, const std::string& origin) {
  std::vector<Node> nodes;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto ok = append_line(line, nodes);
    if (ok) continue;
    Error error = std::move(ok).error();
    error.message = origin + ":" + std::to_string(number) + ": " + error.message;
    return error;
  }
  return nodes;
}

Result<std::vector<Node>> read_nodes(const std::optional<std::string>& list, const std::optional<std::string>& file) {
  if (list && file) return make_error(Errc::invalid_argument, "--nodes and --nodes-file exclude each other");
  return file ? read_nodes_file(*file) : parse_nodes(list.value_or(""));
}

Result<std::string> read_text_file(const std::string& path) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  std::string text;
  std::vector<char> piece(65536);
  for (std::size_t count = 0; (count = file->read(piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), count);
    if (text.size() > file_bytes)
      return make_error(Errc::too_large, protocol::printable(path, 300) + " has more than 64 MiB");
  }
  if (auto ok = file->check(); !ok) return std::move(ok).error();
  return text;
}

Result<std::vector<Node>> read_nodes_file(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return std::move(text).error();
  return parse_nodes_text(*text, path == "-" ? "standard input" : protocol::printable(path, 300));
}

}  // namespace chash::cli
