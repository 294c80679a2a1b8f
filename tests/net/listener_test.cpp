// Where chashd listens: addresses as people write them, and Unix sockets that replace a dead daemon's and nothing else.
#include "net/listener.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace chash::net {
namespace {

namespace fs = std::filesystem;

struct Scratch {
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "chash-listen-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string operator/(const std::string& name) const { return path + '/' + name; }
  std::string path;
};

Error refusal(const std::string& path) {
  asio::io_context context;
  const auto acceptor = listen_unix(context, path);
  REQUIRE_FALSE(acceptor);
  return acceptor.error();
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// 0, or why nobody answers there.
int try_to_connect(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un address = address_of(path);
  const int outcome = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  close(descriptor);
  return outcome;
}

// A bound socket with nobody behind it, as kill -9 leaves it.
void leave_stale_socket(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(descriptor);
  REQUIRE(try_to_connect(path) == ECONNREFUSED);
}

mode_t mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

// --- HTTP addresses -------------------------------------------------------------------------------------------------

TEST_CASE("listener: an HTTP address is an IP literal and a port") {
  struct Row {
    std::string_view text;
    std::string_view host;
    std::uint16_t port;
    bool is_loopback;
  };
  for (const Row& row : std::vector<Row>{
           {"127.0.0.1:8000", "127.0.0.1", 8000, true},
           {"127.0.0.1:0", "127.0.0.1", 0, true},
           {"127.255.0.7:65535", "127.255.0.7", 65535, true},
           {"localhost:8000", "127.0.0.1", 8000, true},
           {"0.0.0.0:80", "0.0.0.0", 80, false},
           {"192.0.2.7:1", "192.0.2.7", 1, false},
           {"128.0.0.1:1", "128.0.0.1", 1, false},
           {"[::1]:8000", "::1", 8000, true},
           {"[::]:8000", "::", 8000, false},
           {"[2001:db8::7]:8000", "2001:db8::7", 8000, false},
           {"[::ffff:127.0.0.1]:8000", "::ffff:127.0.0.1", 8000, false},
           {"127.0.0.1:08000", "127.0.0.1", 8000, true},
       }) {
    CAPTURE(row.text);
    const auto address = parse_http_address(row.text);
    REQUIRE(address);
    CHECK(address->host == row.host);
    CHECK(address->port == row.port);
    CHECK(address->is_loopback() == row.is_loopback);
  }
}

TEST_CASE("listener: what is no HTTP address is refused and repeated") {
  for (const std::string& text : std::vector<std::string>{"",
                                                          ":",
                                                          ":8000",
                                                          "127.0.0.1",
                                                          "127.0.0.1:",
                                                          "127.0.0.1:http",
                                                          "127.0.0.1:65536",
                                                          "127.0.0.1:99999999999999999999",
                                                          "127.0.0.1:-1",
                                                          "127.0.0.1:+80",
                                                          "127.0.0.1: 80",
                                                          "127.0.0.1:80 ",
                                                          " 127.0.0.1:80",
                                                          "127.0.0.1:0x50",
                                                          "127.0.0.1:8.0",
                                                          "127.1:80",
                                                          "127.0.0.256:80",
                                                          "0127.0.0.1:80",
                                                          "2130706433:80",
                                                          "1.2.3:80",
                                                          "1.2.3.4.5:80",
                                                          "*:80",
                                                          "example.com:80",
                                                          "localhost",
                                                          "LOCALHOST:80",
                                                          "localhost.:80",
                                                          "::1:8000",
                                                          "::1",
                                                          "[::1]",
                                                          "[::1]:",
                                                          "[::1:80",
                                                          "::1]:80",
                                                          "[:80",
                                                          "]:80",
                                                          "[]:80",
                                                          "[127.0.0.1]:80",
                                                          "[localhost]:80",
                                                          "[::1]]:80",
                                                          "[[::1]]:80",
                                                          "[::1] :80",
                                                          "[:::]:80",
                                                          "[12345::]:80",
                                                          "http://127.0.0.1:80",
                                                          "127.0.0.1:80/",
                                                          "unix:/tmp/x"}) {
    CAPTURE(text);
    const auto address = parse_http_address(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == Errc::invalid_argument);
    CHECK(address.error().message == "'" + text + "' is not an address to listen on");
    CHECK_FALSE(address.error().hint.empty());
  }
}

TEST_CASE("listener: an address is not cut at a NUL") {
  CHECK_FALSE(parse_http_address(std::string("127.0.0.1\0.example:80", 20)));
}

TEST_CASE("listener: the system chooses a port for 0") {
  asio::io_context context;
  const auto acceptor = listen_tcp(context, {"127.0.0.1", 0});
  REQUIRE(acceptor);
  CHECK(acceptor->local_endpoint().port() != 0);
  const auto foreign = listen_tcp(context, {"192.0.2.7", 0});  // an address that no machine has
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::invalid_argument);
}

TEST_CASE("listener: a port in use is a conflict") {
  asio::io_context context;
  const auto first = listen_tcp(context, {"127.0.0.1", 0});
  REQUIRE(first);
  const std::uint16_t port = first->local_endpoint().port();
  const auto second = listen_tcp(context, {"127.0.0.1", port});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::conflict);
  CHECK(second.error().message ==
        "cannot listen on 127.0.0.1:" + std::to_string(port) + ": another program does already");
  CHECK(listen_tcp(context, {"127.0.0.2", port}));
}

