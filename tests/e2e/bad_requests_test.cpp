// Bad HTTP: each request is refused with a status and a problem document that says why, and the daemon goes on serving.
#include <doctest/doctest.h>

#include "bad_lines.h"
#include "chash/limits.h"
#include "harness.h"
#include "protocol/text.h"
#include "shared_material.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

void check_serves(std::uint16_t port) {
  HttpClient client(port);
  CHECK(client.ask("GET", "/api/get-node/user:123").body == "\"cache-node-3\"");
  CHECK(client.ask("GET", "/api/nodes").body == R"(["cache-node-1","cache-node-2","cache-node-3"])");
}

// RFC 9457 with our code; the seed's clients read `detail`.
void check_problem(const HttpReply& reply, int status, const std::string& code, const std::string& part_of_detail) {
  CHECK(reply.status == status);
  CHECK(reply.field("content-type") == "application/problem+json");
  CHECK(reply.field("x-content-type-options") == "nosniff");
  CHECK_FALSE(reply.field("access-control-allow-origin"));
  const json problem = json::parse(reply.body);
  CHECK(problem.at("status") == status);
  CHECK(problem.at("code") == code);
  CHECK(problem.contains("title"));
  CHECK_MESSAGE(contains(problem.at("detail").get<std::string>(), part_of_detail),
                problem.at("detail").get<std::string>());
}

struct BadRequest {
  std::string bytes;  // {HOST} stands for a good Host field
  int status;
  std::string code, detail;
};

std::string with_host(std::string text) {
  constexpr std::string_view slot = "{HOST}";
  if (const std::size_t at = text.find(slot); at != std::string::npos)
    text.replace(at, slot.size(), "Host: localhost\r\n");
  return text;
}

// A request whose line, without its end, has that many bytes.
std::string with_line_of(std::size_t size) {
  const std::string before = "GET /api/nodes?x=", after = " HTTP/1.1";
  return before + std::string(size - before.size() - after.size(), 'a') + after + "\r\n{HOST}\r\n";
}

// A request whose header fields together, with their line ends, have that many bytes.
std::string with_fields_of(std::size_t size) {
  const std::string host = "Host: localhost\r\n", field = "X-Long: ";
  return "GET /api/nodes HTTP/1.1\r\n" + host + field + std::string(size - host.size() - field.size() - 2, 'a') +
         "\r\n\r\n";
}

std::string with_field_count(std::size_t count) {
  return "GET /api/nodes HTTP/1.1\r\n{HOST}" + repeated("X-A: 1\r\n", count - 1) + "\r\n";
}

