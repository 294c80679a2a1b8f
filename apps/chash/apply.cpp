// apply, rollback, export: a ring as a file or an earlier epoch has it.
#include "change_options.h"
#include "change_output.h"
#include "confirm.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "ring_file.h"
#include "sides.h"
#include "wanted.h"

namespace chash::cli {
namespace {

using namespace protocol;

Record record_of(const ApplyChange::Response& response) {
  return {{"ring", response.ring},
          {"epoch", response.epoch},
          {"previous_epoch", response.previous_epoch},
          {"added", std::uint64_t{response.added.size()}},
          {"removed", std::uint64_t{response.removed.size()}},
          {"altered", std::uint64_t{response.altered.size()}}};
}

std::string counts_text(const ApplyChange::Response& response) {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + ' ' + std::string(what);
  };
  add(response.added.size(), "added");
  add(response.removed.size(), "removed");
  add(response.altered.size(), "altered");
  return text.empty() ? "" : " (" + text + ")";
}

template <class Op>
int print_applied(const Run& run, const Template& format, const typename Op::Response& response,
                  const std::string& what) {
  for (const std::string& warning : response.warnings) say("WARNING: " + warning);
  const std::string sentence =
      response.epoch == response.previous_epoch
          ? "nothing to change: " + response.ring + " is so already (epoch " + std::to_string(response.epoch) + ")"
          : what + ": " + epochs_text(response.previous_epoch, response.epoch, response.moved) + counts_text(response);
  return print_change(run, format, response, record_of(response), sentence);
}

}  // namespace

std::string sentence_list(const std::vector<std::string>& names) {
  constexpr std::size_t names_in_full = 10;  // of more, the first few stand for all
  constexpr std::size_t names_of_many = 3;
  const bool all = names.size() <= names_in_full;
  std::string text;
  for (std::size_t i = 0; i < (all ? names.size() : names_of_many); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return all ? text : text + " and " + std::to_string(names.size() - names_of_many) + " more";
}

Record change_record(const std::string& ring, std::uint64_t epoch, std::uint64_t previous_epoch,
                     const std::vector<std::string>& nodes) {
  std::string names;
  for (const std::string& node : nodes) names += (names.empty() ? "" : "\t") + node;
  return {{"ring", ring}, {"epoch", epoch}, {"previous_epoch", previous_epoch}, {"nodes", names}};
}

std::string epochs_text(std::uint64_t before, std::uint64_t after, std::optional<double> moved) {
  return "epoch " + std::to_string(before) + " -> " + std::to_string(after) +
         (moved ? ", " + percent(*moved, 2) + " of keys move" : "");
}

int apply_change(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  if (run.line.operands.size() != 1)
    return run.misuse(make_error(Errc::invalid_argument, "name one FILE, or the id of a plan"));
  const std::string& what = run.line.operands.front();
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  ApplyChange::Request request;
  static_cast<ChangeOptions&>(request) = std::move(*options);
  if (is_plan_id(what)) {
    if (run.line.has(Option::prune)) return run.misuse(make_error(Errc::invalid_argument, "--prune is for a FILE"));
    request.ring = run.options.ring;
    request.plan = what;
  } else {
    auto wanted = wanted_change(run);
    if (!wanted) return run.misuse(wanted.error());
    static_cast<WantedChange&>(request) = std::move(*wanted);
  }
  const auto response = make_change<ApplyChange>(run, std::move(request));
  if (!response) return run.fail(response.error());
  return print_applied<ApplyChange>(run, *format, *response, "applied " + for_people(what) + " to " + response->ring);
}

int roll_back(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  if (run.line.operands.size() != 1)
    return run.misuse(make_error(Errc::invalid_argument, "name the epoch to return to", "see: chash history"));
  const auto epoch = parse_epoch(run.line.operands.front());
  if (!epoch) return run.misuse(epoch.error());
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  const auto response = make_change<RollBack>(run, {std::move(*options), run.options.ring, *epoch});
  if (!response) return run.fail(response.error());
  return print_applied<RollBack>(run, *format, *response,
                                 "ring " + response->ring + " is again as at epoch " + std::to_string(*epoch));
}

int export_ring(const Run& run) {
  if (run.line.has(Option::format))
    return run.misuse(make_error(Errc::invalid_argument, "export has no --format", "take --as"));
  const auto epoch = epoch_option(run, Option::epoch);
  if (!epoch) return run.misuse(epoch.error());
  const auto moment = moment_option(run, Option::at);
  if (!moment) return run.misuse(moment.error());
  const auto shown = run.session.call<RingShow>({run.options.ring, false, *epoch, *moment});
  if (!shown) return run.fail(shown.error());
  RingFile file{shown->ring, shown->epoch, shown->profile, shown->max_move, {}};
  for (const ListNodes::Member& node : shown->nodes)
    file.nodes.push_back({node.name, node.weight, node.fields_given, node.labels});
  if (!shown->pins.empty()) file.pins = shown->pins;
  const auto text = write_ring_file(file, run.line.text(Option::as).value_or(run.json() ? "json" : "toml"));
  if (!text) return run.misuse(text.error());
  run.out.text() += *text;
  return 0;
}

}  // namespace chash::cli
