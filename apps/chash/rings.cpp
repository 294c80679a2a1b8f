// ring: the rings of the daemon.
#include "node_argument.h"
#include "protocol/codec.h"
#include "run.h"

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

// What a change of the rings prints: by --json, or `sentence`, which --quiet spares.
template <class Response>
int print_change(const Run& run, const Response& response, const std::string& sentence) {
  std::string& out = run.out.text();
  if (run.json()) {
    encode_response(response, out);
    out += '\n';
  } else if (!run.line.quiet) {
    out += for_people(sentence) + '\n';
  }
  return 0;
}

int print_made(const Run& run, const RingCreate::Response& made, const AnyResponse& response,
               const std::string& sentence) {
  for (const std::string& warning : made.warnings) say("WARNING: " + warning);
  return print_change(run, response,
                      sentence + " (" + made.profile + "): " + counted_nodes(made.added.size()) + ", epoch " +
                          std::to_string(made.epoch));
}

int create(const Run& run, const std::string& name) {
  const auto nodes = read_nodes(run.line.nodes, run.line.nodes_file);
  if (!nodes) return run.misuse(nodes.error());
  RingCreate::Request request{name, whole_profile(run.line.profile.value_or("seed"), run.options.profiles), {}};
  for (const Node& node : *nodes) request.nodes.push_back({node.name, node.weight, node.fields});
  const auto made = run.session.call<RingCreate>(std::move(request));
  return made ? print_made(run, *made, *made, "created " + made->ring) : run.fail(made.error());
}

int copy(const Run& run, const std::string& from, const std::string& to) {
  const auto made = run.session.call<RingCopy>({from, to});
  return made ? print_made(run, *made, *made, "copied " + from + " to " + made->ring) : run.fail(made.error());
}

int remove(const Run& run, const std::string& name) {
  const auto response = run.session.call<RingDelete>({name, run.line.if_exists});
  if (!response) return run.fail(response.error());
  return print_change(run, *response,
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
  if (table && !*format && !run.json()) rows.append_to(out, run.line.header, run.color);
  return 0;
}

int show(const Run& run, const std::string& name) {
  const auto response = run.session.call<RingShow>({name, run.line.slots});
  if (!response) return run.fail(response.error());
  const auto profile = parse_profile(response->profile);
  if (run.line.slots && profile && profile->algorithm != Profile::Algorithm::balanced)
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
  append_line("points", std::to_string(response->points), out);
  append_line("nodes", std::to_string(response->nodes.size()), out);
  for (const ListNodes::Member& node : response->nodes) {
    const std::string fields = fields_text(node.fields_given);
    append_line("", node.name + ' ' + number_text(node.weight) + (fields.empty() ? "" : " ") + fields, out);
  }
  append_slots(*response, out);
  return 0;
}

}  // namespace

Result<OfflineRing> fetch_ring(const Run& run, const std::string& name) {
  auto shown = run.session.call<RingShow>({name});
  const auto profile = shown ? parse_profile(shown->profile) : Result<Profile>(shown.error());
  if (profile && profile->algorithm == Profile::Algorithm::balanced) shown = run.session.call<RingShow>({name, true});
  if (!shown) return shown.error();
  std::vector<Node> nodes;
  for (const ListNodes::Member& node : shown->nodes) nodes.push_back({node.name, node.weight, node.fields_given});
  auto ring = make_offline_ring(shown->profile, std::move(nodes), SlotTable(shown->slots));
  if (!ring) return ring;
  if (hex(fingerprint({shown->profile, ring->nodes, ring->slots})) != shown->fingerprint)
    return make_error(Errc::internal, "the daemon places ring '" + name + "' otherwise than this chash",
                      "see chash version: they are of different releases");
  return ring;
}

int manage_rings(const Run& run) {
  const Words& words = run.line.operands;
  const std::string verb = words.empty() ? "" : words.front();
  if (run.line.format_template && verb != "list")
    return run.misuse(make_error(Errc::invalid_argument, "only ring list has --format", "take --json"));
  if (verb != "create" && (run.line.profile || run.line.nodes || run.line.nodes_file))
    return run.misuse(make_error(Errc::invalid_argument, "--profile, --nodes and --nodes-file are for ring create"));
  if (verb != "delete" && run.line.if_exists)
    return run.misuse(make_error(Errc::invalid_argument, "--if-exists is for ring delete"));
  if (verb != "show" && run.line.slots)
    return run.misuse(make_error(Errc::invalid_argument, "--slots is for ring show"));
  if (verb == "create" && words.size() == 2) return create(run, words[1]);
  if (verb == "list" && words.size() == 1) return list(run);
  if (verb == "show" && words.size() <= 2) return show(run, words.size() == 2 ? words[1] : run.options.ring);
  if (verb == "copy" && words.size() == 3) return copy(run, words[1], words[2]);
  if (verb == "delete" && words.size() == 2) return remove(run, words[1]);
  return run.misuse(make_error(Errc::invalid_argument, "say what to do with which ring",
                               "create NAME, list, show [NAME], copy NAME NEW, or delete NAME"));
}

}  // namespace chash::cli
