#include "chash/version.h"

namespace chash {

std::string_view version() { return CHASH_VERSION; }

}  // namespace chash
