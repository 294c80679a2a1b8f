// What can go wrong, once for every surface: the name on the wire, the HTTP status and the exit status of the command
// line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chash {

// The wire carries the names below, never these numbers, so they may be reordered.
enum class Errc : std::uint8_t {
  internal,
  invalid_request,
  invalid_argument,
  too_large,
  not_found,
  unreachable,
  timeout,
  conflict,
  empty_ring,
  denied,
  unauthorized,
  misdirected,
  partial,
  busy,
  shutting_down,
  storage_failed,
  unpredictable,
  over_budget,
};

struct ErrcInfo {
  Errc code;
  std::string_view name;  // on the wire and in `--json` errors; scripts compare it, so it never changes
  int http_status;
  int exit_status;         // of chash(1); see EXIT STATUS there
  std::string_view title;  // RFC 9457 `title`
};

inline constexpr std::array<ErrcInfo, 18> errc_table{{
    {Errc::internal, "internal", 500, 1, "Internal Server Error"},
    {Errc::invalid_request, "invalid_request", 400, 2, "Bad Request"},
    {Errc::invalid_argument, "invalid_argument", 422, 2, "Unprocessable Content"},
    {Errc::too_large, "too_large", 413, 2, "Content Too Large"},
    {Errc::not_found, "not_found", 404, 3, "Not Found"},
    {Errc::unreachable, "unreachable", 502, 4, "Bad Gateway"},
    {Errc::timeout, "timeout", 504, 5, "Gateway Timeout"},
    {Errc::conflict, "conflict", 409, 6, "Conflict"},
    {Errc::empty_ring, "empty_ring", 503, 7, "Service Unavailable"},
    {Errc::denied, "denied", 403, 8, "Forbidden"},
    {Errc::unauthorized, "unauthorized", 401, 8, "Unauthorized"},
    {Errc::misdirected, "misdirected", 421, 8, "Misdirected Request"},
    {Errc::partial, "partial", 207, 9, "Multi-Status"},
    {Errc::busy, "busy", 503, 1, "Service Unavailable"},
    {Errc::shutting_down, "shutting_down", 503, 1, "Service Unavailable"},
    {Errc::storage_failed, "storage_failed", 507, 1, "Insufficient Storage"},
    {Errc::unpredictable, "unpredictable", 422, 7, "Unprocessable Content"},
    {Errc::over_budget, "over_budget", 409, 6, "Conflict"},
}};

const ErrcInfo& info(Errc code);
std::optional<Errc> errc_from_name(std::string_view name);

struct Error {
  Errc code = Errc::internal;
  std::string message;  // one sentence, lower case, names the thing
  std::string hint;     // the next step, where there is one
  std::string plan{};   // where a change was refused: what it would move now, as JSON

  friend bool operator==(const Error&, const Error&) = default;
};

inline Error make_error(Errc code, std::string message, std::string hint = {}) {
  return Error{code, std::move(message), std::move(hint)};
}

}  // namespace chash
