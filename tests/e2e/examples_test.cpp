// Every example of chash --help and of chash(1), run in order by a shell, with the output that the manual shows.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "harness.h"
#include "help.h"
#include "shared_material.h"
#include "shell.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// What cannot be run here, and why.
const std::map<std::string, std::string> not_run{
    {"chash check http://db-1:8000 http://db-2:8000", "other hosts"},
    {"chash check --json http://db-2:8000 | jq .agree", "another host"},
    {"chash check -u http://db-1:8000 http://db-2:8000", "other hosts"},
    {"chash -u http://cache-admin.example.net:8000 \\\n    --token-file ./token add cache-node-4", "another host"},
    {"source <(chash completion zsh)", "another shell, which completion_test.cpp has"},
    {"chash list --label zone=eu-1 --watch", "it goes on"},
    {"chash status --watch", "it goes on"},
    {"chash stats --watch=500ms -o jsonl | jq .lookups_per_s", "it goes on"},
    {"chash watch", "it goes on"},
    {"chash watch -r web --from 42 | jq .operation", "it goes on"},
    {"chash watch --exec 'chash export >ring.toml && systemctl reload app'", "it goes on"},
    {"chash bench", "it takes five seconds"},
    {"chash bench --duration 20s --connections 4 --keys keys.txt", "it takes twenty seconds"},
    {"chash bench --http --pipeline 1 --json | jq .p99_us", "it takes five seconds"},
};

// What ends with another status than 0, since our daemon is a young one.
const std::map<std::string, int> other_status{
    {"chash get-node --at 3h user:123", 7},
    {"chash apply plan-0123456789abcdef", 3},
};

// What has to be there before the examples of a command are run, beside cache-1, cache-2, cache-3 and the rings `web`
// and `pool`. The examples of all commands are run in the order of the table.
const std::map<std::string_view, std::string> before_help{
    {"compare", "chash ring copy web trial"},
    {"add", "chash remove --if-exists cache-4 cache-5 cache-6 cache-7"},
    {"remove", "chash add --if-missing cache-4 cache-5"},
    {"wait", "chash up cache-2; for i in $(seq 44); do chash weight cache-1 $((i % 2 + 1)); done"},
    {"set", "chash set cache-3 --label rack=r7"},
    {"pin", "chash remove --if-exists cache-9; chash add cache-2"},
    {"plan", "chash remove --if-exists cache-4 cache-5; chash export >ring.toml"},
    {"apply", "chash export >ring.toml; chash export -r web --as nginx >upstream.conf"},
    {"export", "for i in $(seq 44); do chash weight cache-1 $((i % 2 + 1)); done"},
    {"whatif", "chash set cache-1 cache-3 --label zone=eu-1"},
    {"ring",
     "chash ring delete web; chash ring delete pool; chash ring delete trial; printf 'a\\nb 2\\n' >servers.txt"},
    {"check", "ln -s \"$CHASH_SOCKET\" other.sock"},
    {"completion", "mkdir -p ~/.config/fish/completions"},
};

// A directory with a daemon, files that examples read, and programs that they start.
class Sandbox {
 public:
  explicit Sandbox(const std::vector<std::string>& nodes) : daemon_({.initial_nodes = nodes}) {
    std::filesystem::create_directories(path("bin"));
    std::filesystem::create_symlink(CHASH_PROGRAM, path("bin/chash"));
    for (const auto& [name, line] : std::map<std::string, std::string>{{"hostname", "echo " + nodes.front()},
                                                                       {"refresh", "cat"},
                                                                       {"rebuild-cache", "cat"},
                                                                       {"ssh", "true"},
                                                                       {"start-app", "true"}}) {
      write_file(path("bin/" + name), "#!/bin/sh\n" + line + '\n');
      std::filesystem::permissions(path("bin/" + name), std::filesystem::perms::owner_all);
    }
    write_file(path("keys.txt"), "user:1\nuser:2\nuser:3\n");
    write_file(path("keys"), std::string("user:1\0user:2\0", 14));
    write_file(path("access.log"), "user:1 GET /\nuser:2 GET /\n");
  }

