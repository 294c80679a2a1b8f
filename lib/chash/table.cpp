#include "chash/table.h"

#include <algorithm>
#include <cassert>
#include <string>

namespace chash {
namespace {

constexpr int most_retries = 20;       // nginx; then it goes round robin
constexpr int maglev_attempts = 1000;  // of a search for distinct nodes; Envoy has as many as its retry policy

}  // namespace

Error too_many_steps() {
  return make_error(Errc::too_large, "the table of this ring would take too long to fill",
                    "use fewer nodes, weights that are closer to each other, or a smaller table");
}

Result<Table> Table::build(const Profile& profile, std::span<const Member> members, const NodeList& nodes) {
  Table table;
  if (members.empty()) return table;
  Result<TableEntries> filled;
  switch (profile.algorithm) {
    case Profile::Algorithm::slots: filled = fill_slots(profile, members, nodes); break;
    case Profile::Algorithm::smooth_table: filled = fill_smooth_table(members); break;
    case Profile::Algorithm::maglev: filled = fill_maglev(profile, members); break;
    case Profile::Algorithm::partitions: filled = fill_partitions(profile, members, nodes); break;
    default: filled = fill_modulo(members); break;
  }
  if (!filled) return std::move(filled).error();
  table.key_rule_ = KeyRule(profile);
  table.algorithm_ = profile.algorithm;
  table.down_rule_ = profile.down;
  table.hash_ = profile.hash;
  table.entries_.reserve(filled->size());
  for (const std::uint32_t member : *filled)
    table.entries_.push_back(member == no_node ? no_node : members[member].node);
  for (const Member& member : members) {
    if (!member.down) continue;
    table.down_.resize(nodes.size());
    table.down_[member.node] = true;
  }
  return table;
}

NodeIndex Table::owner(std::string_view key) const {
  assert(!empty());
  if (!down_.empty()) return owner_after_retries(key);
  const auto number = key_rule_.hash(key);
  return number ? entry(*number) : no_node;
}

// nginx: each try adds to the number, either the hash of the try's number and the key, or more of the same hash.
NodeIndex Table::owner_after_retries(std::string_view key) const {
  std::string scratch;
  const std::string bytes(key_rule_.prepared(key, scratch));
  if (bytes.empty()) return no_node;
  Token number = 0;
  std::string repeated;
  for (int tried = 0; tried <= most_retries; ++tried) {
    if (down_rule_ == Profile::Down::repeat) number = hash_->hash(repeated += bytes);
    else number += hash_->hash(tried == 0 ? bytes : std::to_string(tried) + bytes);
    const NodeIndex node = entry(number);
    if (node == no_node || !down_[node]) return node;
  }
  return no_node;
}

std::vector<NodeIndex> Table::owners(std::string_view key, std::size_t count) const {
  std::vector<NodeIndex> found;
  if (empty() || count == 0) return found;
  const NodeIndex first = owner(key);
  if (first == no_node) return found;
  found.push_back(first);
  if (algorithm_ != Profile::Algorithm::maglev) return found;
  const auto hash = static_cast<std::uint64_t>(*key_rule_.hash(key));
  for (std::uint64_t attempt = 1; attempt < maglev_attempts && found.size() < count; ++attempt) {
    const NodeIndex node = entry(hash ^ (std::uint64_t{0} - attempt));
    if (std::ranges::find(found, node) == found.end()) found.push_back(node);
  }
  return found;
}

}  // namespace chash
