// Past: a ring and all that it ever was, kept in the plainest way; what the store must remember of it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/scratch.h"

namespace chash::store::test {

inline constexpr std::uint64_t for_ever = std::numeric_limits<std::int64_t>::max();

// A change that this ring allows, of any kind; nothing if the dice came to one that it does not.
inline std::optional<Delta> random_change(std::mt19937_64& random, const std::vector<RingSpec>& specs) {
  const RingSpec& spec = specs.back();
  const auto random_node = [&] {
    Node node{"n" + std::to_string(random() % 12), 1};
    if (random() % 2 == 0) node.weight = static_cast<double>(random() % 4 + 1);
    static const NodeFields fields[] = {
        {}, {}, {{"state", "down"}}, {{"zone", "a"}}, {{"id", "7"}}, {{"alias", "x=y"}}};
    node.fields = fields[random() % std::size(fields)];
    return node;
  };
  const auto random_member = [&] { return spec.nodes[random() % spec.nodes.size()]; };
  Change change = SetLimits{0.125 * static_cast<double>(random() % 9)};
  switch (random() % 12) {
    case 0:
    case 1: change = AddNodes{{random_node(), random_node()}, true}; break;
    case 2: change = RemoveNodes{{random_node().name}, false}; break;
    case 3:
      if (spec.nodes.empty()) return std::nullopt;
      // Of the same name, too: it goes and comes back as another one.
      change = EditNodes{{{random_member().name}, false}, {{random_node()}, true}};
      if (random() % 2 == 0)
        std::get<EditNodes>(change).add.nodes[0].name = std::get<EditNodes>(change).remove.names[0];
      break;
    case 4:
    case 5: {
      if (spec.nodes.empty()) return std::nullopt;
      Node altered = random_node();
      altered.name = random_member().name;
      change = SetNodes{{altered, random_node()}, random() % 8 == 0};
      if (random() % 4 == 0) std::get<SetNodes>(change).max_move = 0.5;
      break;
    }
    case 6: change = RestoreRing{specs[random() % specs.size()]}; break;
    case 7: {
      if (spec.nodes.empty()) return std::nullopt;
      AlterNodes altering;
      altering.names = {random_member().name, random_member().name};
      if (random() % 2 == 0) altering.state = random() % 2 == 0 ? "drain" : "up";
      if (random() % 2 == 0) altering.labels = {{random() % 2 == 0 ? "zone" : "team", random() % 2 == 0 ? "x=y" : ""}};
      change = altering;
      break;
    }
    case 8:
      if (spec.nodes.empty()) return std::nullopt;
      change = ReplaceNode{random_member().name, random_node().name, "10.0.0.1:80"};
      break;
    case 9:
    case 10: {
      if (spec.nodes.empty()) return std::nullopt;
      const auto random_name = [&] {
        return PinName{random() % 2 == 0 ? "k" : std::string("\x80\0", 2), random() % 2 == 0};
      };
      EditPins edit{{random_name()}, true, {}};
      if (random() % 3 != 0)
        edit.add = {
            {random_name(), {random_member().name}, static_cast<std::int64_t>(random() % 2 * 1'700'000'000'000)}};
      change = edit;
      break;
    }
    default: break;
  }
  const auto delta = resolve(spec, change);
  return delta && !delta->empty() ? std::optional(*delta) : std::nullopt;
}

// As the store tells of it: without slots, and its nodes in the order of their places.
inline Delta as_remembered(Delta delta, const RingSpec& before) {
  const auto place = [&](const std::string& name) {
    return std::ranges::find(before.nodes, name, &Node::name) - before.nodes.begin();
  };
  std::ranges::sort(delta.removed, {}, place);
  std::ranges::sort(delta.altered, {}, [&](const Node& node) { return place(node.name); });
  delta.slots.reset();
  return delta;
}

struct Past {
  // A ring that a client makes, at an epoch above 0; or `default`, which is there from the start.
  Past(SqliteStore& store, const StoredRing& ring) : first(ring.epoch), now(ring), specs{ring.spec} {
    if (first == 0) return;
    must_create(store, ring);
    deltas.push_back({{ring.spec.nodes.begin(), ring.spec.nodes.end()}, {}});
    times.push_back(record_of(first).time_ms);
  }

  // Commits them together.
  void change(SqliteStore& store, const std::vector<Delta>& together) {
    auto made = made_of(now, together);
    for (service::MadeChange& one : made) {
      one.record.time_ms = made.front().record.time_ms;
      times.push_back(one.record.time_ms);
      deltas.push_back(as_remembered(one.delta, specs.back()));
      specs.push_back(*one.after);
    }
    if (auto ok = commit(store, now, made); !ok) FAIL(ok.error().message);
    now.epoch += made.size();
    now.spec = specs.back();
  }
  void change_at_random(SqliteStore& store, std::mt19937_64& random) {
    std::vector<Delta> together;
    std::vector<RingSpec> then = specs;
    for (std::size_t wanted = random() % 4 + 1; together.size() < wanted;) {
      const auto delta = random_change(random, then);
      if (!delta) continue;
      then.push_back(apply(then.back(), *delta));
      together.push_back(*delta);
    }
    change(store, together);
  }

  // The ring at this epoch, as the store must have it: its limit is today's.
  RingSpec spec_at(std::uint64_t epoch) const {
    RingSpec spec = specs[epoch - first];
    spec.max_move = now.spec.max_move;
    return spec;
  }
  // Of the change that made this epoch.
  std::size_t number_of(std::uint64_t epoch) const { return epoch - first - (first == 0 ? 1 : 0); }
  std::uint64_t first_change() const { return first == 0 ? 1 : first; }

  std::uint64_t first = 0;
  StoredRing now;
  std::vector<RingSpec> specs;      // from `first` on
  std::vector<Delta> deltas;        // of the epochs from first_change() on
  std::vector<std::int64_t> times;  // and when
};

inline bool is(const auto& result, const auto& value) { return result && *result == value; }
inline bool is_not_found(const auto& result) { return !result && result.error().code == Errc::not_found; }
inline bool is_damaged(const auto& result) {
  return !result && result.error().code == Errc::storage_failed &&
         result.error().message.find("it is damaged: ") != std::string::npos;
}

// The change is the one that made its epoch.
inline bool is_told_right(const service::PastChange& told, const Past& past) {
  const std::size_t number = past.number_of(told.epoch);
  const service::ChangeRecord record = record_of(told.epoch);
  return number < past.deltas.size() && told.delta == past.deltas[number] &&
         told.record.time_ms == past.times[number] && told.record.operation == record.operation &&
         told.record.who == record.who && told.record.note == record.note;
}

// All the changes from one epoch to another, or `oldest`, and no others.
inline bool are_told_right(const std::vector<service::PastChange>& told, const Past& past, std::uint64_t from,
                           std::uint64_t to) {
  from = std::max(from, past.first_change());
  to = std::min(to, past.now.epoch);
  if (told.size() != (from <= to ? to - from + 1 : 0)) return false;
  for (const service::PastChange& change : told)
    if (change.epoch != from++ || !is_told_right(change, past)) return false;
  return true;
}

// The last epoch at this time or before; nothing where all are later.
inline std::optional<std::uint64_t> naive_epoch_at(const Past& past, std::int64_t time_ms) {
  std::optional<std::uint64_t> found;
  if (past.first == 0) found = 0;
  for (std::size_t i = 0; i < past.times.size(); ++i)
    if (past.times[i] <= time_ms) found = past.first_change() + i;
  return found;
}

}  // namespace chash::store::test
