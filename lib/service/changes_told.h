// Changes that were made, as those who ask for them are told.
#pragma once

#include <cstddef>

#include "protocol/history_operations.h"
#include "service/store.h"

namespace chash::service {

protocol::ChangeEntry entry_of(const PastChange& change);

// What the nodes take that it names.
std::size_t bytes_named(const Delta& delta);

}  // namespace chash::service
