// __complete: the lines for a shell's script. It has no option of its own and tells no error, for a prompt is no place
// for one.
#include <sys/time.h>
#include <unistd.h>

#include <csignal>

#include "completion.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::ListNodes;
using protocol::RingList;

// Whoever pressed a key waits for no longer: not for a daemon, and not for the name server that is to find it.
constexpr suseconds_t patience_us = 300'000;

// Ends this process then, unless it is called again, with 0.
void end_after(suseconds_t us) {
  std::signal(SIGALRM, [](int) { ::_exit(0); });
  const itimerval once{{0, 0}, {0, us}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

void ask_daemon(const Options& options, net::ClientOptions client, Completion& completion) {
  Session session(options, std::move(client), false);
  if (completion.wants_nodes()) {
    const auto list = session.call<ListNodes>({options.ring});
    if (!list) return;
    for (const ListNodes::Member& node : list->nodes)
      completion.add_node(node.name, "weight " + number_text(node.weight));
  }
  if (completion.wants_rings()) {
    const auto list = session.call<RingList>({});
    if (!list) return;
    for (const auto& ring : list->rings)
      completion.add_ring(ring.name, ring.profile + ", nodes: " + std::to_string(ring.nodes));
  }
}

void print(const std::vector<Candidate>& candidates, Output& out) {
  for (const Candidate& candidate : candidates) out.text() += shell_line(candidate);
}

}  // namespace

int complete(const std::vector<std::string>& words, const Environment& environment) {
  Output out(STDOUT_FILENO);
  Completion completion(words);
  if (completion.wants_profiles())
    for (const NamedProfile& row : named_profiles())
      completion.add_profile(std::string(row.name), std::string(row.software));
  print(completion.candidates(), out);
  if (completion.wants_files() && for_people(completion.prefix()) == completion.prefix())
    out.text() += "\tfiles\t" + completion.prefix() + '\n';
  if (!out.flush()) return info(Errc::internal).exit_status;

  const std::size_t printed = completion.candidates().size();
  if (!completion.wants_nodes() && !completion.wants_rings() && !completion.wants_profiles()) return 0;
  end_after(patience_us);
  const auto sources = all_sources(completion.line(), environment);
  const auto options = sources ? resolve(*sources) : Result<Options>(sources.error());
  if (!options) return 0;
  if (completion.wants_profiles())
    for (const auto& [name, profile] : options->profiles) completion.add_profile(name, profile);
  if (auto client = client_options(completion.line(), *options); client)
    ask_daemon(*options, std::move(*client), completion);
  end_after(0);  // half a line is a wrong name
  const auto& all = completion.candidates();
  print({all.begin() + static_cast<std::ptrdiff_t>(printed), all.end()}, out);
  return out.finish() ? 0 : info(Errc::internal).exit_status;
}

}  // namespace chash::cli
