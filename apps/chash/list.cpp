// list: the members of a ring, and what share of all keys each of them has.
#include <algorithm>
#include <cmath>
#include <map>

#include "change_options.h"
#include "chash/standing.h"
#include "movement_output.h"
#include "node_argument.h"
#include "pin_output.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "redraw.h"
#include "ring_shares.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::ListNodes;

// Of a ring with more it takes longer to tell the shares than anybody waits for a list: `distribution` tells them.
constexpr std::uint64_t points_shared = 200'000;

struct Member {
  ListNodes::Member node;
  std::optional<double> share{};  // of all keys; nothing where it is not told
};

struct Listed {
  std::string ring;
  std::uint64_t epoch = 0;
  std::vector<Member> members{};
  std::vector<protocol::PinGiven> pins{};
};

// What is to be listed, and in which order.
struct Wish {
  std::string sort, state;
  NodeFields labels;
};

Result<std::string> one_of(const Run& run, Option option, std::string_view what, const std::vector<std::string>& words,
                           std::string hint) {
  const std::string word = run.line.text(option).value_or("");
  if (word.empty() && !run.line.has(option)) return word;
  if (std::ranges::find(words, word) != words.end()) return word;
  return make_error(Errc::invalid_argument, "bad " + std::string(what) + " '" + protocol::printable(word, 64) + "'",
                    std::move(hint));
}

Result<Wish> read_wish(const Run& run) {
  auto sort = one_of(run, Option::sort, "order", {"share", "name", "weight"}, "it is share, name or weight");
  if (!sort) return std::move(sort).error();
  auto state = one_of(run, Option::state, "state", {"up", "drain", "down"}, "it is up, drain or down");
  if (!state) return std::move(state).error();
  auto labels = named_texts(run, Option::label);
  if (!labels) return std::move(labels).error();
  return Wish{std::move(*sort), std::move(*state), std::move(*labels)};
}

// What cannot be told is left open: the list itself is worth more than that.
std::map<std::string, double> shares_by_name(const Run& run, const ListNodes::Response& list) {
  std::uint64_t points = 0;
  for (const ListNodes::Member& node : list.nodes) points += node.vnodes;
  if (points > points_shared) return {};
  auto side = fetch_side(run, list.ring);
  if (side && side->epoch != list.epoch) side = fetch_side(run, list.ring, list.epoch);
  if (!side) return {};
  const auto shares = exact_shares_of(*side);
  std::map<std::string, double> by_name;
  for (std::size_t i = 0; shares && i < shares->size(); ++i) by_name.emplace(side->spec.nodes[i].name, (*shares)[i]);
  return by_name;
}

bool is_wanted(const Wish& wish, const ListNodes::Member& node) {
  if (!wish.state.empty() && node.state != wish.state) return false;
  const Node whole{node.name, node.weight, node.fields_given, node.labels};
  return std::ranges::all_of(wish.labels,
                             [&](const auto& label) { return node_label(whole, label.first) == label.second; });
}

Result<void> sort_members(const Wish& wish, Listed& listed) {
  auto& members = listed.members;
  if (wish.sort == "name") std::ranges::stable_sort(members, {}, [](const Member& m) { return m.node.name; });
  if (wish.sort == "weight")
    std::ranges::stable_sort(members, std::greater<>(), [](const Member& m) { return m.node.weight; });
  if (wish.sort != "share") return {};
  if (std::ranges::any_of(members, [](const Member& m) { return !m.share; }))
    return make_error(Errc::invalid_argument, "the shares of ring '" + listed.ring + "' are not told by list",
                      "try: chash distribution -r " + listed.ring);
  std::ranges::stable_sort(members, std::greater<>(), [](const Member& m) { return *m.share; });
  return {};
}

Result<Listed> ask(const Run& run, const Wish& wish) {
  const auto list = run.session.call<ListNodes>({run.options.ring});
  if (!list) return list.error();
  const auto shares = shares_by_name(run, *list);
  Listed listed{list->ring, list->epoch, {}, list->pins};
  for (const ListNodes::Member& node : list->nodes) {
    if (!is_wanted(wish, node)) continue;
    const auto share = shares.find(node.name);
    listed.members.push_back({node, share == shares.end() ? std::nullopt : std::optional(share->second)});
  }
  if (auto ok = sort_members(wish, listed); !ok) return std::move(ok).error();
  return listed;
}

