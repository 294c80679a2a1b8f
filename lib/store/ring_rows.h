// The rows of the state file, read and written. Each ring's row has a checksum over all that is kept of the ring.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/store.h"

namespace chash::store {

// What the row of a ring says of its history; all zero for a ring that is not there.
struct Head {
  std::int64_t epoch = 0;
  std::int64_t next_position = 0;
  Token nodes = 0;  // sum of the hashes of the rows of nodes and pins: a change need not read all
  std::int64_t first = 0;
  std::int64_t oldest = 0;
};

// The row of a node.
struct NodeRow {
  Node node;
  std::string fields;  // as text
  std::int64_t position = 0;
  std::int64_t added = 0;

  // What it adds to Head::nodes.
  Token hash() const;
};

// Errors of all that read: storage_failed, "it is damaged: …" or SQLite's own words.
Result<service::StoredRings> read_rings(sqlite3* database);
Result<Head> read_head(sqlite3* database, std::string_view ring);

// False: SQLite's error says why.
bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec);
// Brings the head up to the rows that it writes for the change that makes head.epoch.
bool write_delta(sqlite3* database, std::string_view ring, const Delta& delta, Head& head);
bool insert_node(sqlite3* database, std::string_view ring, const NodeRow& row, Head& head);
// Takes the ring's rows away, and keeps its epoch as the floor if that is the highest so far.
bool erase_ring(sqlite3* database, std::string_view ring, std::int64_t epoch);

// Fields as they are kept: NAME=VALUE, blanks between; neither of them has any (check_node_fields). Then labels, each
// with a + before it, which no field's name has.
std::string texts_of(const Node& node);
void parse_texts(std::string_view text, Node& node);

// Two bytes a slot, the lower one first.
std::string slots_bytes(const SlotTable& slots);
SlotTable parse_slots(std::string_view bytes);

// Head::nodes, from hex.
std::optional<Token> parse_sum(std::string_view digits);

// Of the row of a ring, whose slots are these.
std::string ring_checksum(std::string_view ring, const Head& head, const RingSpec& spec, std::string_view slots);

Error damaged(const std::string& what);
Error cannot_read(sqlite3* database);

// migrate.cpp: brings a file of an older format to the present one, in one transaction; nothing to do as a rule.
// Errors: storage_failed; the file is as it was then.
Result<void> migrate(sqlite3* database);

}  // namespace chash::store
