// What clients were told about a ring while it changed, and whether all of it can be true. Every answer names its
// epoch, so that the members of each epoch, and from them the owner of each key, can be worked out anew afterwards.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chash::e2e {

using Names = std::vector<std::string>;

struct Change {
  Names added, removed;
  std::optional<Names> members;  // afterwards, where the answer said so
};

// One answer, small because there are many.
struct Seen {
  enum class Kind : std::uint8_t { change, list, owner };
  std::chrono::steady_clock::time_point begin, end;
  std::uint64_t epoch = 0;
  Kind kind = Kind::change;
  std::uint16_t key = 0, owner = 0;  // of a look-up; positions in the lists given to judge()
};

// Of one client, in order.
struct History {
  std::vector<Seen> seen;
  std::map<std::uint64_t, Change> changes;             // by epoch
  std::vector<std::pair<std::uint64_t, Names>> lists;  // with their epochs
};

struct Verdict {
  std::size_t lookups = 0, changes = 0;  // the work
  std::size_t impossible_changes = 0;    // two of one epoch, an epoch without one, or one that does not fit its members
  std::size_t unknown_epochs = 0;        // answers of an epoch that nobody made
  std::size_t wrong_owners = 0, wrong_lists = 0;
  std::size_t steps_back = 0;    // a client saw an older epoch than before
  std::size_t out_of_order = 0;  // an answer is older than one that had ended before it was asked for
};

// `initial`: the members of epoch 1.
Verdict judge(const std::vector<History>& clients, const Names& initial, const Names& keys, const Names& nodes);

}  // namespace chash::e2e
