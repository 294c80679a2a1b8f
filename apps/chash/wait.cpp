// wait: until a daemon, a ring or a node is as it should be.
//
// It looks, then waits for the next change of the ring and looks again. Only where there is no daemon or no ring yet,
// which nobody could tell of, it asks again and again.
#include <algorithm>
#include <thread>

#include "change_options.h"
#include "net/client_errors.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using namespace protocol;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds pause{100};
constexpr std::uint32_t longest_wait_s = 30;  // of one question: then whether the daemon is still there is seen

struct NodeWanted {
  std::string name, state;
};

struct Wanted {
  bool ready = false;
  std::optional<std::uint64_t> epoch;
  std::vector<NodeWanted> nodes;
};

Result<NodeWanted> parse_node(const std::string& text) {
  const std::size_t at = text.rfind('=');  // a name may have one, too
  NodeWanted wanted{text.substr(0, at), at == text.npos ? "" : text.substr(at + 1)};
  constexpr std::string_view states[] = {"up", "drain", "down", "absent", "present"};
  if (!wanted.name.empty() && std::ranges::find(states, wanted.state) != std::end(states)) return wanted;
  return make_error(Errc::invalid_argument, "'" + printable(text, 300) + "' is not NODE=STATE",
                    "the state is up, drain, down, present in any of them, or absent");
}

// What is not so yet; nothing if all is.
std::string unmet(const Wanted& wanted, const ListNodes::Response& list) {
  const std::string ring = "ring '" + list.ring + "' ";
  if (wanted.ready && std::ranges::all_of(list.nodes, [](const auto& node) { return node.state == "down"; }))
    return ring + "has no node that may answer";
  if (wanted.epoch && list.epoch < *wanted.epoch)
    return ring + "is at epoch " + std::to_string(list.epoch) + ", not at " + std::to_string(*wanted.epoch);
  for (const auto& [name, state] : wanted.nodes) {
    const auto node = std::ranges::find(list.nodes, name, &ListNodes::Member::name);
    const std::string is = node == list.nodes.end() ? "absent" : node->state;
    if (is != state && !(state == "present" && is != "absent"))
      return "node '" + name + "' of " + ring + "is " + is + ", not " + state;
  }
  return "";
}

class Waiter {
 public:
  Waiter(const Run& run, Wanted wanted) : run_(run), wanted_(std::move(wanted)) {
    // The time that every answer has is not meant: only who says so here wants to give up.
    if (run.line.flags.contains("timeout")) deadline_ = Clock::now() + run.options.timeout;
  }

  // The ring as it is when all is so.  Errors: timeout, or what no waiting helps against.
  Result<ListNodes::Response> execute();

 private:
  template <class Op>
  Result<typename Op::Response> ask(typename Op::Request request, milliseconds more = {});
  Result<std::string> look(ListNodes::Response& list);
  bool sleep_until_change(std::uint64_t epoch);
  milliseconds left() const;

  const Run& run_;
  Wanted wanted_;
  std::optional<Clock::time_point> deadline_;
};

milliseconds Waiter::left() const {
  if (!deadline_) return milliseconds::max();
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*deadline_ - Clock::now()));
}

// On a connection of its own, which may not outlast the time that is left.
template <class Op>
Result<typename Op::Response> Waiter::ask(typename Op::Request request, milliseconds more) {
  auto client = client_options(run_.line, run_.options);
  if (!client) return std::move(client).error();
  client->timeout = std::max(milliseconds(1), std::min(client->timeout + more, left()));
  Session session(run_.options, std::move(*client), run_.line.has(Option::verbose));
  return session.call<Op>(std::move(request));
}

// What is not so yet.  Errors: those that no waiting helps against.
Result<std::string> Waiter::look(ListNodes::Response& list) {
  auto answer = ask<ListNodes>({run_.options.ring});
  if (answer) {
    list = std::move(*answer);
    return unmet(wanted_, list);
  }
  list = {};
  const Errc code = answer.error().code;
  const bool may_pass = code == Errc::unreachable || code == Errc::timeout || code == Errc::busy ||
                        code == Errc::shutting_down || code == Errc::not_found;
  return may_pass ? Result<std::string>(answer.error().message) : Result<std::string>(answer.error());
}

// False: it is not known whether anything has changed.
bool Waiter::sleep_until_change(std::uint64_t epoch) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::min(left(), milliseconds(longest_wait_s * 1000)));
  const auto wait_s = static_cast<std::uint32_t>(seconds.count());
  return ask<Watch>({run_.options.ring, epoch + 1, wait_s, 1}, seconds).has_value();
}

Result<ListNodes::Response> Waiter::execute() {
  std::string not_so;
  while (true) {
    // When the time is up, there is one more look. It has no time to be answered in: that it was not says nothing.
    const bool has_time = left() > milliseconds(0);
    ListNodes::Response list;
    const auto missing = look(list);
    if (!missing) return missing.error();
    if (missing->empty()) return list;
    if (has_time || not_so.empty() || !list.ring.empty()) not_so = *missing;
    if (left() == milliseconds(0))
      return make_error(Errc::timeout, "not so within " + net::duration_text(run_.options.timeout) + ": " + not_so);
    if (list.ring.empty() || !sleep_until_change(list.epoch)) std::this_thread::sleep_for(std::min(pause, left()));
  }
}

}  // namespace

int wait_until_so(const Run& run) {
  const Record sample{{"ring", std::string()}, {"epoch", std::uint64_t{0}}};
  const auto format = run.output_template(sample);
  if (!format) return run.misuse(format.error());
  Wanted wanted{run.line.has(Option::ready), {}, {}};
  const auto epoch = epoch_option(run, Option::epoch);
  if (!epoch) return run.misuse(epoch.error());
  wanted.epoch = *epoch;
  for (const std::string& text : run.line.all(Option::node_state)) {
    auto node = parse_node(text);
    if (!node) return run.misuse(node.error());
    wanted.nodes.push_back(std::move(*node));
  }
  if (!wanted.ready && !wanted.epoch && wanted.nodes.empty())
    return run.misuse(make_error(Errc::invalid_argument, "say what to wait for", "--ready, --epoch or --node"));
  const auto list = Waiter(run, std::move(wanted)).execute();
  if (!list) return run.fail(list.error());
  if (*format) return run.print(*format, {{"ring", list->ring}, {"epoch", list->epoch}});
  if (run.json()) {
    run.out.text() += "{\"ring\":";
    append_json_string(list->ring, run.out.text());
    run.out.text() += ",\"epoch\":" + std::to_string(list->epoch) + "}\n";
  }
  return 0;
}

}  // namespace chash::cli
