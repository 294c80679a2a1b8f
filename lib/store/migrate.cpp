// From format 1 (rings of the seed's placement only, with vnodes) to format 2 (profiles, fields of nodes).
#include <bit>
#include <string>

#include "store/ring_rows.h"
#include "store/state_file.h"
#include "store/statement.h"

namespace chash::store {
namespace {

// The checksum of format 1.
std::string old_checksum(std::string_view ring, const Head& head, std::int64_t vnodes, const std::vector<Node>& nodes) {
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

bool rewrite_rings(sqlite3* database) {
  Statement rings(database, "SELECT name, epoch, next_position, vnodes, checksum FROM old_ring");
  while (rings.next()) {
    const std::string name = rings.text(0);
    const Head head{rings.integer(1), rings.integer(2)};
    const std::int64_t vnodes = rings.integer(3);
    RingSpec spec{vnodes == 100 ? "seed" : "seed,vnodes=" + std::to_string(vnodes), {}};
    Statement nodes(database, "SELECT name, weight FROM node WHERE ring = ?1 ORDER BY position");
    nodes.bind(1, name);
    while (nodes.next()) spec.nodes.push_back({nodes.text(0), nodes.real(1)});
    // A row that is damaged stays so, for read_rings() to find.
    if (rings.text(4) != old_checksum(name, head, vnodes, spec.nodes)) spec.profile.clear();
    if (!nodes.done() || !write_head(database, name, head, spec)) return false;
    if (!spec.profile.empty()) continue;
    Statement spoil(database, "UPDATE ring SET checksum = '' WHERE name = ?1");
    spoil.bind(1, name);
    if (!spoil.run()) return false;
  }
  return rings.done();
}

Result<std::int64_t> format_of(sqlite3* database) {
  Statement version(database, "PRAGMA user_version");
  if (version.next()) return version.integer(0);
  return make_error(Errc::storage_failed, sqlite3_errmsg(database));
}

}  // namespace

Result<void> migrate(sqlite3* database) {
  const auto format = format_of(database);
  if (!format) return format.error();
  if (*format != 1) return {};
  const auto failed = [&](const Error& error) {
    sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  };
  const std::string begin = std::string("BEGIN IMMEDIATE; ALTER TABLE ring RENAME TO old_ring;") + ring_table +
                            "ALTER TABLE node ADD COLUMN fields TEXT NOT NULL DEFAULT ''";
  if (auto ok = execute(database, begin.c_str()); !ok) return failed(ok.error());
  if (!rewrite_rings(database)) return failed(make_error(Errc::storage_failed, sqlite3_errmsg(database)));
  if (auto rings = read_rings(database); !rings) return failed(rings.error());
  if (auto ok = execute(database, "DROP TABLE old_ring; PRAGMA user_version = 2; COMMIT"); !ok)
    return failed(ok.error());
  return {};
}

}  // namespace chash::store
