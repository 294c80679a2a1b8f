// What may be wrong with a ring.
#include <algorithm>
#include <map>

#include "amounts.h"
#include "chash/standing.h"
#include "doctor.h"
#include "movement_output.h"
#include "protocol/time_text.h"

namespace chash::cli {
namespace {

constexpr double uneven = 1.25;                       // of max/mean: a node that has a quarter too much
constexpr std::int64_t long_ms = 24 * 3600 * 1000LL;  // a node that is away for a day is not being repaired
constexpr std::size_t names_told = 5;                 // of what several nodes have in common

class RingDoctor {
 public:
  RingDoctor(const RingFacts& ring, std::int64_t now_ms, Findings& findings)
      : ring_(ring), now_ms_(now_ms), findings_(findings) {}

  void examine() {
    if (ring_.fault) return find(Verdict::fail, "cannot be looked at: " + ring_.fault->message, ring_.fault->hint);
    const std::size_t before = findings_.size();
    check_members();
    if (ring_.nodes.empty()) return;
    check_away();
    check_balance();
    check_zones();
    check_names();
    if (findings_.size() == before) find(Verdict::ok, counted(ring_.nodes.size(), "node", "nodes") + evenness());
  }

 private:
  void find(Verdict verdict, const std::string& text, std::string fix = {}) {
    findings_.push_back({verdict, "ring", "ring " + ring_.name + ": " + text, std::move(fix)});
  }
  // "chash up -r web"
  std::string command(const std::string& name) const {
    return "chash " + name + (ring_.name == protocol::default_ring ? "" : " -r " + ring_.name);
  }
  std::string evenness() const {
    return ring_.balance ? ", max/mean " + fixed_text(ring_.balance->max_mean, 2) : std::string();
  }

  void check_members();
  void check_away();
  void check_balance();
  void check_zones();
  void check_names();
  std::int64_t away_since(const Node& node, NodeState state) const;

  const RingFacts& ring_;
  std::int64_t now_ms_;
  Findings& findings_;
};

NodeState state_of(const Node& node) {
  const auto state = node_state(node);
  return state ? *state : NodeState::up;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < names_told; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= names_told ? text : text + " and " + std::to_string(names.size() - names_told) + " more";
}

void RingDoctor::check_members() {
  if (ring_.nodes.empty()) return find(Verdict::warn, "it has no node", "try: " + command("add") + " NODE");
  const bool anybody = std::ranges::any_of(
      ring_.nodes, [](const Node& node) { return state_of(node) != NodeState::down && node.weight > 0; });
  if (!anybody) find(Verdict::fail, "no node is up, so that no key has one", "try: " + command("up") + " NODE");
}

// Since which time it is in this state, as far back as the history tells; 0 if it does not.
std::int64_t RingDoctor::away_since(const Node& node, NodeState state) const {
  std::string since;
  const auto look = [&](const protocol::NodeGiven& given, const std::string& time) {
    if (given.name != node.name) return true;
    if (state_of(Node{given.name, given.weight, given.fields_given, {}}) != state) return false;
    since = time;
    return true;
  };
  for (const protocol::ChangeEntry& entry : ring_.history) {
    bool go_on = true;
    for (const auto* nodes : {&entry.altered, &entry.added})
      for (const protocol::NodeGiven& given : *nodes) go_on = go_on && look(given, entry.time);
    for (const auto& [name, with] : entry.replaced) go_on = go_on && look(with, entry.time);
    if (!go_on) break;
  }
  return protocol::parse_time(since).value_or(0);
}

void RingDoctor::check_away() {
  for (const NodeState state : {NodeState::down, NodeState::drain}) {
    std::vector<std::string> long_gone, others;
    for (const Node& node : ring_.nodes) {
      if (state_of(node) != state) continue;
      const std::int64_t since = away_since(node, state), gone_ms = since == 0 ? 0 : now_ms_ - since;
      if (gone_ms < long_ms) others.push_back(node.name);
      else long_gone.push_back(node.name + " (" + span_text(static_cast<std::uint64_t>(gone_ms) / 1000) + ")");
    }
    const std::string verb = state == NodeState::down ? "down: " : "draining: ";
    if (!long_gone.empty())
      find(Verdict::warn, "for long " + verb + names_text(long_gone),
           "try: " + command("up") + " NODE, or " + command("remove") + " NODE");
    if (!others.empty()) find(Verdict::ok, verb + names_text(others));
  }
}

void RingDoctor::check_balance() {
  if (!ring_.balance || ring_.balance->max_mean <= uneven) return;
  const auto worst = std::ranges::max_element(ring_.balance->nodes, {}, &NodeBalance::off_by);
  find(Verdict::warn,
       "max/mean " + fixed_text(ring_.balance->max_mean, 2) + ": " + worst->name + " has " + percent(worst->share, 1) +
           " of all keys and should have " + percent(worst->ideal, 1),
       "more points are more even: a ring with a larger vnodes, or of the profile balanced (chash ring create)");
}

// Zones help only where there are several.
void RingDoctor::check_zones() {
  std::map<std::string, std::size_t> zones;
  std::vector<std::string> without;
  for (const Node& node : ring_.nodes) {
    const std::string zone = node_label(node, "zone");
    if (zone.empty()) without.push_back(node.name);
    else ++zones[zone];
  }
  if (zones.empty() || ring_.nodes.size() < 2) return;
  if (!without.empty())
    find(Verdict::warn, "without a zone, which other nodes have: " + names_text(without),
         "try: " + command("set") + ' ' + without.front() + " --label zone=NAME");
  else if (zones.size() == 1)
    find(Verdict::warn, "all nodes are in zone " + zones.begin()->first + ": a copy elsewhere is none",
         "add nodes of another zone, or correct the labels: " + command("set") + " NODE --label zone=NAME");
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return text;
}

// Names that people, or chash itself, may take for something else.
void RingDoctor::check_names() {
  std::map<std::string, std::vector<std::string>> alike;
  std::vector<std::string> selectors;
  for (const Node& node : ring_.nodes) {
    alike[lower(node.name)].push_back(node.name);
    if (node.name.find('=') != node.name.npos) selectors.push_back(node.name);
  }
  for (const auto& [key, names] : alike)
    if (names.size() > 1)
      find(Verdict::warn, "names that differ only in upper and lower case: " + names_text(names),
           "try: " + command("replace") + " NODE NEW, which moves no other keys");
  if (!selectors.empty())
    find(Verdict::warn, "names that read as LABEL=VALUE: " + names_text(selectors),
         "try: " + command("replace") + " NODE NEW, which moves no other keys");
}

}  // namespace

void examine_ring(const RingFacts& ring, std::int64_t now_ms, Findings& findings) {
  RingDoctor(ring, now_ms, findings).examine();
}

}  // namespace chash::cli
