#include "terminal.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace chash::cli {
namespace {

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? nullptr : at->second.c_str();
  };
}

TEST_CASE("a terminal is as large as COLUMNS and LINES say, where they make sense") {
  const auto size = [](std::map<std::string, std::string> variables) {
    const TerminalSize found = terminal_size(-1, environment(std::move(variables)));
    return std::to_string(found.columns) + 'x' + std::to_string(found.lines);
  };
  CHECK(size({}) == "80x24");
  CHECK(size({{"COLUMNS", "200"}, {"LINES", "50"}}) == "200x50");
  CHECK(size({{"COLUMNS", "120"}}) == "120x24");
  for (const char* senseless : {"0", "-1", "", "wide", "80 ", "1001", "99999999999999999999999"})
    CHECK(size({{"COLUMNS", senseless}, {"LINES", senseless}}) == "80x24");
}

TEST_CASE("a locale has UTF-8 where the first variable that is set says so") {
  const auto utf8 = [](std::map<std::string, std::string> variables) {
    return shows_utf8(environment(std::move(variables)));
  };
  CHECK(utf8({{"LANG", "en_GB.UTF-8"}}));
  CHECK(utf8({{"LANG", "C.utf8"}}));
  CHECK(utf8({{"LC_ALL", ""}, {"LC_CTYPE", "de_DE.UTF-8"}, {"LANG", "C"}}));
  CHECK_FALSE(utf8({{"LC_ALL", "C"}, {"LANG", "en_GB.UTF-8"}}));
  CHECK_FALSE(utf8({{"LANG", "de_DE.ISO-8859-1"}}));
  CHECK_FALSE(utf8({}));
}

}  // namespace
}  // namespace chash::cli
