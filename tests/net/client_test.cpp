#include "net/client.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "net/fake_peer.h"
#include "protocol/codec.h"

namespace chash::net {
namespace {

using namespace std::chrono_literals;
using protocol::AddNodes;
using protocol::AnyRequest;
using protocol::GetNode;
using protocol::GetNodes;
using protocol::Ping;
using test::Conversation;
using test::FakePeer;
using test::http_reply;
using Kind = FakePeer::Kind;
using Script = FakePeer::Script;

const std::string pong_object = R"({"version":"9.8.7","protocol":1,"pid":42})";
const std::string pong_line = R"({"ok":)" + pong_object + "}\n";

const AnyRequest ping{Ping::Request{}};
const AnyRequest add{AddNodes::Request{{}, "default", {{"a", 1}}, false}};

ClientOptions patient() { return {.connect_timeout = 60s, .timeout = 60s, .token = {}, .trace = {}}; }
ClientOptions hurried() { return {.connect_timeout = 60s, .timeout = 50ms, .token = {}, .trace = {}}; }

Client connected(const FakePeer& peer, ClientOptions options = patient()) {
  auto client = Client::connect(peer.endpoint(), std::move(options));
  REQUIRE(client.has_value());
  return std::move(*client);
}

void check_pong(const Result<protocol::AnyResponse>& reply) {
  REQUIRE(reply.has_value());
  const auto* pong = std::get_if<Ping::Response>(&*reply);
  REQUIRE(pong != nullptr);
  CHECK(pong->version == "9.8.7");
  CHECK(pong->pid == 42);
}

void check_error(const Result<protocol::AnyResponse>& reply, Errc code, const std::string& part_of_message) {
  REQUIRE_FALSE(reply.has_value());
  CHECK(info(reply.error().code).name == info(code).name);
  CAPTURE(reply.error().message);
  CHECK(reply.error().message.find(part_of_message) != std::string::npos);
}

Script answer_lines(const std::string& reply, int times) {
  return [=](Conversation& talk) {
    for (int i = 0; i < times; ++i) {
      talk.read_line();
      talk.write(reply);
    }
    talk.wait_for_close();
  };
}

Script answer_http(const std::string& reply, int times) {
  return [=](Conversation& talk) {
    for (int i = 0; i < times; ++i) {
      talk.read_http_request();
      talk.write(reply);
    }
    talk.wait_for_close();
  };
}

// --- The socket ---------------------------------------------------------------------------------------------------

TEST_CASE("client: a call is one line there and one line back") {
  std::promise<std::string> received;
  const FakePeer peer(Kind::socket, {[&](Conversation& talk) {
                        received.set_value(talk.read_line());
                        talk.write(pong_line);
                        talk.wait_for_close();
                      }});
  check_pong(connected(peer).call(ping));
  CHECK(received.get_future().get() == R"({"op":"ping"})");
}

TEST_CASE("client: one connection serves many calls") {
  const FakePeer peer(Kind::socket, {answer_lines(pong_line, 3)});
  Client client = connected(peer);
  for (int i = 0; i < 3; ++i) check_pong(client.call(ping));
}

TEST_CASE("client: a reply that comes byte by byte is put together") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) {
                        talk.read_line();
                        for (const char c : pong_line) talk.write({&c, 1});
                        talk.wait_for_close();
                      }});
  check_pong(connected(peer).call(ping));
}

TEST_CASE("client: replies that come together are told apart") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) {
                        talk.read_line();
                        talk.read_line();
                        talk.write(pong_line + R"({"error":{"code":"not_found","message":"no ring 'x'"}})" + '\n');
                        talk.wait_for_close();
                      }});
  Client client = connected(peer);
  REQUIRE(client.send(ping).has_value());
  REQUIRE(client.send(ping).has_value());
  check_pong(client.receive());
  check_error(client.receive(), Errc::not_found, "no ring 'x'");
}

TEST_CASE("client: batches larger than any buffer do not wait for each other") {
  GetNodes::Request request;
  for (int i = 0; i < 1000; ++i) request.keys.push_back({std::string(2000, 'k')});
  GetNodes::Response response{"default", 1, {1000, {std::string(2000, 'n')}}};
  std::string reply;
  protocol::encode_reply(protocol::AnyResponse(response), reply);
  // Answers before it reads on, as a daemon does that takes no more requests until its answers are taken.
  const FakePeer peer(Kind::socket, {answer_lines(reply, 3)});
  Client client = connected(peer);
  REQUIRE(client.send(request).has_value());
  REQUIRE(client.send(request).has_value());
  REQUIRE(client.send(request).has_value());
  for (int i = 0; i < 3; ++i) {
    const auto answered = client.receive();
    REQUIRE(answered.has_value());
    CHECK(std::get<GetNodes::Response>(*answered).owners == response.owners);
  }
}

