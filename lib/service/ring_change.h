// RingChange: what somebody asks to be changed, of a ring's members or of the rings themselves; and with what care.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chash/ring_spec.h"

namespace chash::service {

struct CreateRing {
  std::string profile;
  std::vector<Node> nodes{};
  double max_move = 1;
};
struct CopyRing {
  std::string from;
};
struct DeleteRing {
  bool if_exists = false;
};

// The ring as a file has it.  Refused if it has another profile than one that is named.
struct SetRing {
  std::string profile;
  SetNodes nodes;
};
struct RollBackRing {
  std::uint64_t epoch = 0;
};
struct ApplyPlan {
  std::string id;
};

using RingChange = std::variant<AddNodes, RemoveNodes, EditNodes, AlterNodes, ReplaceNode, EditPins, SetRing, SetLimits,
                                RollBackRing, ApplyPlan, CreateRing, CopyRing, DeleteRing>;

inline bool concerns_members(const RingChange& change) {
  return !std::holds_alternative<CreateRing>(change) && !std::holds_alternative<CopyRing>(change) &&
         !std::holds_alternative<DeleteRing>(change);
}

// What the nodes and pins take that it names, and itself.
std::size_t bytes_of(const RingChange& change);

// What a change came to.
struct Committed {
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;  // equal to `epoch` if there was nothing to do; 0 if there was no such ring
  Delta delta;
  std::shared_ptr<const RingSpec> spec;  // the ring at `epoch`; null if it is deleted
  std::string warning;                   // what to tell whoever asked; empty as a rule
  std::optional<double> moved{};         // share of all keys, where it was worked out
  std::string repeated{};                // the answer that the same request got before: nothing was done now
};

// What a change is asked with beside what it changes.
struct ChangeTerms {
  std::string operation{};  // its name on the wire, for the history
  std::optional<std::uint64_t> expect_epoch{};
  std::string note{};
  bool force = false;                                     // whatever the ring's max_move
  std::string request_id{};                               // with the next two, or empty
  std::string digest{};                                   // of all that is asked
  std::function<std::string(const Committed&)> answer{};  // what becomes durable with the change
};

}  // namespace chash::service
