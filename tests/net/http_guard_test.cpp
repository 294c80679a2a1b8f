#include "net/http_guard.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "net/http_parser.h"
#include "shared_material.h"

namespace chash::net {
namespace {

const GuardPolicy policy{{"known.example", "198.51.100.7", "2001:db8::7"}, "opsbox"};

HttpRequest request_to(std::string_view host, std::string_view target = "/") {
  return {"GET", std::string(target), 1, {{"host", std::string(host)}}, "", true, false};
}

int host_status(const HttpRequest& request, std::string_view local_address = "127.0.0.1") {
  const auto failure = guard_host(request, local_address, policy);
  return failure ? failure->status : 200;
}

int origin_status(std::string_view method, std::vector<HttpField> fields, std::string_view host = "127.0.0.1:8640") {
  HttpRequest request{std::string(method), "/", 1, std::move(fields), "", true, false};
  request.fields.insert(request.fields.begin(), {"host", std::string(host)});
  const auto failure = guard_origin(request);
  return failure ? failure->status : 200;
}

// What becomes of bytes: 0 if they are no request, else the first guard that refuses, else 200.
int status_of(std::string_view raw) {
  HttpParser parser;
  parser.feed(raw);
  if (parser.state() == HttpParser::State::failed) return parser.failure().status;
  if (parser.state() != HttpParser::State::complete) return 0;
  const HttpRequest request = parser.take();
  if (const auto failure = guard_host(request, "127.0.0.1", policy)) return failure->status;
  if (const auto failure = guard_origin(request)) return failure->status;
  return 200;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace

TEST_CASE("http guard: a host that no foreign page can choose passes") {
  for (const std::string_view host : {"localhost",
                                      "LocalHost.",
                                      "a.localhost",
                                      "A.B.LOCALHOST.:1",
                                      "localhost:65535",
                                      "127.0.0.1",
                                      "127.255.255.255",
                                      "[::1]",
                                      "[0:0:0:0:0:0:0:1]:80",
                                      "[::ffff:127.0.0.1]",
                                      "[::ffff:7f00:1]",
                                      "10.0.0.1",
                                      "10.255.255.255",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.168.0.1",
                                      "169.254.1.1",
                                      "[fc00::1]",
                                      "[fdff::1]",
                                      "[fe80::1]",
                                      "[febf::1]",
                                      "opsbox",
                                      "OPSBOX.:8640",
                                      "known.example:8640",
                                      "Known.Example.",
                                      "198.51.100.7",
                                      "[2001:db8::7]",
                                      "[2001:DB8:0::7]:1"}) {
    CAPTURE(host);
    CHECK(host_status(request_to(host)) == 200);
  }
}

TEST_CASE("http guard: any other host is misdirected") {
  for (const std::string_view host : {"",
                                      ":8640",
                                      "evil.example",
                                      "localhost.evil.example",
                                      "notlocalhost",
                                      ".localhost",
                                      "localhost..",
                                      "127.0.0.1.",
                                      "127.0.0.1.nip.io",
                                      "0.0.0.0",
                                      "[::]",
                                      "[::ffff:0.0.0.0]",
                                      "127.1",
                                      "127.0.1",
                                      "2130706433",
                                      "0x7f.1",
                                      "0x7f000001",
                                      "0177.0.0.1",
                                      "127.0.0.01",
                                      "127.0.0.256",
                                      "127.0.0.1.1",
                                      "[127.0.0.1]",
                                      "[::1%25lo]",
                                      "[::127.0.0.1]",
                                      "[64:ff9b::7f00:1]",
                                      "::1",
                                      "128.0.0.1",
                                      "11.0.0.1",
                                      "172.15.255.255",
                                      "172.32.0.0",
                                      "192.169.0.1",
                                      "169.255.0.1",
                                      "[fe00::1]",
                                      "[fec0::1]",
                                      "[fb00::1]",
                                      "[2001:db8::8]",
                                      "198.51.100.8",
                                      "localhost:0",
                                      "localhost:",
                                      "localhost:65536",
                                      "localhost:+80",
                                      "localhost:80:80",
                                      "localhost:80@evil.example",
                                      "user@localhost",
                                      "localhost,evil.example",
                                      "localhost evil.example",
                                      "evil.example#localhost",
                                      "localhost/",
                                      "opsbox.evil.example",
                                      "xn--lcalhost-54a",
                                      "known.example.evil.example",
                                      "known",
                                      "a\xff"}) {
    CAPTURE(host);
    CHECK(host_status(request_to(host)) == 421);
  }
}

TEST_CASE("http guard: the address that the client connected to passes, and only that") {
  CHECK(host_status(request_to("203.0.113.5:8640")) == 421);
  CHECK(host_status(request_to("203.0.113.5:8640"), "203.0.113.5") == 200);
  CHECK(host_status(request_to("203.0.113.5:8640"), "::ffff:203.0.113.5") == 200);
  CHECK(host_status(request_to("203.0.113.6:8640"), "203.0.113.5") == 421);
  CHECK(host_status(request_to("[2001:db8::1]"), "2001:db8::1") == 200);
  CHECK(host_status(request_to("[2001:db8::1]"), "2001:db8::1%eth0") == 200);
  CHECK(host_status(request_to("0.0.0.0"), "0.0.0.0") == 421);
  CHECK(host_status(request_to("203.0.113.5"), "") == 421);
  CHECK(host_status(request_to("localhost"), "") == 200);
}

TEST_CASE("http guard: a machine without a name knows no empty host") {
  CHECK(guard_host(request_to(""), "127.0.0.1", {{""}, ""}).has_value());
  CHECK(guard_host(request_to("."), "127.0.0.1", {{""}, ""}).has_value());
}

TEST_CASE("http guard: only HTTP/1.0 may do without a host") {
  HttpRequest request{"GET", "/", 0, {}, "", false, false};
  CHECK(host_status(request) == 200);
  request.target = "http://evil.example/";
  CHECK(host_status(request) == 421);
  request.minor_version = 1;
  request.target = "/";
  CHECK(host_status(request) == 421);
}

TEST_CASE("http guard: two hosts are no host") {
  HttpRequest request = request_to("localhost");
  request.fields.push_back({"host", "evil.example"});
  CHECK(host_status(request) == 421);
}

TEST_CASE("http guard: an absolute target must name the host that the Host field names") {
  CHECK(host_status(request_to("localhost:8640", "http://localhost:8640/api/nodes")) == 200);
  CHECK(host_status(request_to("localhost", "HTTP://LOCALHOST:80?a")) == 200);
  CHECK(host_status(request_to("localhost", "http://localhost:8640/")) == 421);
  CHECK(host_status(request_to("localhost", "http://evil.example/")) == 421);
  CHECK(host_status(request_to("evil.example", "http://localhost/")) == 421);
  CHECK(host_status(request_to("localhost", "http://127.0.0.1/")) == 421);
  CHECK(host_status(request_to("localhost", "http://u@localhost/")) == 421);
}

TEST_CASE("http guard: a reason names the host harmlessly and says what to do") {
  CHECK(guard_host(request_to("evil.example:80"), "", policy)->reason ==
        "this server does not answer to the host evil.example; ask for localhost or its address, or start chashd with "
        "--allow-host evil.example");
  CHECK(guard_host(request_to("a\x1b[2J"), "", policy)->reason ==
        "the host of the request, \"a\\x1b[2J\", is no name or address of a server; ask for localhost or the server's "
        "address");
  CHECK(guard_host(request_to(std::string(1000, 'a')), "", policy)->reason.size() < 400);
}

TEST_CASE("http guard: a change must not come from a page of another origin") {
  for (const std::string_view method : {"POST", "PUT", "DELETE", "PATCH"}) {
    CAPTURE(method);
    CHECK(origin_status(method, {}) == 200);
    CHECK(origin_status(method, {{"sec-fetch-site", "same-origin"}}) == 200);
    CHECK(origin_status(method, {{"sec-fetch-site", "none"}}) == 200);
    for (const std::string_view site : {"cross-site", "same-site", "", "None", "x"})
      CHECK(origin_status(method, {{"sec-fetch-site", std::string(site)}}) == 403);
    for (const std::string_view origin : {"http://127.0.0.1:8640", "HTTP://127.0.0.1:8640", "https://127.0.0.1:8640"})
      CHECK(origin_status(method, {{"origin", std::string(origin)}}) == 200);
    for (const std::string_view origin :
         {"", "null", "http://127.0.0.1", "http://127.0.0.1:8641", "http://evil.example", "ftp://127.0.0.1:8640",
          "file://", "127.0.0.1:8640", "http:/127.0.0.1:8640", "http://u@127.0.0.1:8640", "http://"})
      CHECK(origin_status(method, {{"origin", std::string(origin)}}) == 403);
  }
}

TEST_CASE("http guard: a port that is the scheme's own need not be said") {
  CHECK(origin_status("POST", {{"origin", "http://localhost"}}, "localhost:80") == 200);
  CHECK(origin_status("POST", {{"origin", "http://localhost:80"}}, "localhost") == 200);
  CHECK(origin_status("POST", {{"origin", "https://opsbox"}}, "OpsBox:443") == 200);
  CHECK(origin_status("POST", {{"origin", "https://opsbox"}}, "opsbox") == 200);
  CHECK(origin_status("POST", {{"origin", "http://localhost"}}, "localhost:443") == 403);
}

TEST_CASE("http guard: a Referer counts where there is no Origin") {
  CHECK(origin_status("POST", {{"referer", "http://127.0.0.1:8640/docs?x#y"}}) == 200);
  CHECK(origin_status("POST", {{"referer", "http://evil.example/127.0.0.1:8640"}}) == 403);
  CHECK(origin_status("POST", {{"referer", ""}}) == 403);
  CHECK(origin_status("POST", {{"referer", "http://evil.example/"}, {"origin", "http://127.0.0.1:8640"}}) == 200);
  CHECK(origin_status("POST", {{"referer", "http://127.0.0.1:8640/"}, {"origin", "http://evil.example"}}) == 403);
}

TEST_CASE("http guard: the first of two fields does not hide the second") {
  CHECK(origin_status("POST", {{"origin", "http://127.0.0.1:8640"}, {"origin", "http://evil.example"}}) == 403);
  CHECK(origin_status("POST", {{"sec-fetch-site", "none"}, {"sec-fetch-site", "cross-site"}}) == 403);
}

TEST_CASE("http guard: a change without a Host has no origin of its own") {
  HttpRequest request{"POST", "/", 0, {{"origin", "http://localhost"}}, "", false, false};
  CHECK(guard_origin(request)->status == 403);
  CHECK(origin_status("POST", {{"origin", "http://"}}, "") == 403);
  request.fields.clear();
  CHECK_FALSE(guard_origin(request).has_value());
}

TEST_CASE("http guard: reading is free of origins") {
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS"})
    CHECK(origin_status(method, {{"sec-fetch-site", "cross-site"}, {"origin", "null"}, {"referer", "x"}}) == 200);
}

TEST_CASE("http guard: what other guards are tested with gets the same verdicts") {
  const auto file = test::shared_material("material/http/browser-guards.json");
  if (!file) {
    MESSAGE(test::not_run("the 51 requests of browser-guards.json"));
    return;
  }
  static constexpr std::string_view self = "127.0.0.1:8640";
  const auto suite = nlohmann::json::parse(test::read_file(*file));
  const auto raw = [](const nlohmann::json& one, std::string_view host) {
    std::string text = one.value("method", "GET") + " / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n";
    if (one.contains("headers"))
      for (const auto& [name, value] : one.at("headers").items())
        text += name + ": " + replaced(value.get<std::string>(), "<self>", "http://" + std::string(self)) + "\r\n";
    return text + "\r\n";
  };
  int allowed = 0, refused = 0;
  const auto judge = [&](int status, bool allow) {
    CAPTURE(status);
    CHECK((status == 200) == allow);
    CHECK((status == 200 || status == 421 || status == 403 || status == 400));
    ++(status == 200 ? allowed : refused);
  };

  for (const auto& one : suite.at("hosts")) {
    std::string host = replaced(one.at("host"), "PORT", "8640");
    host = replaced(host, "<the machine's hostname>", policy.own_host_name);
    host = replaced(host, "<a name in --allow-host>", policy.allowed_hosts[0]);
    CAPTURE(host);
    judge(status_of(raw({{"method", "GET"}}, host)), one.at("allow"));
    judge(status_of(raw({{"method", "POST"}}, host)), one.at("allow"));
  }
  for (const auto& one : suite.at("cases")) {
    const std::string name = one.at("name"), method = one.at("method");
    CAPTURE(name);
    // There are no trusted origins here, so those are as foreign as others.
    const bool trusted = name.find("go: trusted origin") == 0;
    judge(status_of(raw(one, self)), one.at("go_status") == 200 && !trusted);
  }
  for (const auto& one : suite.at("extra")) {
    const std::string name = one.at("name");
    CAPTURE(name);
    const std::string text = one.contains("raw") ? replaced(one.at("raw"), "PORT", "8640") : raw(one, self);
    judge(status_of(text), one.at("allow"));
  }
  MESSAGE("allowed ", allowed, ", refused ", refused);
}

}  // namespace chash::net
