#include "history.h"

#include <algorithm>

#include "oracle.h"

namespace chash::e2e {
namespace {

// Members by epoch, from the answers to the changes alone.
std::vector<Names> rebuilt(const std::vector<History>& clients, Names members, std::size_t& impossible) {
  std::map<std::uint64_t, Change> changes;
  for (const History& client : clients)
    for (const auto& [epoch, one] : client.changes)
      if (!changes.emplace(epoch, one).second) ++impossible;
  std::vector<Names> by_epoch(2, members);
  for (const auto& [epoch, one] : changes) {
    if (epoch != by_epoch.size()) ++impossible;
    by_epoch.resize(std::max<std::size_t>(by_epoch.size(), epoch), members);
    for (const std::string& name : one.removed) impossible += std::erase(members, name) == 1 ? 0 : 1;
    for (const std::string& name : one.added) {
      impossible += std::ranges::count(members, name) == 0 ? 0 : 1;
      members.push_back(name);
    }
    if (one.members && *one.members != members) ++impossible;
    by_epoch.push_back(members);
  }
  return by_epoch;
}

// Owners of the keys, by set of members: many epochs share one.
class Owners {
 public:
  explicit Owners(const Names& keys) : keys_(keys) {}

  const Names& among(Names members) {
    std::ranges::sort(members);
    Names& owners = known_[members];
    if (owners.empty()) {
      const Oracle oracle(members);
      for (const std::string& key : keys_) owners.push_back(oracle.owner(key));
    }
    return owners;
  }

 private:
  const Names& keys_;
  std::map<Names, Names> known_;
};

// What ended before something else began is not newer; and a change is newer than all that ended before it began.
std::size_t out_of_order(const std::vector<History>& clients) {
  std::vector<const Seen*> by_begin;
  for (const History& client : clients)
    for (const Seen& seen : client.seen) by_begin.push_back(&seen);
  auto by_end = by_begin;
  std::ranges::sort(by_begin, {}, &Seen::begin);
  std::ranges::sort(by_end, {}, &Seen::end);
  std::size_t faults = 0, ended = 0;
  std::uint64_t newest = 0;
  for (const Seen* seen : by_begin) {
    for (; by_end[ended]->end < seen->begin; ++ended) newest = std::max(newest, by_end[ended]->epoch);
    if (seen->epoch < newest + (seen->kind == Seen::Kind::change ? 1 : 0)) ++faults;
  }
  return faults;
}

}  // namespace

Verdict judge(const std::vector<History>& clients, const Names& initial, const Names& keys, const Names& nodes) {
  Verdict verdict;
  const std::vector<Names> members = rebuilt(clients, initial, verdict.impossible_changes);
  Owners known(keys);
  std::vector<const Names*> owners;
  for (const Names& names : members) owners.push_back(&known.among(names));

  for (const History& client : clients) {
    verdict.changes += client.changes.size();
    for (std::uint64_t before = 0; const Seen& seen : client.seen) {
      if (seen.epoch < before) ++verdict.steps_back;
      before = seen.epoch;
      if (seen.epoch >= members.size()) ++verdict.unknown_epochs;
      if (seen.epoch >= members.size() || seen.kind != Seen::Kind::owner) continue;
      ++verdict.lookups;
      if (nodes[seen.owner] != (*owners[seen.epoch])[seen.key]) ++verdict.wrong_owners;
    }
    for (const auto& [epoch, list] : client.lists)
      if (epoch >= members.size() || list != members[epoch]) ++verdict.wrong_lists;
  }
  verdict.out_of_order = out_of_order(clients);
  return verdict;
}

}  // namespace chash::e2e
