// list, add, remove: the members of a ring.
#include <algorithm>
#include <set>

#include "change_options.h"
#include "change_output.h"
#include "chash/node_name.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::AddNodes;
using protocol::ListNodes;
using protocol::RemoveNodes;
using NameSet = std::set<std::string_view>;

constexpr std::size_t names_in_full = 10;  // in a sentence; of more, the first few stand for all
constexpr std::size_t names_of_many = 3;

Record record_of(const ListNodes::Response& response, const ListNodes::Member& node) {
  return {{"name", node.name},     {"weight", node.weight},
          {"vnodes", node.vnodes}, {"fields", fields_text(node.fields_given)},
          {"ring", response.ring}, {"epoch", response.epoch}};
}

std::string sentence_list(const std::vector<std::string>& names) {
  const bool all = names.size() <= names_in_full;
  std::string text;
  for (std::size_t i = 0; i < (all ? names.size() : names_of_many); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return all ? text : text + " and " + std::to_string(names.size() - names_of_many) + " more";
}

void append_json_line(const protocol::AnyResponse& response, std::string& out) {
  protocol::encode_response(response, out);
  out += '\n';
}

void append_members(const Run& run, const ListNodes::Response& response) {
  std::string& out = run.out.text();
  if (run.options.format == Format::jsonl) {
    for (const ListNodes::Member& node : response.nodes) {
      protocol::encode_item(node, out);
      out += '\n';
    }
    return;
  }
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (!table) {
    for (const ListNodes::Member& node : response.nodes)
      out += node.name + '\t' + number_text(node.weight) + '\t' + std::to_string(node.vnodes) + '\n';
    return;
  }
  if (response.nodes.empty() && !run.line.has(Option::quiet))
    say("ring '" + response.ring + "' has no node; try: chash add -r " + response.ring + " NODE");
  const bool fields = std::ranges::any_of(response.nodes, [](const auto& node) { return !node.fields_given.empty(); });
  std::vector<std::string> header{"NODE", "WEIGHT", "VNODES"};
  if (fields) header.emplace_back("FIELDS");
  Table rows(header);
  for (const ListNodes::Member& node : response.nodes) {
    std::vector<std::string> row{for_people(node.name), weight_text(node.weight), std::to_string(node.vnodes)};
    if (fields) row.push_back(for_people(fields_text(node.fields_given)));
    rows.add(std::move(row));
  }
  rows.append_to(out, !run.line.has(Option::no_header), run.color);
}

Record change_record(const std::string& ring, std::uint64_t epoch, std::uint64_t previous_epoch,
                     const std::vector<std::string>& nodes) {
  std::string names;
  for (const std::string& node : nodes) names += (names.empty() ? "" : "\t") + node;
  return {{"ring", ring}, {"epoch", epoch}, {"previous_epoch", previous_epoch}, {"nodes", names}};
}

// --field, which is for one node: which of several would it be?
Result<void> give_fields(const std::vector<std::string>& words, std::vector<AddNodes::Member>& nodes) {
  if (words.empty()) return {};
  if (nodes.size() != 1)
    return make_error(Errc::invalid_argument, "--field is for one node",
                      "add them one by one, or with --nodes-file, where each has its own");
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    if (sign == word.npos || sign == 0)
      return make_error(Errc::invalid_argument, "a field is not NAME=VALUE", "such as --field alias=x");
    const std::string name = word.substr(0, sign);
    if (std::ranges::any_of(nodes.front().fields_given, [&](const auto& field) { return field.first == name; }))
      return make_error(Errc::invalid_argument, "the field '" + name + "' is given twice");
    nodes.front().fields_given.emplace_back(name, word.substr(sign + 1));
  }
  return {};
}

}  // namespace

