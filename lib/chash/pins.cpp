#include "chash/pins.h"

#include <algorithm>
#include <limits>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "chash/profile.h"
#include "chash/standing.h"

namespace chash {
namespace {

constexpr std::size_t shown_bytes = 64;  // of a key in a sentence

bool is_plain(std::string_view key) {
  return std::ranges::all_of(key, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_below(const Pin& a, const Pin& b) { return a.name < b.name; }

}  // namespace

std::string pin_text(const PinName& name) {
  const std::string kind = name.is_prefix ? "prefix " : "key ";
  if (!is_plain(name.key)) return kind + "of " + std::to_string(name.key.size()) + " bytes that are not plain text";
  return kind + "'" + name.key.substr(0, shown_bytes) + (name.key.size() > shown_bytes ? "...'" : "'");
}

Result<void> check_pin_name(const PinName& name) {
  if (name.key.empty())
    return make_error(Errc::invalid_argument, name.is_prefix ? "the prefix to pin is empty" : "the key to pin is empty",
                      name.is_prefix ? "all keys begin with that: use weights or states instead" : "");
  if (name.key.size() > limits::pin_key_bytes)
    return make_error(Errc::too_large, "the key to pin has " + std::to_string(name.key.size()) + " bytes",
                      "the limit is " + std::to_string(limits::pin_key_bytes) + " bytes");
  return {};
}

Result<void> check_pin(const Pin& pin) {
  if (auto ok = check_pin_name(pin.name); !ok) return ok;
  if (pin.nodes.empty())
    return make_error(Errc::invalid_argument, "the pin of " + pin_text(pin.name) + " names no node");
  if (pin.nodes.size() > limits::replicas)
    return make_error(Errc::too_large, "the pin of " + pin_text(pin.name) + " names too many nodes",
                      "the limit is " + std::to_string(limits::replicas));
  for (const std::string& node : pin.nodes)
    if (auto ok = check_node_name(node); !ok) return ok;
  auto sorted = pin.nodes;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return make_error(Errc::invalid_argument,
                      "the pin of " + pin_text(pin.name) + " names node '" + *twice + "' twice");
  if (pin.expires_ms < 0)
    return make_error(Errc::invalid_argument, "the pin of " + pin_text(pin.name) + " expires before 1970");
  return {};
}

// --- PinList

const std::vector<Pin>& PinList::pins() const {
  static const std::vector<Pin> none;
  return held_ == nullptr ? none : held_->pins;
}

PinList::PinList(std::vector<Pin> pins) {
  if (pins.empty()) return;
  std::ranges::stable_sort(pins, is_below);
  auto held = std::make_shared<Held>();
  for (Pin& pin : pins) {
    // Of equal names the last stays.
    if (!held->pins.empty() && held->pins.back().name == pin.name) held->pins.back() = std::move(pin);
    else held->pins.push_back(std::move(pin));
  }
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Pin& pin : held->pins) {
    held->bytes += sizeof pin + pin.name.key.size();
    for (const std::string& node : pin.nodes) held->bytes += sizeof node + node.size();
    if (pin.expires_ms != 0) first = std::min(first, pin.expires_ms);
  }
  if (first != std::numeric_limits<std::int64_t>::max()) held->first_expiry_ms = first;
  held_ = std::move(held);
}

const Pin* PinList::find(const PinName& name) const {
  const auto place = std::ranges::lower_bound(pins(), name, {}, &Pin::name);
  return place != end() && place->name == name ? &*place : nullptr;
}

const Pin* PinList::of_key(std::string_view key) const {
  const Pin* found = nullptr;
  for (const Pin& pin : pins()) {
    const bool is_it = pin.name.is_prefix ? key.starts_with(pin.name.key) : key == pin.name.key;
    if (is_it && !pin.name.is_prefix) return &pin;
    // Ascending: one that the key begins with, too, is longer if it comes later.
    if (is_it) found = &pin;
  }
  return found;
}

PinList PinList::changed(const std::vector<PinName>& without, const std::vector<Pin>& with) const {
  if (without.empty() && with.empty()) return *this;
  std::vector<PinName> gone = without;
  std::ranges::sort(gone);
  std::vector<Pin> left;
  for (const Pin& pin : pins())
    if (!std::ranges::binary_search(gone, pin.name)) left.push_back(pin);
  left.insert(left.end(), with.begin(), with.end());
  return {std::move(left)};
}

// --- PinIndex

std::shared_ptr<const PinIndex> PinIndex::of(const Profile& profile, const NodeList& nodes, const PinList& pins) {
  if (pins.empty()) return nullptr;
  std::unordered_map<std::string_view, NodeIndex> by_name;
  for (NodeIndex i = 0; i < nodes.size(); ++i) by_name.emplace(nodes[i].name, i);
  // Where the order of the ring passes over those that are down by itself, so do its pins.
  const bool skips_down = !keeps_order(profile);
  const auto may_answer = [&](NodeIndex node) {
    const auto state = node_state(nodes[node]);
    return !skips_down || !state || *state != NodeState::down;
  };
  auto made = std::make_shared<PinIndex>();
  for (const Pin& pin : pins) {
    Nodes range{static_cast<std::uint32_t>(made->nodes_.size()), 0};
    for (const std::string& name : pin.nodes)
      if (const auto node = by_name.find(name); node != by_name.end() && may_answer(node->second))
        made->nodes_.push_back(node->second);
    range.end = static_cast<std::uint32_t>(made->nodes_.size());
    if (!pin.name.is_prefix) {
      made->keys_.emplace(pin.name.key, range);
      continue;
    }
    // The one before is an ancestor of this one, or has one in common with it.
    std::uint32_t parent = made->prefixes_.empty() ? no_parent : static_cast<std::uint32_t>(made->prefixes_.size() - 1);
    while (parent != no_parent && !pin.name.key.starts_with(made->prefixes_[parent].text))
      parent = made->prefixes_[parent].parent;
    made->prefixes_.push_back({pin.name.key, parent, range});
  }
  return made;
}

std::span<const NodeIndex> PinIndex::nodes_of(const PinName& name) const {
  if (!name.is_prefix) {
    const auto exact = keys_.find(name.key);
    return exact == keys_.end() ? std::span<const NodeIndex>() : span_of(exact->second);
  }
  const auto prefix = std::ranges::lower_bound(prefixes_, name.key, {}, &Prefix::text);
  const bool is_there = prefix != prefixes_.end() && prefix->text == name.key;
  return is_there ? span_of(prefix->nodes) : std::span<const NodeIndex>();
}

std::span<const NodeIndex> PinIndex::nodes_of(std::string_view key) const {
  // A longer key has no pin of its own, and would be hashed for nothing.
  if (key.size() <= limits::pin_key_bytes)
    if (const auto exact = keys_.find(key); exact != keys_.end()) return span_of(exact->second);
  // All prefixes of the key are among the last one that is not above it, and its ancestors.
  const auto above = std::ranges::upper_bound(prefixes_, key, {},
                                              [](const Prefix& prefix) -> std::string_view { return prefix.text; });
  if (above == prefixes_.begin()) return {};
  const Prefix* prefix = &*(above - 1);
  const std::string_view text = prefix->text;
  const auto common =
      static_cast<std::size_t>(std::ranges::mismatch(text, key.substr(0, text.size())).in1 - text.begin());
  while (prefix->text.size() > common) {
    if (prefix->parent == no_parent) return {};
    prefix = &prefixes_[prefix->parent];
  }
  return span_of(prefix->nodes);
}

}  // namespace chash
