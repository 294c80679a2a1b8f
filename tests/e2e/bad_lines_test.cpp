// Bad input on the socket: each gets one line that names what is wrong, and the daemon goes on serving as before.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "bad_lines.h"
#include "chash/limits.h"
#include "harness.h"
#include "protocol/text.h"
#include "shared_material.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// A request padded with blanks to that many bytes.
std::string padded(std::string line, std::size_t size) {
  line.resize(size, ' ');
  return line;
}

void check_serves(const Daemon& daemon) {
  const json answer = LineClient(daemon.socket()).ask(R"({"op":"get-node","key":"user:123"})");
  CHECK(answer.at("ok") ==
        json{{"ring", "default"}, {"epoch", 1}, {"node", "cache-node-3"}, {"nodes", {"cache-node-3"}}});
}

// The whole of an error reply: code and a message, perhaps a hint, and nothing else.
void check_error(const json& reply, const std::string& code, const std::string& part_of_message,
                 const std::string& part_of_hint) {
  REQUIRE(reply.size() == 1);
  REQUIRE(reply.contains("error"));
  const json& error = reply["error"];
  CHECK(error.at("code") == code);
  const std::string message = error.at("message"), hint = error.value("hint", "");
  CHECK_MESSAGE(contains(message, part_of_message), message);
  CHECK_MESSAGE(contains(hint, part_of_hint), hint);
  CHECK(error.size() == (hint.empty() ? 2u : 3u));
}

}  // namespace

TEST_CASE("each bad line gets one line with its error and the connection goes on") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient client(daemon.socket());
  for (const BadLine& bad : bad_lines()) {
    CAPTURE(bad.line.substr(0, 100));
    check_error(client.ask(bad.line), bad.code, bad.message, bad.hint);
    CHECK(client.ask(R"({"op":"ping"})").contains("ok"));
    check_serves(daemon);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("names that a shell or a log could trip over are refused and odd ones within the rules are taken") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient client(daemon.socket());
  std::vector<std::string> bad{"",
                               ".",
                               "..",
                               "-",
                               "-oProxyCommand=id",
                               " ",
                               "a b",
                               "a\tb",
                               "a\nb",
                               "é",
                               "a\u202eb",
                               "a'b",
                               "a\"b",
                               "a$b",
                               "a`b",
                               "a;b",
                               "a|b",
                               "a&b",
                               "a<b",
                               "a\\b",
                               "a*b",
                               "a?b",
                               "a#b",
                               "a{b",
                               "a(b",
                               "a!b",
                               "~a",
                               "=a",
                               "%41",
                               "a\u00a0",
                               std::string(256, 'a')};
  for (int control = 0; control < 0x20; ++control) bad.push_back("a" + std::string(1, static_cast<char>(control)));
  bad.push_back("a\x7f");
  for (const std::string& name : bad) {
    CAPTURE(protocol::printable(name, 300));
    const json reply = client.ask(json{{"op", "add"}, {"nodes", {{{"name", name}}}}}.dump());
    check_error(reply, "invalid_argument", "a node name", "");
    for (const char c : reply["error"]["message"].get<std::string>()) CHECK((c >= 0x20 && c < 0x7f));
  }
  const std::vector<std::string> good{
      "a",    "0",   "_",          "[::1]:11211",        "/dev/sda", "a.b-c_d:e@f/g+h=i~j%k[l],m",
      "null", "1/2", "0xffffffff", std::string(255, 'a')};
  for (const std::string& name : good) {
    CAPTURE(name);
    CHECK(client.ask(json{{"op", "add"}, {"nodes", {{{"name", name}}}}}.dump()).contains("ok"));
  }
  CHECK(client.ask(R"({"op":"list"})")["ok"]["nodes"].size() == seed_nodes().size() + good.size());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what is exactly at a limit is taken") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient client(daemon.socket());
  CHECK(client.ask(R"({"op":"get-node","key":")" + repeated("k", limits::key_bytes) + "\"}").contains("ok"));
  CHECK(client.ask(R"({"op":"get-node","key":"a","n":256})")["ok"]["nodes"].size() == 3);
  const json batch = client.ask(R"({"op":"get-nodes","keys":["a")" + repeated(",\"a\"", limits::batch_keys - 1) + "]}");
  CHECK(batch.at("ok").at("owners").size() == limits::batch_keys);
  CHECK(client.ask(padded(R"({"op":"ping"})", limits::line_bytes)).contains("ok"));
  CHECK(client.ask(R"({"op":"add","nodes":[{"name":"heavy","weight":10000}]})").contains("ok"));
  check_error(LineClient(daemon.socket()).ask(padded(R"({"op":"ping"})", limits::line_bytes + 1)), "too_large",
              "more than 1048576 bytes", "fewer keys");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a ring takes 65536 nodes and refuses one more") {
  Daemon daemon({.http = false});
  LineClient client(daemon.socket());
  for (std::size_t next = 0; next < limits::nodes;) {
    std::string request = R"({"op":"add","nodes":[)";
    for (std::size_t last = std::min(next + 20'000, limits::nodes); next < last; ++next)
      request +=
          (request.ends_with('[') ? R"({"name":"n)" : R"(,{"name":"n)") + std::to_string(next) + R"(","weight":0.01})";
    REQUIRE(client.ask(request + "]}").contains("ok"));
  }
  check_error(client.ask(R"({"op":"add","nodes":[{"name":"one-more"}]})"), "too_large", "more than 65536 nodes", "");
  CHECK(client.ask(R"({"op":"list"})")["ok"]["nodes"].size() == limits::nodes);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a line that is too long or of another protocol is answered once and the connection closed") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const std::vector<BadLine> last_lines{
      {std::string(limits::line_bytes + 1, ' '), "too_large", "more than 1048576 bytes", "fewer keys"},
      {padded(R"({"op":"ping"})", limits::line_bytes + 1) + "\n" + R"({"op":"ping"})" + "\n", "too_large", "more than",
       ""},
      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "invalid_request", "not HTTP", "chash status"},
      {"POST /api/nodes/x HTTP/1.1\r\n", "invalid_request", "not HTTP", ""},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "invalid_request", "not HTTP", ""},
      {"DELETE ", "invalid_request", "not HTTP", ""}};
  for (const BadLine& bad : last_lines) {
    CAPTURE(bad.line.substr(0, 30));
    LineClient client(daemon.socket());
    client.send(bad.line);
    check_error(client.reply(), bad.code, bad.message, bad.hint);
    CHECK(client.rest() == "");
    check_serves(daemon);
  }
  LineClient client(daemon.socket());  // what came before it is answered
  client.send(R"({"op":"ping"})"
              "\nGET / HTTP/1.1\r\n\r\n"
              R"({"op":"ping"})"
              "\n");
  CHECK(client.reply().contains("ok"));
  CHECK(client.reply().contains("error"));
  CHECK(client.rest() == "");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("half a line is no request when the client goes away and none is lost when it comes in pieces") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient leaves(daemon.socket());
  leaves.send(R"({"op":"remove","nodes":["cache-node-1"]})");
  leaves.end_sending();
  CHECK(leaves.rest() == "");
  check_serves(daemon);
  LineClient dribbles(daemon.socket());
  for (const char c : std::string_view(R"({"op":"get-node","key":"user:123"})"
                                       "\n"))
    dribbles.send(std::string(1, c));
  CHECK(dribbles.reply()["ok"]["node"] == "cache-node-3");
  LineClient half_closed(daemon.socket());
  half_closed.send(R"({"op":"ping"})"
                   "\n"
                   R"({"op":"ping"})"
                   "\n");
  half_closed.end_sending();
  CHECK(half_closed.reply().contains("ok"));
  CHECK(half_closed.reply().contains("ok"));
  CHECK(half_closed.rest() == "");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a line that is never finished is refused when its time is over") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  LineClient client(daemon.socket());
  client.send(R"({"op":"pi)");
  check_error(client.reply(), "timeout", "not complete in time", "");
  CHECK(client.rest() == "");
  check_serves(daemon);
}