Record record_of(const Listed& listed, const Member& member) {
  const ListNodes::Member& node = member.node;
  return {{"name", node.name},
          {"weight", node.weight},
          {"vnodes", node.vnodes},
          {"fields", fields_text(node.fields_given)},
          {"state", node.state},
          {"labels", fields_text(node.labels)},
          {"ring", listed.ring},
          {"epoch", listed.epoch},
          {"share", member.share.value_or(std::nan(""))}};
}

// What the profile knows of a node beside its state, which has a column of its own.
NodeFields fields_shown(const ListNodes::Member& node) {
  NodeFields fields = node.fields_given;
  if (!node.state.empty()) std::erase_if(fields, [](const auto& field) { return field.first == "state"; });
  return fields;
}

// Columns that have nothing to say are left out.
void append_table(const Run& run, const Listed& listed) {
  const auto any = [&](auto is_such) { return std::ranges::any_of(listed.members, is_such, &Member::node); };
  const bool fields = any([](const auto& node) { return !fields_shown(node).empty(); });
  const bool labels = any([](const auto& node) { return !node.labels.empty(); });
  std::vector<std::string> header{"NODE", "WEIGHT", "VNODES", "STATE", "SHARE"};
  if (fields) header.emplace_back("FIELDS");
  if (labels) header.emplace_back("LABELS");
  Table rows(header);
  for (const auto& [node, share] : listed.members) {
    std::vector<std::string> row{for_people(node.name), weight_text(node.weight), std::to_string(node.vnodes),
                                 for_people(node.state), share ? percent(*share, 2) : "-"};
    if (fields) row.push_back(for_people(fields_text(fields_shown(node))));
    if (labels) row.push_back(for_people(fields_text(node.labels)));
    rows.add(std::move(row));
  }
  rows.append_to(run.out.text(), !run.line.has(Option::no_header), run.color);
  if (listed.pins.empty()) return;
  run.out.text() += '\n';
  append_pins(run, listed.pins, run.out.text());
}

void append_json(const Member& member, std::string& out) {
  protocol::encode_item(member.node, out);
  if (!member.share) return;
  out.back() = ',';  // in the place of the closing brace
  out += "\"share\":" + json_number(*member.share) + '}';
}

void append_json(const Listed& listed, std::string& out) {
  out += "{\"ring\":";
  protocol::append_json_string(listed.ring, out);
  out += ",\"epoch\":" + std::to_string(listed.epoch) + ",\"nodes\":[";
  for (const Member& member : listed.members) {
    if (out.back() != '[') out += ',';
    append_json(member, out);
  }
  out += ']';
  if (!listed.pins.empty()) {
    out += ",\"pins\":";
    append_pins_json(listed.pins, out);
  }
  out += "}\n";
}

void append_lines(const Run& run, const Listed& listed) {
  std::string& out = run.out.text();
  for (const Member& member : listed.members) {
    const auto& [node, share] = member;
    if (run.json()) append_json(member, out);
    else
      out += node.name + '\t' + number_text(node.weight) + '\t' + std::to_string(node.vnodes) + '\t' + node.state +
             '\t' + (share ? number_text(*share) : "-") + '\t' + fields_text(node.labels);
    out += '\n';
  }
}

bool wants_table(const Run& run) {
  return run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
}

int print(const Run& run, const Template& format, const Listed& listed) {
  if (format) {
    for (const Member& member : listed.members)
      if (const int status = run.print(format, record_of(listed, member)); status != 0) return status;
  } else if (run.options.format == Format::json) {
    append_json(listed, run.out.text());
  } else if (!wants_table(run)) {
    append_lines(run, listed);
  } else {
    append_table(run, listed);
  }
  return 0;
}

// On a terminal an empty list looks like a fault.
void tell_empty(const Run& run, const Wish& wish, const std::string& ring) {
  if (!wants_table(run) || run.line.has(Option::quiet) || is_watched(run)) return;
  if (wish.state.empty() && wish.labels.empty())
    say("ring '" + ring + "' has no node; try: chash add -r " + ring + " NODE");
  else say("no node of ring '" + ring + "' is so");
}

}  // namespace

int list_nodes(const Run& run) {
  const auto format = run.output_template(record_of({}, {}));
  if (!format) return run.misuse(format.error());
  const auto wish = read_wish(run);
  if (!wish) return run.misuse(wish.error());
  return print_watched(run, [&] {
    const auto listed = ask(run, *wish);
    if (!listed) return run.fail(listed.error());
    if (listed->members.empty()) tell_empty(run, *wish, listed->ring);
    return print(run, *format, *listed);
  });
}

}  // namespace chash::cli
