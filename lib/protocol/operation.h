// What one row of the table of operations says of itself, and what several rows have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/field.h"

namespace chash::protocol {

// Of the socket protocol and /api/v1 together. Grows when a client must know; added fields do not count.
inline constexpr std::uint32_t protocol_version = 1;

inline constexpr std::string_view default_ring = "default";

// What requests say of `epoch` and `at`, which choose among the rings that there were.
inline constexpr std::string_view epoch_help = "as it was at this membership version";
inline constexpr std::string_view at_help = "as it was at this time, such as 2026-11-23T00:12:00Z";

enum class Method : unsigned char { get, post, del };
// `study`: a read that may take long, of old rings or of all of a ring. It is answered aside, one after the other.
enum class Access : unsigned char { read, study, write };

struct OperationInfo {
  std::string_view name;  // `op` on the socket, and the command of chash(1)
  Method method;
  std::string_view path;  // under which HTTP has it; {ring} and such are path fields
  Access access;
  int http_status;        // of success
  std::string_view help;  // one line
};

}  // namespace chash::protocol