TEST_CASE("client: what the daemon refuses keeps its code, message and hint") {
  const std::string refusal = R"({"error":{"code":"conflict","message":"node 'a' is already in the ring","hint":"h"}})"
                              "\n";
  const FakePeer peer(Kind::socket, {answer_lines(refusal, 1)});
  const auto reply = connected(peer).call(add);
  check_error(reply, Errc::conflict, "node 'a' is already in the ring");
  CHECK(reply.error().hint == "h");
}

TEST_CASE("client: a question without an answer times out") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) { talk.wait_for_close(); }});
  Client client = connected(peer, hurried());
  check_error(client.call(ping), Errc::timeout, "did not answer within 50ms");
  // The answer may still come, and would be taken for that of the next question.
  CHECK_FALSE(client.call(ping).has_value());
}

TEST_CASE("client: half an answer times out too") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) {
                        talk.write(R"({"ok":)");
                        talk.wait_for_close();
                      }});
  check_error(connected(peer, hurried()).call(ping), Errc::timeout, "did not answer");
}

TEST_CASE("client: the outcome of a change without an answer is unknown") {
  const FakePeer silent(Kind::socket, {[](Conversation& talk) { talk.wait_for_close(); }});
  const auto late = connected(silent, hurried()).call(add);
  check_error(late, Errc::timeout, "the outcome of 'add' is unknown");
  CHECK(late.error().hint.find("chash list") != std::string::npos);

  const FakePeer gone(Kind::socket, {[](Conversation& talk) { talk.read_line(); }});
  check_error(connected(gone).call(add), Errc::timeout, "the outcome of 'add' is unknown");
}

TEST_CASE("client: a daemon that closes early is unreachable") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) { talk.read_line(); }});
  check_error(connected(peer).call(ping), Errc::unreachable, "the daemon closed the connection");
}

TEST_CASE("client: what a daemon says before it closes is heard") {
  for (const AnyRequest& request : {ping, add}) {
    const FakePeer peer(Kind::socket, {[](Conversation& talk) {
                          talk.write("{\"error\":{\"code\":\"busy\",\"message\":\"too many connections\"}}\n");
                        }});
    Client client = connected(peer);
    check_error(client.call(request), Errc::busy, "too many connections");
  }
}

TEST_CASE("client: a connection that was closed while idle is made anew, also for a change") {
  for (const AnyRequest& second : {ping, add}) {
    std::promise<void> ended;
    const FakePeer peer(Kind::socket, {[&](Conversation& talk) {
                                         talk.read_line();
                                         talk.write(pong_line);
                                         talk.end();
                                         ended.set_value();
                                       },
                                       answer_lines("{\"error\":{\"code\":\"denied\",\"message\":\"no\"}}\n", 1)});
    Client client = connected(peer);
    check_pong(client.call(ping));
    ended.get_future().wait();
    check_error(client.call(second), Errc::denied, "no");
  }
}

TEST_CASE("client: what is no answer of a chashd is named so") {
  for (const std::string garbage : {"HTTP/1.1 400 Bad Request\r\n\r\n", "\n", "hello\n", "\xff\xfe\x01\n"}) {
    CAPTURE(garbage);
    const FakePeer peer(Kind::socket, {answer_lines(garbage, 1)});
    check_error(connected(peer).call(ping), Errc::internal, "does not answer as chashd does");
  }
  for (const std::string garbage : {"{}\n", "{\"ok\":3}\n", "{\"ok\":{}}\n", "{\"ok\":{\"version\":1}}\n"}) {
    CAPTURE(garbage);
    const FakePeer peer(Kind::socket, {answer_lines(garbage, 1)});
    const auto reply = connected(peer).call(ping);
    REQUIRE_FALSE(reply.has_value());
  }
}

