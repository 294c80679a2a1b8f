#include "harness.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "shared_material.h"
#include "wire.h"

namespace chash::e2e {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

// So that the settings of whoever runs the tests do not reach the programs under test.
constexpr std::array<const char*, 7> passed_on{"PATH",         "TMPDIR",       "LD_LIBRARY_PATH", "ASAN_OPTIONS",
                                               "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};

std::vector<char*> as_pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A file without a name, for the input and output of a program: unlike a pipe it never makes anybody wait.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes = {}) : descriptor_(memfd_create("chash-test", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail("memfd_create");
    while (!bytes.empty()) {
      const ssize_t size = ::write(descriptor_, bytes.data(), bytes.size());
      if (size < 0) fail("write");
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    lseek(descriptor_, 0, SEEK_SET);
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::string text() const {
    std::string all;
    std::array<char, 4096> piece;
    ssize_t size = 0;
    while ((size = pread(descriptor_, piece.data(), piece.size(), static_cast<off_t>(all.size()))) > 0)
      all.append(piece.data(), static_cast<std::size_t>(size));
    return all;
  }

 private:
  int descriptor_;
};

}  // namespace

ScratchDir::ScratchDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "chash-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) fail("mkdtemp " + pattern);
  chmod(pattern.c_str(), 0755);  // tests that are other users must get to the socket
  path_ = pattern;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void wait_until(std::string_view what, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("waited too long for " + std::string(what));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// --- One process -----------------------------------------------------------------------------------------------------

Process::Process(const Launch& launch) {
  std::vector<std::string> arguments = launch.arguments;
  std::vector<std::string> environment{"HOME=/nonexistent"};
  for (const char* name : passed_on)
    if (const char* value = std::getenv(name); value != nullptr) environment.push_back(std::string(name) + '=' + value);
  environment.insert(environment.end(), launch.environment.begin(), launch.environment.end());
  const std::vector<char*> argv = as_pointers(arguments), envp = as_pointers(environment);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {  // only what is safe in a copy of one thread of many
    const auto use = [&](int from, int to) { dup2(from < 0 ? nothing : from, to); };
    use(launch.input, STDIN_FILENO);
    use(launch.output, STDOUT_FILENO);
    use(launch.error, STDERR_FILENO);
    const uid_t user = launch.user.value_or(0);
    if (launch.user &&
        (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0))
      _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(argv.front(), argv.data(), envp.data());
    _exit(127);
  }
  close(nothing);
}

Process::~Process() {
  if (status_) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!status_ && ::kill(pid_, number) != 0) fail("kill");
}

std::optional<int> Process::status() {
  int raw = 0;
  if (!status_ && waitpid(pid_, &raw, WNOHANG) == pid_)
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return status_;
}

int Process::wait() {
  wait_until("a process to end", [&] { return status().has_value(); });
  return *status_;
}

Outcome run_program(std::vector<std::string> arguments, std::string_view input, std::vector<std::string> environment,
                    std::optional<uid_t> user) {
  const MemoryFile in(input), out, err;
  Process process(
      {std::move(arguments), std::move(environment), in.descriptor(), out.descriptor(), err.descriptor(), user});
  const int status = process.wait();
  return {status, out.text(), err.text()};
}

// --- The daemon ------------------------------------------------------------------------------------------------------

Daemon::Daemon(DaemonSettings settings) : settings_(std::move(settings)) {
  write_file(dir_ / "chashd.toml", "# nothing\n");  // else it would look for the one of this machine
  if (settings_.user && chown(dir_.path().c_str(), *settings_.user, *settings_.user) != 0) fail("chown");
  if (!start()) throw std::runtime_error("chashd ended with " + std::to_string(wait()) + ": " + console());
}

Daemon::~Daemon() {
  if (std::uncaught_exceptions() > 0) std::fprintf(stderr, "%s", console().c_str());
}

std::vector<std::string> Daemon::command_line() const {
  const std::string config = settings_.config.empty() ? dir_ / "chashd.toml" : settings_.config;
  std::vector<std::string> line{CHASHD_PROGRAM, "--config",  config,      "--socket",  socket(),
                                "--state-dir",  state_dir(), "--log-dir", dir_ / "log"};
  line.insert(line.end(), {"--http", settings_.http ? "127.0.0.1:0" : "off"});
  for (const std::string& node : settings_.initial_nodes) line.insert(line.end(), {"--initial-node", node});
  line.insert(line.end(), settings_.arguments.begin(), settings_.arguments.end());
  return line;
}

void Daemon::start_without_waiting() {
  const int console = open((dir_ / "console").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (console < 0) fail("console");
  process_.reset();
  process_.emplace(Launch{command_line(), settings_.environment, -1, console, console, settings_.user});
  close(console);
}

bool Daemon::start() {
  start_without_waiting();
  bool answers = false;
  wait_until("chashd to answer", [&] { return (answers = can_connect(socket())) || process_->status(); });
  return answers;
}

void Daemon::kill9() {
  process_->signal(SIGKILL);
  process_->wait();
}

int Daemon::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

std::string Daemon::log(std::string_view name) const {
  const std::string path = dir_ / "log/" + std::string(name);
  return std::filesystem::exists(path) ? test::read_file(path) : "";
}

std::string Daemon::console() const { return test::read_file(dir_ / "console"); }

std::uint16_t Daemon::http_port() const {
  const json status = LineClient(socket()).ask(R"({"op":"status"})").at("ok");
  for (const json& listener : status.at("listeners")) {
    const std::string text = listener.get<std::string>();
    if (text.starts_with("http://")) return static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
  }
  throw std::runtime_error("chashd has no HTTP address");
}

}  // namespace chash::e2e
