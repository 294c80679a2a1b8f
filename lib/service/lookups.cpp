#include "service/lookups.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "chash/explain.h"
#include "chash/limits.h"
#include "chash/standing.h"
#include "protocol/not_foretold.h"
#include "protocol/pins.h"
#include "protocol/text.h"
#include "protocol/time_text.h"

namespace chash::service {

using namespace protocol;

namespace {

Error nobody_answers(const Snapshot& snapshot, bool is_past) {
  const std::string ring = "ring '" + snapshot.ring + "' ";
  if (is_past)
    return make_error(Errc::empty_ring,
                      ring + "had no node that could answer at epoch " + std::to_string(snapshot.epoch));
  const std::string option = snapshot.ring == protocol::default_ring ? "" : "-r " + snapshot.ring + ' ';
  const std::string what = snapshot.placement.empty() ? "has no node that may answer"
                                                      : "has no node that may answer for this key: its own is down";
  return make_error(Errc::empty_ring, ring + what,
                    snapshot.spec.nodes.empty()
                        ? "add one: chash add " + option + "NODE"
                        : "try: chash list " + option + "and then: chash up " + option + "NODE");
}

// What one request asks of each key.
struct Wanted {
  std::uint32_t n = 1;
  std::optional<Zones> zones{};
};

Result<Wanted> wanted(const Snapshot& snapshot, std::uint32_t n, const std::string& label) {
  if (label.empty()) return Wanted{n, {}};
  if (std::ranges::find(failure_domains, label) == std::end(failure_domains))
    return make_error(Errc::invalid_argument, "'spread' is neither zone nor rack");
  return Wanted{n, zones_of(snapshot.spec.nodes, label)};
}

// That there are fewer zones than a list wants. Those count in which a node is up.
std::vector<std::string> too_few(const Snapshot& snapshot, const Wanted& wanted, const std::string& label) {
  if (!wanted.zones) return {};
  const std::size_t zones = wanted.zones->up;
  if (zones >= wanted.n) return {};
  return {"asked for nodes of " + std::to_string(wanted.n) + ' ' + label + "s, and ring '" + snapshot.ring + "' has " +
          std::to_string(zones) + " where a node is up"};
}

Result<std::vector<std::string>> owners(const Snapshot& snapshot, const std::string& key, const Wanted& wanted,
                                        Log* log) {
  if (snapshot.placement.empty()) return nobody_answers(snapshot, log == nullptr);
  const auto& nodes = snapshot.spec.nodes;
  std::vector<std::string> names;
  if (wanted.n == 1) {
    const NodeIndex owner = snapshot.placement.owner(key);
    if (owner != no_node) names.push_back(nodes[owner].name);
  } else {
    for (const NodeIndex node : snapshot.placement.owners(key, wanted.n, wanted.zones ? &*wanted.zones : nullptr))
      names.push_back(nodes[node].name);
  }
  if (!names.empty() && log != nullptr && log->enabled(LogLevel::debug))
    log->hashing(LogLevel::debug, "Key '" + printable(key, limits::log_text_bytes) + "' belongs to node '" +
                                      names.front() + "'. Epoch " + std::to_string(snapshot.epoch) + ".");
  return names;
}

// One owner for each of many keys is what placements are quickest at; debug lines are one a key.
Result<std::vector<std::vector<std::string>>> owners_of_all(const Snapshot& snapshot, const std::vector<Key>& asked,
                                                            const Wanted& wanted, Log* log) {
  std::vector<std::vector<std::string>> all(asked.size());
  if (wanted.n > 1 || snapshot.placement.empty() || (log != nullptr && log->enabled(LogLevel::debug))) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto nodes = owners(snapshot, asked[i].bytes, wanted, log);
      if (!nodes) return std::move(nodes).error();
      all[i] = std::move(*nodes);
    }
    return all;
  }
  std::vector<std::string_view> keys;
  keys.reserve(all.size());
  for (const Key& key : asked) keys.push_back(key.bytes);
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
  const auto want = wanted(ring, request.n, request.spread);
  if (!want) return want.error();
  auto nodes = owners(ring, request.key.bytes, *want, log);
  if (!nodes) return std::move(nodes).error();
  if (nodes->empty())
    return ring.placement.has_drain() ? nobody_answers(ring, log == nullptr)
                                      : not_foretold(ring.profile, request.key.bytes);
  return GetNode::Response{ring.ring, ring.epoch, nodes->front(), std::move(*nodes),
                           too_few(ring, *want, request.spread)};
}

