// The sections of the placement benchmark: which tables there are, and how each row is measured.
#pragma once

#include <cstddef>

#include "placement_report.h"

namespace placement_bench {

// Of a hashed key. Each row adds a point to its curve.
void look_ups(Report& report, std::size_t nodes, Curves& curves);
// From the text of a key to its node, hashing included.
void keys_to_nodes(Report& report, std::size_t count);
void replica_lists(Report& report, std::size_t count);
void hashing(Report& report);
// One node of 160 points comes, or goes: as a new placement beside the old one, and by building all of it.
void changing(Report& report, std::size_t count);
void building(Report& report, std::size_t count);
void balance(Report& report);

}  // namespace placement_bench
