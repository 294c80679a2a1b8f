// sieve: of the keys on standard input, those of one node.
#include <algorithm>
#include <utility>

#include "chash/limits.h"
#include "key_stream.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using protocol::ListNodes;

Error no_such_node(const std::string& node, const ListNodes::Response& list) {
  std::vector<std::string_view> names;
  names.reserve(list.nodes.size());
  for (const ListNodes::Member& member : list.nodes) names.push_back(member.name);
  const std::string_view meant = protocol::nearest(node, names);
  return make_error(Errc::not_found,
                    "no node '" + protocol::printable(node, limits::name_bytes) + "' in ring '" + list.ring + "'",
                    meant.empty() ? "try: chash list -r " + list.ring : "did you mean: " + std::string(meant));
}

// Keys have no other form here than their own; a setting of the environment is about other commands.
Result<void> check_form(const CommandLine& line) {
  const auto output = line.flags.find("output");
  const bool plain = output == line.flags.end() || output->second.text == "plain";
  if (plain && !line.has(Option::json) && !line.has(Option::format)) return {};
  return make_error(Errc::invalid_argument, "sieve prints keys as they are, and in no other form",
                    "chash get-node - has --json and --format");
}

class Sieve {
 public:
  // `ring` is as it was when the node was seen to be in it.
  Sieve(const Run& run, const std::string& node, std::uint32_t replicas, const ListNodes::Response& ring)
      : run_(run),
        node_(node),
        epoch_(ring.epoch),
        keys_(run, {ring.ring, {}, replicas, {}, {}}, [this](const Found& found) { return sift(found); }) {}

  int execute() { return keys_.ask_standard_input(end_); }

 private:
  Result<void> sift(const Found& found);

  const Run& run_;
  const std::string& node_;
  std::uint64_t epoch_;
  const bool invert_ = run_.line.has(Option::invert);
  const char end_ = run_.line.has(Option::null) ? '\0' : '\n';
  KeyStream keys_;
};

Result<void> Sieve::sift(const Found& found) {
  if (std::exchange(epoch_, found.epoch) != found.epoch && !run_.line.has(Option::quiet))
    say("ring '" + std::string(found.ring) + "' has changed: from here on keys are looked up at epoch " +
        std::to_string(found.epoch));
  if (found.nodes.empty()) {
    keys_.tell_unowned(found);
  } else if ((std::ranges::find(found.nodes, node_) != found.nodes.end()) != invert_) {
    run_.out.text() += run_.out.is_terminal() ? for_people(found.key) : std::string(found.key);
    run_.out.text() += end_;
  }
  return {};
}

}  // namespace

int sieve_keys(const Run& run) {
  if (run.line.operands.size() != 1)
    return run.misuse(make_error(Errc::invalid_argument, "say which node's keys are wanted: one NODE"));
  if (auto ok = check_form(run.line); !ok) return run.misuse(ok.error());
  const auto replicas =
      parse_count(run.line.text(Option::replicas).value_or("1"), 1, limits::replicas, "number of nodes");
  if (!replicas) return run.misuse(replicas.error());
  const std::string& node = run.line.operands.front();
  const auto ring = run.session.call<ListNodes>({run.options.ring});
  if (!ring) return run.fail(ring.error());
  if (std::ranges::find(ring->nodes, node, &ListNodes::Member::name) == ring->nodes.end())
    return run.fail(no_such_node(node, *ring));
  return Sieve(run, node, *replicas, *ring).execute();
}

}  // namespace chash::cli
