#include "movement_output.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "node_argument.h"
#include "pin_output.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::size_t rows_shown = 40;  // of nodes in a table; a change of many more is summed up

std::string share_text(double share) { return share == 0 ? "-" : percent(share, 2); }

std::string name_text(const std::string& name) { return name.empty() ? "-" : for_people(name); }

Table node_table(const MovementReport& report, bool is_past) {
  using Header = std::vector<std::string>;
  Table table(is_past ? Header{"NODE", "BEFORE", "AFTER", "GAINS", "LOSES"}
                      : Header{"NODE", "NOW", "THEN", "GAINS", "LOSES"});
  for (std::size_t i = 0; i < report.nodes.size() && i < rows_shown; ++i) {
    const NodeShare& node = report.nodes[i];
    table.add({for_people(node.name), share_text(node.before), share_text(node.after), share_text(node.gains),
               share_text(node.loses)});
  }
  return table;
}

void append_node_changes(const MovementReport& report, std::string& out) {
  for (const NodeGiven& node : report.added)
    out += "+  " + for_people(node.name) + "  weight " + number_text(node.weight) + '\n';
  for (const std::string& name : report.removed) out += "-  " + for_people(name) + '\n';
  for (const NodeAltered& node : report.altered) {
    out += "~  " + for_people(node.after.name);
    if (node.before.weight != node.after.weight)
      out += "  weight " + number_text(node.before.weight) + " -> " + number_text(node.after.weight);
    const auto add_texts = [&](const NodeFields& before, const NodeFields& after) {
      if (before == after) return;
      out += "  " + name_text(fields_text(before)) + " -> " + name_text(fields_text(after));
    };
    add_texts(node.before.fields_given, node.after.fields_given);
    add_texts(node.before.labels, node.after.labels);
    out += '\n';
  }
}

// Who has the keys of a pin, before or after.
std::string holder_text(const std::string& node, const PinMove& pin) {
  if (!node.empty()) return for_people(node);
  return pin.prefix.bytes.empty() ? "nobody" : "by hash";
}

void append_pin_moves(const MovementReport& report, std::string& out) {
  for (const PinMove& pin : report.pins) {
    out += "^  " + for_people(pin_label(pin)) + "  ";
    if (pin.from == pin.to) out += "stays with " + holder_text(pin.to, pin);
    else out += holder_text(pin.from, pin) + " -> " + holder_text(pin.to, pin);
    if (pin.after.empty()) out += "  (unpinned)";
    else if (!pin.expires.empty()) out += "  until " + pin.expires;
    out += '\n';
  }
  if (report.pins_left_out > 0) out += "... and " + std::to_string(report.pins_left_out) + " more pins\n";
}

void append_ranks(const MovementReport& report, std::string& out) {
  for (const RankMovement& rank : report.ranks)
    out += "replica " + std::to_string(rank.rank) + ": " + percent(rank.moved, 2) +
           " of keys get another node (least possible: " + percent(rank.minimum, 2) + ")\n";
}

void append_ranges(const MovementReport& report, bool header, bool color, std::string& out) {
  if (report.ranges.empty()) return;
  Table table({"FIRST", "LAST", "FROM", "TO"});
  for (const MovedArc& arc : report.ranges) table.add({arc.first, arc.last, name_text(arc.from), name_text(arc.to)});
  table.append_to(out, header, color);
}

}  // namespace

std::string percent(double share, int decimals) { return fixed_text(100 * share, decimals) + "%"; }

bool changes_anything(const MovementReport& report) {
  return report.moved > 0 || !report.pins.empty() || !report.added.empty() || !report.removed.empty() ||
         !report.altered.empty();
}

Record flow_record(const FlowShare& flow) { return {{"from", flow.from}, {"to", flow.to}, {"share", flow.share}}; }

std::string movement_sentence(const MovementReport& report) {
  const auto pins = std::ranges::count_if(report.pins, [](const PinMove& pin) { return pin.from != pin.to; });
  const std::string of_pins = std::to_string(pins) + (pins == 1 ? " pin" : " pins");
  if (report.moved == 0) return pins == 0 ? "no key moves" : "no key moves but those of " + of_pins;
  std::set<std::string_view> from, to;
  for (const FlowShare& flow : report.flows) {
    from.insert(flow.from);
    to.insert(flow.to);
  }
  std::string text = (report.error > 0 ? "about " : "") + percent(report.moved, 2);
  if (report.error > 0) text += " (+- " + percent(report.error, 2) + ", by samples)";
  text += " of keys move";
  if (to.size() == 1 && !to.begin()->empty()) text += ", all to " + for_people(*to.begin());
  else if (from.size() == 1 && !from.begin()->empty()) text += ", all from " + for_people(*from.begin());
  text += " (least possible: " + percent(report.minimum, 2) + ")";
  if (pins > 0) text += ", and those of " + of_pins;
  if (report.needless > 0)
    text += "; " + percent(report.needless, 2) + " go from one node to another that nobody changed";
  return text;
}

std::vector<std::string> movement_lines(const MovementReport& report) {
  std::string text;
  if (!report.nodes.empty()) node_table(report, false).append_to(text, true, false);
  if (report.nodes.size() > rows_shown)
    text += "... and " + std::to_string(report.nodes.size() - rows_shown) + " more nodes\n";
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  lines.push_back(movement_sentence(report));
  return lines;
}

int print_movement(const Run& run, const Template& format, const MovementReport& report, bool is_past) {
  std::string& out = run.out.text();
  if (format) {
    for (const FlowShare& flow : report.flows)
      if (const int status = run.print(format, flow_record(flow)); status != 0) return status;
    return 0;
  }
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (!table) {
    if (!report.ranges.empty()) {
      for (const MovedArc& arc : report.ranges)
        out += arc.first + '\t' + arc.last + '\t' + arc.from + '\t' + arc.to + '\n';
      return 0;
    }
    for (const FlowShare& flow : report.flows)
      out += flow.from + '\t' + flow.to + '\t' + json_number(flow.share) + '\n';
    return 0;
  }
  append_node_changes(report, out);
  append_pin_moves(report, out);
  if (!report.nodes.empty())
    node_table(report, is_past).append_to(out, run.line.has(Option::no_header) ? false : true, run.color);
  if (report.nodes.size() > rows_shown)
    out += "... and " + std::to_string(report.nodes.size() - rows_shown) + " more nodes\n";
  out += movement_sentence(report) + '\n';
  append_ranks(report, out);
  append_ranges(report, !run.line.has(Option::no_header), run.color, out);
  return 0;
}

int print_plan(const Run& run, const Template& format, const Plan& plan) {
  if (const int status = print_movement(run, format, plan); status != 0) return status;
  if (run.line.has(Option::quiet)) return 0;
  for (const std::string& warning : plan.warnings) say("WARNING: " + warning);
  if (plan.over_budget)
    say("WARNING: ring '" + plan.ring + "' allows " + percent(plan.max_move, 2) +
        " for one change: this must be forced");
  return 0;
}

}  // namespace chash::cli
