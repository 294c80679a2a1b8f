#include <algorithm>
#include <bit>

#include "chash/profile.h"
#include "chash/ring_spec.h"
#include "chash/standing.h"

namespace chash {
namespace {

void append_number(std::uint64_t number, std::string& bytes) {
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(number >> shift & 0xff));
}

// With its length before it, so that "ab" and "c" are not "a" and "bc".
void append_text(std::string_view text, std::string& bytes) {
  append_number(text.size(), bytes);
  bytes += text;
}

// Only what differs from the defaults, so that a parameter that is added in a later release changes no fingerprint.
std::string parameters_of(const Profile& profile) {
  const Profile defaults;
  std::string bytes = "chash ring 2";
  for (const ProfileParameter& parameter : profile_parameters()) {
    const std::string value = parameter.write(profile);
    if (value == parameter.write(defaults)) continue;
    append_text(parameter.name, bytes);
    append_text(value, bytes);
  }
  return bytes;
}

bool is_failure_domain(std::string_view label) {
  return std::ranges::find(failure_domains, label) != std::end(failure_domains);
}

// `all`: also what decides nothing, labels of nodes and the ends of pins.
Token hash_of(const RingSpec& spec, bool all) {
  const auto profile = parse_profile(spec.profile);
  // Slots name their nodes by number.
  const bool in_order = !spec.slots.empty() || (profile && order_counts(*profile));
  // A sum of the nodes' hashes does not depend on their order, and needs no sorted copy.
  Token sum = xxh3_128(profile ? parameters_of(*profile) : spec.profile);
  std::uint64_t place = 0;
  std::string bytes;
  for (const Node& node : spec.nodes) {
    bytes.clear();
    append_text(node.name, bytes);
    append_number(std::bit_cast<std::uint64_t>(node.weight), bytes);
    NodeFields fields = node.fields;
    // Of labels those decide that replicas are spread by.
    for (const auto& label : node.labels)
      if (all || is_failure_domain(label.first)) fields.push_back(label);
    std::ranges::sort(fields);
    for (const auto& [name, value] : fields) {
      append_text(name, bytes);
      append_text(value, bytes);
    }
    if (in_order) append_number(++place, bytes);
    sum += xxh3_128(bytes);
  }
  for (const Pin& pin : spec.pins) {
    bytes = pin.name.is_prefix ? "prefix" : "key";
    append_text(pin.name.key, bytes);
    for (const std::string& node : pin.nodes) append_text(node, bytes);
    if (all) append_number(static_cast<std::uint64_t>(pin.expires_ms), bytes);
    sum += xxh3_128(bytes);
  }
  if (spec.slots.empty()) return sum;
  bytes.clear();
  for (const NodeIndex node : spec.slots.nodes()) append_number(node, bytes);
  sum += xxh3_128(bytes);
  return sum;
}

}  // namespace

Token fingerprint(const RingSpec& spec) { return hash_of(spec, false); }
Token digest(const RingSpec& spec) { return hash_of(spec, true); }

}  // namespace chash