TEST_CASE("client: an answer without end does not fill memory") {
  const FakePeer peer(Kind::socket, {[](Conversation& talk) {
                        const std::string piece(1024 * 1024, 'x');
                        for (int i = 0; i < 80; ++i) talk.write(piece);
                      }});
  check_error(connected(peer).call(ping), Errc::internal, "longer than 64 MiB");
}

TEST_CASE("client: a socket that is not there, or that nobody serves, is unreachable") {
  const std::string directory = test::make_directory();
  const auto connect_to = [](const std::string& path) { return Client::connect(SocketEndpoint{path}, patient()); };

  auto nobody = connect_to(directory + "/none");
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().code == Errc::unreachable);
  CHECK(nobody.error().message == "cannot reach chashd at " + directory + "/none: no such file");
  CHECK(nobody.error().hint.find("systemctl start chashd") != std::string::npos);

  std::ofstream(directory + "/file") << "x";
  auto refused = connect_to(directory + "/file");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::unreachable);
  CHECK(refused.error().message.find("connection refused") != std::string::npos);

  CHECK(connect_to(directory + "/file/below").error().code == Errc::unreachable);
  CHECK(connect_to("").error().code == Errc::invalid_argument);
  CHECK(connect_to("/" + std::string(200, 'a')).error().code == Errc::invalid_argument);
  std::filesystem::remove_all(directory);
}

TEST_CASE("client: connecting to a daemon that accepts nobody times out") {
  const std::string directory = test::make_directory();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (directory + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener, 0) == 0);

  const ClientOptions options{.connect_timeout = 50ms, .timeout = 60s, .token = {}, .trace = {}};
  std::vector<Client> waiting;
  for (;;) {
    auto client = Client::connect(SocketEndpoint{directory + "/s"}, options);
    if (!client) {
      CHECK(client.error().code == Errc::timeout);
      CHECK(client.error().message.find("within 50ms") != std::string::npos);
      break;
    }
    REQUIRE(waiting.size() < 100);
    waiting.push_back(std::move(*client));
  }
  ::close(listener);
  std::filesystem::remove_all(directory);
}

TEST_CASE("client: the trace has all that is sent and received") {
  const FakePeer peer(Kind::socket, {answer_lines(pong_line, 1)});
  std::string sent, received;
  ClientOptions options = patient();
  options.trace = [&](std::string_view direction, std::string_view bytes) {
    (direction == ">" ? sent : received) += bytes;
  };
  check_pong(connected(peer, options).call(ping));
  CHECK(sent == "{\"op\":\"ping\"}\n");
  CHECK(received == pong_line);
}

// --- HTTP ----------------------------------------------------------------------------------------------------------

TEST_CASE("client over HTTP: a question is a GET with its fields in path and query") {
  std::promise<std::string> received;
  const FakePeer peer(Kind::http, {[&](Conversation& talk) {
                        received.set_value(talk.read_http_request());
                        talk.write(http_reply(200, R"({"ring":"r","epoch":7,"node":"a","nodes":["a"]})"));
                        talk.wait_for_close();
                      }});
  const auto reply = connected(peer).call(GetNode::Request{"r", {"user:1"}, 1});
  REQUIRE(reply.has_value());
  CHECK(std::get<GetNode::Response>(*reply).node == "a");
  const std::string request = received.get_future().get();
  CAPTURE(request);
  CHECK(request.starts_with("GET /api/v1/rings/r/node?key=user%3A1&n=1 HTTP/1.1\r\n"));
  CHECK(request.find("\r\nHost: " + std::get<HttpEndpoint>(peer.endpoint()).authority + "\r\n") != std::string::npos);
  CHECK(request.find("Content-Length") == std::string::npos);
}

TEST_CASE("client over HTTP: a change carries its body, its length and the token, which the trace does not show") {
  std::promise<std::string> received;
  const FakePeer peer(Kind::http, {[&](Conversation& talk) {
                        received.set_value(talk.read_http_request());
                        talk.write(http_reply(201, R"({"ring":"default","epoch":2,"previous_epoch":1,"added":["a"]})"));
                        talk.wait_for_close();
                      }});
  std::string traced;
  ClientOptions options = patient();
  options.token = "s3cret";
  options.trace = [&](std::string_view, std::string_view bytes) { traced += bytes; };
  const auto reply = connected(peer, options).call(add);
  REQUIRE(reply.has_value());
  CHECK(std::get<AddNodes::Response>(*reply).epoch == 2);
  const std::string request = received.get_future().get();
  CHECK(request.find("\r\nAuthorization: Bearer s3cret\r\n") != std::string::npos);
  CHECK(request.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(request.ends_with(R"({"nodes":[{"name":"a","weight":1.0}]})"));
  CHECK(traced.find("Bearer ***") != std::string::npos);
  CHECK(traced.find("s3cret") == std::string::npos);
}

TEST_CASE("client over HTTP: a connection is kept, and made anew after the server ended it") {
  const Script closing = [](Conversation& talk) {
    talk.read_http_request();
    talk.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(pong_object.size()) + "\r\n\r\n" + pong_object);
  };
  const FakePeer peer(Kind::http, {closing, answer_http(http_reply(200, pong_object), 2)});
  Client client = connected(peer);
  for (int i = 0; i < 3; ++i) check_pong(client.call(ping));
}

