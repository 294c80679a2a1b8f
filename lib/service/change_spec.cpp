#include "service/change_spec.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "chash/limits.h"
#include "chash/movement.h"
#include "chash/standing.h"
#include "protocol/pins.h"
#include "protocol/plan_report.h"

namespace chash::service {
namespace {

constexpr std::size_t keys_asked = 20'000;  // where what moves cannot be told exactly

Error too_large(std::string_view what, std::size_t size, std::size_t limit) {
  return make_error(Errc::too_large,
                    "all rings together would have " + std::to_string(size) + ' ' + std::string(what) +
                        "; the limit is " + std::to_string(limit),
                    "use smaller weights or fewer vnodes, or delete a ring");
}

Result<Change> planned_change(const std::string& id, const std::string& ring, const RingSpec& now, Store& store,
                              const PlanBook& plans) {
  const auto plan = plans.find(id);
  if (!plan || plan->ring != ring)
    return make_error(Errc::not_found, "there is no plan '" + id + "' of ring '" + ring + "'",
                      "the daemon forgets plans when it restarts, and old ones after a while: plan it again");
  const Token current = digest(now);
  if (current != plan->from && current == plan->to)
    return make_error(Errc::conflict, "ring '" + ring + "' is already as this plan would make it",
                      "nothing is left to do; see: chash history -r " + ring);
  if (current != plan->from)
    return make_error(Errc::conflict, "ring '" + ring + "' has changed since this plan was made",
                      "look at the new plan, then apply that one");
  return members_change(plan->change, ring, now, store, plans);
}

// Where a change names nodes, as such or by their names.
struct Nodes {
  const std::vector<Node>* operator()(const AddNodes& c) const { return &c.nodes; }
  const std::vector<Node>* operator()(const EditNodes& c) const { return &c.add.nodes; }
  const std::vector<Node>* operator()(const SetRing& c) const { return &c.nodes.nodes; }
  const std::vector<Node>* operator()(const CreateRing& c) const { return &c.nodes; }
  const std::vector<Node>* operator()(const auto&) const { return nullptr; }
};
struct Names {
  const std::vector<std::string>* operator()(const RemoveNodes& c) const { return &c.names; }
  const std::vector<std::string>* operator()(const EditNodes& c) const { return &c.remove.names; }
  const std::vector<std::string>* operator()(const AlterNodes& c) const { return &c.names; }
  const std::vector<std::string>* operator()(const auto&) const { return nullptr; }
};

}  // namespace

std::size_t bytes_of(const RingChange& change) {
  std::size_t bytes = sizeof change;
  if (const auto* nodes = std::visit(Nodes(), change))
    for (const Node& node : *nodes) bytes += chash::bytes_of(node);
  if (const auto* names = std::visit(Names(), change))
    for (const std::string& name : *names) bytes += sizeof name + name.size();
  if (const auto* edit = std::get_if<EditPins>(&change)) {
    bytes += PinList(edit->add).bytes();
    for (const PinName& name : edit->remove) bytes += sizeof name + name.key.size();
  }
  if (const auto* set = std::get_if<SetRing>(&change); set != nullptr && set->nodes.pins)
    bytes += PinList(*set->nodes.pins).bytes();
  return bytes;
}

Result<Change> members_change(const RingChange& change, const std::string& ring, const RingSpec& now, Store& store,
                              const PlanBook& plans) {
  if (const auto* c = std::get_if<AddNodes>(&change)) return Change(*c);
  if (const auto* c = std::get_if<RemoveNodes>(&change)) return Change(*c);
  if (const auto* c = std::get_if<EditNodes>(&change)) return Change(*c);
  if (const auto* c = std::get_if<AlterNodes>(&change)) return Change(*c);
  if (const auto* c = std::get_if<ReplaceNode>(&change)) return Change(*c);
  if (const auto* c = std::get_if<EditPins>(&change)) return Change(*c);
  if (const auto* c = std::get_if<SetLimits>(&change)) return Change(*c);
  if (const auto* c = std::get_if<ApplyPlan>(&change)) return planned_change(c->id, ring, now, store, plans);
  if (const auto* c = std::get_if<RollBackRing>(&change)) {
    auto spec = store.spec_at(ring, c->epoch);
    if (!spec && spec.error().code == Errc::not_found) spec.error().hint = "try: chash history -r " + ring;
    if (!spec) return std::move(spec).error();
    return Change(RestoreRing{std::move(*spec)});
  }
  const auto& set = std::get<SetRing>(change);
  if (!set.profile.empty() && set.profile != now.profile)
    return make_error(Errc::invalid_argument,
                      "ring '" + ring + "' has the profile '" + now.profile + "', and cannot get another one",
                      "make a ring of that profile beside it: chash ring create");
  return Change(set.nodes);
}

Result<RingChange> change_from(const protocol::WantedChange& wanted, const std::string& plan) {
  using protocol::nodes_of;
  const bool edits = !wanted.add.empty() || !wanted.remove.empty();
  const bool limits_alone = wanted.max_move && !edits && !wanted.nodes && !wanted.rollback && plan.empty();
  const int ways = edits + wanted.nodes.has_value() + wanted.rollback.has_value() + !plan.empty() + limits_alone;
  if (ways != 1)
    return make_error(Errc::invalid_argument,
                      ways == 0 ? "nothing is to be changed" : "more than one way to change the ring is asked for",
                      "give add and remove, or nodes, or rollback, or max_move, or (to apply) plan");
  if (wanted.max_move && !wanted.nodes && !limits_alone)
    return make_error(Errc::invalid_argument, "'max_move' stands with nodes, or alone");
  if (wanted.pins && !wanted.nodes) return make_error(Errc::invalid_argument, "'pins' stands with nodes");
  if (wanted.prune && !wanted.nodes) return make_error(Errc::invalid_argument, "'prune' stands with nodes");
  if (!plan.empty()) return RingChange(ApplyPlan{plan});
  if (wanted.rollback) return RingChange(RollBackRing{*wanted.rollback});
  if (limits_alone) return RingChange(SetLimits{*wanted.max_move});
  if (wanted.nodes) {
    SetRing set{wanted.profile, {nodes_of(*wanted.nodes), wanted.prune, wanted.max_move}};
    if (wanted.pins) {
      auto pins = protocol::pins_of(*wanted.pins);
      if (!pins) return std::move(pins).error();
      set.nodes.pins = std::move(*pins);
    }
    return RingChange(std::move(set));
  }
  return RingChange(EditNodes{{wanted.remove, wanted.if_exists}, {nodes_of(wanted.add), wanted.if_missing}});
}

Result<RingSpec> new_spec(const RingChange& change, const Rings& rings) {
  if (const auto* copy = std::get_if<CopyRing>(&change)) {
    const auto from = rings.get(copy->from);
    return from ? Result<RingSpec>((*from)->spec) : Result<RingSpec>(from.error());
  }
  const auto& asked = std::get<CreateRing>(change);
  if (asked.profile.size() > limits::profile_bytes)
    return make_error(Errc::too_large, "the profile has " + std::to_string(asked.profile.size()) + " bytes",
                      "the limit is " + std::to_string(limits::profile_bytes) + " bytes");
  if (auto profile = parse_profile(asked.profile); !profile) return std::move(profile).error();
  RingSpec spec{asked.profile, {}, {}};
  const auto limited = resolve(spec, SetLimits{asked.max_move});
  if (!limited) return limited.error();
  spec = apply(std::move(spec), *limited);
  if (asked.nodes.empty()) return spec;
  const auto delta = resolve(spec, AddNodes{asked.nodes, false});
  if (!delta) return delta.error();
  return apply(std::move(spec), *delta);
}

Result<void> check_deletable(const std::string& ring) {
  if (ring != protocol::default_ring) return {};
  return make_error(Errc::invalid_argument, "ring '" + ring + "' cannot be deleted: it is what /api/get-node asks",
                    "remove its nodes instead");
}

Result<void> check_room(const Rings& rings, const Snapshot& next) {
  if (next.bytes > limits::ring_bytes)
    return make_error(
        Errc::too_large,
        "the names, fields, slots and pins of the ring would have " + std::to_string(next.bytes) + " bytes",
        "the limit is " + std::to_string(limits::ring_bytes) + " bytes");
  std::size_t points = next.placement.points(), bytes = next.bytes;
  for (const auto& [name, ring] : rings.by_name) {
    if (name == next.ring) continue;
    points += ring->placement.points();
    bytes += ring->bytes;
  }
  if (points > limits::points_of_all_rings) return too_large("points", points, limits::points_of_all_rings);
  if (bytes > limits::bytes_of_all_rings)
    return too_large("bytes of names, fields, slots and pins", bytes, limits::bytes_of_all_rings);
  return {};
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%%", 100 * share);
  return text;
}

namespace {

std::string pin_drain_fault(const Snapshot& before, const Snapshot& after) {
  for (const protocol::PinMove& move :
       protocol::pins_moved({before.spec, before.placement}, {after.spec, after.placement})) {
    if (move.to.empty() || move.to == move.from) continue;
    const auto node = std::ranges::find(after.spec.nodes, move.to, &Node::name);
    if (is_draining(*node))
      return "this would give " + pin_text(*protocol::pin_name(move)) + " to node '" + move.to + "', which drains";
  }
  return "";
}

}  // namespace

std::string drain_fault(const Snapshot& before, const Snapshot& after) {
  // Keys that nobody has are not taken from anybody.
  if (!after.placement.has_drain() || before.placement.empty()) return "";
  if (std::string fault = pin_drain_fault(before, after); !fault.empty()) return fault;
  const Placed from{before.placement, before.spec.nodes}, to{after.placement, after.spec.nodes};
  auto moved = movement(from, to);
  if (!moved) moved = sampled_movement(from, to, before.profile, keys_asked);
  std::map<NodeIndex, double> gains;
  for (const Flow& flow : moved->flows)
    if (flow.to != no_node && is_draining(after.spec.nodes[flow.to])) gains[flow.to] += flow.share;
  if (gains.empty()) return "";
  const auto [node, share] = *std::ranges::max_element(gains, {}, [](const auto& gain) { return gain.second; });
  return "this would give " + percent(share) + " of all keys to node '" + after.spec.nodes[node].name +
         "', which drains";
}

bool takes_down_only(const RingSpec& before, const Delta& delta) {
  if (!delta.added.empty() || !delta.removed.empty() || delta.slots || !delta.pinned.empty() ||
      !delta.unpinned.empty() || delta.altered.empty())
    return false;
  std::unordered_map<std::string_view, const Node*> nodes;
  for (const Node& node : before.nodes) nodes.emplace(node.name, &node);
  return std::ranges::all_of(delta.altered, [&](const Node& node) {
    Node down = *nodes.at(node.name);
    std::erase_if(down.fields, [](const auto& field) { return field.first == "state"; });
    Node other = node;
    const auto state = std::ranges::find(other.fields, std::pair<std::string, std::string>("state", "down"));
    if (state == other.fields.end()) return false;
    other.fields.erase(state);
    return down == other;
  });
}

}  // namespace chash::service
