// Pictures and shares of rings from the command line.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>

#include "harness.h"
#include "shell.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

struct Rings {
  Daemon daemon{{.initial_nodes = seed_nodes(), .http = false}};
  Shell shell{daemon};

  // With a terminal's variables, in a pipe.
  std::string drawn(Words words, const std::string& columns, const std::string& locale) const {
    words.insert(words.begin(), {CHASH_PROGRAM, "--timeout", "60s", "--socket", daemon.socket(), "-o", "table"});
    const Outcome outcome = run_program(std::move(words), {}, {"COLUMNS=" + columns, "LINES=24", "LC_ALL=" + locale});
    CHECK(outcome.status == 0);
    return outcome.out;
  }
};

}  // namespace

TEST_CASE("a drawn ring in a pipe is a strip of 64 cells and a legend that explains it") {
  Rings rings;
  const auto lines = lines_of(rings.shell.ask({"ring", "draw"}));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].size() == 64);
  CHECK(lines[0].find_first_not_of("ABC") == std::string::npos);
  // The daemon's own shares, by another way: what a plan to lose a node would move.
  std::map<std::string, double> shares;
  for (std::size_t i = 1; i < 4; ++i) {
    std::istringstream line(lines[i]);
    std::string mark, name, share;
    CHECK((std::getline(line, mark, '\t') && std::getline(line, name, '\t') && std::getline(line, share)));
    CHECK(mark == std::string(1, static_cast<char>('A' + i - 1)));
    shares[name] = std::stod(share);
    const json lost = json::parse(rings.shell.ask({"plan", "--remove", name, "--json"}));
    CHECK(lost.at("moved").get<double>() == doctest::Approx(shares[name]));
  }
  CHECK(shares.size() == 3);
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("a drawn ring's cells belong to the nodes that keys there have") {
  Rings rings;
  rings.shell.ask({"ring", "create", "slots", "--profile", "balanced", "--nodes", "a=1,b=1,c=2"});
  const json drawn = json::parse(rings.shell.ask({"-r", "slots", "--json", "ring", "draw"}));
  CHECK(drawn.at("ring") == "slots");
  CHECK(drawn.at("epoch") == 1);
  REQUIRE(drawn.at("cells").size() == 64);
  CHECK(drawn.at("nodes")[0] == json{{"name", "c"}, {"share", 0.5}});
  const json slots = json::parse(rings.shell.ask({"ring", "show", "slots", "--slots", "--json"}));
  const std::size_t cell_slots = slots.at("slots").size() / 64;
  for (std::size_t cell = 0; cell < 64; ++cell) {
    std::map<std::size_t, std::size_t> counts;
    for (std::size_t i = 0; i < cell_slots; ++i) ++counts[slots["slots"][cell * cell_slots + i].get<std::size_t>()];
    const auto most = std::ranges::max_element(counts, {}, [](const auto& pair) { return pair.second; });
    CHECK(drawn["cells"][cell] == slots["nodes"][most->first]["name"]);
  }
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("a drawn ring is as wide as its terminal, in dots or letters as that can show them") {
  Rings rings;
  for (const std::string columns : {"60", "80", "200"}) {
    for (const std::string locale : {"C", "C.UTF-8"}) {
      const std::string plain = rings.drawn({"ring", "draw", "--color", "never"}, columns, locale);
      CHECK(plain.find_first_of("\x1b\xe2") == std::string::npos);
      for (const std::string& line : lines_of(plain)) CHECK(line.size() <= std::stoul(columns));
      CHECK(lines_of(plain).size() <= 23);
      for (const std::string& name : seed_nodes()) CHECK(contains(plain, name));
      const std::string colored = rings.drawn({"ring", "draw", "--color", "always"}, columns, locale);
      CHECK(contains(colored, "\u28ff") == (locale == "C.UTF-8"));
      CHECK(contains(colored, "\x1b[38;5;33m"));
    }
  }
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("an SVG is written whole or not at all, and replaces nothing but files") {
  Rings rings;
  const std::string file = rings.daemon.dir() / "ring.svg";
  write_file(file, "what was there before");
  ::chmod(file.c_str(), 0640);
  CHECK(rings.shell.ask({"ring", "draw", "--svg", file}) == "drew default, epoch 1: 3 nodes, 300 points\n");
  const std::string svg = read_file(file);
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  struct stat status {};
  CHECK(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(rings.shell.ask({"ring", "draw", "--svg", "-"}) == svg);
  CHECK(rings.shell.ask({"-q", "ring", "draw", "--svg", file}) == "");
  // No other file is left beside it.
  for (const auto& entry : std::filesystem::directory_iterator(rings.daemon.dir().path()))
    CHECK_FALSE(entry.path().extension() == ".tmp");

  // A pipe stands for all that is no file: nobody wants to learn on a device that this fails.
  const std::string pipe = rings.daemon.dir() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const Outcome refused = rings.shell.run({"ring", "draw", "--svg", pipe});
  CHECK(refused.status == 2);
  CHECK(contains(refused.err, "no ordinary file"));
  CHECK(std::filesystem::is_fifo(pipe));
  const Outcome nowhere = rings.shell.run({"ring", "draw", "--svg", rings.daemon.dir() / "no/ring.svg"});
  CHECK(nowhere.status == 2);
  CHECK(contains(nowhere.err, "No such file or directory"));
  CHECK(nowhere.out == "");
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("a ring without a circle or without nodes is not drawn, and the reason is told") {
  Rings rings;
  rings.shell.ask({"ring", "create", "j", "--profile", "jump", "--nodes", "a,b,c"});
  rings.shell.ask({"ring", "create", "empty"});
  for (const std::string profile : {"envoy-maglev", "rendezvous,score=text", "nginx-hash"})
    rings.shell.run({"ring", "create", "x-" + profile.substr(0, 4), "--profile", profile, "--nodes", "a,b"});
  const Outcome jump = rings.shell.run({"ring", "draw", "j"});
  CHECK(jump.status == 2);
  CHECK(jump.out == "");
  CHECK(contains(jump.err, "'draw' needs a ring or balanced"));
  CHECK(contains(jump.err, "chash distribution -r j"));
  CHECK(rings.shell.run({"ring", "draw", "x-envo"}).status == 2);
  CHECK(rings.shell.run({"ring", "draw", "x-ngin"}).status == 2);
  CHECK(rings.shell.run({"ring", "draw", "empty"}).status == 7);
  CHECK(rings.shell.run({"ring", "draw", "missing"}).status == 3);
  CHECK(rings.shell.run({"ring", "draw", "--svg", "a", "--json"}).status == 2);
  CHECK(rings.shell.run({"ring", "list", "--svg", "a"}).status == 2);
  CHECK(rings.shell.run({"distribution", "-r", "empty"}).status == 7);
  CHECK(rings.shell.run({"distribution", "-r", "missing"}).status == 3);
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("a distribution tells the shares of all keys, and those of one's own") {
  Rings rings;
  rings.shell.ask({"add", "cache-node-4=2"});
  const json all = json::parse(rings.shell.ask({"distribution", "--json"}));
  CHECK(all.at("samples") == 0);
  REQUIRE(all.at("nodes").size() == 4);
  double sum = 0;
  for (const json& node : all["nodes"]) sum += node.at("share").get<double>();
  CHECK(sum == doctest::Approx(1));
  CHECK(all["nodes"][3]["ideal"] == 0.4);
  CHECK(rings.shell.ask({"distribution"}).starts_with("cache-node-1\t1\t0.2\t" + all["nodes"][0]["share"].dump()));
  CHECK(contains(rings.drawn({"distribution"}, "80", "C"), "max/mean 1."));

  // As many as get-node says, one by one.
  std::string keys;
  for (int i = 0; i < 3000; ++i) keys += "key:" + std::to_string(i) + '\n';
  std::map<std::string, std::uint64_t> counts;
  for (const std::string& node : lines_of(rings.shell.ask({"get-node", "--no-key", "-"}, keys))) ++counts[node];
  const json counted = json::parse(rings.shell.ask({"distribution", "--keys", "-", "--json"}, keys));
  CHECK(counted.at("keys") == 3000);
  for (const json& node : counted.at("nodes")) {
    CHECK(node.at("keys") == counts[node.at("name")]);
    CHECK(node.at("key_share").get<double>() * 3000 == doctest::Approx(node["keys"].get<double>()));
  }
  // A line that is no key is told and left out.
  const Outcome partly = rings.shell.run({"distribution", "--keys", "-", "--format", "{name} {keys}"}, "a\n\nb\n");
  CHECK(partly.status == 9);
  CHECK(contains(partly.err, "line 2: the key is empty"));
  CHECK(lines_of(partly.out).size() == 4);
  CHECK(rings.shell.run({"distribution", "--keys", rings.daemon.dir() / "none"}).status == 2);
  CHECK(rings.shell.run({"distribution", "-0"}).status == 2);
  CHECK(rings.daemon.stop() == 0);
}

TEST_CASE("a distribution of a ring without a circle is measured, and says so") {
  Rings rings;
  rings.shell.ask({"ring", "create", "j", "--profile", "jump", "--nodes", "a,b,c,d"});
  const Outcome measured = rings.shell.run({"distribution", "-r", "j"});
  CHECK(measured.status == 0);
  CHECK(contains(measured.err, "measured with 1000000 keys"));
  CHECK(lines_of(measured.out).size() == 4);
  const json all = json::parse(rings.shell.ask({"distribution", "-r", "j", "--json"}));
  CHECK(all.at("samples") == 1'000'000);
  for (const json& node : all.at("nodes")) CHECK(node.at("share").get<double>() == doctest::Approx(0.25).epsilon(0.01));
  CHECK(rings.daemon.stop() == 0);
}
