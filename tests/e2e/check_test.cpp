// check: whether daemons agree.
#include <doctest/doctest.h>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr int unreachable = 4, differs = 10;

std::string url_of(const Daemon& daemon) { return "http://127.0.0.1:" + std::to_string(daemon.http_port()); }

}  // namespace

TEST_CASE(
    "check tells that daemons agree, over sockets and URLs, and one operand is compared with the daemon asked else") {
  Daemon one({.initial_nodes = seed_nodes()}), other({.initial_nodes = seed_nodes()});
  const Shell shell(one);
  const std::string print = json::parse(shell.ask({"ring", "show", "--json"})).at("fingerprint");
  const std::string tail = "\tdefault\t1\t" + print + "\n";
  CHECK(shell.ask({"check", other.socket()}) == one.socket() + tail + other.socket() + tail);
  CHECK(shell.ask({"check", url_of(one), url_of(other)}) == url_of(one) + tail + url_of(other) + tail);
  CHECK(shell.ask({"check", other.socket(), "--format", "{ring}={epoch}"}) == "default=1\ndefault=1\n");
  CHECK(shell.ask({"check", other.socket(), "-o", "table"}).starts_with("DAEMON"));
  const json all = json::parse(shell.ask({"check", other.socket(), "--json"}));
  CHECK(all.at("agree") == true);
  CHECK(all.at("rings").size() == 2);
  CHECK(all.at("rings").at(1) ==
        json{{"daemon", other.socket()}, {"ring", "default"}, {"epoch", 1}, {"fingerprint", print}});
  CHECK(one.stop() == 0);
  CHECK(other.stop() == 0);
}

TEST_CASE("check names the ring that differs and who has what, and looks at one ring if it is told to") {
  Daemon one({.initial_nodes = seed_nodes(), .http = false}), other({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(one), there(other);
  // The same nodes at another epoch.
  there.ask({"add", "x", "-q"});
  there.ask({"remove", "x", "-q"});
  const Outcome epochs = shell.run({"check", other.socket()});
  CHECK(epochs.status == differs);
  CHECK(epochs.err == "chash: ring 'default' places keys alike, but its epochs differ: epoch 1 in " + one.socket() +
                          "; epoch 3 in " + other.socket() + "\n");
  // Other nodes at the same epoch.
  shell.ask({"add", "y", "-q"});
  shell.ask({"add", "z", "-q"});
  const Outcome nodes = shell.run({"check", other.socket()});
  CHECK(nodes.status == differs);
  CHECK(contains(nodes.err, "ring 'default' differs: epoch 3 with fingerprint "));
  CHECK(contains(nodes.err, one.socket()));
  CHECK(contains(nodes.err, other.socket()));
  // A ring that is missing, and one that is the same.
  shell.ask({"ring", "create", "web", "--nodes", "a", "-q"});
  const Outcome missing = shell.run({"check", "-r", "web", other.socket()});
  CHECK(missing.status == differs);
  CHECK(contains(missing.out, other.socket() + "\tweb\t-\t-\n"));
  CHECK(contains(missing.err, "ring 'web' differs: there is none in " + other.socket()));
  CHECK_FALSE(contains(missing.out, "default"));
  there.ask({"ring", "create", "web", "--nodes", "a", "-q"});
  const json web = json::parse(shell.run({"check", "--json", "-r", "web", other.socket()}).out);
  const bool same_epoch = web.at("rings").at(0).at("epoch") == web.at("rings").at(1).at("epoch");
  CHECK(web.at("agree") == same_epoch);
  const Outcome both = shell.run({"check", "--json", other.socket()});
  CHECK(both.status == differs);
  CHECK(json::parse(both.out).at("different").at(0) == "default");
  // The variable means what the option means.
  const Outcome by_variable =
      run_program({CHASH_PROGRAM, "-s", one.socket(), "check", other.socket()}, "", {"CHASH_RING=web"});
  CHECK_FALSE(contains(by_variable.out, "default"));
  CHECK(shell.run({"check", "-r", "nowhere", other.socket()}).status == 3);
  CHECK(one.stop() == 0);
  CHECK(other.stop() == 0);
}

TEST_CASE("check asks the others when one is unreachable, and says so") {
  Daemon one({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(one);
  const std::string nothing = one.dir() / "nothing";
  for (const Words& operands : std::vector<Words>{{nothing}, {nothing, one.socket()}, {one.socket(), nothing}}) {
    Words words{"check"};
    words.insert(words.end(), operands.begin(), operands.end());
    const Outcome some = shell.run(words);
    CHECK(some.status == unreachable);
    CHECK(some.out.starts_with(one.socket() + "\tdefault\t1\t"));
    CHECK(contains(some.err, nothing));
  }
  const Outcome all = shell.run({"check", "--json", nothing, "http://127.0.0.1:1"});
  CHECK(all.status == unreachable);
  CHECK(all.out == "");
  const Outcome some = shell.run({"check", "--json", nothing});
  CHECK(some.status == unreachable);
  CHECK(json::parse(some.out).at("agree") == false);
  CHECK(json::parse(some.out).at("unreachable") == json{nothing});
  for (const Words& words :
       std::vector<Words>{{"check"}, {"check", ""}, {"check", "ftp://x"}, {"check", "https://x"}}) {
    const Outcome refused = shell.run(words);
    CHECK(refused.status == 2);
    CHECK(refused.out == "");
  }
  CHECK(one.stop() == 0);
}