TEST_CASE("binary garbage gets one error for each line of it") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string garbage(1 + random() % 5'000, '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    LineClient client(daemon.socket());
    client.send(garbage + '\n');
    client.end_sending();
    for (auto lines = std::ranges::count(garbage, '\n') + 1; lines > 0; --lines)
      check_error(client.reply(), "invalid_request", "", "");
    CHECK(client.rest() == "");
  }
  check_serves(daemon);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("every document of JSONTestSuite as a request and within one gets one line back") {
  const auto suite = test::shared_material("material/json/JSONTestSuite");
  if (!suite) {
    MESSAGE(test::not_run("the documents of JSONTestSuite"));
    return;
  }
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  std::size_t documents = 0;
  for (const auto& path : test::files_in(*suite)) {
    if (path.extension() != ".json") continue;
    const std::string name = path.filename().string(), document = test::read_file(path);
    CAPTURE(name);
    ++documents;
    for (const bool wrapped : {false, true}) {
      const std::string line = wrapped ? R"({"op":"ping","x":)" + document + "}" : document;
      LineClient client(daemon.socket());
      client.send(line + '\n');
      client.end_sending();
      const bool one_line = line.find('\n') == std::string::npos;
      for (auto lines = std::ranges::count(line, '\n') + 1; lines > 0; --lines) {
        const std::string code = client.reply().at("error").at("code");
        // Within a request, what is JSON fails only for the field that does not exist. Members that stand twice are
        // refused.
        const bool is_json = name.starts_with("y_") && !contains(name, "duplicated_key");
        if (one_line && wrapped) CHECK((code == "invalid_argument" || !is_json));
        if (name.starts_with("n_") || !wrapped) CHECK(code == "invalid_request");
      }
      CHECK(client.rest() == "");
    }
  }
  CHECK(documents >= 150);
  check_serves(daemon);
  CHECK(daemon.stop() == 0);
}