// --- The Unix socket ------------------------------------------------------------------------------------------------

TEST_CASE("listener: everybody may connect to the Unix socket, and its folder is made") {
  const Scratch scratch;
  const std::string path = scratch / "run/chash/chashd.sock";
  asio::io_context context;
  const mode_t mask = umask(0027);  // as the daemon has it
  umask(mask);
  const auto acceptor = listen_unix(context, path);
  REQUIRE(acceptor);
  CHECK(mode_of(path) == 0666);
  CHECK(fs::is_socket(path));
  CHECK(try_to_connect(path) == 0);
  const mode_t unchanged = umask(mask);
  CHECK(unchanged == mask);
}

TEST_CASE("listener: a folder that was made for the socket lets everybody through") {
  const Scratch scratch;
  const mode_t mask = umask(0027);  // as the daemon has it
  asio::io_context context;
  const auto acceptor = listen_unix(context, scratch / "run/chash/chashd.sock");
  umask(mask);
  REQUIRE(acceptor);
  CHECK((mode_of(scratch / "run/chash") & 0005) == 0005);
  CHECK((mode_of(scratch / "run/chash") & 0022) == 0);
}

TEST_CASE("listener: a socket path may have 107 bytes") {
  const Scratch scratch;
  const auto path_of = [&](std::size_t size) {
    return scratch.path + '/' + std::string(size - scratch.path.size() - 1, 's');
  };
  asio::io_context context;
  CHECK(listen_unix(context, path_of(107)));
  CHECK(try_to_connect(path_of(107)) == ECONNREFUSED);  // that very name was bound, and nobody listens any more
  const Error error = refusal(path_of(108));
  CHECK(error.code == Errc::invalid_argument);
  CHECK(error.message == "the socket path has 108 bytes; the system takes 107");
  CHECK_FALSE(fs::exists(path_of(108)));
  CHECK(refusal(path_of(5000)).code == Errc::invalid_argument);
}

TEST_CASE("listener: what a dead daemon left is replaced") {
  const Scratch scratch;
  const std::string path = scratch / "s";
  leave_stale_socket(path);
  asio::io_context context;
  CHECK(listen_unix(context, path));  // and left behind by its end
  CHECK(fs::is_socket(path));
  const auto again = listen_unix(context, path);
  REQUIRE(again);
  CHECK(try_to_connect(path) == 0);
}

