// What a profile reads of a node: its fields, and the text that stands for it among points.
//
// A template is made of fields in braces and of literal text. Alternatives stand between `|`: the first of which the
// node has all fields counts. What stands in brackets is left out when its field is empty or equals what follows `!`:
//
//   {alias}|{host}[:{port}!11211]     the alias, or the host with its port, but without port 11211
//   /{host}:{port!11211}              inside the braces `!` gives what stands for a field that is not there
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chash/ring_spec.h"

namespace chash {

// The name that stands for the node among points, if that is not its own: the one of a node that it replaced. Templates
// see it as `name`, and in what is made of the name.
inline constexpr std::string_view alias_field = "hashed_as";

// The value of a field: one that the node was given, or `name`, or one that is made from the name: `host` and `port` (a
// name that ends in :DIGITS has both), `socket` (a name that is a path), `nginx` (host, NUL, port). Empty if there is
// none.
std::string node_field(const Node& node, std::string_view field);

// The fields that a template names and that are not made from the name.
std::vector<std::string> fields_given(std::string_view identity);

// Errors: invalid_argument (a brace or bracket without its other).
Result<std::string> node_identity(std::string_view identity, const Node& node);

}  // namespace chash
