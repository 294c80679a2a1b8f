#include "net/client_endpoint.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "net/fake_peer.h"
#include "net/socket_path.h"

namespace chash::net {
namespace {

// Variables of the environment for the length of a test; those named without a value are unset.
class Variables {
 public:
  struct Variable {
    std::string name;
    std::optional<std::string> value;
  };
  Variables(std::initializer_list<Variable> wanted) {
    for (const auto& [name, value] : wanted) {
      const char* before = std::getenv(name.c_str());
      before_[name] = before == nullptr ? std::nullopt : std::optional<std::string>(before);
      set(name, value);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : before_) set(name, value);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static void set(const std::string& name, const std::optional<std::string>& value) {
    if (value) ::setenv(name.c_str(), value->c_str(), 1);
    else ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> before_;
};

HttpEndpoint http(std::string_view url) {
  const auto endpoint = parse_url(url);
  REQUIRE(endpoint.has_value());
  return std::get<HttpEndpoint>(*endpoint);
}

TEST_CASE("endpoint: a URL gives host, port, authority and prefix") {
  CHECK(http("http://127.0.0.1:8000") == HttpEndpoint{"127.0.0.1", "8000", "127.0.0.1:8000", ""});
  CHECK(http("http://localhost") == HttpEndpoint{"localhost", "80", "localhost", ""});
  CHECK(http("http://localhost/") == HttpEndpoint{"localhost", "80", "localhost", ""});
  CHECK(http("http://[::1]:65535/") == HttpEndpoint{"::1", "65535", "[::1]:65535", ""});
  CHECK(http("http://[fe80::1%eth0]") == HttpEndpoint{"fe80::1%eth0", "80", "[fe80::1%eth0]", ""});
  CHECK(http("http://proxy:81/chash/here//") == HttpEndpoint{"proxy", "81", "proxy:81", "/chash/here"});
}

TEST_CASE("endpoint: what is no URL of a chashd is refused") {
  for (const std::string url : {"",           "localhost:8000",   "ftp://a",          "http://",        "http:///",
                                "http://:80", "http://a:",        "http://a:0",       "http://a:65536", "http://a:80x",
                                "http://a b", "http://user@host", "http://a/?q",      "http://a#f",     "http://[::1",
                                "http://[x]", "http://[::1]x",    "http://a\r\nX: y", "http://a/b\nc",  "HTTP://a"}) {
    CAPTURE(url);
    const auto endpoint = parse_url(url);
    REQUIRE_FALSE(endpoint.has_value());
    CHECK(endpoint.error().code == Errc::invalid_argument);
    CHECK(endpoint.error().message.find_first_of("\r\n") == std::string::npos);
  }
  CHECK(parse_url("https://a").error().message.find("TLS") != std::string::npos);
}

TEST_CASE("endpoint: it is described as it was given") {
  CHECK(describe(SocketEndpoint{"/run/x"}) == "/run/x");
  CHECK(describe(*parse_url("http://[::1]:8000/p")) == "http://[::1]:8000/p");
}

TEST_CASE("socket path: a daemon started by systemd, by root and by a user") {
  const bool root = ::geteuid() == 0;
  const std::string system = "/run/chash/chashd.sock";
  {
    const Variables variables{{"RUNTIME_DIRECTORY", "/run/a:/run/b"}};
    CHECK(daemon_socket_path() == "/run/a/chashd.sock");
  }
  const Variables none{{"RUNTIME_DIRECTORY", {}}, {"XDG_RUNTIME_DIR", {}}, {"XDG_STATE_HOME", {}}, {"HOME", {}}};
  CHECK(daemon_socket_path() == system);
  const Variables home{{"HOME", "/home/u"}};
  CHECK(daemon_socket_path() == (root ? system : "/home/u/.local/state/chash/chashd.sock"));
  const Variables state{{"XDG_STATE_HOME", "/state"}};
  CHECK(daemon_socket_path() == (root ? system : "/state/chash/chashd.sock"));
  const Variables runtime{{"XDG_RUNTIME_DIR", "/run/user/1"}};
  CHECK(daemon_socket_path() == (root ? system : "/run/user/1/chash/chashd.sock"));
}

TEST_CASE("socket path: a client finds a daemon of its own before the system's") {
  const std::string directory = test::make_directory();
  const std::string own = directory + "/run/chash/chashd.sock", state = directory + "/state/chash/chashd.sock";
  const Variables variables{
      {"XDG_RUNTIME_DIR", directory + "/run"}, {"XDG_STATE_HOME", directory + "/state"}, {"HOME", "relative"}};
  CHECK(socket_search_path() == std::vector<std::string>{own, state, "/run/chash/chashd.sock"});
  CHECK(default_socket_path() == "/run/chash/chashd.sock");
  std::filesystem::create_directories(directory + "/state/chash");
  std::ofstream(state) << "";
  CHECK(default_socket_path() == state);
  std::filesystem::create_directories(directory + "/run/chash");
  std::ofstream(own) << "";
  CHECK(default_socket_path() == own);
  std::filesystem::remove_all(directory);

  const Variables relative{{"XDG_RUNTIME_DIR", "run"}, {"XDG_STATE_HOME", {}}};
  CHECK(socket_search_path() == std::vector<std::string>{"/run/chash/chashd.sock"});
}

}  // namespace
}  // namespace chash::net
