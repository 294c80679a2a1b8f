#include "completion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "options.h"
#include "ring_file.h"

namespace chash::cli {
namespace {

using Words = std::vector<std::string>;

Words offered(const Words& words) {
  const Completion completion(words);
  Words offers;
  for (const Candidate& candidate : completion.candidates()) offers.push_back(candidate.word);
  return offers;
}

bool offers(const Words& words, std::string_view word) { return std::ranges::count(offered(words), word) == 1; }

// What is asked of others: "nrpf" for nodes, rings, profiles and files.
std::string asked(const Words& words) {
  const Completion completion(words);
  std::string kinds;
  if (completion.wants_nodes()) kinds += 'n';
  if (completion.wants_rings()) kinds += 'r';
  if (completion.wants_profiles()) kinds += 'p';
  if (completion.wants_files()) kinds += 'f';
  return kinds;
}

TEST_CASE("completion: the first word is a command by either name, and an option of chash") {
  for (const CommandRow& row : command_table) {
    CHECK(offers({""}, row.name));
    CHECK(offers({"-q", "--ring", "list", ""}, row.name));
    if (!row.alias.empty()) CHECK(offers({""}, row.alias));
  }
  CHECK(offered({"rem"}) == Words{"remove"});
  CHECK(offered({"get"}) == Words{"get-node", "get"});
  CHECK(offered({"xyzzy"}).empty());
  CHECK(offered({"xyzzy", ""}).empty());
  CHECK(offered({"--", ""}).empty());
  CHECK(offered({}).size() == offered({""}).size());
  for (const SettingRow& row : settings_table) CHECK(offers({"--"}, "--" + std::string(row.name)));
}

TEST_CASE("completion: a command is offered its own options and those of chash, and no others") {
  for (const CommandRow& command : command_table) {
    CAPTURE(command.name);
    const Completion completion({std::string(command.name), "-"});
    std::set<std::string> options;
    for (const Candidate& candidate : completion.candidates()) {
      options.insert(candidate.word);
      CHECK_FALSE(candidate.help.empty());
    }
    std::set<std::string> expected;
    for (const OptionRow& row : option_table)
      if (row.commands.contains(command.command) || row.commands.contains(Command::none))
        expected.insert(std::string(row.names.substr(row.names.find("--"))));
    for (const SettingRow& row : settings_table) expected.insert("--" + std::string(row.name));
    CHECK(options == expected);
  }
}

TEST_CASE("completion: the values that a help enumerates are offered, and are all taken") {
  std::set<std::string> enumerating;
  const auto note = [&](const std::string& command, std::string option) {
    if (!offered({command, option, ""}).empty()) enumerating.insert(option);
  };
  for (const SettingRow& row : settings_table) note("list", "--" + std::string(row.name));
  for (const OptionRow& row : option_table)
    for (const CommandRow& command : command_table)
      if (row.commands.contains(command.command) && !row.is_flag())
        note(std::string(command.name), std::string(row.names.substr(row.names.find("--"))));
  CHECK(enumerating == std::set<std::string>{"--as", "--color", "--lose", "--output", "--sort", "--spread", "--state"});

  CHECK(offered({"list", "-o", ""}) == Words{"plain", "table", "json", "jsonl"});
  CHECK(offered({"list", "--color=a"}) == Words{"--color=auto", "--color=always"});
  CHECK(offered({"whatif", "--lose", ""}) == Words{"each"});
  CHECK(offered({"get-node", "--spread", ""}) == Words{"zone", "rack"});
  for (const std::string& format : offered({"--output", ""})) CHECK(resolve({{{"output", {format, ""}}}}).has_value());
  for (const std::string& when : offered({"--color", ""})) CHECK(resolve({{{"color", {when, ""}}}}).has_value());
  for (const std::string& format : offered({"export", "--as", ""})) CHECK(write_ring_file({}, format).has_value());
}

TEST_CASE("completion: verbs stand first, and names of what there is behind those that take one") {
  CHECK(offered({"ring", ""}) == Words{"create", "list", "show", "draw", "set", "copy", "delete"});
  CHECK(offered({"profile", ""}) == Words{"list", "show"});
  CHECK(offered({"completion", "b"}) == Words{"bash"});
  CHECK(asked({"ring", ""}) == "");
  for (const std::string verb : {"show", "set", "copy", "delete"}) CHECK(asked({"ring", verb, ""}) == "r");
  for (const std::string verb : {"create", "list"}) CHECK(asked({"ring", verb, ""}) == "");
  CHECK(asked({"ring", "copy", "web", ""}) == "");
  CHECK(asked({"profile", "show", ""}) == "p");
  CHECK(asked({"profile", "list", ""}) == "");
  CHECK(offered({"ring", "show", ""}).empty());
  CHECK(offers({"help", ""}, "exit-codes"));
  CHECK(offers({"help", ""}, "add"));
}

TEST_CASE("completion: nodes, rings, profiles and files are asked for where they may stand") {
  for (const Words& words : std::vector<Words>{{"remove", ""},
                                               {"rm", "a", ""},
                                               {"remove", "--", ""},
                                               {"remove", "--", "-"},
                                               {"sieve", ""},
                                               {"plan", "--remove", ""},
                                               {"plan", "--remove=x"},
                                               {"history", "--node", ""},
                                               {"whatif", "--lose", "z"}})
    CHECK(asked(words) == "n");
  for (const Words& words : std::vector<Words>{{"-r", ""}, {"list", "--ring", "w"}, {"-qr", ""}, {"--ring="}})
    CHECK(asked(words) == "r");
  for (const Words& words : std::vector<Words>{{"get-node", "--profile", ""}, {"ring", "create", "--profile="}})
    CHECK(asked(words) == "p");
  CHECK(asked({"compare", "--from", ""}) == "rp");
  for (const Words& words : std::vector<Words>{{"plan", ""},
                                               {"apply", "r"},
                                               {"verify", ""},
                                               {"check", ""},
                                               {"--socket", ""},
                                               {"--config="},
                                               {"diff", "--out", ""},
                                               {"compare", "--to", "nginx-hash:@"}})
    CHECK(asked(words) == "f");
  // Keys, new names, and where nothing more may stand.
  for (const Words& words : std::vector<Words>{{"get-node", ""},
                                               {"get-node", "--", ""},
                                               {"blame", ""},
                                               {"add", ""},
                                               {"plan", "--add", ""},
                                               {"sieve", "a", ""},
                                               {"verify", "a", ""},
                                               {"list", ""},
                                               {"--note=x"},
                                               {"add", "--quiet="}}) {
    CAPTURE(words.back());
    CHECK(asked(words) == "");
    CHECK(offered(words).empty());
  }
}

TEST_CASE("completion: what is added takes the place of the whole word, once, and only if it begins so") {
  Completion rings({"list", "--ring=w"});
  rings.add_ring("web", "help");
  rings.add_ring("default", "help");
  CHECK(rings.candidates() == std::vector<Candidate>{{"--ring=web", "help"}});

  Completion nodes({"remove", "-r", "web", "a:1", ""});
  nodes.add_node("a:1", "");
  nodes.add_node("a:2", "");
  CHECK(nodes.candidates() == std::vector<Candidate>{{"a:2", ""}});
  CHECK(nodes.line().flags.at("ring").text == "web");

  Completion profiles({"compare", "--to", "ngi"});
  profiles.add_profile("nginx-hash", "");
  CHECK(profiles.candidates() == std::vector<Candidate>{{"nginx-hash:", ""}});
  CHECK(Completion({"compare", "--to=nginx-hash:@be"}).prefix() == "--to=nginx-hash:@");
}

TEST_CASE("completion: the socket on the line is known, also when the rest of the line is wrong") {
  CHECK(Completion({"-s", "/x", "remove", "--ring"}).line().flags.at("socket").text == "/x");
  CHECK(Completion({"--socket=/x", "remove", "--nonsense", ""}).line().flags.at("socket").text == "/x");
  CHECK(Completion({"--socket", "/x", "remove", "--expect-epoch", ""}).line().flags.at("socket").text == "/x");
}

TEST_CASE("completion: control characters never reach the shell") {
  CHECK(shell_line({"a", "help"}) == "a\thelp\n");
  CHECK(shell_line({"a", "x\ny\tz\x1b"}) == "a\tx\\x0ay\\x09z\\x1b\n");
  for (const std::string word : {"", "a\n", "a\tb", "\x1b[31m", "\x7f", "\xff", "\xc2\x9b"})
    CHECK(shell_line({word, "help"}) == "");
}

TEST_CASE("completion: there is a script for each shell that the help names") {
  for (const std::string& shell : offered({"completion", ""})) {
    const auto script = completion_script({shell});
    REQUIRE(script.has_value());
    CHECK(script->find("__complete") != std::string::npos);
  }
  CHECK_FALSE(completion_script({"tcsh"}).has_value());
  CHECK_FALSE(completion_script({}).has_value());
  CHECK_FALSE(completion_script({"bash", "zsh"}).has_value());
}

}  // namespace
}  // namespace chash::cli
