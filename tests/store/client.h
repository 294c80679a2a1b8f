// Client: what the service is to a store, with a record of what the store owes it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "store/failing_disk.h"
#include "store/scratch.h"

namespace chash::store::test {

// Each is another one; every third takes away what one before it added.
inline Delta change_number(int i) {
  const std::string n = std::to_string(i);
  if (i % 3 == 2) return {{{"late-" + n, 0.5}}, {"node-" + std::to_string(i - 1)}};
  return {{{"node-" + n, 1.0 + i}, {"twin-" + n, 1}}, {}};
}

inline bool is_one_of(const StoredRing& ring, const std::vector<StoredRing>& possible) {
  return std::ranges::find(possible, ring) != possible.end();
}

// Changes the ring it knows, and when the store says conflict it looks what is there.
struct Client {
  StoredRing known{"default", 0, {}};       // last acknowledged or loaded
  std::vector<StoredRing> possible{known};  // what may be in the file: `known`, or it and one refused change
  int acknowledged = 0;
  int refused = 0;

  void change(SqliteStore& store, const Delta& delta) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto outcome = commit(store, known, {delta});
      if (outcome) {
        CHECK(store.state().writable);
        known = after(known, {delta});
        possible = {known};
        ++acknowledged;
        return;
      }
      if (outcome.error().code != Errc::conflict) {
        CHECK(outcome.error().code == Errc::storage_failed);
        CHECK_FALSE(store.state().writable);
        CHECK(outcome.error().message.find("chash.db") != std::string::npos);
        possible.push_back(after(known, {delta}));
        ++refused;
        return;
      }
      CHECK(possible.size() > 1);  // else there is nothing to be at odds about
      auto rings = store.load();
      if (!rings) {
        ++refused;
        return;
      }
      adopt(rings->rings);
      if (!resolves(delta)) return;
    }
    FAIL("two conflicts in a row");
  }

  void adopt(const std::vector<StoredRing>& rings) {
    const StoredRing there = rings.empty() ? StoredRing{"default", 0, {}} : rings.front();
    CHECK(is_one_of(there, possible));
    known = there;
    possible = {there};
  }

  // A refused change that was stored all the same cannot be made again.
  bool resolves(const Delta& delta) const {
    return std::ranges::none_of(delta.added, [&](const Node& node) {
      return std::ranges::find(known.spec.nodes, node.name, &Node::name) != known.spec.nodes.end();
    });
  }
};

// What is loaded from an image of the disk.
inline std::optional<StoredRing> load_image(const DiskImage& image, const Scratch& scratch) {
  const auto folder = scratch / "cut";
  write_image(image, folder);
  auto store = SqliteStore::open(folder / "chash.db");
  if (!store) {
    FAIL_CHECK(store.error().message);
    return std::nullopt;
  }
  return load_ring(**store);
}

}  // namespace chash::store::test
