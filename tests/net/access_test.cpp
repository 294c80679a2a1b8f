// Who may change the ring: by the kernel's word on a Unix socket, by --http-writes over HTTP.
#include "net/access.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chash::net {
namespace {

namespace fs = std::filesystem;

struct Scratch {
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "chash-access-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    REQUIRE(chmod(path.c_str(), 0755) == 0);
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

// --- The Unix socket ------------------------------------------------------------------------------------------------

constexpr uid_t daemon_uid = 990;
constexpr gid_t chash_gid = 991;
constexpr uid_t alice = 1000;

TEST_CASE("access: root, the daemon's own user and members of the group may change the ring, and nobody else") {
  struct Row {
    const char* who;
    PeerCredentials peer;
    bool may;
    bool may_without_group;  // where the system has no group chash
  };
  const std::vector<Row> rows{
      {"root", {0, 0, 1, {}}, true, true},
      {"root with no group", {0, alice, 1, {}}, true, true},
      {"the daemon's user", {daemon_uid, 5, 1, {}}, true, true},
      {"the group as primary", {alice, chash_gid, 1, {}}, true, false},
      {"the group as supplementary", {alice, alice, 1, {4, 27, chash_gid}}, true, false},
      {"the group as both", {alice, chash_gid, 1, {chash_gid}}, true, false},
      {"another user", {alice, alice, 1, {}}, false, false},
      {"another user in other groups", {alice, alice, 1, {4, 27, chash_gid + 1}}, false, false},
      {"another user in root's group", {alice, 0, 1, {0}}, false, false},
      {"a user whose number is the group's", {chash_gid, alice, 1, {}}, false, false},
      {"a user in a group with the daemon's number", {alice, daemon_uid, 1, {daemon_uid}}, false, false},
      {"nobody", {65534, 65534, 1, {65534}}, false, false},
      {"the highest user", {4294967294U, 4294967294U, 1, {}}, false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.who);
    CHECK(refuse_change(SocketPolicy{daemon_uid, chash_gid}, row.peer).has_value() == !row.may);
    CHECK(refuse_change(SocketPolicy{daemon_uid, std::nullopt}, row.peer).has_value() == !row.may_without_group);
  }
}

TEST_CASE("access: a denied change says who, why, and what to do") {
  const auto error = refuse_change(SocketPolicy{daemon_uid, chash_gid}, {alice, alice, 4711, {}});
  REQUIRE(error);
  CHECK(*error ==
        Error{Errc::denied,
              "uid 1000 may not change the ring: it is neither root, nor the daemon's user, nor in group chash",
              "sudo usermod -aG chash $USER, then log in again"});
  CHECK(describe({alice, alice, 4711, {}}) == "uid 1000, pid 4711");
}

TEST_CASE("access: the policy of this process has its effective user, and the group if the system has it") {
  const SocketPolicy policy = socket_policy_of_this_process();
  CHECK(policy.daemon_uid == geteuid());
  const group* const entry = getgrnam(std::string(access_group).c_str());
  CHECK(policy.group.has_value() == (entry != nullptr));
  if (entry != nullptr) CHECK(*policy.group == entry->gr_gid);
}

TEST_CASE("access: over a socket pair the peer is this process, with its groups") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const auto peer = peer_credentials(ends[0]);
  close(ends[0]);
  close(ends[1]);
  REQUIRE(peer);
  CHECK(peer->uid == geteuid());
  CHECK(peer->gid == getegid());
  CHECK(peer->pid == getpid());
  std::vector<gid_t> own(static_cast<std::size_t>(getgroups(0, nullptr)));
  REQUIRE(getgroups(static_cast<int>(own.size()), own.data()) == static_cast<int>(own.size()));
  std::vector<gid_t> seen = peer->groups;
  std::ranges::sort(own);
  std::ranges::sort(seen);
  CHECK(seen == own);
}

TEST_CASE("access: what is no socket has no credentials") {
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto peer = peer_credentials(descriptor);
  close(descriptor);
  REQUIRE_FALSE(peer);
  CHECK(peer.error().code == Errc::internal);
  CHECK_FALSE(peer_credentials(-1));
}

// Connects to `path` as this user, from a process that is gone before it is looked at. Returns its pid, or 0.
pid_t connect_as(const std::string& path, uid_t uid, gid_t gid, const std::vector<gid_t>& groups) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const pid_t child = fork();
  if (child == 0) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool ok = setgroups(groups.size(), groups.data()) == 0 && setresgid(gid, gid, gid) == 0 &&
                    setresuid(uid, uid, uid) == 0 &&
                    connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    _exit(ok ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0 ? child : 0;
}

TEST_CASE("access: who connects to a listening socket is known by user, group and supplementary groups") {
  if (geteuid() != 0) {
    MESSAGE("NOT RUN: only root can be somebody else");
    return;
  }
  const Scratch scratch;
  const std::string path = scratch / "s";
  const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(chmod(path.c_str(), 0666) == 0);
  REQUIRE(listen(listening, 8) == 0);

  std::vector<gid_t> crowd;  // more than fit the first try
  for (gid_t gid = 30'000; gid < 30'500; ++gid) crowd.push_back(gid);
  std::vector<gid_t> crowd_with_ours = crowd;
  crowd_with_ours.push_back(chash_gid);

  struct Row {
    uid_t uid;
    gid_t gid;
    std::vector<gid_t> groups;
    bool may;
  };
  for (const Row& row : std::vector<Row>{{0, 0, {}, true},
                                         {daemon_uid, alice, {}, true},
                                         {alice, chash_gid, {}, true},
                                         {alice, alice, {chash_gid}, true},
                                         {alice, alice, {4, 27, chash_gid}, true},
                                         {alice, alice, crowd_with_ours, true},
                                         {alice, alice, crowd, false},
                                         {alice, alice, {}, false},
                                         {65534, 65534, {4}, false}}) {
    CAPTURE(row.uid);
    CAPTURE(row.gid);
    CAPTURE(row.groups.size());
    const pid_t pid = connect_as(path, row.uid, row.gid, row.groups);
    REQUIRE(pid > 0);
    const int accepted = accept(listening, nullptr, nullptr);
    const auto peer = peer_credentials(accepted);
    close(accepted);
    REQUIRE(peer);
    CHECK(peer->uid == row.uid);
    CHECK(peer->gid == row.gid);
    CHECK(peer->pid == pid);
    std::vector<gid_t> groups = row.groups;
    std::ranges::sort(groups);  // as the kernel keeps them
    CHECK(peer->groups == groups);
    CHECK(refuse_change(SocketPolicy{daemon_uid, chash_gid}, *peer).has_value() == !row.may);
  }
  close(listening);
}

// --- HTTP -----------------------------------------------------------------------------------------------------------

using Header = std::optional<std::string_view>;

std::optional<Errc> http_refusal(const HttpPolicy& policy, bool from_loopback, Header authorization) {
  const auto error = refuse_change(policy, from_loopback, authorization);
  if (!error) return std::nullopt;
  CHECK_FALSE(error->message.empty());
  CHECK_FALSE(error->hint.empty());
  CHECK((error->message + error->hint).find("correct-horse") == std::string::npos);  // never the token
  return error->code;
}

TEST_CASE("access: with --http-writes loopback the address decides, whatever the headers say") {
  const HttpPolicy policy{HttpWrites::loopback, ""};
  for (const Header header : {Header(), Header("Bearer x"), Header("")}) {
    CHECK_FALSE(http_refusal(policy, true, header));
    CHECK(http_refusal(policy, false, header) == Errc::denied);
  }
}

TEST_CASE("access: with --http-writes off nobody changes anything over HTTP") {
  for (const bool from_loopback : {true, false})
    for (const Header header : {Header(), Header("Bearer correct-horse-battery")})
      CHECK(http_refusal({HttpWrites::off, "correct-horse-battery"}, from_loopback, header) == Errc::denied);
}

TEST_CASE("access: with --http-writes token only the very token opens, from anywhere") {
  const HttpPolicy policy{HttpWrites::token, "correct-horse-battery"};
  for (const bool from_loopback : {true, false}) {
    CHECK_FALSE(http_refusal(policy, from_loopback, "Bearer correct-horse-battery"));
    CHECK(http_refusal(policy, from_loopback, std::nullopt) == Errc::unauthorized);
    for (const std::string& header : std::vector<std::string>{"",
                                                              "Bearer",
                                                              "Bearer ",
                                                              "Bearer  correct-horse-battery",
                                                              "Bearer correct-horse-batter",
                                                              "Bearer correct-horse-batterz",
                                                              "Bearer dorrect-horse-battery",
                                                              "Bearer correct-horse-battery ",
                                                              "Bearer correct-horse-batteryy",
                                                              "Bearer correct-horse-batterycorrect-horse-battery",
                                                              "Bearer CORRECT-HORSE-BATTERY",
                                                              "Bearer c",
                                                              "correct-horse-battery",
                                                              "Basic correct-horse-battery",
                                                              "Token correct-horse-battery",
                                                              " Bearer correct-horse-battery",
                                                              "Bearer\tcorrect-horse-battery",
                                                              "Bearer correct-horse-battery, Bearer x",
                                                              std::string("Bearer correct-horse-battery\0", 29),
                                                              std::string("Bearer \0", 8),
                                                              "Bearer " + std::string(100'000, 'c')}) {
      CAPTURE(header);
      CHECK(http_refusal(policy, from_loopback, header) == Errc::unauthorized);
    }
  }
}

TEST_CASE("access: a daemon whose token is empty takes no token, not even an empty one") {
  for (const Header header : {Header("Bearer "), Header("Bearer x"), Header()})
    CHECK(http_refusal({HttpWrites::token, ""}, true, header) == Errc::unauthorized);
}

// --- The token file -------------------------------------------------------------------------------------------------

std::string token_file(const Scratch& scratch, const std::string& text, mode_t mode = 0600) {
  const std::string path = scratch / "token";
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(chmod(path.c_str(), mode) == 0);
  return path;
}

TEST_CASE("access: a token is the first line of its file, of any ending") {
  const Scratch scratch;
  const std::string token = "0123456789abcdef";
  for (const std::string& text :
       {token, token + "\n", token + "\r\n", token + "\r\n\r\n", token + "\nsecond line\n", token + "\r"}) {
    const auto read = read_token(token_file(scratch, text));
    REQUIRE(read);
    CHECK(*read == token);
  }
  const std::string long_one(1000, 'x');
  CHECK(*read_token(token_file(scratch, long_one + "\n")) == long_one);
}

TEST_CASE("access: a token shorter than 16 bytes is refused") {
  const Scratch scratch;
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("123456789abcdef\n"), std::string("\n0123456789abcdef\n"),
        std::string("short\n0123456789abcdef\n"), std::string("123456789abcdef\r\n")}) {
    const auto read = read_token(token_file(scratch, text));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::invalid_argument);
    CHECK(read.error().message ==
          "the token file " + (scratch / "token") + " has fewer than 16 bytes in its first line");
    CHECK_FALSE(read.error().hint.empty());
  }
}

TEST_CASE("access: a token file that others may read, write or execute is refused and a group may read it") {
  const Scratch scratch;
  const std::string text = "0123456789abcdef\n";
  for (const mode_t mode : {0604, 0602, 0601, 0644, 0666, 0777}) {
    CAPTURE(mode);
    const auto read = read_token(token_file(scratch, text, mode));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::invalid_argument);
    CHECK(read.error().hint == "chmod o= " + (scratch / "token"));
    CHECK(read.error().message.find("0123456789abcdef") == std::string::npos);
  }
  for (const mode_t mode : {0400, 0600, 0440, 0640}) CHECK(read_token(token_file(scratch, text, mode)));
}

TEST_CASE("access: a token file that is missing or no file is named") {
  const Scratch scratch;
  const auto missing = read_token(scratch / "missing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message ==
        "the token file " + (scratch / "missing") + " cannot be read: No such file or directory");
  const auto folder = read_token(scratch.path);
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message.find(scratch.path) != std::string::npos);
}

}  // namespace
}  // namespace chash::net
