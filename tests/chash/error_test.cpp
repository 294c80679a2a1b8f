#include "chash/error.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "chash/result.h"

namespace chash {
namespace {

TEST_CASE("error: every code has one name, and the name leads back to it") {
  std::set<std::string_view> names;
  for (const ErrcInfo& row : errc_table) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.name.empty());
    CHECK(std::ranges::all_of(row.name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
    CHECK_FALSE(row.title.empty());
    CHECK(errc_from_name(row.name) == row.code);
    CHECK(&info(row.code) == &row);
  }
  CHECK_FALSE(errc_from_name(""));
  CHECK_FALSE(errc_from_name("Internal"));
  CHECK_FALSE(errc_from_name("no_such_error"));
}

TEST_CASE("error: exit statuses are those that the manual promises to scripts") {
  const std::map<Errc, int> promised{
      {Errc::internal, 1},         {Errc::invalid_request, 2},
      {Errc::invalid_argument, 2}, {Errc::not_found, 3},
      {Errc::unreachable, 4},      {Errc::timeout, 5},
      {Errc::conflict, 6},         {Errc::empty_ring, 7},
      {Errc::denied, 8},           {Errc::unauthorized, 8},
      {Errc::partial, 9},          {Errc::too_large, 2},
      {Errc::misdirected, 8},      {Errc::busy, 1},
      {Errc::shutting_down, 1},    {Errc::storage_failed, 1},
      {Errc::unpredictable, 7},    {Errc::over_budget, 6},
  };
  CHECK(promised.size() == errc_table.size());
  for (const auto& [code, exit_status] : promised) {
    CAPTURE(info(code).name);
    CHECK(info(code).exit_status == exit_status);
  }
}

TEST_CASE("error: HTTP statuses are registered ones, and 1 is never a no") {
  const std::map<Errc, int> statuses{
      {Errc::internal, 500},         {Errc::invalid_request, 400},
      {Errc::invalid_argument, 422}, {Errc::too_large, 413},
      {Errc::not_found, 404},        {Errc::unreachable, 502},
      {Errc::timeout, 504},          {Errc::conflict, 409},
      {Errc::empty_ring, 503},       {Errc::denied, 403},
      {Errc::unauthorized, 401},     {Errc::misdirected, 421},
      {Errc::partial, 207},          {Errc::busy, 503},
      {Errc::shutting_down, 503},    {Errc::storage_failed, 507},
      {Errc::unpredictable, 422},    {Errc::over_budget, 409},
  };
  for (const ErrcInfo& row : errc_table) {
    CAPTURE(row.name);
    CHECK(row.http_status == statuses.at(row.code));
    if (row.exit_status == 1) CHECK(row.http_status >= 500);
  }
}

TEST_CASE("result: holds a value or an error") {
  const Result<int> good = 7;
  REQUIRE(good);
  CHECK(*good == 7);
  const Result<int> bad = make_error(Errc::conflict, "twice", "once");
  REQUIRE_FALSE(bad);
  CHECK(bad.error() == Error{Errc::conflict, "twice", "once"});
  CHECK(Result<int>().error().code == Errc::internal);
  CHECK(Result<void>().has_value());
  const Result<void> refused = make_error(Errc::denied, "no");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "no");
  Result<std::string> moved = std::string("text");
  CHECK(*std::move(moved) == "text");
}

}  // namespace
}  // namespace chash
