// What every command prints with --json, against a schema: of the OpenAPI document, where the answer of the daemon is
// printed as it is, and of tests/data/cli_schemas.json, which refers to it as "OPERATION#/where/in/its/response".
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "harness.h"
#include "help.h"
#include "json_schema.h"
#include "protocol/openapi.h"
#include "shared_material.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// Keys as they are, or a text for something else to read.
const std::set<std::string_view> without_json{"sieve", "vectors", "help", "completion"};

struct Case {
  std::string schema, line;  // @ is a directory with the files below
  int status = 0;
};

// In this order, on one daemon. A new command has a line here, and one in cli_schemas.json.
const std::vector<Case> cases{
    {"list", "list"},
    {"ring create", "ring create empty"},
    {"list", "list -r empty"},
    {"get-node", "get-node a"},
    {"get-node", "get-node -n 2 a b"},
    {"get-node", "get-node -n 2 - -o jsonl"},
    {"get-node", "get-node -0 - -o jsonl"},
    {"get-node", "get-node --epoch 1 a"},
    {"get-node", "get-node -n 3 --spread zone a"},
    {"get-node", "get-node --key-format hex ff"},
    {"get-node", "get-node --profile redis-cluster --slot a"},
    {"get-node", "get-node --profile redis-cluster --nodes a,b --slot a"},
    {"get-node", "get-node --nodes a,b a"},
    {"explain", "explain a"},
    {"explain", "explain -n 3 --spread zone a"},
    {"profile list", "profile list"},
    {"a profile", "profile list -o jsonl"},
    {"profile show", "profile show libketama"},
    {"compare", "compare --from seed:a,b --to chash:a,c --sample 100"},
    {"compare", "compare --from default --to seed:cache-node-1,b --keys @keys"},
    {"verify", "verify @vectors"},
    {"verify", "verify @wrong", 9},
    {"add", "add d=2 --label zone=x"},
    {"add", "add e f --note why"},
    {"add", "add --if-missing d"},
    {"plan", "add --dry-run g"},
    {"list, a line each", "list -o jsonl"},
    {"remove", "remove f"},
    {"remove", "remove --if-exists f"},
    {"plan", "remove --dry-run e"},
    {"weight", "weight d"},
    {"alter", "weight d 3"},
    {"plan", "weight d 4 --dry-run"},
    {"alter", "set d --label rack=r7 --address 10.0.0.1:80"},
    {"alter", "drain e"},
    {"list, a line each", "list -o jsonl"},
    {"explain", "explain -n 4 a"},
    {"alter", "down e"},
    {"explain", "explain -n 9 a"},
    {"alter", "up e"},
    {"replace", "replace e e2"},
    {"plan", "replace e2 e3 --dry-run"},
    {"pin", "pin k d e2 --for 1h"},
    {"pin", "pin --prefix p d"},
    {"plan", "pin k2 d --dry-run"},
    {"pins", "pin"},
    {"pins, a line each", "pin -o jsonl"},
    {"explain", "explain k"},
    {"list", "list"},
    {"unpin", "unpin k"},
    {"plan", "plan --add x --ranges"},
    {"plan", "plan --add x --remove d -n 2 --exit-code", 10},
    {"plan", "plan --add d --if-missing"},
    {"plan of keys", "plan --add x --keys @keys"},
    {"diff of keys", "diff 1 --keys @keys --out @moved"},
    {"plan of keys", "plan --remove d --keys @keys --out @moves"},
    {"export", "export --as json"},
    {"export", "export --epoch 1"},
    {"apply", "apply @nodes.txt"},
    {"apply", "apply --prune @nodes.txt"},
    {"plan", "apply --dry-run @other.txt"},
    {"diff", "diff 1"},
    {"diff", "diff 1 3 --ranges"},
    {"history", "history"},
    {"history", "history -n 1"},
    {"history, a line each", "history -o jsonl"},
    {"blame", "blame a -n 1"},
    {"blame, a line each", "blame a -o jsonl"},
    {"rollback", "rollback 2"},
    {"plan", "rollback 1 --dry-run"},
    {"whatif", "whatif --lose each"},
    {"whatif", "whatif --lose cache-node-1 -n 2"},
    {"ring list", "ring list"},
    {"ring list, a line each", "ring list -o jsonl"},
    {"ring create", "ring create pool --profile balanced --nodes a,b --max-move 50%"},
    {"plan", "ring create more --nodes a --dry-run"},
    {"ring show", "ring show"},
    {"ring show", "ring show pool --slots"},
    {"ring draw", "ring draw"},
    {"ring draw", "ring draw pool"},
    {"ring set", "ring set pool --max-move 20%"},
    {"ring copy", "ring copy pool trial"},
    {"ring delete", "ring delete trial"},
    {"distribution", "distribution"},
    {"distribution", "distribution --keys @keys"},
    {"pin", "pin -r pool k a"},
    {"unpin", "unpin -r pool k"},
    {"watch", "watch -r pool --from 1 -n 4"},
    {"watch", "watch --from 1 -n 10"},
    {"wait", "wait --epoch 1"},
    {"stats", "stats"},
    {"bench", "bench --duration 50ms"},
    {"doctor", "doctor"},
    {"log-level", "log-level"},
    {"log-level", "log-level info"},
    {"reload", "reload"},
    {"status", "status"},
    {"ping", "ping"},
    {"ping", "ping -c 2"},
    {"version", "version"},
    {"check", "check @s"},
    {"check", "check @nothing", 4},
    {"a ring of a daemon", "check @s -o jsonl"},
};

