#include "pin_output.h"

#include <algorithm>

#include "protocol/codec.h"

namespace chash::cli {

using protocol::PinGiven;
using protocol::PinNamed;

std::string pinned_text(const PinNamed& pin) {
  return for_people(pin.key.bytes.empty() ? pin.prefix.bytes : pin.key.bytes);
}

std::string pin_label(const PinNamed& pin) { return pinned_text(pin) + (pin.key.bytes.empty() ? "*" : ""); }

void append_pins(const Run& run, const std::vector<PinGiven>& pins, std::string& out) {
  if (pins.empty()) return;
  const bool ends = std::ranges::any_of(pins, [](const PinGiven& pin) { return !pin.expires.empty(); });
  std::vector<std::string> header{"PINNED", "NODES"};
  if (ends) header.emplace_back("UNTIL");
  Table table(header);
  for (const PinGiven& pin : pins) {
    std::string nodes;
    for (const std::string& node : pin.nodes) nodes += (nodes.empty() ? "" : " ") + node;
    std::vector<std::string> row{for_people(pin_label(pin)), for_people(nodes)};
    if (ends) row.push_back(pin.expires.empty() ? "-" : pin.expires);
    table.add(std::move(row));
  }
  table.append_to(out, !run.line.has(Option::no_header), run.color);
}

void append_pins_json(const std::vector<PinGiven>& pins, std::string& out) {
  out += '[';
  for (const PinGiven& pin : pins) {
    if (&pin != pins.data()) out += ',';
    protocol::encode_item(pin, out);
  }
  out += ']';
}

std::string pin_sentence(const PinGiven& pin, const std::vector<std::string>& missing) {
  std::string text = pin_label(pin) + " to ";
  for (const std::string& node : pin.nodes) {
    const bool is_there = std::ranges::find(missing, node) == missing.end();
    text += (&node == pin.nodes.data() ? "" : ", ") + node + (is_there ? "" : " (not in the ring)");
  }
  return text + (pin.expires.empty() ? "" : ", until " + pin.expires);
}

}  // namespace chash::cli
