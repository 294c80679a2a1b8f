// chash reload and chash log-level: a daemon that is told what to do, and answers when it is done.
#include <doctest/doctest.h>

#include <filesystem>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

TEST_CASE("reload answers when the new settings of the log hold") {
  ScratchDir dir;
  const std::string config = dir / "chashd.toml";
  write_file(config, "log-level = \"info\"\n");
  Daemon daemon({.initial_nodes = seed_nodes(), .config = config});
  const Shell shell(daemon);
  write_file(config, "log-level = \"debug\"\n");
  CHECK(shell.ask({"reload"}) == "the log settings were read again: level debug\n");
  CHECK(shell.ask({"log-level"}) == "debug\n");
  shell.ask({"get-node", "user:123"});
  wait_until("a look-up in hashing.log", [&] { return contains(daemon.log("hashing.log"), "Key 'user:123'"); });
  CHECK(shell.ask({"reload", "--json"}) == "{\"log_level\":\"debug\"}\n");
  CHECK(shell.ask({"reload", "-q"}).empty());
  // A file that was renamed is opened anew, under the old name.
  std::filesystem::rename(daemon.dir() / "log/api.log", daemon.dir() / "log/api.log.1");
  shell.ask({"reload"});
  CHECK(std::filesystem::exists(daemon.dir() / "log/api.log"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("reload tells what is wrong, and the old settings stay") {
  ScratchDir dir;
  const std::string config = dir / "chashd.toml";
  write_file(config, "log-level = \"warning\"\n");
  Daemon daemon({.initial_nodes = seed_nodes(), .config = config, .http = false});
  const Shell shell(daemon);
  write_file(config, "log-level = \"verbose\"\n");
  const Outcome bad = shell.run({"reload"});
  CHECK(bad.status == 2);
  CHECK(bad.out.empty());
  CHECK(contains(bad.err, config + ":1: log-level: 'verbose' is not one of"));
  CHECK(contains(bad.err, "the old settings stay"));
  write_file(config, "log-level = \"debug\"\n");
  std::filesystem::rename(daemon.dir() / "log", daemon.dir() / "away");
  const Outcome gone = shell.run({"reload"});
  CHECK(gone.status == 1);
  CHECK(gone.out.empty());
  CHECK(contains(gone.err, "log/api.log"));
  CHECK(shell.ask({"log-level"}) == "warning\n");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("log-level holds until the settings are read again, and says who wanted it") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  CHECK(shell.ask({"log-level"}) == "info\n");
  CHECK(shell.ask({"log-level", "debug"}) == "log level info -> debug\n");
  CHECK(shell.ask({"log-level", "--format", "{level}"}) == "debug\n");
  shell.ask({"get-node", "user:123"});
  wait_until("a look-up in hashing.log", [&] { return contains(daemon.log("hashing.log"), "Key 'user:123'"); });
  CHECK(contains(daemon.log("api.log"), "The log level was info and becomes debug, as uid "));
  CHECK(shell.ask({"log-level", "critical", "--json"}) == "{\"level\":\"critical\",\"previous\":\"debug\"}\n");
  shell.ask({"add", "x"});
  shell.ask({"reload"});
  CHECK(shell.ask({"log-level"}) == "info\n");
  CHECK_FALSE(contains(daemon.log("hashing.log"), "'x'"));

  const Outcome wrong = shell.run({"log-level", "loud"});
  CHECK(wrong.status == 2);
  CHECK(contains(wrong.err, "'loud' is not a log level"));
  CHECK(shell.run({"log-level", "info", "debug"}).status == 2);
  CHECK(shell.run({"log-level", ""}).status == 2);
  CHECK(shell.run({"reload", "now"}).status == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("reload and log-level are for those who may change, over HTTP too") {
  constexpr std::string_view json_field = "Content-Type: application/json\r\n";
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "off"}});
  HttpClient http(daemon.http_port());
  for (const auto& [path, body] :
       std::vector<std::pair<std::string, std::string>>{{"/api/v1/reload", ""}, {"/api/v1/log-level", "{}"}}) {
    CAPTURE(path);
    CHECK(http.ask("POST", path, json_field, body).status == 403);
    CHECK(http.ask("GET", path).status == 405);
  }
  Daemon open({.initial_nodes = seed_nodes()});
  HttpClient writer(open.http_port());
  const auto post = [&](const std::string& path, std::string_view body) {
    return json::parse(writer.ask("POST", path, json_field, body).body);
  };
  CHECK(post("/api/v1/reload", "") == json{{"log_level", "info"}});
  CHECK(post("/api/v1/log-level", R"({"level":"error"})") == json{{"level", "error"}, {"previous", "info"}});
  CHECK(post("/api/v1/log-level", "{}") == json{{"level", "error"}});
}