std::string with_body_of(std::size_t size, bool chunked) {
  std::string request = "POST /api/nodes/cache-node-1 HTTP/1.1\r\n{HOST}";
  if (!chunked) return request + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'b');
  request += "Transfer-Encoding: chunked\r\n\r\n";
  constexpr std::size_t chunk = 65'536;
  for (; size >= chunk; size -= chunk) request += "10000\r\n" + std::string(chunk, 'b') + "\r\n";
  if (size > 0) request += "1\r\nb\r\n";
  return request + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("each malformed request is refused with its reason and the connection closed") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const std::uint16_t port = daemon.http_port();
  const std::vector<BadRequest> requests{
      {"GARBAGE\r\n\r\n", 501, "invalid_request", "method"},
      {"BREW / HTTP/1.1\r\n{HOST}\r\n", 501, "invalid_request", "method"},
      {"{\"op\":\"ping\"}\n", 400, "invalid_request", "malformed"},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400, "invalid_request", "malformed"},
      {"GET /api/nodes HTTP/1.1\r\n\r\n", 400, "invalid_request", "no host field"},
      {"GET /api/nodes HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "invalid_request", "more than one host"},
      {"GET /api/nodes HTTP/2.0\r\n{HOST}\r\n", 505, "invalid_request", "version"},
      {"GET /api/nodes HTTP/1.2\r\n{HOST}\r\n", 505, "invalid_request", "version"},
      {"GET /api/nodes\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"GET  /api/nodes HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", "one space between"},
      {"get /api/nodes HTTP/1.1\r\n{HOST}\r\n", 501, "invalid_request", "method"},
      {"GET /api/get-node/\xc3\xa9 HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"GET /api/get-node/a b HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"GET /api/get-node/a#b HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"GET nodes HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"CONNECT example.org:443 HTTP/1.1\r\n{HOST}\r\n", 400, "invalid_request", ""},
      {"GET /api/nodes HTTP/1.1\nHost: localhost\n\n", 400, "invalid_request", "CR LF"},
      {"GET /api/nodes HTTP/1.1\r\n{HOST}X : 1\r\n\r\n", 400, "invalid_request", "not allowed"},
      {"GET /api/nodes HTTP/1.1\r\n{HOST}X: 1\r\n y\r\n\r\n", 400, "invalid_request", "folded"},
      {"GET /api/nodes HTTP/1.1\r\n{HOST}X: a\x01z\r\n\r\n", 400, "invalid_request", ""},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Content-Length: x\r\n\r\n", 400, "invalid_request", ""},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n", 400, "invalid_request", ""},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, "invalid_request",
       ""},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "invalid_request", ""},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\n\r\n", 400, "invalid_request", "chunked"},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nxx\r\n", 400, "invalid_request", "size"},
      {"POST /api/nodes/z HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400, "invalid_request",
       ""},
      // over every limit by one
      {with_line_of(limits::request_line_bytes + 1), 414, "too_large", std::to_string(limits::request_line_bytes)},
      {with_fields_of(limits::head_bytes + 1), 431, "too_large", std::to_string(limits::head_bytes)},
      {with_field_count(limits::head_fields + 1), 431, "too_large", std::to_string(limits::head_fields)},
      {with_body_of(limits::body_bytes + 1, false), 413, "too_large", std::to_string(limits::body_bytes)},
      {with_body_of(limits::body_bytes + 1, true), 413, "too_large", std::to_string(limits::body_bytes)}};
  for (const BadRequest& bad : requests) {
    CAPTURE(protocol::printable(bad.bytes, 120));
    HttpClient client(port);
    client.send(with_host(bad.bytes));
    const auto reply = client.receive();
    REQUIRE(reply);
    check_problem(*reply, bad.status, bad.code, bad.detail);
    CHECK(reply->closes());
    CHECK(client.rest() == "");
    check_serves(port);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("requests exactly at a limit are taken") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  HttpClient client(daemon.http_port());
  const std::vector<std::pair<std::string, int>> requests{{with_line_of(limits::request_line_bytes), 200},
                                                          {with_fields_of(limits::head_bytes), 200},
                                                          {with_field_count(limits::head_fields), 200},
                                                          {with_body_of(limits::body_bytes, false), 409},
                                                          {with_body_of(limits::body_bytes, true), 409}};
  for (const auto& [bytes, status] : requests) {
    CAPTURE(bytes.substr(0, 30));
    REQUIRE(client.send(with_host(bytes)));
    const auto reply = client.receive();
    REQUIRE(reply);
    CHECK(reply->status == status);
  }
  CHECK(client.ask("GET", "/api/get-node/" + std::string(limits::key_bytes, 'k')).status == 200);
  CHECK(client.ask("GET", "/api/get-node/" + repeated("%6B", limits::key_bytes)).status == 200);
  CHECK(client.ask("GET", "/api/get-node/" + std::string(limits::key_bytes + 1, 'k')).status == 422);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("each request that asks version 1 for nonsense is refused with its reason and the connection stays") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  HttpClient client(daemon.http_port());
  const std::string ring = "/api/v1/rings/default", nodes = ring + "/nodes", keys = ring + "/get-nodes";
  struct Case {
    std::string method, target, body;
    int status;
    std::string code, detail;
  };
  const std::vector<Case> cases{
      {"GET", "/api/v1/nothing", "", 404, "not_found", "no such path"},
      {"GET", "/api/v1/", "", 404, "not_found", "no such path"},
      {"GET", "/api/v1/rings/%zz/nodes", "", 400, "invalid_request", "the path has a '%' that starts no escape"},
      {"GET", "/api/v1/rings/default/nodes%4", "", 400, "invalid_request", "the path has a '%' that starts no escape"},
      {"GET", "/api/v1/" + std::string(100'000, '/'), "", 404, "not_found", "no such path"},
      {"PUT", nodes, "", 405, "invalid_request", "does not take PUT"},
      {"GET", "/api/v1/rings/other/nodes", "", 404, "not_found", "no ring 'other'"},
      {"GET", "/api/v1/rings/%00/nodes", "", 404, "not_found", R"(no ring '\x00')"},
      {"GET", ring + "/node", "", 422, "invalid_argument", "'key' is missing"},
      {"GET", ring + "/node?key=", "", 422, "invalid_argument", "the key is empty"},
      {"GET", ring + "/node?key=%zz", "", 400, "invalid_request", "starts no escape"},
      {"GET", ring + "/node?key=%4", "", 400, "invalid_request", "starts no escape"},
      {"GET", ring + "/node?key=a&key=b", "", 422, "invalid_argument", "given twice"},
      {"GET", ring + "/node?key=a&kye=b", "", 422, "invalid_argument", "unknown field 'kye'"},
      {"GET", ring + "/node?key=a&ring=b", "", 422, "invalid_argument", "'ring' does not belong here"},
      {"GET", ring + "/node?key=a&n=0", "", 422, "invalid_argument", "from 1 to 256"},
      {"GET", ring + "/node?key=a&n=257", "", 422, "invalid_argument", "from 1 to 256"},
      {"GET", ring + "/node?key=a&n=1x", "", 422, "invalid_argument", "whole number"},
      {"GET", ring + "/node?key=a&n=18446744073709551616", "", 422, "invalid_argument", "whole number"},
      {"GET", ring + "/node?key=" + std::string(limits::key_bytes + 1, 'k'), "", 413, "too_large", "65537 bytes"},
      {"GET", "/api/v1/ping", "{}", 400, "invalid_request", "takes no body"},
      {"POST", keys, "", 400, "invalid_request", "JSON"},
      {"POST", keys, "[]", 400, "invalid_request", "must be a JSON object"},
      {"POST", keys, "{", 400, "invalid_request", "syntax error"},
      {"POST", keys, "{\"keys\":[\"\xff\"]}", 400, "invalid_request", "not UTF-8"},
      {"POST", keys, std::string("{\"keys\":[\"a\"]}\0", 16), 400, "invalid_request", "NUL"},
      {"POST", keys, R"({"keys":["a"],"keys":["b"]})", 400, "invalid_request", "twice"},
      {"POST", keys, repeated("[", 33) + repeated("]", 33), 400, "invalid_request", "nested deeper"},
      {"POST", keys, R"({"keys":[]})", 422, "invalid_argument", "'keys' is empty"},
      {"POST", keys, R"({"keys":["a")" + repeated(",\"a\"", limits::batch_keys) + "]}", 413, "too_large", "10001 keys"},
      {"POST", nodes, R"({"nodes":[{"name":"a b"}]})", 422, "invalid_argument", "a space at position 2"},
      {"POST", nodes, R"({"nodes":[{"name":"cache-node-1"}]})", 409, "conflict", "already in the ring"},
      {"POST", nodes, R"({"nodes":[{"name":"a"}],"ring":"x"})", 422, "invalid_argument", "'ring' does not belong here"},
      {"DELETE", nodes, "", 422, "invalid_argument", "'nodes' is missing"},
      {"DELETE", nodes + "?nodes=nobody", "", 404, "not_found", "no node 'nobody'"},
      {"DELETE", nodes + "?nodes=cache-node-1&nodes=nobody", "", 404, "not_found", "no node 'nobody'"},
      {"DELETE", nodes + "?nodes=cache-node-1&if_exists=yes", "", 422, "invalid_argument", "true or false"}};
  for (const Case& bad : cases) {
    CAPTURE(bad.method + ' ' + bad.target.substr(0, 80) + ' ' + bad.body.substr(0, 60));
    const std::string type = bad.body.empty() ? "" : "Content-Type: application/json\r\n";
    check_problem(client.ask(bad.method, bad.target, type, bad.body), bad.status, bad.code, bad.detail);
    CHECK(client.ask("GET", "/api/nodes").body == R"(["cache-node-1","cache-node-2","cache-node-3"])");
  }
  for (const std::string type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"})
    check_problem(client.ask("POST", nodes, type, R"({"nodes":[{"name":"a"}]})"), 415, "invalid_request",
                  "must be JSON");
  CHECK(client.ask("POST", nodes, "Content-Type: application/json; charset=utf-8\r\n", R"({"nodes":[{"name":"a"}]})")
            .status == 201);
  CHECK(client.ask("PUT", nodes).field("allow") == "GET, HEAD, POST, DELETE");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a HEAD has the fields of its GET and no body") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  HttpClient client(daemon.http_port());
  for (const std::string target : {"/", "/docs", "/redoc", "/openapi.json", "/api/nodes", "/api/get-node/user:123",
                                   "/api/v1/ping", "/api/v1/rings/default/node?key=a", "/api/nothing"}) {
    CAPTURE(target);
    const HttpReply get = client.ask("GET", target), head = client.ask("HEAD", target);
    CHECK(head.status == get.status);
    CHECK(head.field("content-length") == std::to_string(get.body.size()));
    for (const std::string field : {"content-type", "location", "x-chash-epoch"})
      CHECK(head.field(field) == get.field(field));
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a request that is never finished is refused when its time is over") {
  Daemon daemon({.initial_nodes = seed_nodes()});
  const std::uint16_t port = daemon.http_port();
  HttpClient head(port), body(port);
  head.send("GET /api/nodes HTTP/1.1\r\nHost: loc");
  body.send("POST /api/nodes/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  for (HttpClient* client : {&head, &body}) {
    const auto reply = client->receive();
    REQUIRE(reply);
    check_problem(*reply, 408, "timeout", "not complete in time");
    CHECK(client->rest() == "");
  }
  check_serves(port);
}

TEST_CASE("the requests that other servers test with are refused or taken as they must be") {
  const auto material = test::shared_material("material/http/strict-1.json");
  if (!material) {
    MESSAGE(test::not_run("the requests of nine other servers' tests"));
    return;
  }
  Daemon daemon({.initial_nodes = seed_nodes()});
  const std::uint16_t port = daemon.http_port();
  std::size_t cases = 0;
  const json suite = json::parse(test::read_file(*material));
  for (const json& one : suite.at("cases")) {
    CAPTURE(one.at("name").get<std::string>());
    const std::string expect = one.at("expect");
    HttpClient client(port);
    client.send(protocol::base64_decode(one.at("raw").get<std::string>()).value());
    client.end_sending();
    std::string answers = client.rest();
    const auto first = take_reply(answers, false);
    ++cases;
    // What is cut short is not answered as if it were whole; what is refused is refused before it is routed.
    if (expect == "reject") CHECK((!first || (first->status >= 400 && first->status != 404 && first->status != 405)));
    if (expect == "wait") CHECK((!first || first->status >= 400));
    if (expect == "accept") CHECK((first && first->status != 400 && first->status != 501 && first->status != 505));
  }
  CHECK(cases == suite.at("cases").size());
  CHECK(cases >= 150);
  check_serves(port);
  CHECK(daemon.stop() == 0);
}
