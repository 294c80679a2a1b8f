#include "ring_picture.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "ring_svg.h"

namespace chash::cli {
namespace {

// What a terminal shows of a line: how wide it is, and the colour of each place.
struct Shown {
  std::string text;  // one byte a place: braille is *, a square is #
  std::vector<std::string> colors;
};

Shown shown(const std::string& line) {
  Shown seen;
  std::string color;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      const std::size_t end = line.find('m', i);
      REQUIRE(end != line.npos);
      color = line.substr(i + 2, end - i - 2);
      i = end;
    } else if (static_cast<unsigned char>(line[i]) >= 0x80) {
      REQUIRE(i + 2 < line.size());
      seen.text += line.substr(i, 3) == "\u25a0" ? '#' : '*';
      seen.colors.push_back(color);
      i += 2;
    } else {
      seen.text += line[i];
      seen.colors.push_back(color);
    }
  }
  CHECK((color == "0" || color.empty()));  // nothing behind the line is coloured
  return seen;
}

struct Example {
  NodeList nodes;
  std::vector<double> shares;
  std::vector<Arc> arcs;
  std::vector<Slice> slices;
};

// Owners of equal parts, as a string: "aab" is two parts of a.
Example example(const std::string& parts, const std::vector<std::string>& names) {
  Example made;
  std::vector<Node> nodes;
  for (const std::string& name : names) nodes.push_back({name});
  made.nodes = nodes;
  made.shares.resize(names.size());
  std::vector<NodeIndex> owners;
  for (const char part : parts) {
    owners.push_back(part == '-' ? no_node : static_cast<NodeIndex>(part - 'a'));
    if (part != '-') made.shares[owners.back()] += 1 / static_cast<double>(parts.size());
  }
  made.arcs = arcs_of(owners);
  made.slices = slices_of(made.nodes, made.shares);
  return made;
}

Example random_example(std::mt19937& random) {
  const std::size_t nodes = 1 + random() % 90, parts = 1 + random() % 500;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < nodes; ++i) names.push_back(std::string(1 + random() % 40, 'n') + std::to_string(i));
  Example made;
  std::vector<NodeIndex> owners(parts);
  made.shares.resize(nodes);
  for (NodeIndex& owner : owners) {
    owner = static_cast<NodeIndex>(random() % nodes);
    made.shares[owner] += 1 / static_cast<double>(parts);
  }
  std::vector<Node> list;
  for (const std::string& name : names) list.push_back({name});
  made.nodes = list;
  made.arcs = arcs_of(owners);
  made.slices = slices_of(made.nodes, made.shares);
  return made;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text = "\n";
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

TEST_CASE("arcs: neighbours of one owner are one arc") {
  const std::vector<NodeIndex> owners{0, 0, 1, 0};
  CHECK(arcs_of(owners) == std::vector<Arc>{{0, 0.5, 0}, {0.5, 0.75, 1}, {0.75, 1, 0}});
  CHECK(arcs_of({}).empty());
}

TEST_CASE("cells: each belongs to whoever owns most of it, and of equals to the first") {
  const std::vector<Arc> arcs{{0, 0.2, 1}, {0.2, 0.3, 0}, {0.3, 0.75, 2}, {0.75, 1, 0}};
  CHECK(owners_of_cells(arcs, 2) == std::vector<NodeIndex>{1, 0});
  CHECK(owners_of_cells(arcs, 4) == std::vector<NodeIndex>{1, 2, 2, 0});
  CHECK(owners_of_cells(arcs, 1) == std::vector<NodeIndex>{2});
  CHECK(owners_of_cells({}, 2) == std::vector<NodeIndex>{no_node, no_node});
}

TEST_CASE("cells: what many arcs of one node have of a cell counts together") {
  const std::vector<Arc> arcs{{0, 0.3, 0}, {0.3, 0.7, 1}, {0.7, 1, 0}};
  CHECK(owners_of_cells(arcs, 1) == std::vector<NodeIndex>{0});
}

TEST_CASE("cells: cut back into as many parts as there were, they have the same owners") {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<NodeIndex> owners(1 + random() % 300);
    for (NodeIndex& owner : owners) owner = static_cast<NodeIndex>(random() % 5);
    CHECK(owners_of_cells(arcs_of(owners), owners.size()) == owners);
  }
}

TEST_CASE("a strip has the letters of the legend, and a dash where there is no owner") {
  const Example ring = example("aaabbc-c", {"x", "y", "z"});
  CHECK(strip(ring.arcs, ranks_of(ring.slices), 8) == "AAABBC-C");
  // The largest is A, wherever it stands.
  const Example other = example("abbb", {"x", "y"});
  CHECK(strip(other.arcs, ranks_of(other.slices), 4) == "BAAA");
  CHECK(other.slices[0].name == "y");
}

