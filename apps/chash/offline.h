// Rings without a daemon: a profile and nodes from the command line, answered by the same placement as the daemon's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chash/placement.h"
#include "protocol/operations.h"

namespace chash::cli {

struct OfflineRing {
  Profile profile;
  std::vector<Node> nodes;
  SlotTable slots;  // of the profile balanced
  Placement placement;

  // get-node and get-nodes; a key without an owner has an empty list in the latter.
  // Errors: unpredictable (get-node alone), empty_ring.
  Result<protocol::AnyResponse> answer(const protocol::AnyRequest& request) const;
};

bool has_slots(const Profile& profile);
// The slot of a key.  Requires: has_slots().
std::uint64_t slot(const Profile& profile, std::string_view key);

// Errors: those of parse_profile() and build(), and a remark on standard error about names that clash.
// `slots` is what a daemon's ring of the profile balanced has come to; without, it is taken for a new one.
Result<OfflineRing> make_offline_ring(std::string_view profile, std::vector<Node> nodes, SlotTable slots = {});

// `NAME[=WEIGHT],NAME[=WEIGHT],…`.  Errors: invalid_argument.
Result<std::vector<Node>> parse_nodes(std::string_view list);

// Whichever of the two is given; none of both is no nodes.
// Errors: invalid_argument; also when both are.
Result<std::vector<Node>> read_nodes(const std::optional<std::string>& list, const std::optional<std::string>& file);

// At most 64 MiB; `-` is standard input.  Errors: invalid_argument, too_large.
Result<std::string> read_text_file(const std::string& path);

// A line a node: `NAME [WEIGHT] [FIELD=VALUE]… [+LABEL=VALUE]…`,
// an upstream block of nginx.conf, or `server` lines of haproxy.cfg, as
// they stand. Empty lines, and what stands behind `#`, are skipped. `-` is standard input.
// Errors: invalid_argument, with the file and line.
Result<std::vector<Node>> read_nodes_file(const std::string& path);
Result<std::vector<Node>> parse_nodes_text(std::string_view text, const std::string& origin);

}  // namespace chash::cli
