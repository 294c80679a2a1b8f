// plan, diff: what would move, or did.
#include <algorithm>
#include <array>

#include "change_options.h"
#include "chash/limits.h"
#include "manifest.h"
#include "movement_output.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "ring_file.h"
#include "sides.h"
#include "wanted.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr int differs = 10;  // with --exit-code

// What both have: how it is printed, and which keys it is about.
struct Manner {
  Template format;
  std::uint32_t replicas = 1;
  bool ranges = false;
  std::optional<std::string> keys;
  std::string out;
};

Result<Manner> manner_of(const Run& run) {
  Manner manner;
  auto format = run.output_template(flow_record({}));
  if (!format) return std::move(format).error();
  manner.format = std::move(*format);
  const auto replicas =
      parse_count(run.line.text(Option::replicas).value_or("1"), 1, limits::replicas, "number of nodes");
  if (!replicas) return replicas.error();
  manner.replicas = *replicas;
  manner.ranges = run.line.has(Option::ranges);
  manner.keys = run.line.text(Option::keys);
  manner.out = run.line.text(Option::out).value_or("");
  if (!manner.keys && (run.line.has(Option::out) || run.line.has(Option::null) || run.line.has(Option::key_format)))
    return make_error(Errc::invalid_argument, "--out, --null and --key-format are for --keys FILE");
  if (manner.keys && (manner.format || manner.ranges || manner.replicas > 1))
    return make_error(Errc::invalid_argument, "--keys stands without --format, --ranges and --replicas");
  return manner;
}

int status_of(const Run& run, const MovementReport& report) {
  return run.line.has(Option::exit_code) && changes_anything(report) ? differs : 0;
}

// --- The keys that move ---------------------------------------------------------------------------------------------

void append_manifest_json(Manifest& manifest, std::string& out) {
  const auto sum = [](const Manifest::Sum& of) {
    return "\"keys\":" + std::to_string(of.keys) + ",\"bytes\":" + std::to_string(of.bytes);
  };
  out += "\"manifest\":{" + sum(manifest.all()) + ",\"moved\":{" + sum(manifest.moved()) +
         "},\"not_foretold\":" + std::to_string(manifest.not_foretold()) + ",\"pairs\":[";
  for (const auto& [names, pair] : manifest.pairs()) {
    if (out.back() != '[') out += ',';
    out += "{\"from\":";
    append_json_string(names.first, out);
    out += ",\"to\":";
    append_json_string(names.second, out);
    out += ',' + sum(pair.sum);
    if (!pair.file.empty()) {
      out += ",\"file\":";
      append_json_string(pair.file, out);
    }
    out += '}';
  }
  out += "]}";
}

void append_manifest_table(const Run& run, Manifest& manifest) {
  std::string& out = run.out.text();
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  Table rows({"FROM", "TO", "KEYS", "BYTES"});
  for (const auto& [names, pair] : manifest.pairs()) {
    const std::string keys = std::to_string(pair.sum.keys), bytes = std::to_string(pair.sum.bytes);
    if (table)
      rows.add({names.first.empty() ? "-" : for_people(names.first),
                names.second.empty() ? "-" : for_people(names.second), keys, bytes});
    else out += names.first + '\t' + names.second + '\t' + keys + '\t' + bytes + '\n';
  }
  if (!table) return;
  rows.append_to(out, !run.line.has(Option::no_header), run.color);
  const auto& all = manifest.all();
  const double share = all.keys == 0 ? 0 : static_cast<double>(manifest.moved().keys) / static_cast<double>(all.keys);
  out += std::to_string(manifest.moved().keys) + " of " + std::to_string(all.keys) + " keys move (" +
         percent(share, 2) + "), " + std::to_string(manifest.moved().bytes) + " of " + std::to_string(all.bytes) +
         " bytes\n";
}

