// get-node: one key, several, or as many as standard input has.
#include <unistd.h>

#include "change_options.h"
#include "chash/limits.h"
#include "key_stream.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::GetNode;
using protocol::GetNodes;
using protocol::RingShow;

Record record_of(const Found& found, std::optional<std::uint64_t> slot) {
  std::string nodes;
  for (const std::string& node : found.nodes) nodes += (nodes.empty() ? "" : "\t") + node;
  Record record{{"key", std::string(found.key)},
                {"node", found.nodes.empty() ? "" : found.nodes.front()},
                {"nodes", nodes},
                {"ring", std::string(found.ring)},
                {"epoch", found.epoch}};
  if (slot) record.emplace_back("slot", *slot);
  return record;
}

class Lookup {
 public:
  // `asked` has all but the keys.
  Lookup(const Run& run, const GetNodes::Request& asked)
      : run_(run), asked_(asked), keys_(run, asked, [this](const Found& found) { return print(found); }) {}

  int execute();

 private:
  Result<void> prepare();
  int one(std::string_view key);
  Result<void> print(const Found& found);
  void print_nodes(const Found& found, std::string& out) const;
  Result<void> learn_slots();
  std::optional<std::uint64_t> slot_of(std::string_view key) const {
    return slots_ ? std::optional(slot(*slots_, key)) : std::nullopt;
  }

  const Run& run_;
  GetNodes::Request asked_;
  bool with_key_ = false;
  std::optional<Profile> slots_;  // for --slot
  bool hex_ = false;              // keys are typed and printed in hex
  char end_ = '\n';
  Template template_;
  KeyStream keys_;
};

Result<void> Lookup::prepare() {
  end_ = run_.line.has(Option::null) ? '\0' : '\n';
  const bool single = run_.line.operands.size() == 1 && !run_.line.standard_input;
  with_key_ = run_.line.has(Option::with_key) || (!run_.line.has(Option::no_key) && !single);
  const std::vector<std::string> node{""};
  const std::string key_format = run_.line.text(Option::key_format).value_or("raw");
  if (key_format != "raw" && key_format != "hex")
    return make_error(Errc::invalid_argument, "the key format is neither raw nor hex");
  hex_ = key_format == "hex";
  if (run_.line.has(Option::slot))
    if (auto ok = learn_slots(); !ok) return ok;
  auto format = run_.output_template(record_of({"", 0, "", node}, slot_of("")));
  if (!format) return std::move(format).error();
  template_ = std::move(*format);
  return {};
}

// Which slot a key has, its profile alone says.
Result<void> Lookup::learn_slots() {
  if (run_.ring != nullptr) {
    slots_ = run_.ring->profile;
  } else {
    const auto shown = run_.session.call<RingShow>({run_.options.ring});
    if (!shown) return shown.error();
    auto profile = parse_profile(shown->profile);
    if (!profile) return std::move(profile).error();
    slots_ = std::move(*profile);
  }
  if (has_slots(*slots_)) return {};
  return make_error(Errc::invalid_argument, "--slot is for profiles that have slots, and this is " + slots_->text,
                    "such as redis-cluster");
}

int Lookup::execute() {
  std::vector<std::string> keys = run_.line.operands;
  if (auto ok = prepare(); !ok)
    return ok.error().code == Errc::invalid_argument ? run_.misuse(ok.error()) : run_.fail(ok.error());
  if (run_.line.text(Option::nodes_file) == "-" && (run_.line.standard_input || keys.empty()))
    return run_.misuse(make_error(Errc::invalid_argument, "the nodes are read from standard input, and the keys too",
                                  "give the keys as arguments, or the nodes in a file"));
  if (run_.line.standard_input || (keys.empty() && ::isatty(STDIN_FILENO) != 1))
    return keys_.ask_standard_input(end_, hex_);
  if (keys.empty()) return run_.misuse(make_error(Errc::invalid_argument, "no key is given"));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto bytes = key_bytes(keys[i], hex_);
    const auto fault = bytes ? key_fault(*bytes, bytes->size(), run_.ring != nullptr) : bytes.error().message;
    if (bytes) keys[i] = std::move(*bytes);
    if (!fault) continue;
    const std::string which = keys.size() == 1 ? "the key " : "key " + std::to_string(i + 1) + " ";
    return run_.misuse(make_error(Errc::invalid_argument, which + *fault));
  }
  return keys.size() == 1 ? one(keys.front()) : keys_.ask(keys);
}

