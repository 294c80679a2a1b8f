#include "store/ring_rows.h"

#include <bit>
#include <string>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "store/state_file.h"
#include "store/statement.h"

namespace chash::store {
namespace {

// The row under this name, which no ring has, keeps the highest epoch of those that were deleted.
constexpr std::string_view floor_row = "";  // not a null pointer, which SQLite takes for NULL

// Fields as they are kept: NAME=VALUE, blanks between; neither of them has any (check_node_fields).
std::string fields_text(const NodeFields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += (text.empty() ? "" : " ") + name + '=' + value;
  return text;
}

NodeFields parse_fields(std::string_view text) {
  NodeFields fields;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    const std::size_t equals = std::min(field.find('='), field.size());
    fields.emplace_back(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
  }
  return fields;
}

std::string checksum(std::string_view ring, const Head& head, const RingSpec& spec) {
  std::string text = std::string(ring) + '\n' + std::to_string(head.epoch) + '\n' + std::to_string(head.next_position) +
                     '\n' + spec.profile;
  for (const Node& node : spec.nodes)
    text +=
        '\n' + node.name + '\t' + hex(std::bit_cast<std::uint64_t>(node.weight), 64) + '\t' + fields_text(node.fields);
  return hex(xxh3_128(text));
}

Error damaged(const std::string& what) { return make_error(Errc::storage_failed, "it is damaged: " + what); }
Error cannot_read(sqlite3* database) { return make_error(Errc::storage_failed, sqlite3_errmsg(database)); }

Result<std::vector<Node>> read_nodes(sqlite3* database, const std::string& ring, const Head& head) {
  std::vector<Node> found;
  Statement nodes(database, "SELECT name, weight, fields, position FROM node WHERE ring = ?1 ORDER BY position");
  nodes.bind(1, ring);
  std::int64_t next_position = 0;
  while (nodes.next()) {
    Node node{nodes.text(0), nodes.real(1), parse_fields(nodes.text(2))};
    if (!check_node_name(node.name) || !(node.weight >= 0 && node.weight <= limits::max_weight))
      return damaged("a node's name or weight in ring '" + ring + "'");
    if (nodes.integer(3) < next_position) return damaged("the order of the nodes of ring '" + ring + "'");
    next_position = nodes.integer(3) + 1;
    found.push_back(std::move(node));
  }
  if (!nodes.done()) return cannot_read(database);
  if (next_position > head.next_position) return damaged("the order of the nodes of ring '" + ring + "'");
  return found;
}

}  // namespace

Result<service::StoredRings> read_rings(sqlite3* database) {
  service::StoredRings found;
  Statement rings(database, "SELECT name, epoch, next_position, profile, checksum FROM ring ORDER BY name");
  while (rings.next()) {
    const Head head{rings.integer(1), rings.integer(2)};
    service::StoredRing ring{rings.text(0), static_cast<std::uint64_t>(head.epoch), {rings.text(3), {}}};
    auto nodes = read_nodes(database, ring.name, head);
    if (!nodes) return std::move(nodes).error();
    ring.spec.nodes = std::move(*nodes);
    if (rings.text(4) != checksum(ring.name, head, ring.spec))
      return damaged("the checksum of ring '" + ring.name + "' does not fit");
    if (ring.name == floor_row) found.epoch_floor = ring.epoch;
    else found.rings.push_back(std::move(ring));
  }
  if (!rings.done()) return cannot_read(database);
  Statement orphan(database, "SELECT name FROM node WHERE ring NOT IN (SELECT name FROM ring) LIMIT 1");
  if (orphan.next()) return damaged("node '" + orphan.text(0) + "' is in no ring");
  if (!orphan.done()) return cannot_read(database);
  return found;
}

Result<Head> read_head(sqlite3* database, std::string_view ring) {
  Statement row(database, "SELECT epoch, next_position FROM ring WHERE name = ?1");
  row.bind(1, ring);
  if (row.next()) return Head{row.integer(0), row.integer(1)};
  if (row.done()) return Head{};
  return cannot_read(database);
}

bool write_head(sqlite3* database, std::string_view ring, const Head& head, const RingSpec& spec) {
  Statement row(database,
                "INSERT INTO ring(name, epoch, profile, next_position, checksum) VALUES(?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT(name) DO UPDATE SET epoch = ?2, profile = ?3, next_position = ?4, checksum = ?5");
  row.bind(1, ring);
  row.bind(2, head.epoch);
  row.bind(3, spec.profile);
  row.bind(4, head.next_position);
  row.bind(5, checksum(ring, head, spec));
  return row.run();
}

bool write_delta(sqlite3* database, std::string_view ring, const Delta& delta, std::int64_t& next_position) {
  Statement erase(database, "DELETE FROM node WHERE ring = ?1 AND name = ?2");
  for (const std::string& name : delta.removed) {
    erase.bind(1, ring);
    erase.bind(2, name);
    if (!erase.run()) return false;
  }
  Statement insert(database, "INSERT INTO node(ring, name, weight, fields, position) VALUES(?1, ?2, ?3, ?4, ?5)");
  for (const Node& node : delta.added) {
    insert.bind(1, ring);
    insert.bind(2, node.name);
    insert.bind(3, node.weight);
    insert.bind(4, fields_text(node.fields));
    insert.bind(5, next_position++);
    if (!insert.run()) return false;
  }
  return true;
}

bool erase_ring(sqlite3* database, std::string_view ring, std::int64_t epoch) {
  for (const char* sql : {"DELETE FROM node WHERE ring = ?1", "DELETE FROM ring WHERE name = ?1"}) {
    Statement erase(database, sql);
    erase.bind(1, ring);
    if (!erase.run()) return false;
  }
  const auto floor = read_head(database, floor_row);
  if (!floor) return false;
  return floor->epoch >= epoch || write_head(database, floor_row, {epoch, 0}, {"", {}});
}

}  // namespace chash::store
