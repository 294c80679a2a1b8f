#include "wanted.h"

#include "change_options.h"
#include "node_argument.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "ring_file.h"

namespace chash::cli {
namespace {

using protocol::WantedChange;

Error misused(std::string message, std::string hint = {}) {
  return make_error(Errc::invalid_argument, std::move(message), std::move(hint));
}

Result<void> read_file(const Run& run, const std::string& path, WantedChange& wanted) {
  auto file = read_ring_file(path);
  if (!file) return std::move(file).error();
  // Somebody's web ring is not to become the default one because an -r was forgotten.
  if (!file->ring.empty() && file->ring != run.options.ring)
    return misused(
        "the file is of ring '" + protocol::printable(file->ring, 64) + "', not of '" + run.options.ring + "'",
        "add -r " + protocol::printable(file->ring, 64) + ", or take the line 'ring' out of the file");
  wanted.profile = file->profile.empty() ? "" : whole_profile(file->profile, run.options.profiles);
  wanted.max_move = file->max_move;
  wanted.nodes = std::move(file->nodes);
  wanted.pins = std::move(file->pins);
  wanted.prune = run.line.has(Option::prune);
  return {};
}

}  // namespace

Result<WantedChange> wanted_change(const Run& run) {
  WantedChange wanted;
  wanted.ring = run.options.ring;
  for (const std::string& word : run.line.all(Option::add)) {
    auto node = parse_node(word, 1);
    if (!node) return std::move(node).error();
    wanted.add.push_back(std::move(*node));
  }
  wanted.remove = run.line.all(Option::remove);
  wanted.if_missing = run.line.has(Option::if_missing);
  wanted.if_exists = run.line.has(Option::if_exists);
  const auto rollback = epoch_option(run, Option::rollback);
  if (!rollback) return rollback.error();
  wanted.rollback = *rollback;
  const std::size_t ways =
      (wanted.add.empty() && wanted.remove.empty() ? 0u : 1u) + (wanted.rollback ? 1u : 0u) + run.line.operands.size();
  if (ways == 0) return misused("nothing is to be changed", "give a FILE, or --add, --remove, --rollback");
  if (ways > 1)
    return misused(
        "more than one change is asked for",
        "give one FILE, or --add and --remove, or --rollback; what other commands would do, their --dry-run tells");
  if (run.line.operands.empty() && run.line.has(Option::prune)) return misused("--prune is for a FILE");
  if (run.line.operands.empty()) return wanted;
  if (auto ok = read_file(run, run.line.operands.front(), wanted); !ok) return std::move(ok).error();
  return wanted;
}

Result<Change> local_change(const WantedChange& wanted, const std::function<Result<RingSpec>(std::uint64_t)>& old) {
  using protocol::nodes_of;
  if (wanted.rollback) {
    auto spec = old(*wanted.rollback);
    return spec ? Result<Change>(RestoreRing{std::move(*spec)}) : Result<Change>(spec.error());
  }
  if (wanted.nodes) {
    SetNodes set{nodes_of(*wanted.nodes), wanted.prune, wanted.max_move};
    if (wanted.pins) {
      auto pins = protocol::pins_of(*wanted.pins);
      if (!pins) return std::move(pins).error();
      set.pins = std::move(*pins);
    }
    return Change(std::move(set));
  }
  return Change(EditNodes{{wanted.remove, wanted.if_exists}, {nodes_of(wanted.add), wanted.if_missing}});
}

}  // namespace chash::cli