// `report_json` is what stands beside the manifest: an object.
int print_manifest(const Run& run, const Manner& manner, const Side& before, const Side& after,
                   const std::string& report_json, const MovementReport& report) {
  Manifest manifest(before, after, manner.out, run.line.has(Option::null) ? '\0' : '\n');
  const int status = read_keys(run, *manner.keys, manifest);
  if (status != 0 && status != info(Errc::partial).exit_status) return status;
  if (manifest.not_foretold() > 0)
    say("WARNING: " + std::to_string(manifest.not_foretold()) +
        " keys have no node that is foretold, and are left out");
  if (run.json()) {
    std::string& out = run.out.text();
    out += report_json;
    out.back() = ',';  // in the place of the closing brace
    append_manifest_json(manifest, out);
    out += "}\n";
  } else {
    append_manifest_table(run, manifest);
  }
  return status != 0 ? status : status_of(run, report);
}

// --- plan -----------------------------------------------------------------------------------------------------------

// The ring that the plan leads to, made here: to the last point the one that the daemon means.
Result<Side> planned_side(const Run& run, const Side& before, const WantedChange& wanted, const Plan& plan) {
  const auto change = local_change(wanted, [&](std::uint64_t epoch) -> Result<RingSpec> {
    auto old = fetch_side(run, wanted.ring, epoch);
    if (!old) return std::move(old).error();
    return std::move(old->spec);
  });
  if (!change) return change.error();
  const auto delta = resolve(before.spec, *change);
  if (!delta) return delta.error();
  auto after = make_side("plan", apply(before.spec, *delta));
  if (after && (hex(fingerprint(before.spec)) != plan.from || hex(fingerprint(after->spec)) != plan.to))
    return make_error(Errc::conflict, "ring '" + wanted.ring + "' changed while this was planned", "try again");
  return after;
}

int print(const Run& run, const Manner& manner, const Plan& plan) {
  if (run.json() && !manner.format) {
    run.out.text() += encode_plan(plan) + '\n';
    return status_of(run, plan);
  }
  if (const int status = print_plan(run, manner.format, plan); status != 0) return status;
  if (run.line.has(Option::quiet)) return status_of(run, plan);
  if (!plan.id.empty() && run.out.is_terminal() && !manner.format)
    run.out.text() += "to do just this: chash apply " + (plan.ring == default_ring ? "" : "-r " + plan.ring + ' ') +
                      plan.id + (plan.over_budget ? " --force\n" : "\n");
  return status_of(run, plan);
}

}  // namespace

int plan_change(const Run& run) {
  const auto manner = manner_of(run);
  if (!manner) return run.misuse(manner.error());
  auto wanted = wanted_change(run);
  if (!wanted) return run.misuse(wanted.error());
  // Standard input is read once.
  if (manner->keys == "-" && !run.line.operands.empty() && run.line.operands.front() == "-")
    return run.misuse(
        make_error(Errc::invalid_argument, "standard input is named twice", "put one of them into a file"));
  const auto plan = run.session.call<PlanChange>({*wanted, manner->replicas, manner->ranges});
  if (!plan) return run.fail(plan.error());
  if (!manner->keys) return print(run, *manner, *plan);
  const auto before = fetch_side(run, wanted->ring, plan->epoch);
  if (!before) return run.fail(before.error());
  const auto after = planned_side(run, *before, *wanted, *plan);
  if (!after) return run.fail(after.error());
  return print_manifest(run, *manner, *before, *after, encode_plan(*plan), *plan);
}

// --- diff -----------------------------------------------------------------------------------------------------------

namespace {

// EPOCH, RING, RING@EPOCH, or a file: what has a slash in it or ends as files of rings do, and `-`.
struct SideName {
  std::string ring;
  std::optional<std::uint64_t> epoch;
  std::string file;
};

Result<SideName> side_name(const Run& run, const std::string& text) {
  SideName name{run.options.ring, {}, {}};
  constexpr std::array<std::string_view, 5> endings{".toml", ".json", ".txt", ".conf", ".cfg"};
  const bool is_file = text == "-" || text.find('/') != text.npos ||
                       std::ranges::any_of(endings, [&](std::string_view ending) { return text.ends_with(ending); });
  if (is_file) return name.file = text, name;
  if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) {
    const auto epoch = parse_epoch(text);
    if (!epoch) return epoch.error();
    name.epoch = *epoch;
    return name;
  }
  const std::size_t at = text.find('@');
  name.ring = text.substr(0, at);
  if (at == text.npos) return name;
  const auto epoch = parse_epoch(text.substr(at + 1));
  if (!epoch) return epoch.error();
  name.epoch = *epoch;
  return name;
}

