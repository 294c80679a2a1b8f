// The picture of a ring: who has which part of its circle, in text. Pure: from owners and shares to lines.
//
// What is drawn is never finer than it was looked at: owners are told for places at equal distances, and a cell of a
// strip or of a picture belongs to whoever owns most of it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "chash/node_list.h"
#include "chash/slot_table.h"

namespace chash::cli {

// A part of the circle with one owner, or with none. Units: turns, 0 to 1, clockwise from the top.
struct Arc {
  double begin, end;
  NodeIndex node;

  friend bool operator==(const Arc&, const Arc&) = default;
};

// From the owners of that many equal parts of the circle.
std::vector<Arc> arcs_of(std::span<const NodeIndex> owners);
// Back to `count` equal parts: who owns most of each; of several that do, the first node.
std::vector<NodeIndex> owners_of_cells(std::span<const Arc> arcs, std::size_t count);

// A node as a legend has it.
struct Slice {
  NodeIndex node;
  std::string name;  // printable ASCII, whatever the daemon sent
  double share;
};

// The largest first; of equal ones the one that was added first.
std::vector<Slice> slices_of(const NodeList& nodes, std::span<const double> shares);

// Where each node stands among the slices.  Shape: [nodes].
std::vector<std::size_t> ranks_of(std::span<const Slice> slices);

// As many as have a line of their own where there are so many lines; the last line is for the others.
struct Legend {
  std::span<const Slice> shown;
  std::size_t others = 0;
  double others_share = 0;
};
Legend legend_of(std::span<const Slice> slices, std::size_t lines);

// A to Z, a to z, 0 to 9 for the largest nodes, a dot for all others.
char letter_of(std::size_t rank);
inline constexpr char nobody_letter = '-';

// The circle cut open at the top: a letter for each part.
std::string strip(std::span<const Arc> arcs, std::span<const std::size_t> ranks, std::size_t cells);

// Where there are more nodes than colours, the smallest share a grey.
inline constexpr std::size_t ring_colors = 12;

struct PictureSize {
  std::size_t columns, lines;
};

// A circle beside its legend, at most that large, and each line no wider, if that is 19 columns at least. Where there
// is no room for a circle, it is the legend alone. In colour with dots of braille; without colour, or where the locale
// has no braille, of the letters of the nodes.
std::vector<std::string> picture(std::span<const Arc> arcs, std::span<const Slice> slices, PictureSize size, bool utf8,
                                 bool color);

// As many columns: the text, or its beginning and a mark that it is cut.
std::string cut_to(const std::string& ascii, std::size_t columns);

}  // namespace chash::cli
