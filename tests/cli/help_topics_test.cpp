#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "chash/error.h"
#include "help.h"
#include "settings.h"

namespace chash::cli {
namespace {

using Words = std::vector<std::string>;

std::string about(const Words& words) {
  const auto text = help_about(words);
  REQUIRE(text.has_value());
  return *text;
}

std::string refusal(const Words& words) {
  const auto text = help_about(words);
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().code == Errc::invalid_argument);
  return text.error().message + "; " + text.error().hint;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("help: a command and its alias are the help of the command") {
  CHECK(about({}) == help_text(Command::none));
  CHECK(about({"add"}) == help_text(Command::add));
  CHECK(about({"rm"}) == help_text(Command::remove));
  CHECK(about({"help"}) == help_text(Command::help));
}

TEST_CASE("help: what there is none on is told with what may have been meant") {
  CHECK(refusal({"exitcodes"}) == "there is no help on 'exitcodes'; did you mean: exit-codes");
  CHECK(refusal({"ad"}) == "there is no help on 'ad'; did you mean: add");
  CHECK(refusal({""}) == "there is no help on ''; ");
  CHECK(refusal({"\x1b"}) == "there is no help on '\\x1b'; ");
  CHECK(refusal({"ring", "create"}) == "help is on one command or topic; try: chash help ring");
}

TEST_CASE("help: every topic is named by chash --help, fits 80 columns and has an example") {
  for (const HelpTopic& topic : help_topics) {
    CAPTURE(topic.name);
    CHECK(has(help_text(Command::none), " " + std::string(topic.name)));
    const std::string text = about({std::string(topic.name)});
    CHECK(has(text, "EXAMPLES\n  "));
    CHECK(text.ends_with('\n'));
    for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
      CHECK(end - start <= 80);
  }
}

TEST_CASE("help: the topics have every error, exit status and setting that there is") {
  const std::string codes = about({"exit-codes"}), variables = about({"environment"});
  for (const ErrcInfo& row : errc_table) {
    CAPTURE(row.name);
    CHECK(has(codes, row.name));
    CHECK(std::ranges::count(exit_meanings, row.exit_status, &ExitMeaning::status) == 1);
  }
  for (const ExitMeaning& row : exit_meanings) CHECK(has(codes, "\n  " + std::to_string(row.status) + "  "));
  for (const SettingRow& row : settings_table) CHECK(has(variables, "\n  " + environment_name(row.name) + " "));
  for (const std::string name : {"CHASH_CONFIG", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM", "XDG_CONFIG_HOME"})
    CHECK(has(variables, name));
}

}  // namespace
}  // namespace chash::cli
