#include "service/lookups.h"

#include <utility>

#include "chash/limits.h"
#include "protocol/not_foretold.h"
#include "protocol/text.h"
#include "protocol/time_text.h"

namespace chash::service {

using namespace protocol;

namespace {

Result<std::vector<std::string>> owners(const Snapshot& snapshot, const std::string& key, std::uint32_t n, Log* log) {
  if (snapshot.placement.empty() && log == nullptr)  // one of the past
    return make_error(Errc::empty_ring, "ring '" + snapshot.ring + "' had no node that could answer at epoch " +
                                            std::to_string(snapshot.epoch));
  if (snapshot.placement.empty())
    return make_error(
        Errc::empty_ring, "ring '" + snapshot.ring + "' has no node that may answer",
        "add one: chash add " + (snapshot.ring == protocol::default_ring ? "" : "-r " + snapshot.ring + ' ') + "NODE");
  const auto& nodes = snapshot.spec.nodes;
  std::vector<std::string> names;
  if (n == 1) {
    const NodeIndex owner = snapshot.placement.owner(key);
    if (owner != no_node) names.push_back(nodes[owner].name);
  } else {
    for (const NodeIndex node : snapshot.placement.owners(key, n)) names.push_back(nodes[node].name);
  }
  if (!names.empty() && log != nullptr && log->enabled(LogLevel::debug))
    log->hashing(LogLevel::debug, "Key '" + printable(key, limits::log_text_bytes) + "' belongs to node '" +
                                      names.front() + "'. Epoch " + std::to_string(snapshot.epoch) + ".");
  return names;
}

// One owner for each of many keys is what placements are quickest at; debug lines are one a key.
Result<std::vector<std::vector<std::string>>> owners_of_all(const Snapshot& snapshot, const GetNodes::Request& request,
                                                            Log* log) {
  std::vector<std::vector<std::string>> all(request.keys.size());
  if (request.n > 1 || snapshot.placement.empty() || (log != nullptr && log->enabled(LogLevel::debug))) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto nodes = owners(snapshot, request.keys[i].bytes, request.n, log);
      if (!nodes) return std::move(nodes).error();
      all[i] = std::move(*nodes);
    }
    return all;
  }
  std::vector<std::string_view> keys;
  keys.reserve(all.size());
  for (const Key& key : request.keys) keys.push_back(key.bytes);
  std::vector<NodeIndex> found(all.size());
  snapshot.placement.owners_of(keys, found);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (found[i] != no_node) all[i].push_back(snapshot.spec.nodes[found[i]].name);
  return all;
}

}  // namespace

Result<void> check_key(const Key& key) {
  if (key.bytes.empty()) return make_error(Errc::invalid_argument, "the key is empty", "a key has 1 to 65536 bytes");
  if (key.bytes.size() > limits::key_bytes)
    return make_error(Errc::too_large, "the key has " + std::to_string(key.bytes.size()) + " bytes",
                      "the limit is " + std::to_string(limits::key_bytes) + " bytes");
  return {};
}

Result<void> check_count(std::uint32_t n, std::uint32_t most) {
  if (n >= 1 && n <= most) return {};
  return make_error(Errc::invalid_argument, "'n' must be a whole number from 1 to " + std::to_string(most));
}

Result<void> check(const GetNode::Request& request) {
  if (auto ok = check_key(request.key); !ok) return ok;
  return check_count(request.n, limits::replicas);
}

Result<void> check(const GetNodes::Request& request) {
  if (request.keys.empty()) return make_error(Errc::invalid_argument, "'keys' is empty", "name at least one key");
  if (request.keys.size() > limits::batch_keys)
    return make_error(Errc::too_large, "'keys' has " + std::to_string(request.keys.size()) + " keys",
                      "ask for at most " + std::to_string(limits::batch_keys) + " at once");
  return check_count(request.n, limits::replicas);
}

Result<GetNode::Response> look_up(const Snapshot& ring, const GetNode::Request& request, Log* log) {
  auto nodes = owners(ring, request.key.bytes, request.n, log);
  if (!nodes) return std::move(nodes).error();
  if (nodes->empty()) return not_foretold(ring.profile, request.key.bytes);
  return GetNode::Response{ring.ring, ring.epoch, nodes->front(), std::move(*nodes)};
}

Result<GetNodes::Response> look_up(const Snapshot& ring, const GetNodes::Request& request, Log* log) {
  for (const Key& key : request.keys) {
    if (auto ok = check_key(key); !ok) {
      Error error = std::move(ok).error();
      error.message += " (key " + std::to_string(&key - request.keys.data() + 1) + " of the batch)";
      return error;
    }
  }
  auto found = owners_of_all(ring, request, log);
  if (!found) return std::move(found).error();
  return GetNodes::Response{ring.ring, ring.epoch, std::move(*found)};
}

std::vector<ListNodes::Member> members_of(const Snapshot& snapshot) {
  const auto& nodes = snapshot.spec.nodes;
  const auto points = snapshot.placement.points_by_node(nodes.size());
  std::vector<ListNodes::Member> found;
  found.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    found.push_back({nodes[i].name, nodes[i].weight, points[i], nodes[i].fields});
  return found;
}

RingShow::Response show(const Snapshot& snapshot, bool slots) {
  RingShow::Response response{snapshot.ring, snapshot.epoch, snapshot.spec.profile, {}, {}, {}, {}, {}, {}, {}};
  for (const ProfileParameter& parameter : profile_parameters())
    response.parameters.emplace_back(parameter.name, parameter.write(snapshot.profile));
  response.fingerprint = hex(fingerprint(snapshot.spec));
  response.points = snapshot.placement.points();
  response.nodes = members_of(snapshot);
  if (slots) response.slots = snapshot.spec.slots.nodes();
  response.max_move = snapshot.spec.max_move;
  response.time = time_text(snapshot.time_ms);
  return response;
}

}  // namespace chash::service
