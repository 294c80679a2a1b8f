// distribution: what share of all keys each node has, and of the user's own keys.
#include <unistd.h>

#include <algorithm>

#include "balance.h"
#include "manifest.h"
#include "movement_output.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "ring_shares.h"
#include "run.h"
#include "terminal.h"

namespace chash::cli {
namespace {

constexpr std::size_t least_bar = 8, longest_bar = 40;  // columns; shorter ones tell nothing

struct Distribution {
  std::string ring;
  std::uint64_t epoch = 0;
  std::size_t samples = 0;  // 0: the shares are exact
  Balance balance;
  bool has_keys = false;
  std::uint64_t keys = 0;  // that have a node
  std::uint64_t not_foretold = 0;

  double key_share(const NodeBalance& node) const {
    return keys == 0 ? 0 : static_cast<double>(node.keys) / static_cast<double>(keys);
  }
};

Record record_of(const Distribution& all, const NodeBalance& node) {
  Record record{{"name", node.name},       {"weight", node.weight}, {"ideal", node.ideal}, {"share", node.share},
                {"off_by", node.off_by()}, {"ring", all.ring},      {"epoch", all.epoch}};
  if (all.has_keys) {
    record.emplace_back("keys", node.keys);
    record.emplace_back("key_share", all.key_share(node));
  }
  return record;
}

// Keys that move from no ring to this one are those that its nodes have. Returns what read_keys() does.
int count_keys(const Run& run, const Side& ring, const std::string& path, Distribution& all) {
  const Side nobody;
  Manifest manifest(nobody, ring, {}, '\n');
  const int status = read_keys(run, path, manifest);
  if (status != 0 && status != info(Errc::partial).exit_status) return status;
  for (NodeBalance& node : all.balance.nodes) {
    const auto pair = manifest.pairs().find({std::string(), node.name});
    if (pair != manifest.pairs().end()) node.keys = pair->second.sum.keys;
    all.keys += node.keys;
  }
  all.not_foretold = manifest.not_foretold();
  if (all.not_foretold > 0)
    say("WARNING: " + std::to_string(all.not_foretold) + " keys have no node that is foretold, and are left out");
  return status;
}

void append_node_json(const Distribution& all, const NodeBalance& node, std::string& out) {
  out += "{\"name\":";
  protocol::append_json_string(node.name, out);
  out += ",\"weight\":" + json_number(node.weight) + ",\"ideal\":" + json_number(node.ideal) +
         ",\"share\":" + json_number(node.share) + ",\"off_by\":" + json_number(node.off_by());
  if (all.has_keys)
    out += ",\"keys\":" + std::to_string(node.keys) + ",\"key_share\":" + json_number(all.key_share(node));
  out += '}';
}

void append_json(const Distribution& all, std::string& out) {
  out += "{\"ring\":";
  protocol::append_json_string(all.ring, out);
  out += ",\"epoch\":" + std::to_string(all.epoch) + ",\"samples\":" + std::to_string(all.samples) +
         ",\"max_mean\":" + json_number(all.balance.max_mean) + ",\"stddev\":" + json_number(all.balance.stddev);
  if (all.has_keys)
    out += ",\"keys\":" + std::to_string(all.keys) + ",\"not_foretold\":" + std::to_string(all.not_foretold);
  out += ",\"nodes\":[";
  for (const NodeBalance& node : all.balance.nodes) {
    if (out.back() != '[') out += ',';
    append_node_json(all, node, out);
  }
  out += "]}\n";
}

void append_plain(const Distribution& all, std::string& out) {
  for (const NodeBalance& node : all.balance.nodes) {
    out +=
        node.name + '\t' + number_text(node.weight) + '\t' + number_text(node.ideal) + '\t' + number_text(node.share);
    if (all.has_keys) out += '\t' + std::to_string(node.keys) + '\t' + number_text(all.key_share(node));
    out += '\n';
  }
}

// What the columns leave of the terminal's width.
std::size_t bar_columns(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::size_t taken = 0;
  for (const std::size_t width : widths) taken += width + 2;
  const std::size_t room = columns - std::min(columns, taken);
  return room < least_bar ? 0 : std::min(room, longest_bar);
}

std::string signed_percent(double part) { return (part > 0 ? "+" : "") + percent(part, 2); }

void append_table(const Run& run, const Distribution& all, std::string& out) {
  std::vector<std::vector<std::string>> rows{{"NODE", "WEIGHT", "IDEAL", "SHARE", "OFF BY"}};
  if (all.has_keys) rows.front().insert(rows.front().end(), {"KEYS", "OF KEYS"});
  double largest = 0;
  for (const NodeBalance& node : all.balance.nodes) {
    rows.push_back({for_people(node.name), weight_text(node.weight), percent(node.ideal, 2), percent(node.share, 2),
                    node.ideal == 0 ? "-" : signed_percent(node.off_by())});
    if (all.has_keys)
      rows.back().insert(rows.back().end(), {std::to_string(node.keys), percent(all.key_share(node), 2)});
    largest = std::max(largest, node.share);
  }
  const std::size_t room = bar_columns(rows, terminal_size(STDOUT_FILENO, process_environment).columns);
  const bool utf8 = shows_utf8(process_environment);
  if (room > 0 && largest > 0) {
    rows.front().emplace_back("");
    for (std::size_t i = 1; i < rows.size(); ++i)
      rows[i].push_back(bar(all.balance.nodes[i - 1].share / largest, room, utf8));
  }
  Table table(std::move(rows.front()));
  for (std::size_t i = 1; i < rows.size(); ++i) table.add(std::move(rows[i]));
  table.append_to(out, !run.line.has(Option::no_header), run.color);
  if (run.line.has(Option::quiet)) return;
  out += "max/mean " + fixed_text(all.balance.max_mean, 2) + ", stddev " + percent(all.balance.stddev, 2) + '\n';
}

int print(const Run& run, const Template& format, const Distribution& all) {
  std::string& out = run.out.text();
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (format || run.options.format == Format::jsonl) {
    for (const NodeBalance& node : all.balance.nodes) {
      if (!format) append_node_json(all, node, out), out += '\n';
      else if (const int status = run.print(format, record_of(all, node)); status != 0) return status;
    }
  } else if (run.json()) {
    append_json(all, out);
  } else if (table) {
    append_table(run, all, out);
  } else {
    append_plain(all, out);
  }
  return 0;
}

}  // namespace

int show_distribution(const Run& run) {
  const auto keys = run.line.text(Option::keys);
  if (!keys && (run.line.has(Option::null) || run.line.has(Option::key_format)))
    return run.misuse(make_error(Errc::invalid_argument, "--null and --key-format are for --keys FILE"));
  Distribution all;
  all.has_keys = keys.has_value();
  const auto format = run.output_template(record_of(all, {}));
  if (!format) return run.misuse(format.error());
  const auto ring = fetch_side(run, run.options.ring);
  if (!ring) return run.fail(ring.error());
  const auto shares = shares_of(*ring);
  if (!shares) return run.fail(shares.error());
  all.ring = ring->label;
  all.epoch = ring->epoch;
  all.samples = shares->samples;
  all.balance = balance_of(ring->spec.nodes, shares->by_node);
  const int status = keys ? count_keys(run, *ring, *keys, all) : 0;
  if (status != 0 && status != info(Errc::partial).exit_status) return status;
  if (all.samples > 0 && !run.json()) say("measured with " + std::to_string(all.samples) + " keys");
  const int printed = print(run, *format, all);
  return printed != 0 ? printed : status;
}

}  // namespace chash::cli
