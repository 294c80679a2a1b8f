#include "ring_svg.h"

#include <array>
#include <cmath>
#include <numbers>

#include "movement_output.h"
#include "output.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t most_arcs = 4000;  // one is half a pixel long then
constexpr std::size_t legend_rows = 32;
constexpr std::size_t longest_name = 48;  // characters; its tooltip has all of it

constexpr double middle = 300, outer = 275, inner = 185;
constexpr double legend_left = 620, name_left = 735, row_height = 26;
constexpr double letter_width = 9;  // about: the reader's font decides

constexpr std::string_view style =
    "<style>\n"
    ".back{fill:#ffffff}\n"
    "text{fill:#222222;font:15px system-ui,sans-serif}\n"
    "@media (prefers-color-scheme:dark){.back{fill:#16181d}text{fill:#e4e4e4}}\n"
    "</style>\n";

// The same as those of a terminal, as they are there.
constexpr std::array<std::string_view, ring_colors> palette{"#0087ff", "#ff8700", "#00af5f", "#ff005f",
                                                            "#af5fd7", "#00afaf", "#af8700", "#ff5faf",
                                                            "#878700", "#5f87af", "#af5f5f", "#875fff"};

constexpr std::string_view grey = "#8a8a8a";
constexpr std::size_t no_path = static_cast<std::size_t>(-1);

// Further nodes get hues that lie as far from each other as can be: the golden angle.
std::string color_of(std::size_t rank) {
  if (rank < palette.size()) return std::string(palette[rank]);
  return "hsl(" + fixed_text(std::fmod(137.508 * static_cast<double>(rank), 360), 0) + ",45%,50%)";
}

std::string place(double turn, double radius) {
  const double angle = 2 * std::numbers::pi * turn;
  return fixed_text(radius * std::sin(angle), 2) + ' ' + fixed_text(-radius * std::cos(angle), 2);
}

// To the end of an arc that is at most half a circle: more than that is none to SVG where it comes back to its
// beginning. What is short is straight.
std::string edge(double from, double to, double radius) {
  constexpr double short_turn = 0.002;
  if (std::abs(to - from) < short_turn) return 'L' + place(to, radius);
  const std::string size = fixed_text(radius, 0);
  return 'A' + size + ' ' + size + (to > from ? " 0 0 1 " : " 0 0 0 ") + place(to, radius);
}

// Its outline, and no thick line: the direction of a short one would be lost in rounding.
void append_arc(double begin, double end, std::string& out) {
  if (end - begin > 0.5) {
    const double half = (begin + end) / 2;
    append_arc(begin, half, out);
    return append_arc(half, end, out);
  }
  out += 'M' + place(begin, outer) + edge(begin, end, outer) + 'L' + place(end, inner) + edge(end, begin, inner) + 'Z';
}

// A path for each node that is shown, and one for all others, which nobody tells apart.
void append_ring(std::span<const Arc> arcs, std::span<const Slice> slices, const Legend& legend, std::string& out) {
  const auto ranks = ranks_of(slices);
  std::vector<std::string> paths(legend.shown.size() + 1);
  const auto path_of = [&](const Arc& arc) {
    return arc.node == no_node ? no_path : std::min(ranks[arc.node], legend.shown.size());
  };
  for (std::size_t i = 0, last = 0; i < arcs.size(); i = last + 1) {
    const std::size_t path = path_of(arcs[i]);
    for (last = i; last + 1 < arcs.size() && path_of(arcs[last + 1]) == path;) ++last;
    if (path != no_path) append_arc(arcs[i].begin, arcs[last].end, paths[path]);
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) continue;
    const bool is_shown = i < legend.shown.size();
    const std::string name = is_shown ? slices[i].name : std::to_string(legend.others) + " others";
    const double share = is_shown ? slices[i].share : legend.others_share;
    out += "<path fill=\"" + (is_shown ? color_of(i) : std::string(grey)) + "\" d=\"" + paths[i] + "\"><title>" +
           xml_text(name) + ' ' + percent(share, 2) + "</title></path>\n";
  }
}

