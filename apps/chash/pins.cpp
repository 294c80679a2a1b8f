// pin, unpin: keys that are placed by hand.
#include "change_options.h"
#include "change_output.h"
#include "confirm.h"
#include "moment.h"
#include "pin_output.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::Key;
using protocol::ListNodes;
using protocol::PinGiven;
using protocol::PinKeys;
using protocol::PinNamed;
using protocol::UnpinKeys;

// A word of the command line as a key, or as what keys begin with.
Result<PinNamed> read_name(const Run& run, const std::string& word) {
  const std::string format = run.line.text(Option::key_format).value_or("raw");
  if (format != "raw" && format != "hex")
    return make_error(Errc::invalid_argument, "the key format is neither raw nor hex");
  auto key = format == "hex" ? protocol::hex_decode(word) : std::optional(word);
  if (!key) return make_error(Errc::invalid_argument, "the key is not hex");
  PinNamed named;
  (run.line.has(Option::prefix) ? named.prefix : named.key).bytes = std::move(*key);
  if (auto ok = protocol::pin_name(named); !ok) return make_error(Errc::invalid_argument, "the key is empty");
  return named;
}

// --for and --until; empty without.
Result<std::string> read_end(const Run& run) {
  const auto span = run.line.text(Option::lasts), until = run.line.text(Option::until);
  if (span) return parse_span_from_now(*span);
  return until ? parse_moment(*until) : Result<std::string>(std::string());
}

Record record_of(const PinGiven& pin) {
  std::string nodes;
  for (const std::string& node : pin.nodes) nodes += (nodes.empty() ? "" : ",") + node;
  const bool is_prefix = pin.key.bytes.empty();
  return {{"kind", is_prefix ? "prefix" : "key"},
          {"key", is_prefix ? pin.prefix.bytes : pin.key.bytes},
          {"nodes", nodes},
          {"expires", pin.expires}};
}

int list_pins(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  const auto response = run.session.call<ListNodes>({run.options.ring});
  if (!response) return run.fail(response.error());
  std::string& out = run.out.text();
  if (run.options.format == Format::json && !*format) {
    out += "{\"ring\":";
    protocol::append_json_string(response->ring, out);
    out += ",\"epoch\":" + std::to_string(response->epoch) + ",\"pins\":";
    append_pins_json(response->pins, out);
    out += "}\n";
    return 0;
  }
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (table && !*format) {
    if (response->pins.empty() && !run.line.has(Option::quiet))
      say("ring '" + response->ring + "' has no pins; try: chash pin KEY NODE");
    append_pins(run, response->pins, out);
    return 0;
  }
  for (const PinGiven& pin : response->pins) {
    if (*format) {
      if (const int status = run.print(*format, record_of(pin)); status != 0) return status;
    } else if (run.json()) {
      protocol::encode_item(pin, out);
      out += '\n';
    } else {
      const bool is_prefix = pin.key.bytes.empty();
      out += std::string(is_prefix ? "prefix" : "key") + '\t' + pinned_text(pin) + '\t';
      for (const std::string& node : pin.nodes) out += (&node == pin.nodes.data() ? "" : ",") + node;
      out += '\t' + pin.expires + '\n';
    }
  }
  return 0;
}

std::vector<std::string> labels_of(const std::vector<PinNamed>& pins) {
  std::vector<std::string> texts;
  for (const PinNamed& pin : pins) texts.push_back(pin_label(pin));
  return texts;
}

}  // namespace

int pin_keys(const Run& run) {
  const auto& words = run.line.operands;
  if (words.empty()) return list_pins(run);
  if (words.size() < 2)
    return run.misuse(make_error(Errc::invalid_argument, "pin takes a key and its nodes", "or nothing, to list pins"));
  auto name = read_name(run, words.front());
  if (!name) return run.misuse(name.error());
  auto expires = read_end(run);
  if (!expires) return run.misuse(expires.error());
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());
  const PinGiven pin{*name, {words.begin() + 1, words.end()}, std::move(*expires)};
  const auto response = make_change<PinKeys>(run, {std::move(*options), run.options.ring, {pin}});
  if (!response) return run.fail(response.error());
  tell_warnings(*response);
  const std::string what = pin_label(pin);
  std::string sentence = "pinned " + what + " to " + sentence_list(pin.nodes) + " in " + response->ring +
                         (pin.expires.empty() ? "" : " until " + pin.expires) + ": " +
                         epochs_text(response->previous_epoch, response->epoch);
  if (response->pinned.empty())
    sentence = "nothing to change: " + what + " is pinned so already in " + response->ring + " (epoch " +
               std::to_string(response->epoch) + ")";
  return print_change(run, *format, *response,
                      change_record(response->ring, response->epoch, response->previous_epoch, pin.nodes), sentence);
}

int unpin_keys(const Run& run) {
  if (run.line.operands.empty()) return run.misuse(make_error(Errc::invalid_argument, "no key is given"));
  auto options = change_options(run);
  if (!options) return run.misuse(options.error());
  const auto format = run.output_template(change_record("", 0, 0, {}));
  if (!format) return run.misuse(format.error());
  UnpinKeys::Request request{std::move(*options), run.options.ring, {}, run.line.has(Option::if_exists)};
  for (const std::string& word : run.line.operands) {
    auto name = read_name(run, word);
    if (!name) return run.misuse(name.error());
    request.pins.push_back(std::move(*name));
  }
  const auto response = make_change<UnpinKeys>(run, std::move(request));
  if (!response) return run.fail(response.error());
  std::string sentence = "unpinned " + sentence_list(labels_of(response->unpinned)) + " in " + response->ring + ": " +
                         epochs_text(response->previous_epoch, response->epoch);
  if (response->unpinned.empty())
    sentence = "nothing to unpin in " + response->ring + " (epoch " + std::to_string(response->epoch) + ")";
  return print_change(run, *format, *response,
                      change_record(response->ring, response->epoch, response->previous_epoch, {}), sentence);
}

}  // namespace chash::cli
