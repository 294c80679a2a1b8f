#include "chash/error.h"

#include <algorithm>
#include <cstddef>

namespace chash {

const ErrcInfo& info(Errc code) { return errc_table[static_cast<std::size_t>(code)]; }

std::optional<Errc> errc_from_name(std::string_view name) {
  const auto row = std::ranges::find(errc_table, name, &ErrcInfo::name);
  if (row == errc_table.end()) return std::nullopt;
  return row->code;
}

// info() indexes by code: the rows stand in the order of the enumeration.
static_assert([] {
  for (std::size_t i = 0; i < errc_table.size(); ++i)
    if (static_cast<std::size_t>(errc_table[i].code) != i) return false;
  return static_cast<std::size_t>(Errc::over_budget) + 1 == errc_table.size();
}());

}  // namespace chash
