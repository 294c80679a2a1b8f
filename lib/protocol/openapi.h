// The OpenAPI 3.1 document of the HTTP side: the seed's routes as the seed describes them, and /api/v1 from the table.
#pragma once

#include <string>

namespace chash::protocol {

// Compact JSON, the same on every call.
std::string openapi_document();

}  // namespace chash::protocol
