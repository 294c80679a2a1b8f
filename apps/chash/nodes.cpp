// add, remove: nodes that come and go.
#include <set>

#include "change_options.h"
#include "change_output.h"
#include "chash/node_name.h"
#include "confirm.h"
#include "node_argument.h"
#include "protocol/plan_report.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::AddNodes;
using protocol::RemoveNodes;
using NameSet = std::set<std::string_view>;

// --field, --label and --address, which are for one node: which of several would it be?
Result<void> give_texts(const Run& run, std::vector<AddNodes::Member>& nodes) {
  auto fields = named_texts(run, Option::field), labels = labels_given(run);
  if (!fields) return std::move(fields).error();
  if (!labels) return std::move(labels).error();
  if (fields->empty() && labels->empty()) return {};
  if (nodes.size() != 1)
    return make_error(Errc::invalid_argument, "--field, --label and --address are for one node",
                      "add them one by one, or with --nodes-file, where each has its own");
  AddNodes::Member& node = nodes.front();
  node.fields_given.insert(node.fields_given.end(), fields->begin(), fields->end());
  node.labels.insert(node.labels.end(), labels->begin(), labels->end());
  return {};
}

}  // namespace

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
    for (const Node& node : *listed) request.nodes.push_back(protocol::given(node));
  }
  if (auto ok = give_texts(run, request.nodes); !ok) return run.misuse(ok.error());
  if (request.nodes.empty()) return run.misuse(make_error(Errc::invalid_argument, "no node is given"));
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());

  const auto asked = request.nodes;
  const auto response = make_change<AddNodes>(run, std::move(request));
  if (!response) return run.fail(response.error());
  tell_warnings(*response);
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
  const auto response = make_change<RemoveNodes>(
      run, {std::move(*options), run.options.ring, run.line.operands, run.line.has(Option::if_exists)});
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
