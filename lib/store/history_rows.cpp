#include "store/history_rows.h"

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <string>
#include <unordered_map>
#include <utility>

#include "store/pin_rows.h"
#include "store/statement.h"

namespace chash::store {
namespace {

using service::PastChange;

// Of parts that may hold anything.
std::string checksum(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += std::to_string(part.size()) + ':' + part + '\n';
  return hex(xxh3_128(text));
}

// What a row of `change` holds beside its record.
struct ChangeRow {
  std::optional<double> max_move{};
  std::optional<std::string> slots_before{};
  std::string nodes_before{};  // in hex, as the next
  std::string table_before{};
};

std::string bits_text(std::optional<double> number) {
  return number ? hex(std::bit_cast<std::uint64_t>(*number), 64) : "";
}

// Covers what became of the nodes, too, which stands in their own rows.
std::string change_checksum(std::string_view ring, std::int64_t epoch, const service::ChangeRecord& record,
                            const ChangeRow& row, Token nodes_after) {
  return checksum({std::string(ring), std::to_string(epoch), std::to_string(record.time_ms), record.operation,
                   record.who, record.note, bits_text(row.max_move), bits_text(record.moved),
                   row.slots_before ? hex(xxh3_128(*row.slots_before)) : "", row.nodes_before, row.table_before,
                   hex(nodes_after)});
}

std::string table_sum(const SlotTable& slots) { return slots.empty() ? "" : hex(xxh3_128(slots_bytes(slots))); }

std::string request_checksum(const service::AnsweredRequest& request) {
  return checksum({request.id, request.digest, request.answer});
}

// A slot and a position, the lowest bytes first.
constexpr std::size_t taken_bytes = 4 + 8;

void append_bytes(std::uint64_t number, std::size_t bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(number >> 8 * i & 0xff);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << 8 * i;
  return number;
}

Error damaged_past(std::string_view ring) { return damaged("the history of ring '" + std::string(ring) + "'"); }

// By slot, the position of its node; taken back one change.
Result<void> give_back(std::string_view ring, std::string_view taken, Positions& slots) {
  if (taken.size() % taken_bytes != 0) return damaged_past(ring);
  // There was no table before.
  if (taken.empty()) return slots.clear(), Result<void>();
  if (slots.empty()) slots.resize(taken.size() / taken_bytes);
  for (std::size_t at = 0; at < taken.size(); at += taken_bytes) {
    const auto slot = static_cast<std::size_t>(number_at(taken, at, 4));
    if (slot >= slots.size()) return damaged_past(ring);
    slots[slot] = static_cast<std::int64_t>(number_at(taken, at + 4, 8));
  }
  return {};
}

// The row is of `SELECT name, weight, fields, position, added`.
NodeRow node_row(const Statement& row) {
  NodeRow read{{row.text(0), row.real(1)}, row.text(2), row.integer(3), row.integer(4)};
  parse_texts(read.fields, read.node);
  return read;
}

// The nodes of an epoch, in order.
Result<std::vector<NodeRow>> read_nodes_at(sqlite3* database, std::string_view ring, std::int64_t epoch) {
  Statement rows(database,
                 "SELECT name, weight, fields, position, added FROM node WHERE ring = ?1 AND added <= ?2 "
                 "UNION ALL SELECT name, weight, fields, position, added FROM past_node "
                 "WHERE ring = ?1 AND removed > ?2 AND added <= ?2 ORDER BY position");
  rows.bind(1, ring);
  rows.bind(2, epoch);
  std::vector<NodeRow> found;
  while (rows.next()) found.push_back(node_row(rows));
  if (!rows.done()) return cannot_read(database);
  return found;
}

// By slot, the position of the node that had it at this epoch.
Result<Positions> read_slots_at(sqlite3* database, std::string_view ring, const SlotTable& now, std::int64_t epoch) {
  const auto positions = read_positions(database, ring);
  if (!positions) return cannot_read(database);
  Positions slots;
  for (const NodeIndex node : now.nodes()) {
    if (node >= positions->size()) return damaged_past(ring);
    slots.push_back((*positions)[node]);
  }
  Statement rows(database,
                 "SELECT slots_before FROM change WHERE ring = ?1 AND epoch > ?2 AND slots_before IS NOT NULL "
                 "ORDER BY epoch DESC");
  rows.bind(1, ring);
  rows.bind(2, epoch);
  while (rows.next())
    if (auto ok = give_back(ring, rows.text(0), slots); !ok) return std::move(ok).error();
  if (!rows.done()) return cannot_read(database);
  return slots;
}

// Added where no row of the same place ends there, altered where one does.
Result<void> read_deltas(sqlite3* database, std::string_view ring, std::int64_t first, std::int64_t last,
                         ChangedByEpoch& changed) {
  Statement rows(database,
                 "SELECT name, weight, fields, position, added, 0 AS removed FROM node WHERE ring = ?1 "
                 "AND added BETWEEN ?2 AND ?3 "
                 "UNION ALL SELECT name, weight, fields, position, added, removed FROM past_node "
                 "WHERE ring = ?1 AND removed BETWEEN ?2 AND ?3 "
                 "UNION ALL SELECT name, weight, fields, position, added, removed FROM past_node "
                 "WHERE ring = ?1 AND added BETWEEN ?2 AND ?3 AND removed > ?3 "
                 "ORDER BY position, added");
  rows.bind(1, ring);
  rows.bind(2, first);
  rows.bind(3, last);
  const auto is_wanted = [&](std::int64_t epoch) { return epoch >= first && epoch <= last; };
  std::int64_t place = -1, ended = 0;  // of the row before
  std::string name;
  while (rows.next()) {
    NodeRow row = node_row(rows);
    const std::int64_t removed = rows.integer(5);
    const bool is_altered = place == row.position && ended == row.added;
    if (is_altered && is_wanted(ended)) changed[ended].delta.removed.pop_back();  // by the row before
    if (is_wanted(removed)) {
      changed[removed].delta.removed.push_back(row.node.name);
      changed[removed].sum -= row.hash();
    }
    if (is_wanted(row.added)) {
      Changed& at = changed[row.added];
      at.sum += row.hash();
      if (is_altered && row.node.name != name) at.delta.replaced.push_back({name, row.node});
      else (is_altered ? at.delta.altered : at.delta.added).push_back(row.node);
    }
    name = std::move(row.node.name);
    place = row.position;
    ended = removed;
  }
  return rows.done() ? Result<void>() : cannot_read(database);
}

}  // namespace

bool write_past_node(sqlite3* database, std::string_view ring, const NodeRow& row, std::int64_t removed) {
  Statement insert(database,
                   "INSERT INTO past_node(ring, removed, position, name, weight, fields, added) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert.bind(1, ring);
  insert.bind(2, removed);
  insert.bind(3, row.position);
  insert.bind(4, row.node.name);
  insert.bind(5, row.node.weight);
  insert.bind(6, row.fields);
  insert.bind(7, row.added);
  return insert.run();
}

bool write_change(sqlite3* database, std::string_view ring, std::int64_t epoch, const service::MadeChange& change,
                  const Step& step) {
  const service::ChangeRecord& record = change.record;
  const ChangeRow row{change.delta.max_move, step.slots_taken, hex(step.nodes_before), table_sum(step.before.slots)};
  Statement insert(database,
                   "INSERT INTO change(ring, epoch, time_ms, operation, who, note, max_move, slots_before, "
                   "nodes_before, table_before, checksum, moved) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  insert.bind(1, ring);
  insert.bind(2, epoch);
  insert.bind(3, record.time_ms);
  insert.bind(4, record.operation);
  insert.bind(5, record.who);
  insert.bind(6, record.note);
  if (row.max_move) insert.bind(7, *row.max_move);
  if (row.slots_before) insert.bind_bytes(8, *row.slots_before);
  insert.bind(9, row.nodes_before);
  insert.bind(10, row.table_before);
  insert.bind(11, change_checksum(ring, epoch, record, row, step.nodes_after));
  if (record.moved) insert.bind(12, *record.moved);
  return insert.run();
}

bool forget(sqlite3* database, std::string_view ring, std::int64_t oldest) {
  for (const char* sql :
       {"DELETE FROM change WHERE ring = ?1 AND epoch <= ?2", "DELETE FROM past_node WHERE ring = ?1 AND removed <= ?2",
        "DELETE FROM past_pin WHERE ring = ?1 AND removed <= ?2"}) {
    Statement erase(database, sql);
    erase.bind(1, ring);
    erase.bind(2, oldest);
    if (!erase.run()) return false;
  }
  return true;
}

bool write_request(sqlite3* database, const service::AnsweredRequest& request, std::uint64_t remembered) {
  Statement insert(database, "INSERT INTO request(id, digest, answer, checksum) VALUES(?1, ?2, ?3, ?4)");
  insert.bind(1, request.id);
  insert.bind(2, request.digest);
  insert.bind(3, request.answer);
  insert.bind(4, request_checksum(request));
  if (!insert.run()) return false;
  Statement erase(database, "DELETE FROM request WHERE number <= ?1");
  erase.bind(1, static_cast<std::int64_t>(sqlite3_last_insert_rowid(database)) - static_cast<std::int64_t>(remembered));
  return erase.run();
}

std::optional<Positions> read_positions(sqlite3* database, std::string_view ring) {
  Statement rows(database, "SELECT position FROM node WHERE ring = ?1 ORDER BY position");
  rows.bind(1, ring);
  Positions found;
  while (rows.next()) found.push_back(rows.integer(0));
  return rows.done() ? std::optional(std::move(found)) : std::nullopt;
}

std::optional<std::string> slots_taken(const RingSpec& before, const Positions& were, const RingSpec& after,
                                       const Positions& are) {
  if (before.slots.empty() && after.slots.empty()) return std::nullopt;
  std::string taken;
  for (std::size_t slot = 0; slot < before.slots.size(); ++slot) {
    const std::int64_t position = were[before.slots[slot]];
    if (!after.slots.empty() && are[after.slots[slot]] == position) continue;
    append_bytes(slot, 4, taken);
    append_bytes(static_cast<std::uint64_t>(position), 8, taken);
  }
  // An empty list says that there was no table.
  if (taken.empty() && !before.slots.empty()) return std::nullopt;
  return taken;
}

Result<std::vector<PastChange>> read_changes(sqlite3* database, std::string_view ring, const Head& head,
                                             std::int64_t first, std::int64_t last) {
  first = std::max(first, head.oldest);
  last = std::min(last, head.epoch);
  ChangedByEpoch changed;
  if (auto ok = read_deltas(database, ring, first, last, changed); !ok) return std::move(ok).error();
  if (auto ok = read_pin_deltas(database, ring, first, last, changed); !ok) return std::move(ok).error();
  Statement rows(database,
                 "SELECT epoch, time_ms, operation, who, note, max_move, slots_before, nodes_before, table_before, "
                 "checksum, moved FROM change WHERE ring = ?1 AND epoch BETWEEN ?2 AND ?3 ORDER BY epoch");
  rows.bind(1, ring);
  rows.bind(2, first);
  rows.bind(3, last);
  std::vector<PastChange> found;
  // The change that made the oldest epoch is kept where the ring began by it.
  std::int64_t next = std::max(first, head.oldest + 1);
  while (rows.next()) {
    const std::int64_t epoch = rows.integer(0);
    Changed& nodes = changed[epoch];
    PastChange change{static_cast<std::uint64_t>(epoch),
                      {rows.text(2), rows.text(3), rows.text(4), rows.integer(1), {}},
                      std::move(nodes.delta)};
    ChangeRow row{{}, {}, rows.text(7), rows.text(8)};
    if (!rows.is_null(5)) change.delta.max_move = row.max_move = rows.real(5);
    if (!rows.is_null(6)) row.slots_before = rows.text(6);
    if (!rows.is_null(10)) change.record.moved = rows.real(10);
    const auto nodes_before = parse_sum(row.nodes_before);
    if (epoch > next || !nodes_before ||
        rows.text(9) != change_checksum(ring, epoch, change.record, row, *nodes_before + nodes.sum))
      return damaged_past(ring);
    next = epoch + 1;
    found.push_back(std::move(change));
  }
  if (!rows.done()) return cannot_read(database);
  if (next <= last) return damaged_past(ring);
  return found;
}

// What was the ring before the change that made this epoch: its nodes as Head::nodes has them, and its table.
Result<std::pair<std::string, std::string>> read_sums_before(sqlite3* database, std::string_view ring,
                                                             std::int64_t epoch) {
  Statement row(database, "SELECT nodes_before, table_before FROM change WHERE ring = ?1 AND epoch = ?2");
  row.bind(1, ring);
  row.bind(2, epoch);
  if (row.next()) return std::pair(row.text(0), row.text(1));
  return row.done() ? damaged_past(ring) : cannot_read(database);
}

Result<RingSpec> read_spec_at(sqlite3* database, std::string_view ring, const Head& head, std::int64_t epoch) {
  Statement row(database, "SELECT profile, slots, max_move, checksum FROM ring WHERE name = ?1");
  row.bind(1, ring);
  if (!row.next()) return cannot_read(database);
  const std::string bytes = row.text(1);
  RingSpec spec{row.text(0), {}, parse_slots(bytes), row.real(2)};
  if (row.text(3) != ring_checksum(ring, head, spec, bytes)) return damaged_past(ring);
  const auto sums = epoch < head.epoch ? read_sums_before(database, ring, epoch + 1)
                                       : Result(std::pair(hex(head.nodes), table_sum(spec.slots)));
  if (!sums) return sums.error();
  auto nodes = read_nodes_at(database, ring, epoch);
  if (!nodes) return std::move(nodes).error();
  const auto slots = read_slots_at(database, ring, spec.slots, epoch);
  if (!slots) return slots.error();

  Token sum = 0;
  auto pins = read_pins_at(database, ring, epoch, sum);
  if (!pins) return std::move(pins).error();
  spec.pins = std::move(*pins);
  std::unordered_map<std::int64_t, NodeIndex> numbers;
  std::vector<Node> list;
  for (NodeRow& node : *nodes) {
    sum += node.hash();
    numbers.emplace(node.position, static_cast<NodeIndex>(list.size()));
    list.push_back(std::move(node.node));
  }
  std::vector<NodeIndex> table;
  for (const std::int64_t position : *slots) {
    const auto number = numbers.find(position);
    if (number == numbers.end()) return damaged_past(ring);
    table.push_back(number->second);
  }
  spec.nodes = NodeList(std::move(list));
  spec.slots = SlotTable(std::move(table));
  if (*sums != std::pair(hex(sum), table_sum(spec.slots))) return damaged_past(ring);
  return spec;
}

Result<std::optional<std::int64_t>> read_epoch_at(sqlite3* database, std::string_view ring, const Head& head,
                                                  std::int64_t time_ms) {
  Statement row(database, "SELECT max(epoch) FROM change WHERE ring = ?1 AND time_ms <= ?2");
  row.bind(1, ring);
  row.bind(2, time_ms);
  if (!row.next()) return cannot_read(database);
  const auto epoch = row.is_null(0) ? std::optional<std::int64_t>() : std::optional(row.integer(0));
  // Times ascend: if these two are right, no other one matters.
  const std::int64_t last = epoch.value_or(head.oldest);
  if (last < head.oldest || last > head.epoch) return damaged_past(ring);
  if (const auto near = read_changes(database, ring, head, last, last + 1); !near) return near.error();
  return epoch;
}

Result<std::optional<service::AnsweredRequest>> read_request(sqlite3* database, std::string_view id) {
  Statement row(database, "SELECT digest, answer, checksum FROM request WHERE id = ?1");
  row.bind(1, id);
  if (row.next()) {
    service::AnsweredRequest request{std::string(id), row.text(0), row.text(1)};
    if (row.text(2) != request_checksum(request)) return damaged("the answer of request '" + request.id + "'");
    return std::optional(std::move(request));
  }
  if (row.done()) return std::optional<service::AnsweredRequest>();
  return cannot_read(database);
}

}  // namespace chash::store
