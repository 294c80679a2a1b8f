// The page at /docs: what the HTTP side takes, on one page that needs no other host and no script.
#pragma once

#include <string>

namespace chash::net {

std::string docs_page();

}  // namespace chash::net
