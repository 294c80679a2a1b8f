// check: whether several daemons have the same rings.
#include <algorithm>
#include <map>
#include <set>

#include "chash/limits.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::RingList;
using protocol::RingShow;

constexpr int differs = 10;

struct Daemon {
  std::string name;  // as it was typed
  net::Endpoint endpoint;
};

// How one daemon has a ring; without a fingerprint it has none of this name.
struct Entry {
  std::string daemon, ring;
  std::uint64_t epoch = 0;
  std::string fingerprint{};

  std::string epoch_text() const { return fingerprint.empty() ? "-" : std::to_string(epoch); }
  std::string fingerprint_text() const { return fingerprint.empty() ? "-" : fingerprint; }
};

Record record_of(const Entry& entry) {
  return {{"daemon", entry.daemon},
          {"ring", entry.ring},
          {"epoch", entry.epoch_text()},
          {"fingerprint", entry.fingerprint_text()}};
}

void append_json(const Entry& entry, std::string& out) {
  out += "{\"daemon\":";
  protocol::append_json_string(entry.daemon, out);
  out += ",\"ring\":";
  protocol::append_json_string(entry.ring, out);
  if (!entry.fingerprint.empty()) {
    out += ",\"epoch\":" + std::to_string(entry.epoch) + ",\"fingerprint\":";
    protocol::append_json_string(entry.fingerprint, out);
  }
  out += '}';
}

void append_json(std::string_view name, const std::set<std::string>& texts, std::string& out) {
  out += ",\"" + std::string(name) + "\":[";
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    protocol::append_json_string(text, out);
  }
  out += ']';
}

// One operand is compared with the daemon that is asked else.
Result<std::vector<Daemon>> daemons_of(const Run& run) {
  std::vector<Daemon> daemons;
  if (run.line.operands.empty())
    return make_error(Errc::invalid_argument, "no daemon is given", "name at least one, by its socket or URL");
  if (run.line.operands.size() == 1) daemons.push_back({net::describe(run.options.endpoint), run.options.endpoint});
  for (const std::string& word : run.line.operands) {
    if (word.empty()) return make_error(Errc::invalid_argument, "the name of a daemon is empty");
    const bool is_url = word.find("://") != word.npos;
    auto endpoint = is_url ? net::parse_url(word) : Result<net::Endpoint>(net::SocketEndpoint{word});
    if (!endpoint) return std::move(endpoint).error();
    daemons.push_back({word, std::move(*endpoint)});
  }
  return daemons;
}

class Check {
 public:
  Check(const Run& run, Template format) : run_(run), format_(std::move(format)) {}

  int execute(const std::vector<Daemon>& daemons);

 private:
  Result<void> ask(const Daemon& daemon);
  Result<void> compare();
  int print() const;
  int print_verdict() const;
  void append_json_object(std::string& out) const;
  void say_difference(const std::string& ring) const;

  const Run& run_;
  Template format_;
  std::set<std::string> answered_, silent_;  // daemons
  std::map<std::string, std::vector<Entry>> rings_;
  std::set<std::string> different_;  // rings
  int status_ = 0;                   // of the first daemon that could not be asked
};

int Check::execute(const std::vector<Daemon>& daemons) {
  for (const Daemon& daemon : daemons) {
    if (auto ok = ask(daemon); !ok) {
      Error error = ok.error();
      if (error.message.find(daemon.name) == error.message.npos) error.message = daemon.name + ": " + error.message;
      silent_.insert(daemon.name);
      const int status = report(error, run_.style);
      if (status_ == 0) status_ = status;
    } else {
      answered_.insert(daemon.name);
    }
  }
  if (answered_.empty()) return status_;
  if (auto ok = compare(); !ok) return run_.fail(ok.error());
  if (const int status = print(); status != 0) return status;
  return status_ != 0 ? status_ : different_.empty() ? 0 : differs;
}

