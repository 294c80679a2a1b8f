#include "store/state_file.h"

namespace chash::store {

//   ring       one row a ring, as it is now; the row with an empty name keeps the epochs of those that were deleted
//   node       one row a node of now, and the epoch since which it is just so
//   past_node  what a node was, until it was removed or altered: `removed` is the epoch that has it no more
//   pin        one row a pin of now, and the epoch since which it is just so
//   past_pin   what a pin was, as past_node
//   change     one row an epoch; slots_before: which slots it took, and from the node at which position. The ring
//   before
//              it, as sums: nodes_before as ring.nodes has it, and table_before of the whole table of slots. An older
//              ring that is put together must come to them; so a row that is missing is noticed, too
//   request    requests that must not be done twice, with their answers
const char* const schema = R"sql(
  CREATE TABLE ring(
    name TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    profile TEXT NOT NULL,
    next_position INTEGER NOT NULL,
    nodes TEXT NOT NULL,
    slots BLOB NOT NULL,
    max_move REAL NOT NULL,
    first INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    checksum TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE node(
    ring TEXT NOT NULL,
    name TEXT NOT NULL,
    weight REAL NOT NULL,
    fields TEXT NOT NULL,
    position INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY(ring, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE past_node(
    ring TEXT NOT NULL,
    removed INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    weight REAL NOT NULL,
    fields TEXT NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY(ring, removed, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX past_node_added ON past_node(ring, added);
  CREATE TABLE change(
    ring TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    operation TEXT NOT NULL,
    who TEXT NOT NULL,
    note TEXT NOT NULL,
    max_move REAL,
    moved REAL,
    slots_before BLOB,
    nodes_before TEXT NOT NULL,
    table_before TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY(ring, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    checksum TEXT NOT NULL
  ) STRICT;
)sql";

const char* const pin_tables = R"sql(
  CREATE TABLE pin(
    ring TEXT NOT NULL,
    key BLOB NOT NULL,
    is_prefix INTEGER NOT NULL,
    nodes TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY(ring, key, is_prefix)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE past_pin(
    ring TEXT NOT NULL,
    removed INTEGER NOT NULL,
    key BLOB NOT NULL,
    is_prefix INTEGER NOT NULL,
    nodes TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY(ring, removed, key, is_prefix)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX past_pin_added ON past_pin(ring, added);
)sql";

}  // namespace chash::store