int list_nodes(const Run& run) {
  const auto format = run.output_template(record_of({}, {}));
  if (!format) return run.misuse(format.error());
  const auto response = run.session.call<ListNodes>({run.options.ring});
  if (!response) return run.fail(response.error());
  if (*format) {
    for (const ListNodes::Member& node : response->nodes)
      if (const int status = run.print(*format, record_of(*response, node)); status != 0) return status;
  } else if (run.options.format == Format::json) {
    append_json_line(*response, run.out.text());
  } else {
    append_members(run, *response);
  }
  return 0;
}

int add_nodes(const Run& run) {
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  AddNodes::Request request{std::move(*options), run.options.ring, {}, run.line.has(Option::if_missing)};
  double weight = 1;
  if (const auto text = run.line.text(Option::weight)) {
    const auto given = parse_weight(*text);
    if (!given) return run.misuse(given.error());
    weight = *given;
  }
  for (const std::string& word : run.line.operands) {
    auto node = parse_node(word, weight);
    if (!node) return run.misuse(node.error());
    request.nodes.push_back(std::move(*node));
  }
  if (const auto file = run.line.text(Option::nodes_file)) {
    const auto listed = read_nodes_file(*file);
    if (!listed) return run.misuse(listed.error());
    for (const Node& node : *listed) request.nodes.push_back({node.name, node.weight, node.fields});
  }
  if (auto ok = give_fields(run.line.all(Option::field), request.nodes); !ok) return run.misuse(ok.error());
  if (request.nodes.empty()) return run.misuse(make_error(Errc::invalid_argument, "no node is given"));
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());

  const auto asked = request.nodes;
  const auto response = run.session.call<AddNodes>(std::move(request));
  if (!response) return run.fail(response.error());
  for (const std::string& warning : response->warnings) say("WARNING: " + warning);
  std::vector<std::string> added, known;
  const NameSet changed(response->added.begin(), response->added.end());
  for (const AddNodes::Member& node : asked) {
    if (!changed.contains(node.name)) known.push_back(node.name);
    else added.push_back(node.weight == 1 ? node.name : node.name + " (weight " + number_text(node.weight) + ")");
  }
  std::string sentence = "added " + sentence_list(added) + " to " + response->ring + ": " +
                         epochs_text(response->previous_epoch, response->epoch, response->moved);
  if (!added.empty() && !known.empty()) sentence += " (already there: " + sentence_list(known) + ")";
  if (added.empty())
    sentence = "nothing to add: " + sentence_list(known) + (known.size() == 1 ? " is" : " are") + " already in " +
               response->ring + " (epoch " + std::to_string(response->epoch) + ")";
  return print_change(run, *format, *response,
                      change_record(response->ring, response->epoch, response->previous_epoch, response->added),
                      sentence);
}

int remove_nodes(const Run& run) {
  for (const std::string& name : run.line.operands)
    if (auto ok = check_node_name(name); !ok) return run.misuse(ok.error());
  if (run.line.operands.empty()) return run.misuse(make_error(Errc::invalid_argument, "no node is given"));
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());

  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  const auto response = run.session.call<RemoveNodes>(
      {std::move(*options), run.options.ring, run.line.operands, run.line.has(Option::if_exists)});
  if (!response) return run.fail(response.error());
  std::vector<std::string> unknown;
  const NameSet changed(response->removed.begin(), response->removed.end());
  for (const std::string& name : run.line.operands)
    if (!changed.contains(name)) unknown.push_back(name);
  std::string sentence = "removed " + sentence_list(response->removed) + " from " + response->ring + ": " +
                         epochs_text(response->previous_epoch, response->epoch, response->moved);
  if (!response->removed.empty() && !unknown.empty()) sentence += " (not there: " + sentence_list(unknown) + ")";
  if (response->removed.empty())
    sentence = "nothing to remove: " + sentence_list(unknown) + (unknown.size() == 1 ? " is" : " are") + " not in " +
               response->ring + " (epoch " + std::to_string(response->epoch) + ")";
  return print_change(run, *format, *response,
                      change_record(response->ring, response->epoch, response->previous_epoch, response->removed),
                      sentence);
}

}  // namespace chash::cli
