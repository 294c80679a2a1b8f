// From older formats to the present one, whatever lies between:
//   1  rings of the seed's placement only, with vnodes
//   2  profiles, and fields of nodes; the checksum is over all that is kept
//   3  slots; the sum of the nodes' hashes is kept, so that a change costs what it touches
//   4  history, which begins with what an older file has; requests; max_move
//   5  pins
#include <bit>
#include <span>
#include <string>

#include "store/ring_rows.h"
#include "store/state_file.h"
#include "store/statement.h"

namespace chash::store {
namespace {

std::string checksum_1(std::string_view ring, const Head& head, std::int64_t vnodes, const NodeList& nodes) {
  Token fingerprint = xxh3_128("chash ring 1: md5 128 'NAME:i' next") + static_cast<std::uint64_t>(vnodes);
  std::string names;
  for (const Node& node : nodes) {
    std::string bytes = node.name;
    const auto weight = std::bit_cast<std::uint64_t>(node.weight);
    for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(weight >> shift & 0xff));
    fingerprint += xxh3_128(bytes);
    names += '\n' + node.name;
  }
  return hex(xxh3_128(std::string(ring) + '\n' + std::to_string(head.epoch) + '\n' +
                      std::to_string(head.next_position) + '\n' + hex(fingerprint) + names));
}

std::string checksum_2(std::string_view ring, const Head& head, const RingSpec& spec) {
  std::string text = std::string(ring) + '\n' + std::to_string(head.epoch) + '\n' + std::to_string(head.next_position) +
                     '\n' + spec.profile;
  for (const Node& node : spec.nodes)
    text += '\n' + node.name + '\t' + hex(std::bit_cast<std::uint64_t>(node.weight), 64) + '\t' + texts_of(node);
  return hex(xxh3_128(text));
}

std::string checksum_3(std::string_view ring, const Head& head, const RingSpec& spec, std::string_view slots,
                       std::span<const std::int64_t> positions) {
  Token sum = 0;
  for (std::size_t i = 0; i < positions.size(); ++i)
    sum += xxh3_128(spec.nodes[i].name + '\t' + hex(std::bit_cast<std::uint64_t>(spec.nodes[i].weight), 64) + '\t' +
                    std::to_string(positions[i]) + '\t' + texts_of(spec.nodes[i]));
  std::string text(ring);
  for (const std::string& part :
       {std::to_string(head.epoch), std::to_string(head.next_position), hex(sum), spec.profile, hex(xxh3_128(slots))})
    text += '\n' + part;
  return hex(xxh3_128(text));
}

// A ring as an older file has it.
struct OldRing {
  std::string name;
  Head head;
  RingSpec spec;
  bool is_whole = false;  // its checksum fits
};

// The row is of `SELECT name, epoch, next_position, profile or vnodes, checksum, slots`.
OldRing old_ring(std::int64_t format, const Statement& row, std::vector<Node> nodes,
                 std::span<const std::int64_t> positions) {
  OldRing ring{row.text(0), {row.integer(1), row.integer(2)}, {row.text(3), std::move(nodes)}};
  // What was before is not known.
  ring.head.first = ring.head.oldest = ring.name.empty() ? 0 : ring.head.epoch;
  if (format == 3) {
    const std::string slots = row.text(5);
    ring.spec.slots = parse_slots(slots);
    ring.is_whole = row.text(4) == checksum_3(ring.name, ring.head, ring.spec, slots, positions);
  } else if (format == 1) {
    const std::int64_t vnodes = row.integer(3);
    ring.spec.profile = vnodes == 100 ? "seed" : "seed,vnodes=" + std::to_string(vnodes);
    ring.is_whole = row.text(4) == checksum_1(ring.name, ring.head, vnodes, ring.spec.nodes);
  } else {
    ring.is_whole = row.text(4) == checksum_2(ring.name, ring.head, ring.spec);
  }
  return ring;
}

bool spoil_checksum(sqlite3* database, const std::string& ring) {
  Statement spoil(database, "UPDATE ring SET checksum = '' WHERE name = ?1");
  spoil.bind(1, ring);
  return spoil.run();
}

bool rewrite_rings(sqlite3* database, std::int64_t format) {
  Statement rings(database, std::string("SELECT name, epoch, next_position, ") + (format == 1 ? "vnodes" : "profile") +
                                ", checksum, " + (format == 3 ? "slots" : "''") + " FROM old_ring");
  while (rings.next()) {
    const std::string name = rings.text(0);
    std::vector<Node> found;
    std::vector<std::int64_t> positions;
    Statement nodes(database, std::string("SELECT name, weight, ") + (format == 1 ? "''" : "fields") +
                                  ", position FROM old_node WHERE ring = ?1 ORDER BY position");
    nodes.bind(1, name);
    while (nodes.next()) {
      found.push_back({nodes.text(0), nodes.real(1)});
      parse_texts(nodes.text(2), found.back());
      positions.push_back(nodes.integer(3));
    }
    OldRing ring = old_ring(format, rings, std::move(found), positions);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const Node& node = ring.spec.nodes[i];
      if (!insert_node(database, name, {node, texts_of(node), positions[i], ring.head.epoch}, ring.head)) return false;
    }
    if (!nodes.done() || !write_head(database, name, ring.head, ring.spec)) return false;
    // One that is damaged stays so, for read_rings() to find.
    if (!ring.is_whole && !spoil_checksum(database, name)) return false;
  }
  return rings.done();
}

// Nodes that no ring has stay so, too.
constexpr const char* copy_orphans = R"sql(
  INSERT INTO node(ring, name, weight, fields, position, added)
    SELECT ring, name, weight, '', position, 0 FROM old_node WHERE ring NOT IN (SELECT name FROM old_ring);
)sql";

Result<std::int64_t> format_of(sqlite3* database) {
  Statement version(database, "PRAGMA user_version");
  if (version.next()) return version.integer(0);
  return make_error(Errc::storage_failed, sqlite3_errmsg(database));
}

}  // namespace

Result<void> migrate(sqlite3* database) {
  const auto format = format_of(database);
  if (!format) return format.error();
  if (*format == present_format) return {};
  const auto failed = [&](const Error& error) {
    sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  };
  const std::string end = "PRAGMA user_version = " + std::to_string(present_format) + "; COMMIT";
  if (*format == 4) {
    const auto added = execute(database, ("BEGIN IMMEDIATE;" + std::string(pin_tables) + end).c_str());
    return added ? added : Result<void>(failed(added.error()));
  }
  const std::string begin =
      std::string("BEGIN IMMEDIATE; ALTER TABLE ring RENAME TO old_ring; ALTER TABLE node RENAME TO old_node;") +
      schema + pin_tables + copy_orphans;
  if (auto ok = execute(database, begin.c_str()); !ok) return failed(ok.error());
  if (!rewrite_rings(database, *format)) return failed(make_error(Errc::storage_failed, sqlite3_errmsg(database)));
  if (auto rings = read_rings(database); !rings) return failed(rings.error());
  if (auto ok = execute(database, ("DROP TABLE old_ring; DROP TABLE old_node;" + end).c_str()); !ok)
    return failed(ok.error());
  return {};
}

}  // namespace chash::store
