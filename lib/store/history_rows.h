// The rows of the state file that tell of the past, read and written.
//
// A node that is removed or altered goes from `node` to `past_node` with the epochs between which it was just so: the
// nodes of any epoch are one query. Of slots, each change keeps which ones it took from whom; from the present table
// backwards they give any older one. Whatever is put together from these must come to the sums that a change keeps of
// the ring before it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "service/store.h"
#include "store/ring_rows.h"

namespace chash::store {

// What a change did.
struct Changed {
  Delta delta{};
  Token sum = 0;  // what it added to Head::nodes
};
using ChangedByEpoch = std::unordered_map<std::int64_t, Changed>;

// False: SQLite's error says why.
bool write_past_node(sqlite3* database, std::string_view ring, const NodeRow& row, std::int64_t removed);
// What a change made of the ring before it.
struct Step {
  const RingSpec& before;
  Token nodes_before = 0, nodes_after = 0;   // as Head::nodes
  std::optional<std::string> slots_taken{};  // from slots_taken()
};
bool write_change(sqlite3* database, std::string_view ring, std::int64_t epoch, const service::MadeChange& change,
                  const Step& step);
// Forgets all before `oldest`.
bool forget(sqlite3* database, std::string_view ring, std::int64_t oldest);
bool write_request(sqlite3* database, const service::AnsweredRequest& request, std::uint64_t remembered);

// Where the nodes of a ring stand among all that it ever had: their numbers in its table of slots are theirs.
using Positions = std::vector<std::int64_t>;
std::optional<Positions> read_positions(sqlite3* database, std::string_view ring);
// Which slots another node has after a change, and whose they were. Nothing where there are no slots at all.
std::optional<std::string> slots_taken(const RingSpec& before, const Positions& were, const RingSpec& after,
                                       const Positions& are);

// Errors: storage_failed, "it is damaged: …" or SQLite's own words.
Result<std::vector<service::PastChange>> read_changes(sqlite3* database, std::string_view ring, const Head& head,
                                                      std::int64_t first, std::int64_t last);
// Requires: an epoch from head.oldest to head.epoch.
Result<RingSpec> read_spec_at(sqlite3* database, std::string_view ring, const Head& head, std::int64_t epoch);
// The last epoch at this time or before; nothing where all are later.
Result<std::optional<std::int64_t>> read_epoch_at(sqlite3* database, std::string_view ring, const Head& head,
                                                  std::int64_t time_ms);
Result<std::optional<service::AnsweredRequest>> read_request(sqlite3* database, std::string_view id);

}  // namespace chash::store
