// get-node: one key, several, or as many as standard input has.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "change_options.h"
#include "chash/limits.h"
#include "key_batch.h"
#include "protocol/codec.h"
#include "protocol/not_foretold.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::GetNode;
using protocol::GetNodes;
using protocol::RingShow;

constexpr std::size_t overlapping_batches = 2;              // one is answered while the next is made
constexpr std::size_t read_bytes = std::size_t{64} * 1024;  // what a pipe holds
constexpr std::size_t shown_bytes = 40;                     // of a key in a message

struct Found {
  std::string_view ring;
  std::uint64_t epoch;
  std::string_view key;
  const std::vector<std::string>& nodes;
};

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

// Why a key cannot be looked up, if it cannot. Without a daemon an empty key may be one: the profile says what it is.
std::optional<std::string> fault_of(std::string_view key, std::uint64_t size, bool may_be_empty) {
  if (size == 0 && !may_be_empty) return "is empty";
  if (size <= limits::key_bytes) return std::nullopt;
  return "'" + protocol::printable(key.substr(0, shown_bytes), shown_bytes) + "...' has " + std::to_string(size) +
         " bytes; the limit is " + std::to_string(limits::key_bytes);
}

class Lookup {
 public:
  // `asked` has all but the keys.
  Lookup(const Run& run, const GetNodes::Request& asked) : run_(run), asked_(asked), batch_(asked) {}

  int execute();

 private:
  Result<void> prepare();
  int one(std::string_view key);
  int several(const std::vector<std::string>& keys);
  int stream();

  // Each of these tells the error itself; false ends the command with status_.
  bool look_up(std::string_view key);
  bool submit();
  bool print_next();
  bool drain();
  bool print(const Found& found);
  void print_nodes(const Found& found, std::string& out) const;
  Result<std::string> bytes_of(std::string_view typed) const;
  Result<void> learn_slots();
  std::optional<std::uint64_t> slot_of(std::string_view key) const {
    return slots_ ? std::optional(slot(*slots_, key)) : std::nullopt;
  }
  bool stop(const Error& error);

  const Run& run_;
  GetNodes::Request asked_;
  bool with_key_ = false;
  std::optional<Profile> slots_;  // for --slot
  bool hex_ = false;              // keys are typed and printed in hex
  bool some_failed_ = false;      // which has been told
  char end_ = '\n';
  Template template_;
  KeyBatch batch_;
  int status_ = 0;
};

bool Lookup::stop(const Error& error) {
  status_ = run_.fail(error);
  return false;
}

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
  if (run_.line.standard_input || (keys.empty() && ::isatty(STDIN_FILENO) != 1)) return stream();
  if (keys.empty()) return run_.misuse(make_error(Errc::invalid_argument, "no key is given"));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto bytes = bytes_of(keys[i]);
    const auto fault = bytes ? fault_of(*bytes, bytes->size(), run_.ring != nullptr) : bytes.error().message;
    if (bytes) keys[i] = std::move(*bytes);
    if (!fault) continue;
    const std::string which = keys.size() == 1 ? "the key " : "key " + std::to_string(i + 1) + " ";
    return run_.misuse(make_error(Errc::invalid_argument, which + *fault));
  }
  return keys.size() == 1 ? one(keys.front()) : several(keys);
}

Result<std::string> Lookup::bytes_of(std::string_view typed) const {
  if (!hex_) return std::string(typed);
  auto bytes = protocol::hex_decode(typed);
  if (!bytes) return make_error(Errc::invalid_argument, "is not hex");
  return std::move(*bytes);
}

int Lookup::one(std::string_view key) {
  if (run_.line.has(Option::slot)) return several({std::string(key)});
  const auto response =
      run_.session.call<GetNode>({asked_.ring, {std::string(key)}, asked_.n, asked_.epoch, asked_.at});
  if (!response) return run_.fail(response.error());
  print({response->ring, response->epoch, key, response->nodes});
  return status_;
}

