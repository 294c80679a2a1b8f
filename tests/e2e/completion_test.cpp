// Completion in the shells themselves, and the help and placeholders that go with it.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <map>
#include <sstream>

#include "harness.h"
#include "shell.h"

using namespace chash;
using namespace chash::e2e;

namespace {

// Where a shell is, if it is there; else it is said that it is not.
std::optional<std::string> find_shell(const std::string& name) {
  for (const std::string directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"})
    if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
  MESSAGE("NOT RUN: completion in " << name << ", which is not installed");
  return std::nullopt;
}

// So that the shell finds this chash, and it the daemon.
std::string set_up(const Daemon& daemon) {
  const std::string program = CHASH_PROGRAM;
  return "export PATH=" + program.substr(0, program.rfind('/')) + ":/usr/bin:/bin CHASH_SOCKET=" + daemon.socket() +
         "; cd " + daemon.dir().path() + "\n";
}

// A shell that somebody types into.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> shell) {
    int terminal = -1;
    REQUIRE(openpty(&keyboard_, &terminal, nullptr, nullptr, nullptr) == 0);
    fcntl(keyboard_, F_SETFD, FD_CLOEXEC);
    fcntl(keyboard_, F_SETFL, O_NONBLOCK);
    shell.insert(shell.begin(), {"/usr/bin/setsid", "--ctty", "--wait"});
    process_.emplace(Launch{std::move(shell), {"TERM=dumb"}, terminal, terminal, terminal, {}});
    close(terminal);
  }
  ~Terminal() { close(keyboard_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Types the line and a tab; the words that the shell then has, each in <>.
  std::string complete(const std::string& line) {
    // To the beginning of the line, and to its end: so that it is printed and not done.
    return type(line + "\t\x01printf '<%s>' \x05;echo :end\n", ">:end");
  }
  // What was shown before `end`, from the last line of that on.
  std::string type(const std::string& keys, const std::string& end) {
    shown_.clear();
    REQUIRE(write(keyboard_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    wait_until(end, [&] {
      std::array<char, 4096> buffer;
      for (ssize_t count = 0; (count = read(keyboard_, buffer.data(), buffer.size())) > 0;)
        shown_.append(buffer.data(), static_cast<std::size_t>(count));
      return contains(shown_, end);
    });
    const std::size_t at = shown_.rfind(end), start = shown_.rfind('\n', at);
    return shown_.substr(start + 1, at - start);
  }

 private:
  int keyboard_ = -1;
  std::string shown_;
  std::optional<Process> process_;
};

// The lines that every shell is to complete alike; a machine that is busy may have been too slow for the daemon's
// names.
void check_terminal(Terminal& terminal) {
  const std::map<std::string, std::string> completed{
      {"chash rem", "<chash><remove>"},
      {"chash compl\tf", "<chash><completion><fish>"},
      {"chash list --no", "<chash><list><--no-header>"},
      {"chash list --color=al", "<chash><list><--color=always>"},
      {"chash remove host", "<chash><remove><host:11211>"},
      {"chash remove host:1", "<chash><remove><host:11211>"},
      {"chash remove -- user@e", "<chash><remove><--><user@example>"},
      {"chash remove user@example h", "<chash><remove><user@example><host:11211>"},
      {"chash remove -r web onl", "<chash><remove><-r><web><only>"},
      {"chash list --ring=w", "<chash><list><--ring=web>"},
      {"chash ring show w", "<chash><ring><show><web>"},
      {"chash -s ./s verify kee", "<chash><-s><./s><verify><keep:it=here.txt>"},
      {"chash compare --from nginx-hash:@kee", "<chash><compare><--from><nginx-hash:@keep:it=here.txt>"},
      {"chash get-node hos", "<chash><get-node><hos>"},
      {"chash get-node kee", "<chash><get-node><kee>"},
      {"chash -s ./nothing remove hos", "<chash><-s><./nothing><remove><hos>"},
  };
  for (const auto& [line, expected] : completed) {
    CAPTURE(line);
    std::string got;
    for (int tries = 0; tries < 5 && got != expected; ++tries) got = terminal.complete(line);
    CHECK(got == expected);
  }
}

DaemonSettings with_names() { return {.initial_nodes = {"host:11211", "user@example", "plain"}, .http = false}; }

void prepare(const Daemon& daemon) {
  Shell(daemon).ask({"ring", "create", "web", "--nodes", "only", "-q"});
  write_file(daemon.dir() / "keep:it=here.txt", "");
}

}  // namespace

TEST_CASE("bash completes commands, options, values and the names that the daemon has") {
  const auto bash = find_shell("bash");
  if (!bash) return;
  Daemon daemon(with_names());
  prepare(daemon);
  write_file(daemon.dir() / "rc", set_up(daemon) + "PS1='$ '\nsource <(chash completion bash)\n");
  Terminal terminal({*bash, "--noprofile", "--rcfile", daemon.dir() / "rc", "-i"});
  check_terminal(terminal);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("zsh completes commands, options, values and the names that the daemon has") {
  const auto zsh = find_shell("zsh");
  if (!zsh) return;
  Daemon daemon(with_names());
  prepare(daemon);
  write_file(daemon.dir() / "rc", set_up(daemon) +
                                      "PS1='$ '\nbindkey -e\nautoload -U compinit\ncompinit -u -D\n"
                                      "source <(chash completion zsh)\n");
  Terminal terminal({*zsh, "-f", "-i"});
  terminal.type("source " + daemon.dir() / "rc" + "; printf '<>'; echo :end\n", "<>:end");
  check_terminal(terminal);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("fish completes commands, options, values and the names that the daemon has") {
  const auto fish = find_shell("fish");
  if (!fish) return;
  Daemon daemon(with_names());
  prepare(daemon);
  const auto complete = [&](const std::string& line) {
    const std::string script = set_up(daemon) + "chash completion fish | source; complete -C '" + line + "'";
    const std::string home = daemon.dir().path();
    const Outcome outcome =
        run_program({*fish, "--no-config", "-c", script}, "", {"XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home});
    std::istringstream lines(outcome.out);
    std::string words;
    for (std::string each; std::getline(lines, each);) words += each.substr(0, each.find('\t')) + ' ';
    return words;
  };
  const std::map<std::string, std::string> completed{
      {"chash rem", "remove "},
      {"chash completion f", "fish "},
      {"chash list --no", "--no-header "},
      {"chash list --color=al", "--color=always "},
      {"chash remove host:", "host:11211 "},
      {"chash remove -- user@e", "user@example "},
      {"chash remove -r web ", "only "},
      {"chash list --ring=w", "--ring=web "},
      {"chash ring show w", "web "},
      {"chash verify kee", "keep:it=here.txt "},
      {"chash plan --keys=kee", "--keys=keep:it=here.txt "},
      {"chash get-node hos", ""},
      {"chash get-node kee", ""},
      {"chash -s ./nothing remove hos", ""},
  };
  for (const auto& [line, expected] : completed) {
    CAPTURE(line);
    std::string got;
    for (int tries = 0; tries < 5 && got != expected; ++tries) got = complete(line);
    CHECK(got == expected);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("completion does not wait for a daemon that does not answer, and says nothing of it") {
  Daemon daemon(with_names());
  const Shell shell(daemon);
  const auto silent = [&](const Words& words) {
    Words all{CHASH_PROGRAM, "__complete", "--retry", "1000", "--socket", daemon.socket()};
    all.insert(all.end(), words.begin(), words.end());
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = run_program(all, "", {"CHASH_TIMEOUT=60s"});
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
    CHECK(outcome.status == 0);
    CHECK(outcome.err == "");
    return outcome.out;
  };
  daemon.signal(SIGSTOP);
  CHECK(silent({"remove", ""}) == "");
  CHECK(silent({"whatif", "--lose", ""}) == "each\t\n");  // what needs no daemon is there all the same
  daemon.signal(SIGCONT);
  CHECK(daemon.stop() == 0);
  CHECK(silent({"remove", ""}) == "");
  CHECK(silent({"--config", "/nonexistent", "remove", ""}) == "");
}

TEST_CASE("the names in templates that help lists are those that each command has") {
  Daemon daemon(with_names());
  const Shell shell(daemon);
  const std::map<std::string, Words> operands{
      {"get-node", {"--profile", "redis-cluster", "--nodes", "a", "--slot", "k"}},
      {"add", {"x"}},
      {"remove", {"plain"}},
      {"set", {"plain", "--weight", "2"}},
      {"weight", {"plain", "2"}},
      {"drain", {"plain"}},
      {"down", {"plain"}},
      {"up", {"plain"}},
      {"replace", {"plain", "other"}},
      {"unpin", {"k"}},
      {"plan", {"--add", "x"}},
      {"diff", {"1"}},
      {"apply", {"plan-0123456789abcdef"}},
      {"rollback", {"1"}},
      {"blame", {"k"}},
      {"whatif", {"--lose", "each"}},
      {"check", {daemon.socket()}},
  };
  const std::string help = shell.ask({"help", "formats"});
  std::istringstream lines(help.substr(help.find("NAMES IN TEMPLATES\n")));
  std::map<std::string, std::string> listed;
  std::string command;
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line) && !line.empty();) {
    if (line[2] != ' ') command = line.substr(2, line.find("  ", 2) - 2);
    std::istringstream names(line.substr(30));
    for (std::string name; names >> name;) listed[command] += (listed[command].empty() ? "{" : " {") + name + "}";
  }
  CHECK(listed.size() == 32);
  for (const auto& [name, names] : listed) {
    CAPTURE(name);
    Words words;
    std::istringstream split(name);
    for (std::string word; split >> word;) words.push_back(word);
    if (const auto more = operands.find(name); more != operands.end())
      words.insert(words.end(), more->second.begin(), more->second.end());
    words.insert(words.end(), {"--format", "{there_is_no_such_name}"});
    const Outcome refused = shell.run(words);
    CHECK(refused.status == 2);
    CHECK_MESSAGE(contains(refused.err, "the values are: " + names + "\n"), refused.err);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("help and completion scripts need neither settings nor a daemon") {
  const std::vector<std::string> environment{"CHASH_CONFIG=/nonexistent", "CHASH_SOCKET=/nonexistent"};
  const auto told = [&](Words words) {
    words.insert(words.begin(), CHASH_PROGRAM);
    const Outcome outcome = run_program(words, "", environment);
    CHECK(outcome.status == 0);
    CHECK(outcome.err == "");
    return outcome.out;
  };
  CHECK(told({"help"}) == told({"--help"}));
  CHECK(told({"help", "add"}) == told({"add", "--help"}));
  CHECK(contains(told({"help", "exit-codes"}), "over_budget"));
  CHECK(contains(told({"completion", "bash"}), "complete -F"));
  CHECK_FALSE(contains(told({"help"}), "__complete"));
  const Outcome unknown = run_program({CHASH_PROGRAM, "help", "format"}, "", environment);
  CHECK(unknown.status == 2);
  CHECK(unknown.out == "");
  CHECK(contains(unknown.err, "did you mean: formats"));
  CHECK(run_program({CHASH_PROGRAM, "completion", "tcsh"}, "", environment).status == 2);
}