  Outcome run(const std::string& line, const Words& arguments = {}) const {
    Words words{"/bin/bash", "-c", "cd " + path("") + "; PATH=" + path("bin") + ":$PATH; set -o pipefail\n" + line,
                "script"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_program(words, "", {"HOME=" + path("home"), "CHASH_SOCKET=" + daemon_.socket(), "CHASH_TIMEOUT=60s"});
  }
  // An example, and what it shows of its output.
  void check(const std::string& example, const std::string& shown) const {
    CAPTURE(example);
    if (not_run.contains(example)) return;
    const auto other = other_status.find(example);
    const Outcome outcome = run(example);
    CHECK_MESSAGE(outcome.status == (other == other_status.end() ? 0 : other->second), outcome.err);
    if (!shown.empty()) CHECK(steady(outcome.out) == steady(shown));
  }
  std::string path(const std::string& name) const { return daemon_.dir() / ("sandbox/" + name); }

 private:
  // Without what is different each time.
  std::string steady(std::string text) const {
    for (const auto& [pattern, stand_in] : std::vector<std::pair<const char*, const char*>>{
             {R"(\(pid \d+\) up .*   protocol)", "(pid N) up 1s   protocol"},
             {R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)", "TIME"},
             {R"(sqlite \S+/chash\.db)", "sqlite FILE"},
             {R"(listens  .*)", "listens  HERE"}})
      text = std::regex_replace(text, std::regex(pattern), stand_in);
    return text;
  }

  Daemon daemon_;
};

// "  chash list     what it does" and lines that only go on with an explanation.
std::vector<std::string> examples_of(const cli::CommandRow& row) {
  std::vector<std::string> lines;
  std::istringstream text{std::string(row.examples)};
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("   ")) continue;
    lines.push_back(line.substr(2, line.find("  ", 2) - 2));
  }
  return lines;
}

struct Block {
  std::string file;  // that it shows, or nothing
  std::vector<std::string> lines;
};

std::string without_escapes(std::string line) {
  for (const auto& [escape, text] : std::vector<std::pair<std::string, std::string>>{{"\\&", ""}, {"\\e", "\\"}})
    for (std::size_t at = 0; (at = line.find(escape, at)) != line.npos; at += text.size())
      line.replace(at, escape.size(), text);
  return line;
}

// The literal blocks of a section, each with the file that the text before it names.
std::vector<Block> blocks_of(const std::string& page, const std::string& section) {
  std::vector<Block> blocks;
  std::istringstream text(test::read_file(page));
  std::string file;
  bool wanted = false, within = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(".Sh ")) wanted = line == ".Sh " + section;
    if (line == ".Pp") file.clear();
    if (line.starts_with(".Pa ")) file = line.substr(4, line.find(' ', 4) - 4);
    if (line == ".Ed") within = false;
    if (within && wanted) blocks.back().lines.push_back(without_escapes(line));
    if (line.starts_with(".Bd -literal")) {
      within = true;
      if (wanted) blocks.push_back({std::exchange(file, ""), {}});
    }
  }
  return blocks;
}

bool goes_on(const std::string& line) { return line.ends_with('\\') || line.ends_with('|'); }

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return all;
}

struct Command {
  std::string line, shown;  // what the manual shows of its output
};

// Those behind "$ ".
std::vector<Command> commands_of(const Block& block) {
  std::vector<Command> commands;
  for (std::size_t i = 0; i < block.lines.size();) {
    Command& command = commands.emplace_back(Command{block.lines[i].substr(2), ""});
    while (goes_on(block.lines[i++])) command.line += '\n' + block.lines.at(i);
    for (; i < block.lines.size() && !block.lines[i].starts_with("$ "); ++i) command.shown += block.lines[i] + '\n';
  }
  return commands;
}

bool is_session(const Block& block) { return block.lines.front().starts_with("$ "); }

}  // namespace

