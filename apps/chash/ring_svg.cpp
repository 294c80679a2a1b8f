#include "ring_svg.h"

#include <array>
#include <cmath>
#include <numbers>

#include "movement_output.h"
#include "output.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t most_arcs = 4000;  // at this size one is half a pixel long
constexpr std::size_t legend_rows = 32;
constexpr std::size_t longest_name = 40;  // characters; its tooltip has all of it

constexpr double middle = 300, radius = 230, band = 90;
constexpr double legend_left = 620, row_height = 26;

// The same as those of a terminal, as they are there.
constexpr std::array<std::string_view, ring_colors> palette{"#0087ff", "#ff8700", "#00af5f", "#ff005f",
                                                            "#af5fd7", "#00afaf", "#af8700", "#ff5faf",
                                                            "#878700", "#5f87af", "#af5f5f", "#875fff"};

// Further nodes get hues that lie as far from each other as can be: the golden angle.
std::string color_of(std::size_t rank) {
  if (rank < palette.size()) return std::string(palette[rank]);
  return "hsl(" + fixed_text(std::fmod(137.508 * static_cast<double>(rank), 360), 0) + ",45%,50%)";
}

std::string place(double turn) {
  const double angle = 2 * std::numbers::pi * turn;
  return fixed_text(middle + radius * std::sin(angle), 2) + ' ' + fixed_text(middle - radius * std::cos(angle), 2);
}

// An arc that comes back to where it began is none to SVG: in halves it is.
void append_arc(const Arc& arc, std::string& out) {
  const double half = (arc.begin + arc.end) / 2;
  const std::string size = fixed_text(radius, 0);
  out += 'M' + place(arc.begin);
  for (const double end : {half, arc.end}) {
    if (end == half && arc.end - arc.begin <= 0.5) continue;
    out += 'A' + size + ' ' + size + " 0 0 1 " + place(end);
  }
}

// A path for each node that is shown, and one for all others.
void append_ring(std::span<const Arc> arcs, std::span<const Slice> slices, const Legend& legend, std::string& out) {
  const auto ranks = ranks_of(slices);
  std::vector<std::string> paths(legend.shown.size() + 1);
  for (const Arc& arc : arcs)
    if (arc.node != no_node) append_arc(arc, paths[std::min(ranks[arc.node], legend.shown.size())]);
  out += "<g fill=\"none\" stroke-width=\"" + fixed_text(band, 0) + "\">\n";
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) continue;
    const bool is_shown = i < legend.shown.size();
    const std::string name = is_shown ? slices[i].name : std::to_string(legend.others) + " others";
    const double share = is_shown ? slices[i].share : legend.others_share;
    out += "<path stroke=\"" + (is_shown ? color_of(i) : "#8a8a8a") + "\" d=\"" + paths[i] + "\"><title>" +
           xml_text(name) + ' ' + percent(share, 2) + "</title></path>\n";
  }
  out += "</g>\n";
}

void append_row(double top, const std::string& color, const std::string& name, double share, std::string& out) {
  const std::string y = fixed_text(top + 14, 0);
  out += "<rect x=\"" + fixed_text(legend_left, 0) + "\" y=\"" + fixed_text(top, 0) +
         "\" width=\"16\" height=\"16\" rx=\"3\" fill=\"" + color + "\"/><text x=\"" +
         fixed_text(legend_left + 100, 0) + "\" y=\"" + y + "\" text-anchor=\"end\">" + percent(share, 2) +
         "</text><text x=\"" + fixed_text(legend_left + 115, 0) + "\" y=\"" + y + "\">" +
         xml_text(cut_to(name, longest_name)) + "</text>\n";
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
  const double height = std::max(2 * middle, legend_height + 60);
  const std::string size = "width=\"1040\" height=\"" + fixed_text(height, 0) + '"';
  const std::string name = xml_text(title_text(title, slices.size()));

  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" " + size + " viewBox=\"0 0 1040 " +
                    fixed_text(height, 0) + "\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">" + name +
                    "</title>\n<desc id=\"d\">" + xml_text(description(legend)) +
                    "</desc>\n"
                    "<style>\n"
                    ".back{fill:#ffffff}\n"
                    "text{fill:#222222;font:15px system-ui,sans-serif}\n"
                    "@media (prefers-color-scheme:dark){.back{fill:#16181d}text{fill:#e4e4e4}}\n"
                    "</style>\n"
                    "<rect class=\"back\" " +
                    size + "/>\n";
  append_ring(arcs, slices, legend, out);
  const std::string counts = name.substr(name.find(": ") + 2);
  out += "<text x=\"300\" y=\"294\" text-anchor=\"middle\" style=\"font-size:20px\">" +
         xml_text(cut_to(protocol::printable(title.ring, 64), 22)) +
         "</text>\n<text x=\"300\" y=\"320\" text-anchor=\"middle\">epoch " + std::to_string(title.epoch) +
         "</text>\n<text x=\"300\" y=\"342\" text-anchor=\"middle\">" + counts + "</text>\n";
  double top = (height - legend_height) / 2;
  for (std::size_t rank = 0; rank < legend.shown.size(); ++rank, top += row_height)
    append_row(top, color_of(rank), legend.shown[rank].name, legend.shown[rank].share, out);
  if (legend.others > 0)
    append_row(top, "#8a8a8a", std::to_string(legend.others) + " others", legend.others_share, out);
  return out + "</svg>\n";
}

}  // namespace chash::cli
