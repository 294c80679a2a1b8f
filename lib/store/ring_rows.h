// The rows of the state file, read and written. Each ring's row has a checksum over all that is kept of the ring.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string_view>

#include "service/store.h"

namespace chash::store {

// What the row of a ring says of its history; all zero for a ring that is not there.
struct Head {
  std::int64_t epoch = 0;
  std::int64_t next_position = 0;
  Token nodes = 0;  // sum of the hashes of the nodes' rows: a change need not read those that it leaves alone
};

// Errors of all that read: storage_failed, "it is damaged: …" or SQLite's own words.
Result<service::StoredRings> read_rings(sqlite3* database);
Result<Head> read_head(sqlite3* database, std::string_view ring);

// False: SQLite's error says why.
bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec);
// Brings the head up to the rows that it writes.
bool write_delta(sqlite3* database, std::string_view ring, const Delta& delta, Head& head);
// Takes the ring's rows away, and keeps its epoch as the floor if that is the highest so far.
bool erase_ring(sqlite3* database, std::string_view ring, std::int64_t epoch);

// Fields as they are kept: NAME=VALUE, blanks between; neither of them has any (check_node_fields).
std::string fields_text(const NodeFields& fields);
NodeFields parse_fields(std::string_view text);
// What the row of a node adds to Head::nodes.
Token row_hash(const Node& node, std::string_view fields, std::int64_t position);

// migrate.cpp: brings a file of an older format to the present one, in one transaction; nothing to do as a rule.
// Errors: storage_failed; the file is as it was then.
Result<void> migrate(sqlite3* database);

}  // namespace chash::store
