#include "stage.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

#include "failure.h"
#include "net/client.h"
#include "processes.h"
#include "requests.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t start_patience_ns = 20'000'000'000;
constexpr auto end_patience = 10s;

// Runs `body` in a new process, which ends with it or with us.
template <class Body>
Child fork_child(Body body) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) fail_with_errno("cannot start a process");
  if (pid > 0) return Child(pid);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent) body();
  _exit(127);
}

Child start_program(const std::vector<std::string>& command) {
  const auto argv = c_strings(command);
  const auto variables = clean_environment();
  const auto environment = c_strings(variables);
  return fork_child([&] {
    const int nowhere = open("/dev/null", O_RDWR);
    for (const int standard : {0, 1, 2}) dup2(nowhere, standard);
    execve(argv.front(), argv.data(), environment.data());
  });
}

void echo_forever(int listener) {
  std::array<char, 64 * 1024> bytes;
  while (true) {
    const Fd connection(accept(listener, nullptr, nullptr));
    const int no_delay = 1;
    setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    for (ssize_t size; (size = read(connection.get(), bytes.data(), bytes.size())) > 0;)
      if (write(connection.get(), bytes.data(), static_cast<std::size_t>(size)) != size) break;
  }
}

std::vector<std::string> command(const std::filesystem::path& directory, const std::vector<std::string>& options) {
  std::filesystem::create_directories(directory);
  const auto below = [&](const char* name) { return (directory / name).string(); };
  std::ofstream(below("chashd.toml")) << "# in place of one that the machine may have\n";
  std::vector<std::string> words{(own_directory() / "chashd").string()};
  const auto add = [&](const std::string& option, const std::string& value) {
    words.insert(words.end(), {option, value});
  };
  add("--config", below("chashd.toml"));
  add("--socket", below("sock"));
  add("--state-dir", below("state"));
  add("--log-dir", below("log"));
  add("--http", "127.0.0.1:0");
  for (const chash::Node& node : seed_ring().nodes) add("--initial-node", node.name);
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

template <class Where>
Fd listen_on(int family, const Where& where) {
  Fd listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
      listen(listener.get(), 8) != 0)
    fail_with_errno("cannot listen");
  return listener;
}

}  // namespace

Scratch::Scratch(const std::filesystem::path& parent) {
  std::string name = (parent / "chash-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail_with_errno("cannot make a directory in " + parent.string());
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path own_directory() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

// --- Processes -------------------------------------------------------------------------------------------------------

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

Child::~Child() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + end_patience;
  while (!has_ended()) {
    if (std::chrono::steady_clock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(1ms);
  }
}

bool Child::has_ended() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ <= 0;
}

// --- The daemon ------------------------------------------------------------------------------------------------------

Daemon::Daemon(std::filesystem::path directory, const std::vector<std::string>& options)
    : directory_(std::move(directory)), command_(command(directory_, options)) {
  started_at_ = now_ns();
  child_ = start_program(command_);
  wait_until_ready();
  start_ns_ = now_ns() - started_at_;
  constexpr std::string_view scheme = "http://127.0.0.1:";
  for (const std::string& listener : status().listeners)
    if (listener.starts_with(scheme))
      http_port_ = static_cast<std::uint16_t>(std::stoi(listener.substr(scheme.size())));
}

void Daemon::wait_until_ready() {
  while (true) {
    if (child_.has_ended()) fail("chashd did not start; this shows why: " + joined(command_));
    if (now_ns() - started_at_ > start_patience_ns) fail("chashd is not ready in time");
    auto client = chash::net::Client::connect(chash::net::SocketEndpoint{socket().path}, {});
    if (client && client->call(chash::protocol::Ping::Request{})) return;
    std::this_thread::sleep_for(50us);
  }
}

chash::protocol::AnyResponse Daemon::ask(const chash::protocol::AnyRequest& request) const {
  auto client = chash::net::Client::connect(chash::net::SocketEndpoint{socket().path}, {});
  if (!client) fail(client.error().message);
  auto response = client->call(request);
  if (!response) fail(response.error().message);
  return std::move(*response);
}

chash::protocol::Status::Response Daemon::status() const {
  return std::get<chash::protocol::Status::Response>(ask(chash::protocol::Status::Request{}));
}

void Daemon::remove_nodes(const std::vector<std::string>& names) const {
  chash::protocol::RemoveNodes::Request request;
  request.nodes = names;
  request.if_exists = true;
  ask(request);
}

void Daemon::empty_logs() const {
  std::error_code ignored;
  std::filesystem::resize_file(directory_ / "log" / "api.log", 0, ignored);
}

// --- The echo --------------------------------------------------------------------------------------------------------

Echo::Echo(Fd listener, Address address)
    : address_(std::move(address)), child_(fork_child([&] { echo_forever(listener.get()); })) {}

Echo Echo::on_socket(const std::filesystem::path& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  path.string().copy(where.sun_path, sizeof where.sun_path - 1);
  return {listen_on(AF_UNIX, where), {path.string(), 0}};
}

Echo Echo::on_tcp() {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd listener = listen_on(AF_INET, where);
  socklen_t size = sizeof where;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&where), &size);
  return {std::move(listener), {{}, ntohs(where.sin_port)}};
}

}  // namespace bench
