#include "store/pin_rows.h"

#include <optional>
#include <string>
#include <utility>

#include "store/statement.h"

namespace chash::store {
namespace {

struct PinRow {
  Pin pin;
  std::int64_t added = 0;
  std::int64_t kind = pin.name.is_prefix;  // as it is there: anything but 0 and 1 is damage

  Token hash() const;
};

// Names of nodes have no blanks.
std::string nodes_text(const Pin& pin) {
  std::string text;
  for (const std::string& node : pin.nodes) text += (text.empty() ? "" : " ") + node;
  return text;
}

std::vector<std::string> parse_nodes(std::string_view text) {
  std::vector<std::string> nodes;
  while (!text.empty()) {
    const std::string_view node = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), node.size() + 1));
    nodes.emplace_back(node);
  }
  return nodes;
}

// Unlike any row of a node, whose name has no blank.
Token PinRow::hash() const {
  std::string text = "pin of kind " + std::to_string(kind) + ' ' + std::to_string(pin.name.key.size()) + ' ' +
                     pin.name.key + ' ' + nodes_text(pin) + '\t' + std::to_string(pin.expires_ms) + '\t' +
                     std::to_string(added);
  return xxh3_128(text);
}

// The row is of `SELECT key, is_prefix, nodes, expires_ms, added`.
PinRow pin_row(const Statement& row) {
  return {
      {{row.text(0), row.integer(1) != 0}, parse_nodes(row.text(2)), row.integer(3)}, row.integer(4), row.integer(1)};
}

Result<PinList> read(sqlite3* database, std::string_view ring, Statement& rows, Token& sum) {
  std::vector<Pin> pins;
  while (rows.next()) {
    PinRow row = pin_row(rows);
    if (!check_pin(row.pin)) return damaged("a pin of ring '" + std::string(ring) + "'");
    sum += row.hash();
    pins.push_back(std::move(row.pin));
  }
  if (!rows.done()) return cannot_read(database);
  return PinList(std::move(pins));
}

bool insert(sqlite3* database, std::string_view ring, const PinRow& row, std::optional<std::int64_t> removed) {
  Statement insert(database, removed ? "INSERT INTO past_pin(ring, key, is_prefix, nodes, expires_ms, added, removed) "
                                       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                     : "INSERT INTO pin(ring, key, is_prefix, nodes, expires_ms, added) "
                                       "VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  insert.bind(1, ring);
  insert.bind_bytes(2, row.pin.name.key);
  insert.bind(3, std::int64_t{row.pin.name.is_prefix});
  const std::string nodes = nodes_text(row.pin);
  insert.bind(4, nodes);
  insert.bind(5, row.pin.expires_ms);
  insert.bind(6, row.added);
  if (removed) insert.bind(7, *removed);
  return insert.run();
}

// Takes the row of a pin away, if there is one, and keeps it among those of the past.
bool retire(sqlite3* database, std::string_view ring, const PinName& name, Head& head) {
  Statement erase(database,
                  "DELETE FROM pin WHERE ring = ?1 AND key = ?2 AND is_prefix = ?3 "
                  "RETURNING key, is_prefix, nodes, expires_ms, added");
  erase.bind(1, ring);
  erase.bind_bytes(2, name.key);
  erase.bind(3, std::int64_t{name.is_prefix});
  std::optional<PinRow> row;
  if (erase.next()) row = pin_row(erase);
  if (!erase.run()) return false;
  if (!row) return true;
  head.nodes -= row->hash();
  return insert(database, ring, *row, head.epoch);
}

}  // namespace

Result<PinList> read_pins(sqlite3* database, std::string_view ring, Token& sum) {
  Statement rows(database, "SELECT key, is_prefix, nodes, expires_ms, added FROM pin WHERE ring = ?1");
  rows.bind(1, ring);
  return read(database, ring, rows, sum);
}

Result<PinList> read_pins_at(sqlite3* database, std::string_view ring, std::int64_t epoch, Token& sum) {
  Statement rows(database,
                 "SELECT key, is_prefix, nodes, expires_ms, added FROM pin WHERE ring = ?1 AND added <= ?2 "
                 "UNION ALL SELECT key, is_prefix, nodes, expires_ms, added FROM past_pin "
                 "WHERE ring = ?1 AND removed > ?2 AND added <= ?2");
  rows.bind(1, ring);
  rows.bind(2, epoch);
  return read(database, ring, rows, sum);
}

Result<void> read_pin_deltas(sqlite3* database, std::string_view ring, std::int64_t first, std::int64_t last,
                             ChangedByEpoch& changed) {
  Statement rows(database,
                 "SELECT key, is_prefix, nodes, expires_ms, added, 0 AS removed FROM pin WHERE ring = ?1 "
                 "AND added BETWEEN ?2 AND ?3 "
                 "UNION ALL SELECT key, is_prefix, nodes, expires_ms, added, removed FROM past_pin "
                 "WHERE ring = ?1 AND removed BETWEEN ?2 AND ?3 "
                 "UNION ALL SELECT key, is_prefix, nodes, expires_ms, added, removed FROM past_pin "
                 "WHERE ring = ?1 AND added BETWEEN ?2 AND ?3 AND removed > ?3 "
                 "ORDER BY key, is_prefix, added");
  rows.bind(1, ring);
  rows.bind(2, first);
  rows.bind(3, last);
  const auto is_wanted = [&](std::int64_t epoch) { return epoch >= first && epoch <= last; };
  PinName before;          // of the row before
  std::int64_t ended = 0;  // and when it did
  while (rows.next()) {
    PinRow row = pin_row(rows);
    const std::int64_t removed = rows.integer(5);
    // What ends and begins at once became otherwise.
    if (row.pin.name == before && ended == row.added && is_wanted(ended)) changed[ended].delta.unpinned.pop_back();
    before = row.pin.name;
    ended = removed;
    if (is_wanted(removed)) {
      changed[removed].delta.unpinned.push_back(row.pin.name);
      changed[removed].sum -= row.hash();
    }
    if (!is_wanted(row.added)) continue;
    changed[row.added].sum += row.hash();
    changed[row.added].delta.pinned.push_back(std::move(row.pin));
  }
  return rows.done() ? Result<void>() : cannot_read(database);
}

bool write_pins(sqlite3* database, std::string_view ring, const Delta& delta, Head& head) {
  for (const PinName& name : delta.unpinned)
    if (!retire(database, ring, name, head)) return false;
  for (const Pin& pin : delta.pinned) {
    const PinRow row{pin, head.epoch};
    if (!retire(database, ring, pin.name, head) || !insert(database, ring, row, std::nullopt)) return false;
    head.nodes += row.hash();
  }
  return true;
}

}  // namespace chash::store