TEST_CASE("client over HTTP: questions that were sent ahead follow one another") {
  const FakePeer peer(Kind::http, {answer_http(http_reply(200, pong_object), 3)});
  Client client = connected(peer);
  for (int i = 0; i < 3; ++i) REQUIRE(client.send(ping).has_value());
  for (int i = 0; i < 3; ++i) check_pong(client.receive());
}

TEST_CASE("client over HTTP: every way to frame a body is understood") {
  std::string chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char c : pong_object) chunked += std::string("1\r\n") + c + "\r\n";
  chunked += "0\r\n\r\n";
  const FakePeer pieces(Kind::http, {answer_http("HTTP/1.1 100 Continue\r\n\r\n" + chunked, 2)});
  Client client = connected(pieces);
  check_pong(client.call(ping));
  check_pong(client.call(ping));

  const FakePeer until_close(Kind::http, {[](Conversation& talk) {
                               talk.read_http_request();
                               talk.write("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + pong_object);
                             }});
  check_pong(connected(until_close).call(ping));
}

TEST_CASE("client over HTTP: a problem document is the daemon's own error") {
  const std::string problem =
      protocol::encode_problem(make_error(Errc::empty_ring, "ring 'default' has no node", "add one"), 503);
  const FakePeer peer(Kind::http, {answer_http(http_reply(503, problem, "application/problem+json"), 1)});
  const auto reply = connected(peer).call(ping);
  check_error(reply, Errc::empty_ring, "ring 'default' has no node");
  CHECK(reply.error().hint == "add one");
}

TEST_CASE("client over HTTP: what a proxy or another server says is not taken for the daemon's word") {
  struct Case {
    int status;
    AnyRequest request;
    Errc code;
  };
  for (const auto& [status, request, code] :
       {Case{404, ping, Errc::internal}, Case{200, ping, Errc::internal}, Case{401, ping, Errc::unauthorized},
        Case{403, add, Errc::denied}, Case{502, ping, Errc::unreachable}, Case{503, add, Errc::busy},
        Case{504, ping, Errc::timeout}, Case{502, add, Errc::timeout}}) {
    CAPTURE(status);
    const FakePeer peer(Kind::http, {answer_http(http_reply(status, "<html>no</html>", "text/html"), 1)});
    const auto reply = connected(peer).call(request);
    REQUIRE_FALSE(reply.has_value());
    CHECK(info(reply.error().code).name == info(code).name);
  }
}

TEST_CASE("client over HTTP: silence, an early end and garbage") {
  const FakePeer silent(Kind::http, {[](Conversation& talk) { talk.wait_for_close(); }});
  check_error(connected(silent, hurried()).call(ping), Errc::timeout, "did not answer");
  const FakePeer changed(Kind::http, {[](Conversation& talk) { talk.wait_for_close(); }});
  check_error(connected(changed, hurried()).call(add), Errc::timeout, "is unknown");

  const FakePeer gone(Kind::http, {[](Conversation& talk) { talk.read_http_request(); }});
  check_error(connected(gone).call(ping), Errc::unreachable, "closed the connection");
  const FakePeer half(Kind::http, {[](Conversation& talk) {
                        talk.read_http_request();
                        talk.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
                      }});
  check_error(connected(half).call(ping), Errc::unreachable, "closed the connection");

  const FakePeer garbage(Kind::http, {answer_http("SSH-2.0-OpenSSH_9.2\r\n", 1)});
  check_error(connected(garbage).call(ping), Errc::internal, "not HTTP");
}

}  // namespace
}  // namespace chash::net
