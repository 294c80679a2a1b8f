// Maglev: each node fills the table in an order of its own, in turns, a light one less often.
// Source: Eisenbud et al., "Maglev: a fast and reliable software network load balancer"; Envoy's
// source/extensions/load_balancing_policies/maglev/maglev_lb.cc; dgryski/go-maglev.
#include <algorithm>

#include "chash/limits.h"
#include "chash/mixes.h"
#include "chash/table.h"

namespace chash {
namespace {

struct Filler {
  std::uint64_t offset = 0;
  std::uint64_t skip = 0;
  std::uint64_t next = 0;
  double weight = 0;  // the weights of all come to 1
  double target = 0;
};

Filler filler_of(const Profile& profile, const Member& member, double total) {
  const std::uint64_t size = profile.table;
  Filler filler;
  filler.weight = member.weight / total;
  if (profile.siphash_table) {
    const std::uint64_t hash = siphash24(member.identity, 0xdeadbeefcafebabe, 0);
    filler.offset = (hash >> 32) % size;
    filler.skip = (hash & 0xffffffff) % (size - 1) + 1;
  } else {
    filler.offset = xxh64(member.identity, 0) % size;
    filler.skip = xxh64(member.identity, 1) % (size - 1) + 1;
  }
  return filler;
}

}  // namespace

Result<TableEntries> fill_maglev(const Profile& profile, std::span<const Member> members) {
  if (members.size() > profile.table)
    return make_error(Errc::invalid_argument, "there are more nodes than the table has entries",
                      "choose a larger table=PRIME");
  double total = 0, heaviest = 0;
  for (const Member& member : members) total += member.weight;
  if (total == 0) return TableEntries();
  std::vector<Filler> fillers;
  for (const Member& member : members) {
    fillers.push_back(filler_of(profile, member, total));
    heaviest = std::max(heaviest, fillers.back().weight);
  }
  TableEntries entries(profile.table, no_node);
  std::size_t filled = 0;
  std::uint64_t steps = 0;
  for (std::uint64_t round = 1; filled < entries.size(); ++round) {
    if ((steps += fillers.size()) > limits::fill_steps) return too_many_steps();
    for (std::uint32_t i = 0; i < fillers.size() && filled < entries.size(); ++i) {
      Filler& filler = fillers[i];
      if (filler.weight == 0 || static_cast<double>(round) * filler.weight < filler.target) continue;
      filler.target += heaviest;
      const auto place = [&] {
        return static_cast<std::size_t>((filler.offset + filler.skip * filler.next) % profile.table);
      };
      while (entries[place()] != no_node) ++filler.next;
      entries[place()] = i;
      ++filler.next;
      ++filled;
    }
  }
  return entries;
}

}  // namespace chash