// "list" is the response of that operation, "cli#/NAME" a row of our own, and what follows a # leads into either.
json resolved(const std::string& reference, const json& own) {
  static const json document = json::parse(protocol::openapi_document());
  const std::size_t hash = std::min(reference.find('#'), reference.size());
  const std::string name = reference.substr(0, hash);
  const json::json_pointer within(reference.substr(std::min(hash + 1, reference.size())));
  if (name == "cli") return own.at(within);
  for (const json& methods : document.at("paths"))
    for (const json& operation : methods)
      if (operation.at("operationId") == name)
        return operation.at("responses").front().at("content").at("application/json").at("schema").at(within);
  throw std::runtime_error("no operation " + name);
}

Words split(const std::string& line, const std::string& dir) {
  Words words;
  std::istringstream text(line);
  for (std::string word; text >> word;) words.push_back(word.front() == '@' ? dir + '/' + word.substr(1) : word);
  return words;
}

void write_files(const std::string& dir, const Shell& shell) {
  write_file(dir + "/keys", "user:1\t10\nuser:2\nuser:3\nuser:4\nuser:5\nuser:6\n");
  const std::string vectors = shell.ask({"vectors", "-n", "3"});
  write_file(dir + "/vectors", vectors);
  write_file(dir + "/wrong", vectors + "61\t-\tcache-node-9\n");
  write_file(dir + "/nodes.txt", "cache-node-1 2\ncache-node-2 +zone=a\ncache-node-3\n");
  write_file(dir + "/other.txt", "y\nz state=drain\n");
}

// The members that our own schemas have, by the paths that the checker gives them.
void list_members(const json& schema, const std::string& at, const json& own, std::set<std::string>& out) {
  if (schema.contains("$ref") && schema.at("$ref").get<std::string>().starts_with("cli#"))
    return list_members(resolved(schema.at("$ref"), own), at, own, out);
  if (schema.contains("items")) list_members(schema.at("items"), at, own, out);
  if (!schema.contains("properties")) return;
  for (const auto& [name, member] : schema.at("properties").items()) {
    out.insert(at + '/' + name);
    list_members(member, at + '/' + name, own, out);
  }
}

}  // namespace

