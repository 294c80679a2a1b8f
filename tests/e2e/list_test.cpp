// list: shares, and which nodes in which order.
#include <doctest/doctest.h>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

TEST_CASE("list has the share that distribution has, to the last digit, and a dash where only a sample tells it") {
  Daemon daemon({.initial_nodes = seed_nodes(), .http = false});
  const Shell shell(daemon);
  shell.ask({"ring", "create", "even", "--profile", "balanced", "--nodes", "a,b=3"});
  shell.ask({"ring", "create", "jump", "--profile", "jump", "--nodes", "a,b"});
  shell.ask({"ring", "create", "dark", "--nodes", "a,b"});
  shell.ask({"down", "-r", "dark", "a", "b"});
  for (const std::string ring : {"default", "even"}) {
    const std::string template_text = "{name} {share}";
    CHECK(shell.ask({"list", "-r", ring, "--format", template_text}) ==
          shell.ask({"distribution", "-r", ring, "--format", template_text}));
  }
  CHECK(shell.ask({"list", "-r", "even"}).ends_with("\t0.75\t\n"));
  CHECK(shell.ask({"list", "-r", "jump"}).ends_with("\tup\t-\t\n"));
  CHECK_FALSE(contains(shell.ask({"list", "-r", "jump", "--json"}), "share"));
  CHECK(shell.ask({"list", "-r", "jump", "--format", "{share}"}) == "nan\nnan\n");
  CHECK(shell.ask({"list", "-r", "dark"}) == "a\t1\t100\tdown\t0\t\nb\t1\t100\tdown\t0\t\n");
  CHECK(contains(shell.ask({"list", "-o", "table"}), "cache-node-1    1.00     100  up     36.27%\n"));
  CHECK(shell.run({"list", "-r", "jump", "--sort", "share"}).status == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("list sorts by share, name and weight, and leaves out nodes that are not as wanted") {
  Daemon daemon({.http = false});
  const Shell shell(daemon);
  shell.ask({"add", "b=2", "c=3", "a"});
  shell.ask({"set", "a", "b", "--label", "zone=eu"});
  shell.ask({"set", "b", "--label", "rack=r1"});
  shell.ask({"drain", "c"});
  const auto names = [&](Words words) {
    words.insert(words.begin(), {"list", "--format", "{name}"});
    return shell.ask(std::move(words));
  };
  CHECK(names({}) == "b\nc\na\n");
  CHECK(names({"--sort", "name"}) == "a\nb\nc\n");
  CHECK(names({"--sort", "weight"}) == "c\nb\na\n");
  CHECK(names({"--sort", "share"}) == "c\nb\na\n");
  CHECK(names({"--state", "up"}) == "b\na\n");
  CHECK(names({"--state", "drain"}) == "c\n");
  CHECK(names({"--state", "down"}).empty());
  CHECK(names({"--label", "zone=eu", "--sort", "name"}) == "a\nb\n");
  CHECK(names({"--label", "zone=eu", "--label", "rack=r1"}) == "b\n");
  CHECK(names({"--label", "rack="}) == "c\na\n");
  CHECK(json::parse(shell.ask({"list", "--state", "drain", "--json"})).at("nodes").size() == 1);
  for (const Words& wrong :
       std::vector<Words>{{"--sort", "size"}, {"--state", "gone"}, {"--label", "zone"}, {"--sort", ""}})
    CHECK(shell.run({"list", wrong[0], wrong[1]}).status == 2);
  CHECK(daemon.stop() == 0);
}