TEST_CASE("a letter is one node's as long as there are any") {
  std::set<char> letters;
  for (std::size_t rank = 0; rank < 62; ++rank) letters.insert(letter_of(rank));
  CHECK(letters.size() == 62);
  CHECK(!letters.contains(letter_of(62)));
  CHECK(letter_of(62) == letter_of(100'000));
}

TEST_CASE("a legend has all nodes, or the largest and the sum of the others") {
  const Example ring = example("aaaabbbccd", {"w", "x", "y", "z"});
  CHECK(legend_of(ring.slices, 4).shown.size() == 4);
  CHECK(legend_of(ring.slices, 4).others == 0);
  const Legend legend = legend_of(ring.slices, 3);
  CHECK(legend.shown.size() == 2);
  CHECK(legend.shown[1].name == "x");
  CHECK(legend.others == 2);
  CHECK(legend.others_share == doctest::Approx(0.3));
}

TEST_CASE("a picture of letters, as it is") {
  const Example ring = example("abbcccdd", {"one", "two", "three", "four"});
  CHECK(joined(picture(ring.arcs, ring.slices, {46, 12}, false, false)) == R"(
       CCCCCDDDDD
    CCCCCCCCDDDDDDDD
  CCCCCCCC    DDDDDBBB
 CCCCCC          BBBBBB
CCCCC              BBBBB   A three      37.50%
CCCCC              BBBBB   B two        25.00%
AAAAA              BBBBB   C four       25.00%
AAAAA              BBBBB   D one        12.50%
 AAAAAA          BBBBBB
  AAAAAAAA    AAAAABBB
    AAAAAAAAAAAAAAAA
       AAAAAAAAAA
)");
}

TEST_CASE("a picture of dots, as it is") {
  const Example ring = example("ab", {"first", "second"});
  std::vector<std::string> lines = picture(ring.arcs, ring.slices, {40, 8}, true, true);
  std::string text = "\n";
  for (std::string line : lines) {
    for (const std::string code : {"\x1b[38;5;33m", "\x1b[38;5;208m", "\x1b[0m"})
      for (std::size_t at = 0; (at = line.find(code)) != line.npos;) line.erase(at, code.size());
    text += line + '\n';
  }
  CHECK(text == R"(
   ⣠⣴⣶⣿⣿⣿⣿⣶⣦⣄
 ⣠⣾⣿⣿⣿⠿⠟⠻⠿⣿⣿⣿⣷⣄
⢰⣿⣿⣿⠋      ⠙⣿⣿⣿⡆
⣿⣿⣿⠇        ⠸⣿⣿⣿   ■ first      50.00%
⣿⣿⣿⡆        ⢰⣿⣿⣿   ■ second     50.00%
⠸⣿⣿⣿⣄      ⣠⣿⣿⣿⠇
 ⠙⢿⣿⣿⣿⣶⣦⣴⣶⣿⣿⣿⡿⠋
   ⠙⠻⠿⣿⣿⣿⣿⠿⠟⠋
)");
  // The circle begins at the top and goes clockwise.
  const Shown first = shown(lines.front());
  CHECK(first.colors[5] == "38;5;208");
  CHECK(first.colors[9] == "38;5;33");
  CHECK(shown(lines[3]).colors[19] == "38;5;33");
  CHECK(shown(lines[4]).colors[19] == "38;5;208");
}

TEST_CASE("a picture is no larger than it may be, whatever the ring and the terminal") {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const Example ring = random_example(random);
    const PictureSize size{19 + random() % 220, 2 + random() % 70};
    const bool utf8 = random() % 2 == 0, color = random() % 2 == 0;
    const auto lines = picture(ring.arcs, ring.slices, size, utf8, color);
    CHECK(lines.size() <= size.lines);
    CHECK(!lines.empty());
    for (const std::string& line : lines) {
      CHECK(shown(line).text.size() <= size.columns);
      CHECK((color || line.find('\x1b') == line.npos));
      CHECK(((utf8 && color) || line.find('\xe2') == line.npos));
    }
  }
}

TEST_CASE("a picture's marks are those of its legend, and each is one node's") {
  std::mt19937 random(8);
  for (int round = 0; round < 100; ++round) {
    const Example ring = random_example(random);
    const bool braille = round % 2 == 0;
    const auto lines = picture(ring.arcs, ring.slices, {160, 40}, braille, braille);
    const std::size_t circle = 2 * lines.size(), legend = circle + 3;
    std::set<std::string> drawn;
    std::vector<std::pair<std::string, std::string>> entries;  // marks and names
    for (const std::string& line : lines) {
      const Shown seen = shown(line);
      const auto mark = [&](std::size_t i) { return braille ? seen.colors[i] : seen.text.substr(i, 1); };
      for (std::size_t i = 0; i < std::min(circle, seen.text.size()); ++i)
        if (seen.text[i] != ' ') drawn.insert(mark(i));
      if (seen.text.size() <= legend || seen.text.find(" others ") != std::string::npos) continue;
      entries.emplace_back(mark(legend), seen.text.substr(legend + 2, seen.text.find(' ', legend + 2) - legend - 2));
    }
    const std::size_t distinct = braille ? ring_colors : 62;
    std::set<std::string> marks;
    for (std::size_t rank = 0; rank < entries.size(); ++rank) {
      CHECK(entries[rank].second == ring.slices[rank].name);
      CHECK(marks.insert(entries[rank].first).second == (rank <= distinct));
    }
    if (entries.size() == ring.slices.size())
      for (const std::string& mark : drawn) CHECK(marks.contains(mark));
    // The largest share is always seen.
    CHECK(drawn.contains(entries.front().first));
  }
}

TEST_CASE("a picture cuts names, and no shares") {
  const Example ring = example("ab", {std::string(200, 'x'), std::string(255, 'y')});
  for (const std::size_t columns : {19u, 40u, 80u, 200u}) {
    const auto lines = picture(ring.arcs, ring.slices, {columns, 20}, false, false);
    CHECK((lines.size() > 2) == (columns >= 40));  // there is a circle, however long the names are
    for (const std::string& line : lines)
      if (line.find("..") != line.npos) CHECK(line.ends_with("  50.00%"));
  }
}

TEST_CASE("a name that is no ASCII cannot shift columns or command a terminal") {
  const Example ring = example("a", {"\x1b[31m\xe4\xb8\xad\xcc\x81"});
  for (const char c : ring.slices[0].name) CHECK((c >= 0x20 && c < 0x7f));
}

// --- SVG ------------------------------------------------------------------------------------------------------------

TEST_CASE("an SVG has each node's name, share and colour, escaped") {
  const Example ring = example("aab", {"<a&b>", "plain"});
  const std::string svg = svg_of({"web", 7, 300}, ring.arcs, ring.slices);
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(svg.find("<a&b>") == svg.npos);
  CHECK(svg.find("&lt;a&amp;b&gt; 66.67%</title>") != svg.npos);
  CHECK(svg.find(">plain</text>") != svg.npos);
  CHECK(svg.find("<title id=\"t\">web, epoch 7: 2 nodes, 300 points</title>") != svg.npos);
  CHECK(svg.find("prefers-color-scheme:dark") != svg.npos);
  CHECK(svg.find("<script") == svg.npos);
  // Nothing but the name of the language looks like an address.
  CHECK(svg.find("http", svg.find("http") + 1) == svg.npos);
  CHECK(svg.find("url(") == svg.npos);
}

TEST_CASE("an SVG draws a whole circle too") {
  const Example ring = example("a", {"solo"});
  const std::string svg = svg_of({"one", 1, 100}, ring.arcs, ring.slices);
  CHECK(svg.find("M0.00 -275.00A275 275 0 0 1 0.00 275.00L0.00 185.00A185 185 0 0 0 0.00 -185.00Z") != svg.npos);
  CHECK(svg.find("1 node, 100 points") != svg.npos);
}

TEST_CASE("an SVG stays small, however many arcs and nodes there are") {
  std::mt19937 random(9);
  Example ring;
  std::vector<Node> nodes;
  for (int i = 0; i < 5000; ++i) nodes.push_back({"node-" + std::to_string(i)});
  std::vector<NodeIndex> owners(200'000);
  ring.shares.resize(nodes.size());
  for (NodeIndex& owner : owners) {
    owner = static_cast<NodeIndex>(random() % (random() % 2 == 0 ? 20 : nodes.size()));
    ring.shares[owner] += 1.0 / 200'000;
  }
  const auto arcs = arcs_of(owners);
  CHECK(arcs.size() > 100'000);
  const std::string svg = svg_of({"big", 1, 200'000}, arcs, slices_of(nodes, ring.shares));
  CHECK(svg.size() < 400'000);
  CHECK(svg.find("4969 others") != svg.npos);
}

}  // namespace
}  // namespace chash::cli