TEST_CASE("examples: those that help has of each command do what they say") {
  Sandbox sandbox({"cache-1", "cache-2", "cache-3"});
  CHECK(sandbox
            .run("chash ring create web --nodes a,b && chash ring create pool --profile twemproxy-ketama --nodes c:1 &&"
                 "echo 'server c:80 weight=2;' >upstream.conf && cp keys.txt before && cp keys.txt after")
            .err == "");
  for (const cli::CommandRow& row : cli::command_table) {
    CAPTURE(row.name);
    if (const auto before = before_help.find(row.name); before != before_help.end()) {
      const Outcome prepared = sandbox.run("set -e\n" + before->second);
      CHECK_MESSAGE(prepared.status == 0, prepared.err);
    }
    const auto examples = examples_of(row);
    CHECK_FALSE(examples.empty());
    for (const std::string& example : examples) sandbox.check(example, "");
  }
}

TEST_CASE("examples: those of the manual do what they say, and print what is shown") {
  Sandbox sandbox(seed_nodes());
  const auto blocks = blocks_of(CHASH_MANUAL, "EXAMPLES");
  CHECK(blocks.size() > 20);
  for (const Block& block : blocks) {
    REQUIRE_FALSE(block.lines.empty());
    CAPTURE(block.lines.front());
    if (is_session(block)) {
      for (const auto& [line, shown] : commands_of(block)) {
        // What is shown of a file that nothing has written is that file.
        if (line.starts_with("cat ") && !std::filesystem::exists(sandbox.path(line.substr(4))))
          write_file(sandbox.path(line.substr(4)), shown);
        sandbox.check(line, shown);
      }
    } else if (!block.file.empty()) {
      write_file(sandbox.path(block.file), joined(block.lines));
    } else {
      const Outcome script = sandbox.run(joined(block.lines), {"cache-node-6", "123"});
      CHECK_MESSAGE(script.status == 0, script.err);
    }
  }
}

TEST_CASE("examples: the files that the manual shows are taken, and the errors that it shows are told") {
  const Sandbox sandbox(seed_nodes());
  const auto rings = blocks_of(CHASH_MANUAL, "RING FILES"), settings = blocks_of(CHASH_MANUAL, "FILES");
  REQUIRE(rings.size() == 1);
  REQUIRE(settings.size() == 2);
  write_file(sandbox.path("ring.toml"), joined(rings[0].lines));
  write_file(sandbox.path("config.toml"), joined(settings[0].lines) + joined(settings[1].lines));
  sandbox.check("chash ring create pool --profile balanced --max-move 25% && chash apply -r pool ring.toml", "");
  sandbox.check("chash plan -r pool --prune --exit-code ring.toml", "");
  sandbox.check("chash --config config.toml get-node --profile images --nodes a:80,b:80 k", "");

  const auto errors = blocks_of(CHASH_MANUAL, "DIAGNOSTICS");
  REQUIRE(errors.size() == 2);
  std::string told = sandbox.run("chash remove cache-9").err + '\n';
  told += sandbox.run("chash -s /nonexistent/chash/chashd.sock list").err + '\n';
  told += sandbox.run("chash get-nod user:123").err;
  CHECK(std::regex_replace(told, std::regex("/nonexistent/"), "/run/") == joined(errors[0].lines));
}

TEST_CASE("examples: what is left out, or ends otherwise, is an example") {
  std::set<std::string> all;
  for (const cli::CommandRow& row : cli::command_table)
    for (const std::string& example : examples_of(row)) all.insert(example);
  for (const Block& block : blocks_of(CHASH_MANUAL, "EXAMPLES"))
    if (is_session(block))
      for (const Command& command : commands_of(block)) all.insert(command.line);
  for (const auto& [example, why] : not_run) CHECK_MESSAGE(all.contains(example), example);
  for (const auto& [example, status] : other_status) CHECK_MESSAGE(all.contains(example), example);
  for (const auto& [name, lines] : before_help)
    CHECK_MESSAGE(std::ranges::count(cli::command_table, name, &cli::CommandRow::name) == 1, name);
}
