// Why a key may have no owner: the sentence that the daemon and a command line without one both say.
#pragma once

#include <string_view>

#include "chash/error.h"
#include "chash/profile.h"

namespace chash::protocol {

// Requires: a placement by `profile` names nobody for `key`.
Error not_foretold(const Profile& profile, std::string_view key);

}  // namespace chash::protocol
