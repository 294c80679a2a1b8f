#include "store/ring_rows.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <string>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "store/history_rows.h"
#include "store/pin_rows.h"
#include "store/state_file.h"
#include "store/statement.h"

namespace chash::store {
namespace {

// The row under this name, which no ring has, keeps the highest epoch of those that were deleted.
constexpr std::string_view floor_row = "";  // not a null pointer, which SQLite takes for NULL

// Also finds out what head.nodes should be.
Result<std::vector<Node>> read_nodes(sqlite3* database, const std::string& ring, const Head& head, Token& sum) {
  std::vector<Node> found;
  Statement nodes(database, "SELECT name, weight, fields, position, added FROM node WHERE ring = ?1 ORDER BY position");
  nodes.bind(1, ring);
  std::int64_t next_position = 0;
  while (nodes.next()) {
    NodeRow row{{nodes.text(0), nodes.real(1)}, nodes.text(2), nodes.integer(3), nodes.integer(4)};
    parse_texts(row.fields, row.node);
    if (!check_node_name(row.node.name) || !(row.node.weight >= 0 && row.node.weight <= limits::max_weight))
      return damaged("a node's name or weight in ring '" + ring + "'");
    if (row.position < next_position) return damaged("the order of the nodes of ring '" + ring + "'");
    next_position = row.position + 1;
    sum += row.hash();
    found.push_back(std::move(row.node));
  }
  if (!nodes.done()) return cannot_read(database);
  if (next_position > head.next_position) return damaged("the order of the nodes of ring '" + ring + "'");
  return found;
}

}  // namespace

Error damaged(const std::string& what) { return make_error(Errc::storage_failed, "it is damaged: " + what); }
Error cannot_read(sqlite3* database) { return make_error(Errc::storage_failed, sqlite3_errmsg(database)); }

std::optional<Token> parse_sum(std::string_view digits) {
  std::uint64_t upper = 0, lower = 0;
  const char* const middle = digits.data() + digits.size() / 2;
  const char* const end = digits.data() + digits.size();
  const bool good = digits.size() == 32 && std::from_chars(digits.data(), middle, upper, 16).ptr == middle &&
                    std::from_chars(middle, end, lower, 16).ptr == end;
  return good ? std::optional(Token{upper} << 64 | lower) : std::nullopt;
}

std::string ring_checksum(std::string_view ring, const Head& head, const RingSpec& spec, std::string_view slots) {
  std::string text(ring);
  for (const std::string& part :
       {std::to_string(head.epoch), std::to_string(head.next_position), hex(head.nodes), spec.profile,
        hex(xxh3_128(slots)), hex(std::bit_cast<std::uint64_t>(spec.max_move), 64), std::to_string(head.first),
        std::to_string(head.oldest)})
    text += '\n' + part;
  return hex(xxh3_128(text));
}

static_assert(limits::nodes <= 1 << 16);
std::string slots_bytes(const SlotTable& slots) {
  std::string bytes;
  bytes.reserve(2 * slots.size());
  for (const NodeIndex node : slots.nodes()) {
    bytes += static_cast<char>(node & 0xff);
    bytes += static_cast<char>(node >> 8);
  }
  return bytes;
}

SlotTable parse_slots(std::string_view bytes) {
  std::vector<NodeIndex> nodes;
  nodes.reserve(bytes.size() / 2);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    nodes.push_back(static_cast<std::uint8_t>(bytes[i]) | NodeIndex{static_cast<std::uint8_t>(bytes[i + 1])} << 8);
  return SlotTable(std::move(nodes));
}

std::string texts_of(const Node& node) {
  std::string text;
  for (const auto& [name, value] : node.fields) text += (text.empty() ? "" : " ") + name + '=' + value;
  for (const auto& [name, value] : node.labels) text += (text.empty() ? "+" : " +") + name + '=' + value;
  return text;
}

void parse_texts(std::string_view text, Node& node) {
  while (!text.empty()) {
    std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    const bool is_label = field.starts_with('+');
    field.remove_prefix(is_label ? 1 : 0);
    const std::size_t equals = std::min(field.find('='), field.size());
    (is_label ? node.labels : node.fields)
        .emplace_back(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
  }
}

Token NodeRow::hash() const {
  std::string text = node.name;
  text += '\t' + hex(std::bit_cast<std::uint64_t>(node.weight), 64) + '\t' + std::to_string(position) + '\t' +
          std::to_string(added) + '\t';
  return xxh3_128(text += fields);
}

Result<service::StoredRings> read_rings(sqlite3* database) {
  service::StoredRings found;
  Statement rings(database,
                  "SELECT name, epoch, next_position, profile, nodes, slots, checksum, max_move, first, oldest "
                  "FROM ring ORDER BY name");
  while (rings.next()) {
    Head head{rings.integer(1), rings.integer(2), 0, rings.integer(8), rings.integer(9)};
    const std::string slots = rings.text(5);
    service::StoredRing ring{rings.text(0),
                             static_cast<std::uint64_t>(head.epoch),
                             {rings.text(3), {}, parse_slots(slots), rings.real(7)},
                             0};
    auto nodes = read_nodes(database, ring.name, head, head.nodes);
    if (!nodes) return std::move(nodes).error();
    ring.spec.nodes = std::move(*nodes);
    auto pins = read_pins(database, ring.name, head.nodes);
    if (!pins) return std::move(pins).error();
    ring.spec.pins = std::move(*pins);
    if (rings.text(4) != hex(head.nodes) || rings.text(6) != ring_checksum(ring.name, head, ring.spec, slots))
      return damaged("the checksum of ring '" + ring.name + "' does not fit");
    if (ring.name == floor_row) {
      found.epoch_floor = ring.epoch;
      continue;
    }
    // A damaged history is no reason not to serve what is so now.
    const auto last = read_changes(database, ring.name, head, head.epoch, head.epoch);
    if (last && !last->empty()) ring.time_ms = last->back().record.time_ms;
    found.rings.push_back(std::move(ring));
  }
  if (!rings.done()) return cannot_read(database);
  Statement orphan(database,
                   "SELECT 'node ''' || name || '''' FROM node WHERE ring NOT IN (SELECT name FROM ring) "
                   "UNION ALL SELECT 'a pin' FROM pin WHERE ring NOT IN (SELECT name FROM ring) LIMIT 1");
  if (orphan.next()) return damaged(orphan.text(0) + " is in no ring");
  if (!orphan.done()) return cannot_read(database);
  return found;
}

Result<Head> read_head(sqlite3* database, std::string_view ring) {
  Statement row(database, "SELECT epoch, next_position, nodes, first, oldest FROM ring WHERE name = ?1");
  row.bind(1, ring);
  if (row.next()) {
    const auto nodes = parse_sum(row.text(2));
    if (!nodes) return damaged("the checksum of ring '" + std::string(ring) + "' does not fit");
    return Head{row.integer(0), row.integer(1), *nodes, row.integer(3), row.integer(4)};
  }
  if (row.done()) return Head{};
  return cannot_read(database);
}

bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec) {
  Statement row(database,
                "INSERT INTO ring(name, epoch, profile, next_position, nodes, slots, checksum, max_move, first, oldest)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(name) DO UPDATE "
                "SET epoch = ?2, profile = ?3, next_position = ?4, nodes = ?5, slots = ?6, checksum = ?7, "
                "max_move = ?8, first = ?9, oldest = ?10");
  const std::string slots = slots_bytes(spec.slots);
  row.bind(1, ring);
  row.bind(2, head.epoch);
  row.bind(3, spec.profile);
  row.bind(4, head.next_position);
  row.bind(5, hex(head.nodes));
  row.bind_bytes(6, slots);
  row.bind(7, ring_checksum(ring, head, spec, slots));
  row.bind(8, spec.max_move);
  row.bind(9, head.first);
  row.bind(10, head.oldest);
  return row.run();
}

bool insert_node(sqlite3* database, std::string_view ring, const NodeRow& row, Head& head) {
  Statement insert(database,
                   "INSERT INTO node(ring, name, weight, fields, position, added) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  insert.bind(1, ring);
  insert.bind(2, row.node.name);
  insert.bind(3, row.node.weight);
  insert.bind(4, row.fields);
  insert.bind(5, row.position);
  insert.bind(6, row.added);
  head.nodes += row.hash();
  return insert.run();
}

namespace {

// Takes the row of a node away, and keeps it among those of the past.  Returns its position, or nothing on failure.
std::optional<std::int64_t> retire(sqlite3* database, std::string_view ring, const std::string& name, Head& head) {
  Statement erase(database, "DELETE FROM node WHERE ring = ?1 AND name = ?2 RETURNING weight, fields, position, added");
  erase.bind(1, ring);
  erase.bind(2, name);
  std::optional<NodeRow> row;
  if (erase.next()) row = NodeRow{{name, erase.real(0), {}}, erase.text(1), erase.integer(2), erase.integer(3)};
  if (!erase.run() || !row) return std::nullopt;
  head.nodes -= row->hash();
  return write_past_node(database, ring, *row, head.epoch) ? std::optional(row->position) : std::nullopt;
}

}  // namespace

bool write_delta(sqlite3* database, std::string_view ring, const Delta& delta, Head& head) {
  for (const std::string& name : delta.removed)
    if (!retire(database, ring, name, head)) return false;
  const auto put_in_place_of = [&](const std::string& name, const Node& node) {
    const auto position = retire(database, ring, name, head);
    return position && insert_node(database, ring, {node, texts_of(node), *position, head.epoch}, head);
  };
  for (const Node& node : delta.altered)
    if (!put_in_place_of(node.name, node)) return false;
  for (const auto& [name, node] : delta.replaced)
    if (!put_in_place_of(name, node)) return false;
  for (const Node& node : delta.added)
    if (!insert_node(database, ring, {node, texts_of(node), head.next_position++, head.epoch}, head)) return false;
  return write_pins(database, ring, delta, head);
}

bool erase_ring(sqlite3* database, std::string_view ring, std::int64_t epoch) {
  for (const char* sql : {"DELETE FROM node WHERE ring = ?1", "DELETE FROM past_node WHERE ring = ?1",
                          "DELETE FROM pin WHERE ring = ?1", "DELETE FROM past_pin WHERE ring = ?1",
                          "DELETE FROM change WHERE ring = ?1", "DELETE FROM ring WHERE name = ?1"}) {
    Statement erase(database, sql);
    erase.bind(1, ring);
    if (!erase.run()) return false;
  }
  const auto floor = read_head(database, floor_row);
  if (!floor) return false;
  return floor->epoch >= epoch || write_head(database, floor_row, {epoch}, {"", {}});
}

}  // namespace chash::store
