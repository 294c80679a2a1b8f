// explain: why a key is where it is.
#include "change_options.h"
#include "chash/limits.h"
#include "key_stream.h"
#include "pin_output.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::Explain;

std::string percent_text(double part) { return fixed_text(100 * part, 4) + "%"; }

void append_line(std::string_view name, const std::string& value, std::string& out) {
  if (value.empty()) return;
  std::string line(name);
  line.resize(10, ' ');
  out += line + for_people(value) + '\n';
}

// What the verdict of a step means, in a sentence's words.
std::string meaning(const Explain::Step& step) {
  if (step.verdict == "down") return "is down: passed over";
  if (step.verdict == "drains") return "drains: takes nothing new";
  if (step.verdict == "other zone") return "passed over for one of another zone";
  return step.verdict;
}

bool is_pinned(const Explain::Response& response, const std::string& node) {
  return response.pin && std::ranges::find(response.pin->nodes, node) != response.pin->nodes.end();
}

void append_walk(const Run& run, const Explain::Response& response) {
  const bool zones = std::ranges::any_of(response.walk, [](const Explain::Step& step) { return !step.zone.empty(); });
  std::vector<std::string> header{"NODE", "STATE"};
  if (zones) header.emplace_back("ZONE");
  header.emplace_back("WHAT IT IS");
  Table table(header);
  for (const Explain::Step& step : response.walk) {
    std::vector<std::string> row{for_people(step.node), step.state};
    if (zones) row.push_back(for_people(step.zone));
    row.push_back(meaning(step) + (is_pinned(response, step.node) ? ", pinned" : ""));
    table.add(std::move(row));
  }
  table.append_to(run.out.text(), !run.line.has(Option::no_header), run.color);
}

void append_text(const Run& run, const std::string& key, const Explain::Response& response) {
  std::string& out = run.out.text();
  append_line("key",
              protocol::printable(key, limits::log_text_bytes) + "  (" + std::to_string(key.size()) +
                  (key.size() == 1 ? " byte)" : " bytes)"),
              out);
  if (!response.hash.empty() && response.hashed != protocol::printable(key, limits::log_text_bytes))
    append_line("hashed", response.hashed, out);
  std::string hash = response.function + "  " + response.hash;
  if (response.around) hash += "  " + percent_text(*response.around) + " of the way round";
  if (!response.hash.empty()) append_line("hash", hash, out);
  if (!response.point.empty() && !response.walk.empty())
    append_line("point",
                response.point + "  number " + std::to_string(response.point_number.value_or(0)) + " of " +
                    (response.point_node.empty() ? response.walk.front().node : response.point_node) + ", " +
                    percent_text(response.distance.value_or(0)) + " away",
                out);
  if (response.slot) append_line("slot", std::to_string(*response.slot), out);
  append_line("ring", response.ring + "  (" + response.profile + "), epoch " + std::to_string(response.epoch), out);
  if (response.pin) append_line("pin", pin_sentence(*response.pin, response.pin_missing), out);
  if (!response.walk.empty()) append_walk(run, response);
  if (response.nodes.empty()) out += "no node may answer for this key\n";
}

}  // namespace

int explain_key(const Run& run) {
  if (run.line.operands.size() != 1) return run.misuse(make_error(Errc::invalid_argument, "explain takes one key"));
  const std::string& key = run.line.operands.front();
  if (const auto fault = key_fault(key, key.size(), false))
    return run.misuse(make_error(Errc::invalid_argument, "the key " + *fault));
  const auto replicas =
      parse_count(run.line.text(Option::replicas).value_or("1"), 1, limits::replicas, "number of nodes");
  if (!replicas) return run.misuse(replicas.error());
  const auto epoch = epoch_option(run, Option::epoch);
  if (!epoch) return run.misuse(epoch.error());
  const auto moment = moment_option(run, Option::at);
  if (!moment) return run.misuse(moment.error());
  const auto response = run.session.call<Explain>(
      {run.options.ring, {key}, *replicas, *epoch, *moment, run.line.text(Option::spread).value_or("")});
  if (!response) return run.fail(response.error());
  if (run.json()) {
    protocol::encode_response(protocol::AnyResponse(*response), run.out.text());
    run.out.text() += '\n';
  } else {
    append_text(run, key, *response);
  }
  for (const std::string& warning : response->warnings) say("WARNING: " + warning);
  if (response->nodes.empty()) return info(Errc::empty_ring).exit_status;
  return response->warnings.empty() ? 0 : info(Errc::partial).exit_status;
}

}  // namespace chash::cli