int Lookup::several(const std::vector<std::string>& keys) {
  for (const std::string& key : keys)
    if (!look_up(key)) return status_;
  if (!submit() || !drain()) return status_;
  return some_failed_ ? info(Errc::partial).exit_status : 0;
}

// Answers what is there as soon as nothing more is there to read, so that `tail -f keys | chash get-node -` works.
int Lookup::stream() {
  RecordSplitter splitter(end_,
                          hex_ ? 2 * limits::key_bytes + 1 : limits::key_bytes);  // whole bytes of what is too long
  const auto take = [&](std::uint64_t number, std::string_view typed, std::uint64_t size) {
    auto key = bytes_of(typed);
    auto fault = key ? fault_of(*key, hex_ ? size / 2 : size, run_.ring != nullptr) : key.error().message;
    if (!fault) return look_up(*key);
    some_failed_ = true;
    report(make_error(Errc::partial, "line " + std::to_string(number) + ": the key " + *fault), run_.style);
    return true;
  };
  std::array<char, read_bytes> buffer;
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 0) == 0 && !(submit() && drain())) return status_;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      if (submit() && drain())
        stop(make_error(Errc::internal, std::string("cannot read standard input: ") + std::strerror(error)));
      return status_;
    }
    if (count == 0) break;
    if (!splitter.feed({buffer.data(), static_cast<std::size_t>(count)}, take)) return status_;
  }
  if (!splitter.finish(take) || !submit() || !drain()) return status_;
  return some_failed_ ? info(Errc::partial).exit_status : 0;
}

bool Lookup::look_up(std::string_view key) {
  if (!batch_.has_room_for(key) && !submit()) return false;
  batch_.add(key);
  return true;
}

bool Lookup::submit() {
  if (batch_.empty()) return true;
  while (run_.session.in_flight() >= overlapping_batches)
    if (!print_next()) return false;
  run_.session.send(batch_.take());
  return true;
}

bool Lookup::drain() {
  while (run_.session.in_flight() > 0)
    if (!print_next()) return false;
  if (auto ok = run_.out.flush(); !ok) return stop(ok.error());
  return true;
}

bool Lookup::print_next() {
  const Answered answered = run_.session.receive();
  if (!answered.reply) return stop(answered.reply.error());
  const auto& request = std::get<GetNodes::Request>(answered.request);
  const auto& response = std::get<GetNodes::Response>(*answered.reply);
  if (response.owners.size() != request.keys.size())
    return stop(make_error(Errc::internal, "the daemon answered " + std::to_string(response.owners.size()) + " of " +
                                               std::to_string(request.keys.size()) + " keys"));
  for (std::size_t i = 0; i < request.keys.size(); ++i)
    if (!print({response.ring, response.epoch, request.keys[i].bytes, response.owners[i]})) return false;
  if (auto ok = run_.out.relieve(); !ok) return stop(ok.error());
  return true;
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

bool Lookup::print(const Found& found) {
  std::string& out = run_.out.text();
  if (found.nodes.empty() && !slots_) {
    some_failed_ = true;
    // A daemon says why for one key alone.
    Error error = run_.ring != nullptr
                      ? protocol::not_foretold(run_.ring->profile, found.key)
                      : make_error(Errc::partial, "key '" + protocol::printable(found.key, shown_bytes) +
                                                      "' has no node of its own in ring '" + std::string(found.ring) +
                                                      "'; asked for it alone, the daemon says why");
    error.code = Errc::partial;
    report(error, run_.style);
    return true;
  }
  if (template_) {
    auto ok = template_.append(record_of(found, slot_of(found.key)), end_, out);
    return ok ? true : stop(ok.error());
  }
  if (run_.json()) {
    append_json(found, run_.ring, out);
    if (const auto slot = slot_of(found.key)) out.insert(out.size() - 1, ",\"slot\":" + std::to_string(*slot));
  } else {
    print_nodes(found, out);
  }
  out += end_;
  return true;
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
  return Lookup(run, {run.options.ring, {}, *replicas, *epoch, *moment}).execute();
}

}  // namespace chash::cli