TEST_CASE("listener: a daemon that answers is left alone, and told by its pid") {
  const Scratch scratch;
  const std::string path = scratch / "s";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t other = fork();
  if (other == 0) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    const bool ok = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    listen(descriptor, 8) == 0;
    if (write(ready[1], ok ? "y" : "n", 1) != 1) _exit(1);
    while (true) pause();
  }
  char answer = 0;
  CHECK(read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  close(ready[0]);
  close(ready[1]);
  const Error error = refusal(path);
  CHECK(error.code == Errc::conflict);
  CHECK(error.message == "a daemon with pid " + std::to_string(other) + " is already listening on " + path);
  CHECK(try_to_connect(path) == 0);

  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  asio::io_context context;
  CHECK(listen_unix(context, path));
}

// Listens, and has as many waiting as it takes.
struct Crowded {
  explicit Crowded(const std::string& path) {
    const sockaddr_un address = address_of(path);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listening, 0) == 0);
    int outcome = 0;
    while (outcome == 0 && waiting.size() < 100) {
      waiting.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      outcome = connect(waiting.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    REQUIRE(outcome != 0);
  }
  ~Crowded() {
    for (const int descriptor : waiting) close(descriptor);
    close(listening);
  }
  Crowded(const Crowded&) = delete;
  Crowded& operator=(const Crowded&) = delete;
  int listening = -1;
  std::vector<int> waiting;
};

TEST_CASE("listener: a daemon that is too busy to answer is left alone, too") {
  const Scratch scratch;
  const Crowded crowded(scratch / "s");
  const Error error = refusal(scratch / "s");
  CHECK(error.code == Errc::conflict);
  CHECK(fs::is_socket(scratch / "s"));
}

TEST_CASE("listener: a daemon that is too busy to answer has no pid that we could tell") {
  const Scratch scratch;
  const Crowded crowded(scratch / "s");
  CHECK(refusal(scratch / "s").message.find("pid 0") == std::string::npos);
}

TEST_CASE("listener: what is no socket is never removed") {
  const Scratch scratch;
  std::ofstream(scratch / "file") << "precious";
  fs::create_directory(scratch / "folder");
  fs::create_symlink(scratch / "file", scratch / "link");
  fs::create_symlink(scratch / "nowhere", scratch / "dangling");
  leave_stale_socket(scratch / "stale");
  fs::create_symlink(scratch / "stale", scratch / "link-to-socket");
  REQUIRE(mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  for (const char* name : {"file", "folder", "link", "dangling", "link-to-socket", "fifo"}) {
    CAPTURE(name);
    const Error error = refusal(scratch / name);
    CHECK(error.code == Errc::conflict);
    CHECK(error.message == (scratch / name) + " is there already and is not a socket");
    CHECK(fs::symlink_status(scratch / name).type() != fs::file_type::not_found);
  }
  std::ifstream in(scratch / "file");
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "precious");
  CHECK(fs::is_socket(scratch / "stale"));
  CHECK_FALSE(fs::exists(scratch / "nowhere"));
}

TEST_CASE("listener: a folder in which everybody can replace files is no place for the socket") {
  const Scratch scratch;
  fs::create_directory(scratch / "open");
  for (const mode_t mode : {0777, 0773, 0702}) {
    REQUIRE(chmod((scratch / "open").c_str(), mode) == 0);
    const Error error = refusal(scratch / "open/s");
    CHECK(error.code == Errc::denied);
    CHECK(error.message == "everybody can replace files in " + (scratch / "open"));
    CHECK_FALSE(fs::exists(scratch / "open/s"));
  }
  asio::io_context context;
  for (const mode_t mode : {01777, 0775, 0755, 0700}) {  // as /tmp, shared by a group, and one's own
    REQUIRE(chmod((scratch / "open").c_str(), mode) == 0);
    CHECK(listen_unix(context, scratch / "open/s"));
  }
}

TEST_CASE("listener: a folder that is none is refused") {
  const Scratch scratch;
  std::ofstream(scratch / "file") << "precious";
  CHECK(refusal(scratch / "file/s").message == "cannot listen on " + (scratch / "file/s") + ": Not a directory");
}

}  // namespace
}  // namespace chash::net