// Every ring, or that of --ring.
Result<void> Check::ask(const Daemon& daemon) {
  Options options = run_.options;
  options.endpoint = daemon.endpoint;
  // A token is for the daemon that it was made for, and reading needs none.
  options.token_file.clear();
  auto client = client_options(run_.line, options);
  if (!client) return std::move(client).error();
  Session session(options, std::move(*client), run_.line.has(Option::verbose));

  std::vector<std::string> names;
  if (options.ring_was_named) {
    names.push_back(options.ring);
  } else {
    const auto list = session.call<RingList>({});
    if (!list) return list.error();
    if (list->rings.size() > limits::rings)
      return make_error(Errc::internal, "it lists more rings than a daemon may have");
    for (const auto& ring : list->rings) names.push_back(ring.name);
  }
  std::vector<Entry> entries;
  for (const std::string& name : names) {
    const auto shown = session.call<RingShow>({name});
    if (!shown && shown.error().code != Errc::not_found) return shown.error();
    if (shown) entries.push_back({daemon.name, name, shown->epoch, shown->fingerprint});
  }
  for (Entry& entry : entries) rings_[entry.ring].push_back(std::move(entry));
  return {};
}

Result<void> Check::compare() {
  if (rings_.empty())
    return make_error(Errc::not_found,
                      "no ring '" + protocol::printable(run_.options.ring, 64) + "' in any of these daemons",
                      "try: chash ring list");
  for (auto& [ring, entries] : rings_) {
    for (const std::string& daemon : answered_)
      if (std::ranges::find(entries, daemon, &Entry::daemon) == entries.end()) entries.push_back({daemon, ring});
    const auto differ = [&](const Entry& entry) {
      return entry.fingerprint != entries.front().fingerprint || entry.epoch != entries.front().epoch;
    };
    if (std::ranges::any_of(entries, differ)) different_.insert(ring);
  }
  return {};
}

// Who has what, those together that have the same.
void Check::say_difference(const std::string& ring) const {
  std::map<std::pair<std::string, std::string>, std::string> holders;
  std::set<std::string> fingerprints;
  for (const Entry& entry : rings_.at(ring)) {
    std::string& names = holders[{entry.epoch_text(), entry.fingerprint_text()}];
    names += (names.empty() ? "" : ", ") + entry.daemon;
    fingerprints.insert(entry.fingerprint);
  }
  const bool alike = fingerprints.size() == 1;
  std::string text = "ring '" + ring + "' " + (alike ? "places keys alike, but its epochs differ:" : "differs:");
  for (const auto& [what, names] : holders) {
    text += what == holders.begin()->first ? " " : "; ";
    if (what.second == "-") text += "there is none in ";
    else text += "epoch " + what.first + (alike ? "" : " with fingerprint " + what.second) + " in ";
    text += names;
  }
  say(text);
}

void Check::append_json_object(std::string& out) const {
  out += std::string("{\"agree\":") + (different_.empty() && silent_.empty() ? "true" : "false") + ",\"rings\":[";
  for (const auto& [ring, entries] : rings_)
    for (const Entry& entry : entries) {
      if (out.back() != '[') out += ',';
      append_json(entry, out);
    }
  out += ']';
  append_json("different", different_, out);
  append_json("unreachable", silent_, out);
  out += "}\n";
}

int Check::print() const {
  std::string& out = run_.out.text();
  if (run_.options.format == Format::json && !format_) {
    append_json_object(out);
    return 0;
  }
  const bool table =
      run_.options.format == Format::table || (run_.options.format == Format::automatic && run_.out.is_terminal());
  Table rows({"DAEMON", "RING", "EPOCH", "FINGERPRINT"});
  for (const auto& [ring, entries] : rings_) {
    for (const Entry& entry : entries) {
      const std::vector<std::string> words{for_people(entry.daemon), for_people(ring), entry.epoch_text(),
                                           for_people(entry.fingerprint_text())};
      if (format_) {
        if (const int status = run_.print(format_, record_of(entry)); status != 0) return status;
      } else if (run_.json()) {
        append_json(entry, out);
        out += '\n';
      } else if (table) {
        rows.add(words);
      } else {
        for (const std::string& word : words) out += (&word == words.data() ? "" : "\t") + word;
        out += '\n';
      }
    }
  }
  if (run_.json()) return 0;
  if (table && !format_) rows.append_to(out, !run_.line.has(Option::no_header), run_.color);
  return print_verdict();
}

// Behind what it is about.
int Check::print_verdict() const {
  if (auto ok = run_.out.flush(); !ok) return run_.fail(ok.error());
  for (const std::string& ring : different_) say_difference(ring);
  if (run_.out.is_terminal() && different_.empty() && silent_.empty()) run_.out.text() += "all agree\n";
  return 0;
}

}  // namespace

int check_daemons(const Run& run) {
  auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  const auto daemons = daemons_of(run);
  if (!daemons) return run.misuse(daemons.error());
  return Check(run, std::move(*format)).execute(*daemons);
}

}  // namespace chash::cli