int Lookup::one(std::string_view key) {
  if (run_.line.has(Option::slot)) return keys_.ask({std::string(key)});
  const auto response =
      run_.session.call<GetNode>({asked_.ring, {std::string(key)}, asked_.n, asked_.epoch, asked_.at, asked_.spread});
  if (!response) return run_.fail(response.error());
  const auto ok = print({response->ring, response->epoch, key, response->nodes});
  if (!ok) return run_.fail(ok.error());
  keys_.tell_warnings(response->warnings);
  return keys_.status();
}

void append_json(const Found& found, const OfflineRing* ring, std::string& out) {
  out += ring != nullptr ? "{\"profile\":" : "{\"ring\":";
  protocol::append_json_string(ring != nullptr ? ring->profile.text : found.ring, out);
  if (ring == nullptr) out += ",\"epoch\":" + std::to_string(found.epoch);
  out += ',';
  protocol::append_key_member("key", found.key, out);
  if (!found.nodes.empty()) {
    out += ",\"node\":";
    protocol::append_json_string(found.nodes.front(), out);
  }
  out += ",\"nodes\":[";
  for (const std::string& node : found.nodes) {
    if (&node != found.nodes.data()) out += ',';
    protocol::append_json_string(node, out);
  }
  out += "]}";
}

Result<void> Lookup::print(const Found& found) {
  std::string& out = run_.out.text();
  if (found.nodes.empty() && !slots_) {
    keys_.tell_unowned(found);
    return {};
  }
  if (template_) return template_.append(record_of(found, slot_of(found.key)), end_, out);
  if (run_.json()) {
    append_json(found, run_.ring, out);
    if (const auto slot = slot_of(found.key)) out.insert(out.size() - 1, ",\"slot\":" + std::to_string(*slot));
  } else {
    print_nodes(found, out);
  }
  out += end_;
  return {};
}

void Lookup::print_nodes(const Found& found, std::string& out) const {
  const bool escape = run_.out.is_terminal();
  const std::string key = hex_ ? protocol::hex_encode(found.key) : std::string(found.key);
  if (with_key_) (out += escape ? for_people(key) : key) += '\t';
  if (const auto number = slot_of(found.key)) {
    out += std::to_string(*number);
    return;
  }
  for (const std::string& node : found.nodes) {
    if (&node != found.nodes.data()) out += '\t';
    out += escape ? for_people(node) : node;
  }
}

}  // namespace

int get_node(const Run& run) {
  const auto replicas =
      parse_count(run.line.text(Option::replicas).value_or("1"), 1, limits::replicas, "number of nodes");
  if (!replicas) return run.misuse(replicas.error());
  const auto epoch = epoch_option(run, Option::epoch);
  if (!epoch) return run.misuse(epoch.error());
  const auto moment = moment_option(run, Option::at);
  if (!moment) return run.misuse(moment.error());
  if (run.ring != nullptr && (*epoch || !moment->empty()))
    return run.misuse(make_error(Errc::invalid_argument, "--epoch and --at are for rings of the daemon"));
  const std::string spread = run.line.text(Option::spread).value_or("");
  if (run.ring != nullptr && !spread.empty())
    return run.misuse(make_error(Errc::invalid_argument, "--spread is for rings of the daemon"));
  return Lookup(run, {run.options.ring, {}, *replicas, *epoch, *moment, spread}).execute();
}

}  // namespace chash::cli