void append_row(double top, const std::string& color, const std::string& name, double share, std::string& out) {
  const std::string y = fixed_text(top + 14, 0);
  out += "<rect x=\"" + fixed_text(legend_left, 0) + "\" y=\"" + fixed_text(top, 0) +
         "\" width=\"16\" height=\"16\" rx=\"3\" fill=\"" + color + "\"/><text x=\"" +
         fixed_text(legend_left + 100, 0) + "\" y=\"" + y + "\" text-anchor=\"end\">" + percent(share, 2) +
         "</text><text x=\"" + fixed_text(name_left, 0) + "\" y=\"" + y + "\">" + xml_text(cut_to(name, longest_name)) +
         "</text>\n";
}

void append_middle(const RingTitle& title, const std::string& counts, std::string& out) {
  const auto line = [&](int y, const std::string& text, const std::string& more) {
    out += "<text y=\"" + std::to_string(y) + "\" text-anchor=\"middle\"" + more + '>' + xml_text(text) + "</text>\n";
  };
  line(-12, cut_to(protocol::printable(title.ring, 64), 26), " style=\"font-size:20px\"");
  line(14, "epoch " + std::to_string(title.epoch), "");
  line(36, counts, "");
}

std::string description(const Legend& legend) {
  std::string text = "Shares of the circle: ";
  for (const Slice& slice : legend.shown)
    text += (&slice == legend.shown.data() ? "" : ", ") + slice.name + ' ' + percent(slice.share, 2);
  if (legend.others > 0)
    text += ", and " + std::to_string(legend.others) + " others " + percent(legend.others_share, 2);
  return text + '.';
}

}  // namespace

std::string title_text(const RingTitle& title, std::size_t nodes) {
  const auto counted = [](std::size_t count, const std::string& what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
  };
  return protocol::printable(title.ring, 64) + ", epoch " + std::to_string(title.epoch) + ": " +
         counted(nodes, "node") + ", " + counted(title.points, "point");
}

std::string xml_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string svg_of(const RingTitle& title, std::span<const Arc> arcs, std::span<const Slice> slices) {
  std::vector<Arc> fewer;
  if (arcs.size() > most_arcs) {
    fewer = arcs_of(owners_of_cells(arcs, most_arcs));
    arcs = fewer;
  }
  const Legend legend = legend_of(slices, legend_rows);
  const std::size_t rows = legend.shown.size() + (legend.others > 0 ? 1 : 0);
  const double legend_height = static_cast<double>(rows) * row_height;
  std::size_t longest = 12;
  for (const Slice& slice : legend.shown) longest = std::max(longest, std::min(longest_name, slice.name.size()));
  const std::string width = fixed_text(name_left + letter_width * static_cast<double>(longest) + 20, 0);
  const double height = std::max(2 * middle, legend_height + 60);
  const std::string size = "width=\"" + width + "\" height=\"" + fixed_text(height, 0) + '"';
  const std::string name = title_text(title, slices.size());

  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size + " viewBox=\"0 0 " + width + ' ' +
                    fixed_text(height, 0) + "\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">" +
                    xml_text(name) + "</title>\n<desc id=\"d\">" + xml_text(description(legend)) + "</desc>\n" +
                    std::string(style) + "<rect class=\"back\" " + size + "/>\n<g transform=\"translate(" +
                    fixed_text(middle, 0) + ' ' + fixed_text(height / 2, 0) + ")\">\n";
  append_ring(arcs, slices, legend, out);
  append_middle(title, name.substr(name.find(": ") + 2), out);
  out += "</g>\n";
  double top = (height - legend_height) / 2;
  for (std::size_t rank = 0; rank < legend.shown.size(); ++rank, top += row_height)
    append_row(top, color_of(rank), legend.shown[rank].name, legend.shown[rank].share, out);
  if (legend.others > 0)
    append_row(top, std::string(grey), std::to_string(legend.others) + " others", legend.others_share, out);
  return out + "</svg>\n";
}

}  // namespace chash::cli
