// Slots: which node has which slot is data, as `CLUSTER SLOTS` or `CLUSTER NODES` shows it. Without it, the ranges are
// those that `redis-cli --cluster create` gives to that many masters.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "chash/node_identity.h"
#include "chash/table.h"

namespace chash {
namespace {

// Source: clusterManagerCommandCreate() in redis-cli.c, with its float.
void fill_evenly(std::uint32_t slots, std::uint32_t members, TableEntries& entries) {
  const float each = static_cast<float>(slots) / static_cast<float>(members);
  float cursor = 0;
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < members; ++i) {
    auto last = static_cast<std::uint32_t>(std::lround(cursor + each - 1));
    if (i + 1 == members) last = slots - 1;
    for (std::uint32_t slot = first; slot <= last && slot < slots; ++slot) entries[slot] = i;
    first = last + 1;
    cursor += each;
  }
}

Error refused(const Node& node, std::string why) {
  return make_error(Errc::invalid_argument, "node '" + node.name + "': " + std::move(why),
                    "write slots=FIRST-LAST,SLOT,… as CLUSTER NODES shows them");
}

Result<void> fill_ranges(const Node& node, std::string_view list, std::uint32_t member, TableEntries& entries) {
  while (!list.empty()) {
    const std::string_view range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), range.size() + 1));
    const char* const end = range.data() + range.size();
    std::uint32_t first = 0, last = 0;
    auto read = std::from_chars(range.data(), end, first);
    last = first;
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || read.ptr != end || first > last || last >= entries.size())
      return refused(node, "'" + std::string(range.substr(0, 32)) + "' is not a range of slots");
    for (std::uint32_t slot = first; slot <= last; ++slot) {
      if (entries[slot] != no_node) return refused(node, "slot " + std::to_string(slot) + " is another node's, too");
      entries[slot] = member;
    }
  }
  return {};
}

}  // namespace

Result<TableEntries> fill_slots(const Profile& profile, std::span<const Member> members, const NodeList& nodes) {
  TableEntries entries(profile.slots, no_node);
  bool any = false;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const Node& node = nodes[members[i].node];
    const std::string list = node_field(node, "slots");
    any = any || !list.empty();
    if (auto ok = fill_ranges(node, list, i, entries); !ok) return std::move(ok).error();
  }
  if (!any && members.size() > profile.slots)
    return make_error(Errc::invalid_argument, "there are more nodes than slots", "write slots= for each node");
  if (!any) fill_evenly(profile.slots, static_cast<std::uint32_t>(members.size()), entries);
  return entries;
}

}  // namespace chash