Result<GetNodes::Response> look_up(const Snapshot& ring, const GetNodes::Request& request, Log* log) {
  for (const Key& key : request.keys) {
    if (auto ok = check_key(key); !ok) {
      Error error = std::move(ok).error();
      error.message += " (key " + std::to_string(&key - request.keys.data() + 1) + " of the batch)";
      return error;
    }
  }
  const auto want = wanted(ring, request.n, request.spread);
  if (!want) return want.error();
  auto found = owners_of_all(ring, request.keys, *want, log);
  if (!found) return std::move(found).error();
  return GetNodes::Response{ring.ring, ring.epoch, std::move(*found), too_few(ring, *want, request.spread)};
}

namespace {

std::string state_of(const Node& node) {
  const auto state = node_state(node);
  return std::string(state ? state_name(*state) : "");
}

}  // namespace

std::vector<ListNodes::Member> members_of(const Snapshot& snapshot) {
  const auto& nodes = snapshot.spec.nodes;
  const auto points = snapshot.placement.points_by_node(nodes.size());
  std::vector<ListNodes::Member> found;
  found.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    found.push_back({nodes[i].name, nodes[i].weight, points[i], nodes[i].fields, state_of(nodes[i]), nodes[i].labels});
  return found;
}

Result<Explain::Response> explain_key(const Snapshot& ring, const Explain::Request& request) {
  const auto want = wanted(ring, request.n, request.spread);
  if (!want) return want.error();
  const auto& nodes = ring.spec.nodes;
  const Explanation found =
      explain(ring.profile, nodes, ring.placement, request.key.bytes, request.n, want->zones ? &*want->zones : nullptr);
  Explain::Response response{ring.ring, ring.epoch, ring.spec.profile, request.key.bytes.size()};
  response.hashed = printable(found.hashed, limits::log_text_bytes);
  const unsigned bits = ring.placement.key_rule().bits();
  const auto part = [&](Token length) {
    return std::ldexp(static_cast<double>(length), -static_cast<int>(found.bits));
  };
  if (found.hash) {
    response.function = ring.profile.hash->name;
    response.hash = hex(*found.hash, bits);
  }
  if (found.position) {
    response.position = hex(*found.position, found.bits);
    response.around = part(*found.position);
  }
  if (found.point) {
    const Token circle = found.bits == 128 ? ~Token{0} : (Token{1} << found.bits) - 1;
    const Token forward = (found.point->position - *found.position) & circle;
    const Token back = (*found.position - found.point->position) & circle;
    response.point = hex(found.point->position, found.bits);
    response.point_number = found.point->number;
    response.point_node = nodes[found.point->node].name;
    response.distance = part(std::min(forward, back));
  }
  response.slot = found.slot;
  for (const auto& [node, verdict] : found.walk)
    response.walk.push_back({nodes[node].name, state_of(nodes[node]),
                             node_label(nodes[node], request.spread.empty() ? "zone" : request.spread),
                             std::string(verdict_name(verdict))});
  for (const NodeIndex node : found.nodes) response.nodes.push_back(nodes[node].name);
  response.warnings = too_few(ring, *want, request.spread);
  if (const Pin* const pin = ring.spec.pins.of_key(request.key.bytes)) {
    response.pin = given(*pin);
    for (const std::string& node : pin->nodes)
      if (std::ranges::find(nodes, node, &Node::name) == nodes.end()) response.pin_missing.push_back(node);
  }
  return response;
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
  response.pins = given(snapshot.spec.pins);
  return response;
}

}  // namespace chash::service
