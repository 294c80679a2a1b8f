// The sections of the placement benchmark: which tables there are, and how each row is measured.
#pragma once

#include <cstddef>

#include "chash/node_list.h"
#include "placement_report.h"

namespace placement_bench {

// Of a hashed key. Each row adds a point to its curve.
void look_ups(Report& report, std::size_t nodes, Curves& curves);
// From the text of a key to its node, hashing included.
void keys_to_nodes(Report& report, std::size_t count);
void pinned_rings(Report& report);
void replica_lists(Report& report, std::size_t count);
void hashing(Report& report);
// The profile balanced beside maglev and jump, with tables large enough for so many nodes.
void tables(Report& report, std::size_t count);
void building(Report& report, std::size_t count);
void balance(Report& report);

// --- placement_changes.cpp ---
// One node of 160 points comes, or goes: as a new placement that is published beside the old one.
void changing(Report& report, std::size_t count, bool is_smoke);
void reading_while_changing(Report& report, bool is_smoke);
void memory(Report& report, std::size_t count);

// --- placement_movement.cpp ---
void movements(Report& report, std::size_t count, bool is_smoke);

chash::NodeList named_nodes(std::size_t count);

}  // namespace placement_bench
