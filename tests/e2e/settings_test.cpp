// What chashd is told by flags, environment and file, and how it says what is wrong with it.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include "harness.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr int misuse = 2;
const std::string token = "0123456789abcdef0123456789abcdef";

Outcome check_config(const std::string& file, std::vector<std::string> more = {},
                     std::vector<std::string> environment = {}) {
  std::vector<std::string> line{CHASHD_PROGRAM, "--check-config", "--config", file};
  line.insert(line.end(), more.begin(), more.end());
  return run_program(line, "", std::move(environment));
}

void write_secret(const std::string& path, const std::string& text, mode_t mode) {
  write_file(path, text);
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

int status_of_add(std::uint16_t port, const std::string& authorization) {
  HttpClient http(port);
  const int status = http.ask("POST", "/api/nodes/new", authorization).status;
  if (status == 201) http.ask("DELETE", "/api/nodes/new", authorization);
  return status;
}

}  // namespace

TEST_CASE("help and version tell without starting anything") {
  const auto help = run_program({CHASHD_PROGRAM, "--help"});
  CHECK(help.status == 0);
  for (const char* option :
       {"--socket", "--http", "--state-dir", "--log-dir", "--log-level", "--log-requests", "--initial-node",
        "--http-writes", "--token-file", "--allow-host", "--threads", "--config", "--check-config", "--version"})
    CHECK_MESSAGE(contains(help.out, option), option);
  CHECK(help.err == "");
  const auto version = run_program({CHASHD_PROGRAM, "--version"});
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("chashd "));
}

TEST_CASE("check-config ends with 0 for good settings and 2 for bad ones and says where they stand") {
  ScratchDir dir;
  const std::string file = dir / "chashd.toml";
  write_file(file,
             "socket = \"/run/x\"\nhttp = [\"127.0.0.1:8000\", \"[::1]:8000\"]\nthreads = 2\nlog-requests = false\n"
             "initial-node = [\"a\", \"b\"]\n");
  const auto good = check_config(file);
  CHECK(good.status == 0);
  CHECK(good.err == "");

  struct Case {
    std::string text, message, hint;
  };
  const std::vector<Case> cases{
      {"threads = 2\nsokcet = \"/run/x\"\n", ":2: unknown setting 'sokcet'", "did you mean 'socket'?"},
      {"frobnicate = 1\n", ":1: unknown setting 'frobnicate'", "chashd.conf(5)"},
      {"[server]\nsocket = \"/run/x\"\n", ":1: unknown setting 'server'", ""},
      {"\n\nthreads = 0\n", ":3: threads: '0' is not a whole number from 1 to 64", ""},
      {"threads = 65\n", ":1: threads: ", ""},
      {"threads = 1.5\n", ":1: threads: the value must be", ""},
      {"threads = [1]\n", ":1: threads: the value must not be a list", ""},
      {"log-level = \"loud\"\n", ":1: log-level: 'loud' is not one of debug, info, warning, error, critical", ""},
      {"log-requests = \"maybe\"\n", ":1: log-requests: ", ""},
      {"http = \"localhost\"\n", ":1: http: 'localhost' is not an address", "IP:PORT"},
      {"http = \"127.0.0.1:99999\"\n", ":1: http: ", ""},
      {"http-writes = \"yes\"\n", ":1: http-writes: ", ""},
      {"initial-node = [\"a\", \"a\"]\n", ":1: initial-node: node 'a' is named twice", ""},
      {"initial-node = \"-x\"\n", ":1: initial-node: a node name has '-' at position 1", ""},
      {"http-writes = \"token\"\n", "--http-writes token needs a --token-file", ""},
      {"threads = \n", ":1: ", ""},
      {"threads = 1\nthreads = 2\n", ":2: ", ""},
      {"socket = \"\"\n", ":1: socket: the path is empty", ""}};
  for (const Case& bad : cases) {
    CAPTURE(bad.text);
    write_file(file, bad.text);
    const auto refused = check_config(file);
    CHECK(refused.status == misuse);
    CHECK(refused.out == "");
    CHECK_MESSAGE(contains(refused.err, bad.message), refused.err);
    if (bad.message.starts_with(':')) CHECK_MESSAGE(contains(refused.err, file + bad.message), refused.err);
    CHECK_MESSAGE(contains(refused.err, bad.hint), refused.err);
  }
}

