#include "ring_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <string_view>

#include "chash/limits.h"
#include "movement_output.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr double hole = 0.6;              // of the radius
constexpr std::size_t gap = 3;            // columns between circle and legend
constexpr std::size_t least_radius = 4;   // in lines; of a smaller circle nobody sees anything
constexpr std::size_t most_lines = 60;    // of a circle; larger ones say no more
constexpr std::size_t least_name = 8;     // columns
constexpr std::size_t share_columns = 7;  // 100.00%
constexpr std::size_t mark_columns = 2;   // with a blank

// Of 256 colours those that are neither too dark for a black background nor too light for a white one; neighbours
// differ.
constexpr std::array<int, ring_colors> palette{33, 208, 35, 197, 134, 37, 136, 205, 100, 67, 131, 99};
constexpr int grey = 245;

std::string colored(int color, std::string_view text) {
  return "\x1b[38;5;" + std::to_string(color) + 'm' + std::string(text) + "\x1b[0m";
}

int color_of(std::size_t rank) { return rank < palette.size() ? palette[rank] : grey; }

// A place of the picture: what stands there, and whose it is.
struct Cell {
  unsigned dots = 0;  // of braille; of letters 1
  NodeIndex node = no_node;
};

std::string utf8_of(unsigned braille_dots) {
  return {'\xe2', static_cast<char>(0xa0 | braille_dots >> 6), static_cast<char>(0x80 | (braille_dots & 0x3f))};
}

// Which bit a dot has, by row and column: U+2800 and up.
constexpr std::array<std::array<unsigned, 2>, 4> braille_bits{{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};

// The circle as dots, so many in each cell; `lines` high and twice as many columns wide, since a cell is twice as high
// as wide.
std::vector<std::vector<Cell>> circle(std::span<const Arc> arcs, std::size_t lines, std::size_t dots_down,
                                      std::size_t dots_across) {
  std::vector<std::vector<Cell>> cells(lines, std::vector<Cell>(2 * lines));
  const double radius = static_cast<double>(lines) / 2;
  const auto turns = owners_of_cells(arcs, std::max<std::size_t>(64, 12 * lines));  // about as many as there are dots
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t column = 0; column < 2 * lines; ++column) {
      std::map<NodeIndex, unsigned> owners;
      Cell& cell = cells[line][column];
      for (std::size_t dot = 0; dot < dots_down * dots_across; ++dot) {
        const std::size_t down = dot / dots_across, across = dot % dots_across;
        const double y =
            static_cast<double>(line) + (static_cast<double>(down) + 0.5) / static_cast<double>(dots_down) - radius;
        const double x =
            (static_cast<double>(column) + (static_cast<double>(across) + 0.5) / static_cast<double>(dots_across)) / 2 -
            radius;
        const double distance = std::hypot(x, y) / radius;
        if (distance > 1 || distance < hole) continue;
        const double turn = std::atan2(x, -y) / (2 * std::numbers::pi);
        const double part = (turn - std::floor(turn)) * static_cast<double>(turns.size());
        const NodeIndex node = turns[std::min(turns.size() - 1, static_cast<std::size_t>(part))];
        if (node == no_node) continue;
        ++owners[node];
        cell.dots |= dots_across == 2 ? braille_bits[down][across] : 1;
      }
      unsigned most = 0;
      for (const auto& [node, dots] : owners)
        if (dots > most) most = dots, cell.node = node;
    }
  }
  return cells;
}

std::string line_of(const std::vector<Cell>& cells, std::span<const std::size_t> ranks, bool braille, bool color) {
  std::string line;
  for (std::size_t i = 0, end = 0; i < cells.size(); i = end) {
    std::string text;
    for (end = i; end < cells.size() && cells[end].node == cells[i].node; ++end) {
      if (cells[end].dots == 0) text += ' ';
      else text += braille ? utf8_of(cells[end].dots) : std::string(1, letter_of(ranks[cells[end].node]));
    }
    line += color && cells[i].node != no_node ? colored(color_of(ranks[cells[i].node]), text) : text;
  }
  return line;
}

struct Manner {
  bool braille, color;
  std::size_t name_columns;
  std::size_t columns;  // for the line of the others
};

std::vector<std::string> legend_lines(const Legend& legend, const Manner& manner) {
  std::vector<std::string> lines;
  for (std::size_t rank = 0; rank < legend.shown.size(); ++rank) {
    const std::string mark = manner.braille ? "\u25a0" : std::string(1, letter_of(rank));
    std::string name = cut_to(legend.shown[rank].name, manner.name_columns);
    name.resize(manner.name_columns, ' ');
    const std::string share = percent(legend.shown[rank].share, 2);
    lines.push_back((manner.color ? colored(color_of(rank), mark) : mark) + ' ' + name + "  " +
                    std::string(share_columns - std::min(share_columns, share.size()), ' ') + share);
  }
  if (legend.others > 0)
    lines.push_back(
        cut_to("and " + std::to_string(legend.others) + " others " + percent(legend.others_share, 2), manner.columns));
  return lines;
}

}  // namespace

