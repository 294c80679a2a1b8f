// ring: the rings of the daemon.
#include <algorithm>

#include "change_options.h"
#include "change_output.h"
#include "confirm.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "run.h"
#include "sides.h"

namespace chash::cli {
namespace {

using namespace protocol;
using RingState = Status::RingState;
using Words = std::vector<std::string>;

std::string counted_nodes(std::size_t count) { return std::to_string(count) + (count == 1 ? " node" : " nodes"); }

Record record_of(const RingState& ring) {
  return {{"name", ring.name},
          {"profile", ring.profile},
          {"nodes", ring.nodes},
          {"points", ring.points},
          {"epoch", ring.epoch}};
}

void append_line(std::string_view label, std::string_view text, std::string& out) {
  std::string line = "  " + std::string(label);
  line.resize(16, ' ');
  out += line + for_people(text) + '\n';
}

// Slots in a row that have one node, a line each.
void append_slots(const RingShow::Response& ring, std::string& out) {
  for (std::size_t first = 0, last = 0; first < ring.slots.size(); first = last + 1) {
    last = first;
    while (last + 1 < ring.slots.size() && ring.slots[last + 1] == ring.slots[first]) ++last;
    const std::string node = ring.slots[first] < ring.nodes.size() ? ring.nodes[ring.slots[first]].name : "?";
    const std::string range = std::to_string(first) + (first == last ? "" : '-' + std::to_string(last));
    append_line(first == 0 ? "slots" : "", range + ' ' + node, out);
  }
}

template <class Response>
int print_made(const Run& run, const Response& made, const std::string& sentence) {
  for (const std::string& warning : made.warnings) say("WARNING: " + warning);
  return print_change(run, {}, made, {},
                      sentence + " (" + made.profile + "): " + counted_nodes(made.added.size()) + ", epoch " +
                          std::to_string(made.epoch));
}

int create(const Run& run, const std::string& name, ChangeOptions options) {
  const auto nodes = read_nodes(run.line.text(Option::nodes), run.line.text(Option::nodes_file));
  if (!nodes) return run.misuse(nodes.error());
  const auto max_move = parse_share(run.line.text(Option::max_move).value_or("1"));
  if (!max_move) return run.misuse(max_move.error());
  RingCreate::Request request{std::move(options),
                              name,
                              whole_profile(run.line.text(Option::profile).value_or("seed"), run.options.profiles),
                              {},
                              *max_move};
  for (const Node& node : *nodes) request.nodes.push_back(protocol::given(node));
  const auto made = run.session.call<RingCreate>(std::move(request));
  return made ? print_made(run, *made, "created " + made->ring) : run.fail(made.error());
}

int copy(const Run& run, const std::string& from, const std::string& to, ChangeOptions options) {
  const auto made = run.session.call<RingCopy>({std::move(options), from, to});
  return made ? print_made(run, *made, "copied " + from + " to " + made->ring) : run.fail(made.error());
}

int set(const Run& run, const std::string& name, ChangeOptions options) {
  const auto max_move = parse_share(run.line.text(Option::max_move).value_or(""));
  if (!max_move)
    return run.misuse(run.line.has(Option::max_move)
                          ? max_move.error()
                          : make_error(Errc::invalid_argument, "say what is to be set", "--max-move SHARE"));
  const auto response = make_change<RingSet>(run, {std::move(options), name, *max_move});
  if (!response) return run.fail(response.error());
  const bool changed = response->epoch != response->previous_epoch;
  return print_change(run, {}, *response, {},
                      "one change of " + name + (changed ? " may now" : " already may") + " move at most " +
                          percent(*max_move, 2) + " of all keys: " +
                          (changed ? epochs_text(response->previous_epoch, response->epoch)
                                   : "epoch " + std::to_string(response->epoch)));
}

int remove(const Run& run, const std::string& name, ChangeOptions options) {
  const auto response = make_change<RingDelete>(run, {std::move(options), name, run.line.has(Option::if_exists)});
  if (!response) return run.fail(response.error());
  return print_change(run, {}, *response, {},
                      response->deleted
                          ? "deleted " + name + ", which was at epoch " + std::to_string(response->previous_epoch)
                          : "nothing to delete: there is no ring " + name);
}

int list(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  const auto response = run.session.call<RingList>({});
  if (!response) return run.fail(response.error());
  std::string& out = run.out.text();
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  Table rows({"RING", "PROFILE", "NODES", "POINTS", "EPOCH"});
  if (run.options.format == Format::json && !*format) {
    encode_response(*response, out);
    out += '\n';
    return 0;
  }
  for (const RingState& ring : response->rings) {
    const Words words{for_people(ring.name), for_people(ring.profile), std::to_string(ring.nodes),
                      std::to_string(ring.points), std::to_string(ring.epoch)};
    if (*format) {
      if (const int status = run.print(*format, record_of(ring)); status != 0) return status;
    } else if (run.json()) {
      encode_item(ring, out);
      out += '\n';
    } else if (table) {
      rows.add(words);
    } else {
      for (const std::string& word : words) out += (&word == words.data() ? "" : "\t") + word;
      out += '\n';
    }
  }
  if (table && !*format && !run.json()) rows.append_to(out, !run.line.has(Option::no_header), run.color);
  return 0;
}

int show(const Run& run, const std::string& name) {
  const auto epoch = epoch_option(run, Option::epoch);
  if (!epoch) return run.misuse(epoch.error());
  const auto moment = moment_option(run, Option::at);
  if (!moment) return run.misuse(moment.error());
  const auto response = run.session.call<RingShow>({name, run.line.has(Option::slots), *epoch, *moment});
  if (!response) return run.fail(response.error());
  const auto profile = parse_profile(response->profile);
  if (run.line.has(Option::slots) && profile && profile->algorithm != Profile::Algorithm::balanced)
    return run.misuse(
        make_error(Errc::invalid_argument, "ring '" + name + "' keeps no slots: --slots is for balanced"));
  std::string& out = run.out.text();
  if (run.json()) {
    encode_response(*response, out);
    out += '\n';
    return 0;
  }
  const NamedProfile* named = find_named_profile(response->profile.substr(0, response->profile.find(',')));
  out += for_people(response->ring) + ", epoch " + std::to_string(response->epoch) + '\n';
  append_line("profile", response->profile, out);
  if (named != nullptr) append_line("places as", named->software, out);
  if (named != nullptr && !named->not_foretold.empty()) append_line("not foretold", named->not_foretold, out);
  append_line("fingerprint", response->fingerprint, out);
  if (!response->time.empty()) append_line("since", response->time, out);
  if (response->max_move && *response->max_move < 1) append_line("may move", percent(*response->max_move, 2), out);
  append_line("points", std::to_string(response->points), out);
  append_line("nodes", std::to_string(response->nodes.size()), out);
  for (const ListNodes::Member& node : response->nodes) {
    const std::string fields = fields_text(node.fields_given);
    append_line("", node.name + ' ' + number_text(node.weight) + (fields.empty() ? "" : " ") + fields, out);
  }
  append_slots(*response, out);
  return 0;
}

// Which options each verb has, beside those that all have.
Result<void> check_options(const Run& run, std::string_view verb) {
  using Verbs = std::vector<std::string_view>;
  struct Row {
    Verbs verbs;
    std::vector<Option> options;
    std::string_view message;
  };
  static const std::vector<Row> rows{
      {{"create"},
       {Option::profile, Option::nodes, Option::nodes_file},
       "--profile, --nodes and --nodes-file are for ring create"},
      {{"delete"}, {Option::if_exists}, "--if-exists is for ring delete"},
      {{"show"}, {Option::slots}, "--slots is for ring show"},
      {{"draw"}, {Option::svg}, "--svg is for ring draw"},
      {{"show"}, {Option::epoch, Option::at}, "--epoch and --at are for ring show"},
      {{"create", "set"}, {Option::max_move}, "--max-move is for ring create and ring set"},
      {{"create", "set", "copy", "delete"},
       {Option::dry_run, Option::expect_epoch, Option::note, Option::request_id, Option::force},
       "this changes nothing: options of changes are for ring create, set, copy and delete"}};
  for (const Row& row : rows) {
    if (std::ranges::find(row.verbs, verb) != row.verbs.end()) continue;
    if (std::ranges::any_of(row.options, [&](Option option) { return run.line.has(option); }))
      return make_error(Errc::invalid_argument, std::string(row.message));
  }
  return {};
}

}  // namespace

Result<OfflineRing> fetch_ring(const Run& run, const std::string& name) {
  auto side = fetch_side(run, name);
  if (!side) return std::move(side).error();
  const NodeList& nodes = side->spec.nodes;
  auto ring = make_offline_ring(side->spec.profile, {nodes.begin(), nodes.end()}, side->spec.slots);
  if (ring) ring->placement.pin(ring->profile, nodes, side->spec.pins);
  return ring;
}

int manage_rings(const Run& run) {
  const Words& words = run.line.operands;
  const std::string verb = words.empty() ? "" : words.front();
  if (run.line.has(Option::format) && verb != "list")
    return run.misuse(make_error(Errc::invalid_argument, "only ring list has --format", "take --json"));
  if (auto ok = check_options(run, verb); !ok) return run.misuse(ok.error());
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  if (verb == "create" && words.size() == 2) return create(run, words[1], std::move(*options));
  if (verb == "set" && words.size() <= 2)
    return set(run, words.size() == 2 ? words[1] : run.options.ring, std::move(*options));
  if (verb == "list" && words.size() == 1) return list(run);
  if (verb == "show" && words.size() <= 2) return show(run, words.size() == 2 ? words[1] : run.options.ring);
  if (verb == "draw" && words.size() <= 2) return draw_ring(run, words.size() == 2 ? words[1] : run.options.ring);
  if (verb == "copy" && words.size() == 3) return copy(run, words[1], words[2], std::move(*options));
  if (verb == "delete" && words.size() == 2) return remove(run, words[1], std::move(*options));
  return run.misuse(
      make_error(Errc::invalid_argument, "say what to do with which ring",
                 "create NAME, list, show [NAME], draw [NAME], set [NAME], copy NAME NEW, or delete NAME"));
}

}  // namespace chash::cli