TEST_CASE("an empty configuration file is a good one and a missing or unreadable one is not") {
  ScratchDir dir;
  write_file(dir / "empty.toml", "");
  const auto empty = check_config(dir / "empty.toml");
  CHECK_MESSAGE(empty.status == 0, empty.err);
  for (const std::string& path : {dir / "missing.toml", dir.path()}) {
    const auto refused = check_config(path);
    CHECK(refused.status == misuse);
    CHECK(contains(refused.err, path));
  }
}

TEST_CASE("bad flags and variables are refused by their names") {
  ScratchDir dir;
  const std::string file = dir / "chashd.toml";
  write_file(file, "# nothing\n");
  const auto unknown = check_config(file, {"--sokcet", "x"});
  CHECK(unknown.status == misuse);
  CHECK(contains(unknown.err, "--sokcet"));
  CHECK(check_config(file, {"operand"}).status == misuse);
  CHECK(check_config(file, {"--threads"}).status == misuse);
  const auto flag = check_config(file, {"--threads", "many"});
  CHECK(flag.status == misuse);
  CHECK(contains(flag.err, "--threads: 'many'"));
  const auto variable = check_config(file, {}, {"CHASHD_THREADS=many"});
  CHECK(variable.status == misuse);
  CHECK(contains(variable.err, "CHASHD_THREADS: 'many'"));
  const auto brackets = check_config(file, {"--initial-node", "[a,b]"});
  CHECK_MESSAGE(brackets.status == 0, brackets.err);
}

TEST_CASE("flags win over the environment and that over the file") {
  ScratchDir dir;
  const std::string file = dir / "chashd.toml";
  write_file(file, "initial-node = [\"from-file\"]\nthreads = 1\n");
  const auto first_node = [&](std::vector<std::string> flags, std::vector<std::string> environment) {
    Daemon daemon(
        {.arguments = std::move(flags), .environment = std::move(environment), .config = file, .http = false});
    const json nodes = LineClient(daemon.socket()).ask(R"({"op":"list"})").at("ok").at("nodes");
    CHECK(daemon.stop() == 0);
    REQUIRE(nodes.size() == 1);
    return nodes[0].at("name").get<std::string>();
  };
  CHECK(first_node({}, {}) == "from-file");
  CHECK(first_node({}, {"CHASHD_INITIAL_NODE=from-environment"}) == "from-environment");
  CHECK(first_node({"--initial-node", "from-flag"}, {"CHASHD_INITIAL_NODE=from-environment"}) == "from-flag");
  CHECK(first_node({}, {"CHASHD_INITIAL_NODE="}) == "from-file");  // empty: not set
}