// `other` is the side beside it: a list of nodes alone has its profile.
Result<Side> load_side(const Run& run, const SideName& name, const std::string& profile) {
  if (name.file.empty()) return fetch_side(run, name.ring, name.epoch);
  auto file = read_ring_file(name.file);
  if (!file) return std::move(file).error();
  RingSpec spec{file->profile.empty() ? profile : whole_profile(file->profile, run.options.profiles), {}, {}};
  const auto delta =
      file->nodes.empty() ? Result<Delta>(Delta()) : resolve(spec, chash::AddNodes{nodes_of(file->nodes), false});
  if (!delta) return delta.error();
  auto pins = pins_of(file->pins.value_or(std::vector<PinGiven>()));
  if (!pins) return std::move(pins).error();
  spec = apply(std::move(spec), *delta);
  spec.pins = PinList(std::move(*pins));
  return make_side(name.file, std::move(spec));
}

int diff_here(const Run& run, const Manner& manner, const SideName& a, const SideName& b) {
  Side before, after;
  const bool first_is_file = !a.file.empty();
  // The one that surely has a profile goes first.
  auto one = load_side(run, first_is_file ? b : a, "seed");
  if (!one) return run.fail(one.error());
  auto other = load_side(run, first_is_file ? a : b, one->spec.profile);
  if (!other) return run.fail(other.error());
  before = std::move(first_is_file ? *other : *one);
  after = std::move(first_is_file ? *one : *other);
  const auto report = movement_report({before.spec, before.placement}, {after.spec, after.placement},
                                      ReportOptions{manner.replicas, manner.ranges});
  if (!report) return run.fail(report.error());
  Diff::Response response{*report};
  response.ring = before.label;
  response.epoch = before.epoch;
  response.other = after.label;
  response.other_epoch = after.epoch;
  response.from = hex(fingerprint(before.spec));
  response.to = hex(fingerprint(after.spec));
  std::string json;
  encode_response(AnyResponse(response), json);
  if (manner.keys) return print_manifest(run, manner, before, after, json, *report);
  if (run.json() && !manner.format) run.out.text() += json + '\n';
  else if (const int status = print_movement(run, manner.format, *report, true); status != 0) return status;
  return status_of(run, *report);
}

}  // namespace

int diff_rings(const Run& run) {
  const auto manner = manner_of(run);
  if (!manner) return run.misuse(manner.error());
  const auto& words = run.line.operands;
  if (words.empty() || words.size() > 2)
    return run.misuse(
        make_error(Errc::invalid_argument, "say what is to be compared",
                   "an epoch, a ring, RING@EPOCH or a file; with one alone, the ring as it is now is the other"));
  const auto a = side_name(run, words[0]);
  if (!a) return run.misuse(a.error());
  const auto b = words.size() == 2 ? side_name(run, words[1]) : Result<SideName>(SideName{run.options.ring, {}, {}});
  if (!b) return run.misuse(b.error());
  if ((a->file == "-") + (b->file == "-") + (manner->keys == "-") > 1)
    return run.misuse(
        make_error(Errc::invalid_argument, "standard input is named twice", "put one of them into a file"));
  if (manner->keys || !a->file.empty() || !b->file.empty()) return diff_here(run, *manner, *a, *b);
  const auto response =
      run.session.call<Diff>({a->ring, a->epoch, b->epoch, b->ring, manner->replicas, manner->ranges});
  if (!response) return run.fail(response.error());
  if (run.json() && !manner->format) {
    encode_response(AnyResponse(*response), run.out.text());
    run.out.text() += '\n';
  } else if (const int status = print_movement(run, manner->format, *response, true); status != 0) {
    return status;
  }
  return status_of(run, *response);
}

}  // namespace chash::cli
