// What changes of a ring's pins come to.
#include <algorithm>
#include <set>
#include <string_view>

#include "chash/limits.h"
#include "chash/resolve.h"

namespace chash {

Result<std::vector<Pin>> new_pins(const PinList& there, const std::vector<Pin>& pins) {
  std::set<PinName> names;
  std::vector<Pin> found;
  for (const Pin& pin : pins) {
    if (auto ok = check_pin(pin); !ok) return std::move(ok).error();
    if (!names.insert(pin.name).second)
      return make_error(Errc::invalid_argument, pin_text(pin.name) + " is pinned twice");
    const Pin* const old = there.find(pin.name);
    if (old == nullptr || *old != pin) found.push_back(pin);
  }
  std::ranges::sort(found, {}, &Pin::name);
  return found;
}

Result<void> check_pin_count(const PinList& pins) {
  if (pins.size() <= limits::pins) return {};
  return make_error(Errc::too_large, "the ring would have more than " + std::to_string(limits::pins) + " pins",
                    "pin a prefix that many keys have in common");
}

std::vector<Pin> renamed_in(const PinList& pins, const std::string& node, const std::string& with) {
  std::vector<Pin> renamed;
  for (const Pin& pin : pins) {
    const auto place = std::ranges::find(pin.nodes, node);
    if (place == pin.nodes.end()) continue;
    renamed.push_back(pin);
    auto& nodes = renamed.back().nodes;
    // It may have been pinned to the new one before that was there.
    std::erase(nodes, with);
    *std::ranges::find(nodes, node) = with;
  }
  return renamed;
}

Result<Delta> resolve(const RingSpec& spec, const EditPins& change) {
  if (change.remove.empty() && change.add.empty())
    return make_error(Errc::invalid_argument, "no key is named", "name at least one key or prefix");
  Delta delta;
  std::set<PinName> gone;
  for (const PinName& name : change.remove) {
    if (auto ok = check_pin_name(name); !ok) return ok.error();
    if (!gone.insert(name).second) return make_error(Errc::invalid_argument, pin_text(name) + " is named twice");
    if (spec.pins.find(name) != nullptr) delta.unpinned.push_back(name);
    else if (!change.if_exists) return make_error(Errc::not_found, pin_text(name) + " is not pinned");
  }
  auto pinned = new_pins(spec.pins.changed(delta.unpinned, {}), change.add);
  if (!pinned) return std::move(pinned).error();
  delta.pinned = std::move(*pinned);
  std::ranges::sort(delta.unpinned);
  std::set<std::string_view> nodes;
  for (const Node& node : spec.nodes) nodes.insert(node.name);
  for (const Pin& pin : delta.pinned)
    for (const std::string& node : pin.nodes)
      if (!nodes.contains(node)) return make_error(Errc::not_found, "no node '" + node + "' in the ring");
  if (auto ok = check_pin_count(spec.pins.changed(delta.unpinned, delta.pinned)); !ok) return ok.error();
  // What goes and comes again is altered.
  std::erase_if(delta.unpinned, [&](const PinName& name) {
    return std::ranges::find(delta.pinned, name, &Pin::name) != delta.pinned.end();
  });
  return delta;
}

}  // namespace chash