std::string cut_to(const std::string& ascii, std::size_t columns) {
  if (ascii.size() <= columns) return ascii;
  return columns < 3 ? ascii.substr(0, columns) : ascii.substr(0, columns - 2) + "..";
}

std::vector<Arc> arcs_of(std::span<const NodeIndex> owners) {
  std::vector<Arc> arcs;
  const auto turn = [&](std::size_t i) { return static_cast<double>(i) / static_cast<double>(owners.size()); };
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (arcs.empty() || arcs.back().node != owners[i]) arcs.push_back({turn(i), 0, owners[i]});
    arcs.back().end = turn(i + 1);
  }
  return arcs;
}

std::vector<NodeIndex> owners_of_cells(std::span<const Arc> arcs, std::size_t count) {
  std::vector<NodeIndex> owners(count, no_node);
  std::size_t next = 0;
  for (std::size_t cell = 0; cell < count; ++cell) {
    const double begin = static_cast<double>(cell) / static_cast<double>(count);
    const double end = static_cast<double>(cell + 1) / static_cast<double>(count);
    std::map<NodeIndex, double> lengths;
    while (next < arcs.size() && arcs[next].end <= begin) ++next;
    for (std::size_t i = next; i < arcs.size() && arcs[i].begin < end; ++i)
      lengths[arcs[i].node] += std::min(end, arcs[i].end) - std::max(begin, arcs[i].begin);
    double most = 0;
    for (const auto& [node, length] : lengths)
      if (length > most) most = length, owners[cell] = node;
  }
  return owners;
}

std::vector<Slice> slices_of(const NodeList& nodes, std::span<const double> shares) {
  std::vector<Slice> slices;
  for (NodeIndex node = 0; node < nodes.size(); ++node)
    slices.push_back({node, protocol::printable(nodes[node].name, limits::name_bytes), shares[node]});
  std::ranges::stable_sort(slices, std::ranges::greater(), &Slice::share);
  return slices;
}

std::vector<std::size_t> ranks_of(std::span<const Slice> slices) {
  std::vector<std::size_t> ranks(slices.size());
  for (std::size_t rank = 0; rank < slices.size(); ++rank) ranks[slices[rank].node] = rank;
  return ranks;
}

Legend legend_of(std::span<const Slice> slices, std::size_t lines) {
  Legend legend{slices};
  if (slices.size() <= lines) return legend;
  legend.shown = slices.first(std::max<std::size_t>(lines, 2) - 1);
  const auto others = slices.subspan(legend.shown.size());
  legend.others = others.size();
  for (const Slice& slice : others) legend.others_share += slice.share;
  return legend;
}

char letter_of(std::size_t rank) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return rank < letters.size() ? letters[rank] : '.';
}

std::string strip(std::span<const Arc> arcs, std::span<const std::size_t> ranks, std::size_t cells) {
  std::string line;
  for (const NodeIndex node : owners_of_cells(arcs, cells))
    line += node == no_node ? nobody_letter : letter_of(ranks[node]);
  return line;
}

std::vector<std::string> picture(std::span<const Arc> arcs, std::span<const Slice> slices, PictureSize size, bool utf8,
                                 bool color) {
  constexpr std::size_t beside_name = mark_columns + 2 + share_columns;
  const std::size_t columns = std::max(size.columns, beside_name + least_name);
  std::size_t longest = least_name;
  for (const Slice& slice : legend_of(slices, size.lines).shown) longest = std::max(longest, slice.name.size());
  // Long names get up to half of the width.
  const std::size_t legend_columns = std::min(beside_name + longest, std::max(beside_name + least_name, columns / 2));
  const std::size_t room = columns - std::min(columns, legend_columns + gap);
  std::size_t lines = std::min({size.lines, room / 2, most_lines});
  if (lines < 2 * least_radius) lines = 0;

  const bool braille = utf8 && color;
  const std::size_t name_columns = lines == 0 ? std::min(longest, columns - beside_name) : legend_columns - beside_name;
  auto legend = legend_lines(legend_of(slices, lines == 0 ? size.lines : lines),
                             {braille, color, name_columns, columns - (lines == 0 ? 0 : 2 * lines + gap)});
  if (lines == 0) return legend;
  const auto ranks = ranks_of(slices);
  const auto cells = circle(arcs, lines, braille ? 4 : 1, braille ? 2 : 1);
  std::vector<std::string> drawn;
  const std::size_t above = (lines - legend.size()) / 2;
  for (std::size_t i = 0; i < lines; ++i) {
    std::string line = line_of(cells[i], ranks, braille, color);
    if (i >= above && i - above < legend.size()) line += std::string(gap, ' ') + legend[i - above];
    else line.erase(line.find_last_not_of(' ') + 1);
    drawn.push_back(std::move(line));
  }
  return drawn;
}

}  // namespace chash::cli
