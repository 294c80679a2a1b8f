// set, weight, drain, down, up and replace: nodes that become otherwise, or others in their place.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "change_options.h"
#include "change_output.h"
#include "chash/node_name.h"
#include "confirm.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::AlterNodes;
using protocol::ListNodes;
using protocol::ReplaceNode;

// 2.5 is the weight, +0.5 and -0.5 are added to the one there is, 50% is a part of it.
Result<void> read_weight(std::string_view text, AlterNodes::Request& request) {
  const bool is_part = text.ends_with('%');
  std::string_view digits = is_part ? text.substr(0, text.size() - 1) : text;
  const bool is_added = digits.starts_with('+') || digits.starts_with('-');
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size() && std::isfinite(number);
  if (digits.empty() || !is_number || (is_part && is_added))
    return make_error(Errc::invalid_argument, "'" + protocol::printable(text, 64) + "' is not a weight",
                      "such as 2.5, +0.5, -0.5 or 50%");
  if (is_part) request.scale_weight = number / 100;
  else (is_added ? request.add_weight : request.weight) = number;
  return {};
}

// What the command says of the nodes, but for their names.
Result<void> read_wishes(const Run& run, AlterNodes::Request& request) {
  auto fields = named_texts(run, Option::field);
  if (!fields) return std::move(fields).error();
  auto labels = labels_given(run);
  if (!labels) return std::move(labels).error();
  request.fields_given = std::move(*fields);
  for (auto& [name, value] : *labels) {
    if (value.empty()) request.remove_labels.push_back(name);
    else request.labels.emplace_back(name, value);
  }
  const auto weight = run.line.text(Option::weight);
  return weight ? read_weight(*weight, request) : Result<void>();
}

std::string_view state_of(Command command) {
  if (command == Command::drain) return "drain";
  if (command == Command::down) return "down";
  return command == Command::up ? "up" : "";
}

// What is said of one node, or of several.
std::string done_text(Command command, const std::vector<std::string>& nodes) {
  const std::string names = sentence_list(nodes);
  const bool one = nodes.size() == 1;
  if (command == Command::drain) return names + (one ? " drains" : " drain");
  if (command == Command::down) return names + (one ? " is" : " are") + " down";
  if (command == Command::up) return names + (one ? " is" : " are") + " up";
  if (command == Command::weight) return "weight of " + names + " changed";
  return "set " + names;
}

// `weight NODE` without a value.
int show_weight(const Run& run) {
  const auto record = [](const std::string& ring, std::uint64_t epoch, const std::string& node, double weight) {
    return Record{{"ring", ring}, {"epoch", epoch}, {"node", node}, {"weight", weight}};
  };
  const auto format = run.output_template(record("", 0, "", 0));
  if (!format) return run.misuse(format.error());
  const std::string& name = run.line.operands.front();
  const auto response = run.session.call<ListNodes>({run.options.ring});
  if (!response) return run.fail(response.error());
  const auto node = std::ranges::find(response->nodes, name, &ListNodes::Member::name);
  if (node == response->nodes.end())
    return run.fail(make_error(Errc::not_found, "no node '" + name + "' in the ring", "try: chash list"));
  if (*format) return run.print(*format, record(response->ring, response->epoch, name, node->weight));
  std::string& out = run.out.text();
  if (run.json()) {
    out += "{\"ring\":";
    protocol::append_json_string(response->ring, out);
    out += ",\"epoch\":" + std::to_string(response->epoch) + ",\"node\":";
    protocol::append_json_string(name, out);
    out += ",\"weight\":" + json_number(node->weight) + "}\n";
  } else {
    out += number_text(node->weight) + '\n';
  }
  return 0;
}

}  // namespace

int alter_nodes(const Run& run) {
  const Command command = run.line.command;
  AlterNodes::Request request;
  request.ring = run.options.ring;
  request.nodes = run.line.operands;
  if (command == Command::weight) {
    if (request.nodes.size() == 1) return show_weight(run);
    if (request.nodes.size() != 2)
      return run.misuse(make_error(Errc::invalid_argument, "weight takes a node and its weight",
                                   "several nodes: chash set NODE... --weight W"));
    if (auto ok = read_weight(request.nodes.back(), request); !ok) return run.misuse(ok.error());
    request.nodes.pop_back();
  }
  if (request.nodes.empty()) return run.misuse(make_error(Errc::invalid_argument, "no node is given"));
  for (const std::string& name : request.nodes)
    if (auto ok = check_node_name(name); !ok) return run.misuse(ok.error());
  if (auto ok = read_wishes(run, request); !ok) return run.misuse(ok.error());
  request.state = state_of(command);
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  static_cast<protocol::ChangeOptions&>(request) = std::move(*options);
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());

  const auto asked = request.nodes;
  const auto response = make_change<AlterNodes>(run, std::move(request));
  if (!response) return run.fail(response.error());
  tell_warnings(*response);
  std::string sentence = done_text(command, response->altered) + " in " + response->ring + ": " +
                         epochs_text(response->previous_epoch, response->epoch, response->moved);
  if (response->altered.empty())
    sentence = "nothing to change: " + sentence_list(asked) + (asked.size() == 1 ? " is" : " are") + " so already in " +
               response->ring + " (epoch " + std::to_string(response->epoch) + ")";
  return print_change(run, *format, *response,
                      change_record(response->ring, response->epoch, response->previous_epoch, response->altered),
                      sentence);
}

int replace_node(const Run& run) {
  if (run.line.operands.size() != 2)
    return run.misuse(make_error(Errc::invalid_argument, "replace takes the node that goes and the one that comes"));
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());
  ReplaceNode::Request request{std::move(*options), run.options.ring, run.line.operands[0], run.line.operands[1],
                               run.line.text(Option::address).value_or("")};
  const auto response = make_change<ReplaceNode>(run, std::move(request));
  if (!response) return run.fail(response.error());
  const std::string sentence = response->with + " has the place of " + response->node + " in " + response->ring + ": " +
                               epochs_text(response->previous_epoch, response->epoch, response->moved);
  return print_change(
      run, *format, *response,
      change_record(response->ring, response->epoch, response->previous_epoch, {response->node, response->with}),
      sentence);
}

}  // namespace chash::cli