TEST_CASE("json: every command prints what its schema has, and nothing else") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  const std::string dir = daemon.dir().path();
  write_files(dir, shell);
  const json own = json::parse(test::read_file(CHASH_TEST_DATA_DIR "/cli_schemas.json"));
  std::map<std::string, test::SchemaChecker> checkers;
  for (const auto& [name, schema] : own.items())
    checkers.emplace(name, [&](const std::string& reference) { return resolved(reference, own); });
  std::set<std::string> run;

  for (const Case& now : cases) {
    CAPTURE(now.line);
    Words words = split(now.line, dir);
    run.insert(words.front());
    if (!contains(now.line, "jsonl")) words.emplace_back("--json");
    const Outcome outcome = shell.run(words, "text\n\xff\xfe\n");
    CHECK_MESSAGE(outcome.status == now.status, outcome.err);
    test::SchemaChecker& checker = checkers.at(now.schema);
    std::istringstream lines(outcome.out);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line, contains(now.line, "-0") ? '\0' : '\n'); ++count)
      for (const std::string& fault : checker.faults(own.at(now.schema), json::parse(line)))
        FAIL_CHECK(now.schema, " ", fault);
    CHECK(count > 0);
  }

  for (const cli::CommandRow& row : cli::command_table)
    CHECK_MESSAGE(run.contains(std::string(row.name)) != without_json.contains(row.name), row.name);
  CHECK(run.size() + without_json.size() == cli::command_table.size());
  // A schema that no case uses, or a member that none has, is one that nobody has checked.
  for (const auto& [name, schema] : own.items()) {
    if (std::ranges::count(cases, name, &Case::schema) == 0) {
      CHECK_MESSAGE(contains(own.dump(), "\"cli#/" + name + '"'), name);
      continue;
    }
    std::set<std::string> members;
    list_members(schema, "", own, members);
    for (const std::string& member : members)
      CHECK_MESSAGE(checkers.at(name).seen().contains(member), name << ' ' << member);
  }
}

TEST_CASE("json: without a daemon, what needs none prints the same, and the others an error") {
  const json own = json::parse(test::read_file(CHASH_TEST_DATA_DIR "/cli_schemas.json"));
  test::SchemaChecker checker([&](const std::string& reference) { return resolved(reference, own); });
  const auto alone = [](Words words) {
    words.insert(words.begin(), {CHASH_PROGRAM, "--json", "--socket", "/nonexistent/s"});
    return run_program(std::move(words), "a\n");
  };
  for (const auto& [schema, words] : std::vector<std::pair<std::string, Words>>{
           {"get-node", {"get-node", "--nodes", "a,b", "k"}},
           {"profile list", {"profile", "list"}},
           {"profile show", {"profile", "show", "seed"}},
           {"compare", {"compare", "--from", "seed:a,b", "--to", "seed:a", "--sample", "10"}}}) {
    const Outcome outcome = alone(words);
    CHECK(outcome.status == 0);
    CHECK(outcome.err == "");
    CHECK(checker.faults(own.at(schema), json::parse(outcome.out)) == std::vector<std::string>{});
  }
  for (const Case& now : cases) {
    const Words words = split(now.line, "/nonexistent");
    if (contains("profile compare verify version", words.front()) || contains(now.line, "--nodes a,b") ||
        contains(now.line, "--profile") || contains(now.line, "@") || contains("wait doctor", words.front()))
      continue;  // the last two are for a daemon that is not there
    CAPTURE(now.line);
    const Outcome outcome = alone(split(contains(now.line, "jsonl") ? words.front() : now.line, ""));
    CHECK(outcome.status != 0);
    CHECK(outcome.out == "");
    CHECK(json::parse(outcome.err).at("error").at("exit") == outcome.status);
  }
}

TEST_CASE("json schema: a value that is not as its schema has it is told") {
  test::SchemaChecker checker([](const std::string&) { return json{{"type", "string"}}; });
  const json schema = json::parse(R"({"type": "object", "required": ["a"], "properties": {
    "a": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    "b": {"$ref": "x"}, "c": {"enum": ["d", "e"]}, "f": {"type": ["number", "null"]},
    "g": {"type": "object", "additionalProperties": {"type": "boolean"}}}})");
  const auto faults = [&](const std::string& value) { return checker.faults(schema, json::parse(value)).size(); };
  CHECK(faults(R"({"a": [1], "b": "", "c": "d", "f": null, "g": {"h": true}})") == 0);
  for (const std::string wrong :
       {"[]", "{}", R"({"a": [-1]})", R"({"a": [1.5]})", R"({"a": 1})", R"({"a": [], "b": 1})",
        R"({"a": [], "c": "f"})", R"({"a": [], "f": ""})", R"({"a": [], "g": {"h": 1}})", R"({"a": [], "z": 1})"})
    CHECK_MESSAGE(faults(wrong) == 1, wrong);
  CHECK(checker.faults(json{{"maximum", 1}}, json(0)).size() == 1);
}
