#include "chash/balanced.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <map>
#include <string>

#include "chash/slot_shares.h"
#include "chash/standing.h"

namespace chash {
namespace {

// Candidates that the rows give; then the nodes are gone through. Nearly all lists end within a dozen.
constexpr std::size_t rows = 256;

// The slot moved by the permutation of this number: every step of it can be undone.
std::size_t permuted(std::size_t slot, std::size_t number, std::size_t slots) {
  const std::size_t mask = slots - 1;
  const auto half = static_cast<unsigned>(std::countr_zero(slots)) / 2;
  const std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15;
  std::uint64_t at = slot + (mixed >> 32);
  at = at * (mixed >> 16 | 1) & mask;
  at ^= at >> half;
  at = at * 0xd6e8feb86659fd93 & mask;
  at ^= at >> half;
  return static_cast<std::size_t>(at);
}

Error refused(std::string why, std::string hint = {}) {
  return make_error(Errc::invalid_argument, std::move(why), std::move(hint));
}

}  // namespace

SlotTable reslotted(const Profile& profile, const SlotTable& table, const NodeList& before, const NodeList& after) {
  const auto members = members_of(profile, after);
  if (!members || members->empty()) return {};
  std::vector<double> weights(after.size());
  for (const Member& member : *members) weights[member.node] = member.weight;

  std::vector<NodeIndex> now(before.size(), no_node);
  NodeIndex stays = 0;
  for (std::size_t i = 0; i < before.size() && stays < after.size(); ++i)
    if (before[i].name == after[stays].name) now[i] = stays++;
  std::vector<NodeIndex> held(profile.slots, no_node);
  for (std::size_t slot = 0; slot < table.size(); ++slot) held[slot] = now[table[slot]];
  std::vector<bool> takes_nothing(after.size());
  for (std::size_t i = 0; i < after.size(); ++i) takes_nothing[i] = is_draining(after[i]);
  return SlotTable(share_out(std::move(held), weights, takes_nothing));
}

Result<Balanced> Balanced::build(const Profile& profile, std::span<const Member> members, const NodeList& nodes,
                                 const SlotTable& table) {
  if (members.size() > profile.slots)
    return refused("there are more nodes than slots", "make the ring anew with slots=NUMBER, a power of two");
  Balanced made;
  made.key_rule_ = KeyRule(profile);
  made.table_ = table.empty() ? reslotted(profile, table, {}, nodes) : table;
  made.bits_below_ = bits_below_slot(profile);
  std::vector<bool> is_able(nodes.size());
  std::map<std::string, std::uint32_t> numbers;
  made.zones_.resize(nodes.size());
  for (const Member& member : members) {
    if (member.weight == 0) continue;
    is_able[member.node] = true;
    made.able_.push_back(member.node);
    const std::string zone = node_label(nodes[member.node], "zone");
    const auto number = static_cast<std::uint32_t>(made.zone_count_);
    made.zones_[member.node] = zone.empty() ? number : numbers.emplace(zone, number).first->second;
    if (made.zones_[member.node] == number) ++made.zone_count_;
  }
  const bool fits = (made.table_.empty() && made.able_.empty()) || made.table_.size() == profile.slots;
  if (!fits || !std::ranges::all_of(made.table_.nodes(), [&](NodeIndex n) { return n < nodes.size() && is_able[n]; }))
    return refused("the table of slots is not one of these nodes");
  return made;
}

NodeIndex Balanced::owner(std::string_view key) const {
  assert(!empty());
  const auto position = key_rule_.position(key);
  return position ? table_[slot_of(*position)] : no_node;
}

void Balanced::owners_of(std::span<const std::string_view> keys, std::span<NodeIndex> found) const {
  assert(!empty());
  constexpr std::size_t group = 256;
  Token positions[group];
  while (!keys.empty()) {
    const std::size_t size = std::min(keys.size(), group);
    if (key_rule_.positions(keys.first(size), {positions, size})) {
      for (std::size_t i = 0; i < size; ++i) found[i] = table_[slot_of(positions[i])];
    } else {
      for (std::size_t i = 0; i < size; ++i) found[i] = owner(keys[i]);
    }
    keys = keys.subspan(size);
    found = found.subspan(size);
  }
}

// Who is asked in turn: first what the rows have, then every node, from one that differs by slot.
NodeIndex Balanced::candidate(std::size_t slot, std::size_t rank) const {
  if (rank == 0) return table_[slot];
  if (rank < rows) return table_[permuted(slot, rank, table_.size())];
  return able_[(slot + rank) % able_.size()];
}

// Where 256 candidates had too few zones, all nodes are gone through.
void Balanced::append_rare_zones(std::size_t slot, std::size_t count, std::vector<NodeIndex>& found) const {
  std::vector<bool> has_zone(zone_count_);
  for (const NodeIndex node : found) has_zone[zones_[node]] = true;
  for (std::size_t rank = rows; found.size() < count; ++rank) {
    const NodeIndex node = candidate(slot, rank);
    if (has_zone[zones_[node]]) continue;
    has_zone[zones_[node]] = true;
    found.push_back(node);
  }
}

std::vector<NodeIndex> Balanced::owners(std::string_view key, std::size_t count) const {
  const auto position = key_rule_.position(key);
  return position ? owners_at(*position, count) : std::vector<NodeIndex>();
}

std::vector<NodeIndex> Balanced::owners_at(Token position, std::size_t count) const {
  std::vector<NodeIndex> found;
  if (empty() || count == 0) return found;
  const std::size_t slot = slot_of(position);
  count = std::min(count, able_.size());
  const std::size_t in_zones = std::min(count, zone_count_);
  const auto has_zone_of = [&](NodeIndex node) {
    return std::ranges::any_of(found, [&](NodeIndex other) { return zones_[other] == zones_[node]; });
  };
  for (std::size_t rank = 0; found.size() < in_zones && rank < rows; ++rank)
    if (const NodeIndex node = candidate(slot, rank); !has_zone_of(node)) found.push_back(node);
  if (found.size() < in_zones) append_rare_zones(slot, in_zones, found);
  for (std::size_t rank = 0; found.size() < count; ++rank)
    if (const NodeIndex node = candidate(slot, rank); std::ranges::find(found, node) == found.end())
      found.push_back(node);
  return found;
}

}  // namespace chash
