#include "pin_output.h"

#include <algorithm>
#include <set>

#include "chash/limits.h"
#include "protocol/text.h"

namespace chash::cli {

using protocol::ListNodes;
using protocol::PinGiven;
using protocol::PinNamed;

std::string pinned_text(const PinNamed& pin) {
  return protocol::printable(pin.key.bytes.empty() ? pin.prefix.bytes : pin.key.bytes, limits::pin_key_bytes);
}

std::string pin_label(const PinNamed& pin) { return pinned_text(pin) + (pin.key.bytes.empty() ? "*" : ""); }

void append_pins(const Run& run, const ListNodes::Response& response, std::string& out) {
  if (response.pins.empty()) return;
  std::set<std::string_view> there;
  for (const ListNodes::Member& node : response.nodes) there.insert(node.name);
  const bool ends = std::ranges::any_of(response.pins, [](const PinGiven& pin) { return !pin.expires.empty(); });
  std::vector<std::string> header{"PINNED", "NODES"};
  if (ends) header.emplace_back("UNTIL");
  Table table(header);
  for (const PinGiven& pin : response.pins) {
    std::string nodes;
    for (const std::string& node : pin.nodes)
      nodes += (nodes.empty() ? "" : " ") + node + (there.contains(node) ? "" : " (not there)");
    std::vector<std::string> row{for_people(pin_label(pin)), for_people(nodes)};
    if (ends) row.push_back(pin.expires.empty() ? "-" : pin.expires);
    table.add(std::move(row));
  }
  table.append_to(out, !run.line.has(Option::no_header), run.color);
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
