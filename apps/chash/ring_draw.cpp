// ring draw: who has which part of the circle.
#include <unistd.h>

#include "protocol/codec.h"
#include "ring_shares.h"
#include "ring_svg.h"
#include "run.h"
#include "terminal.h"
#include "whole_file.h"

namespace chash::cli {
namespace {

constexpr std::size_t strip_cells = 64;

struct Drawing {
  RingTitle title;
  std::vector<Arc> arcs;
  std::vector<Slice> slices;  // the largest first
};

Result<Drawing> drawing_of(const Side& ring) {
  const auto owners = owners_round(ring);
  if (!owners) return owners.error();
  const auto shares = shares_of(ring);
  if (!shares) return shares.error();
  return Drawing{
      {ring.label, ring.epoch, ring.placement.points()}, arcs_of(*owners), slices_of(ring.spec.nodes, shares->by_node)};
}

void append_json(const Drawing& drawing, const NodeList& nodes, std::string& out) {
  out += "{\"ring\":";
  protocol::append_json_string(drawing.title.ring, out);
  out += ",\"epoch\":" + std::to_string(drawing.title.epoch) + ",\"nodes\":[";
  for (const Slice& slice : drawing.slices) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    protocol::append_json_string(nodes[slice.node].name, out);
    out += ",\"share\":" + number_text(slice.share) + '}';
  }
  out += "],\"cells\":[";
  for (const NodeIndex node : owners_of_cells(drawing.arcs, strip_cells)) {
    if (out.back() != '[') out += ',';
    if (node == no_node) out += "null";
    else protocol::append_json_string(nodes[node].name, out);
  }
  out += "]}\n";
}

void append_plain(const Drawing& drawing, const NodeList& nodes, std::string& out) {
  out += strip(drawing.arcs, ranks_of(drawing.slices), strip_cells) + '\n';
  for (std::size_t rank = 0; rank < drawing.slices.size(); ++rank) {
    const Slice& slice = drawing.slices[rank];
    out += letter_of(rank);
    out += '\t' + nodes[slice.node].name + '\t' + number_text(slice.share) + '\n';
  }
}

void append_picture(const Run& run, const Drawing& drawing, std::string& out) {
  const TerminalSize size = terminal_size(STDOUT_FILENO, process_environment);
  out += cut_to(title_text(drawing.title, drawing.slices.size()), size.columns) + '\n';
  // A line for the title, and one for the prompt.
  const std::size_t lines = std::max<std::size_t>(size.lines, 5) - 2;
  for (const std::string& line :
       picture(drawing.arcs, drawing.slices, {size.columns, lines}, shows_utf8(process_environment), run.color))
    out += line + '\n';
}

int write_svg(const Run& run, const Drawing& drawing, const std::string& path) {
  const std::string svg = svg_of(drawing.title, drawing.arcs, drawing.slices);
  if (path == "-") {
    run.out.text() += svg;
    return 0;
  }
  if (auto ok = write_whole_file(path, svg); !ok) return run.fail(ok.error());
  if (!run.line.has(Option::quiet))
    run.out.text() += "drew " + for_people(title_text(drawing.title, drawing.slices.size())) + '\n';
  return 0;
}

}  // namespace

int draw_ring(const Run& run, const std::string& name) {
  const auto file = run.line.text(Option::svg);
  if (file && run.line.has(Option::json))
    return run.misuse(make_error(Errc::invalid_argument, "--svg and --json exclude each other"));
  if (file && file->empty()) return run.misuse(make_error(Errc::invalid_argument, "--svg needs the name of a file"));
  const auto ring = fetch_side(run, name);
  if (!ring) return run.fail(ring.error());
  const auto drawing = drawing_of(*ring);
  if (!drawing) return run.fail(drawing.error());
  if (file) return write_svg(run, *drawing, *file);
  const bool for_a_terminal =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (run.json()) append_json(*drawing, ring->spec.nodes, run.out.text());
  else if (for_a_terminal) append_picture(run, *drawing, run.out.text());
  else append_plain(*drawing, ring->spec.nodes, run.out.text());
  return 0;
}

}  // namespace chash::cli