TEST_CASE("without HTTP there is only the socket") {
  Daemon daemon({.http = false});
  const json status = LineClient(daemon.socket()).ask(R"({"op":"status"})");
  CHECK(status.at("ok").at("listeners") == json::array({daemon.socket()}));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("several HTTP addresses all answer") {
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http", "127.0.0.1:0"}});
  const json listeners = LineClient(daemon.socket()).ask(R"({"op":"status"})")["ok"]["listeners"];
  REQUIRE(listeners.size() == 3);
  for (std::size_t i = 1; i < 3; ++i) {
    const std::string address = listeners[i];
    HttpClient http(static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1))));
    CHECK(http.ask("GET", "/api/get-node/user:123").body == "\"cache-node-3\"");
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("changes over HTTP follow http-writes and reads do not care") {
  ScratchDir dir;
  write_secret(dir / "token", token + "\n", 0640);
  {
    Daemon daemon({.initial_nodes = seed_nodes()});
    CHECK(status_of_add(daemon.http_port(), "") == 201);  // loopback is the default
  }
  {
    Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "off"}});
    const HttpReply refused = HttpClient(daemon.http_port()).ask("POST", "/api/nodes/new");
    CHECK(refused.status == 403);
    CHECK(json::parse(refused.body).at("code") == "denied");
    CHECK(contains(json::parse(refused.body).at("hint").get<std::string>(), "chash(1)"));
    CHECK(HttpClient(daemon.http_port()).ask("DELETE", "/api/v1/rings/default/nodes?nodes=cache-node-1").status == 403);
    CHECK(HttpClient(daemon.http_port()).ask("GET", "/api/nodes").status == 200);
    CHECK(LineClient(daemon.socket()).ask(R"({"op":"add","nodes":[{"name":"new"}]})").contains("ok"));
  }
  Daemon daemon(
      {.initial_nodes = seed_nodes(), .arguments = {"--http-writes", "token", "--token-file", dir / "token"}});
  const std::uint16_t port = daemon.http_port();
  const HttpReply without = HttpClient(port).ask("POST", "/api/nodes/new");
  CHECK(without.status == 401);
  CHECK(without.field("www-authenticate") == "Bearer");
  CHECK(json::parse(without.body).at("code") == "unauthorized");
  for (const std::string& wrong : {"Bearer " + token.substr(1), "Bearer " + token + "0", std::string("Bearer"),
                                   std::string("Bearer "), "Basic " + token, token, "Bearer  " + token})
    CHECK_MESSAGE(status_of_add(port, "Authorization: " + wrong + "\r\n") == 401, wrong);
  CHECK(status_of_add(port, "Authorization: Bearer " + token + "\r\n") == 201);
  CHECK(HttpClient(port).ask("GET", "/api/nodes").body == R"(["cache-node-1","cache-node-2","cache-node-3"])");
  CHECK_FALSE(contains(daemon.log("api.log") + daemon.console(), token));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a token file that everybody can read or that has no good token is refused") {
  ScratchDir dir;
  const std::string file = dir / "chashd.toml", secret = dir / "token";
  write_file(file, "http-writes = \"token\"\ntoken-file = \"" + secret + "\"\n");
  const auto refused = [&](const std::string& why) {
    const auto outcome = check_config(file);
    CHECK(outcome.status == misuse);
    CHECK_MESSAGE((contains(outcome.err, secret) && contains(outcome.err, why)), outcome.err);
    CHECK_FALSE(contains(outcome.err, token));
  };
  refused("cannot be read");
  write_secret(secret, token + "\n", 0644);
  refused("can be read by everyone");
  write_secret(secret, "short\n" + token + "\n", 0600);
  refused("fewer than 16 bytes");
  write_secret(secret, token, 0600);
  CHECK(check_config(file).status == 0);
}

TEST_CASE("an address beyond this machine is refused unless changes need a token or are off") {
  ScratchDir dir;
  write_secret(dir / "token", token, 0600);
  write_file(dir / "chashd.toml", "http = \"0.0.0.0:0\"\nsocket = \"" + dir / "s" + "\"\nstate-dir = \"" +
                                      dir / "state" + "\"\nlog-dir = \"off\"\n");
  const auto refused = run_program({CHASHD_PROGRAM, "--config", dir / "chashd.toml"});
  CHECK(refused.status == misuse);
  CHECK_MESSAGE(contains(refused.err, "0.0.0.0:0 is beyond this machine"), refused.err);
  CHECK(contains(refused.err, "--http-writes token --token-file"));

  Daemon open({.initial_nodes = seed_nodes(),
               .arguments = {"--http", "0.0.0.0:0", "--http-writes", "token", "--token-file", dir / "token"}});
  const json listeners = LineClient(open.socket()).ask(R"({"op":"status"})")["ok"]["listeners"];
  REQUIRE(listeners.size() == 3);
  const std::string address = listeners[2];
  const auto port = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  CHECK(HttpClient(port).ask("GET", "/api/nodes").status == 200);
  CHECK(status_of_add(port, "") == 401);
  CHECK(status_of_add(port, "Authorization: Bearer " + token + "\r\n") == 201);
  CHECK(open.stop() == 0);
}
