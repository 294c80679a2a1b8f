// The rows of the state file that tell of pins, read and written: of now, and of the past as nodes are
// (history_rows.h). They add to Head::nodes what nodes do.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string_view>

#include "store/history_rows.h"
#include "store/ring_rows.h"

namespace chash::store {

// Adds their hashes to `sum`.
Result<PinList> read_pins(sqlite3* database, std::string_view ring, Token& sum);
Result<PinList> read_pins_at(sqlite3* database, std::string_view ring, std::int64_t epoch, Token& sum);
// What the epochs from `first` to `last` did to pins.
Result<void> read_pin_deltas(sqlite3* database, std::string_view ring, std::int64_t first, std::int64_t last,
                             ChangedByEpoch& changed);

// As write_delta().
bool write_pins(sqlite3* database, std::string_view ring, const Delta& delta, Head& head);

}  // namespace chash::store
