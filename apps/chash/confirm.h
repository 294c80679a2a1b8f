// Confirm: people are asked before much of a ring moves.
//
// Asked is only where somebody can answer: standard input and standard error are a terminal, and --yes is not given.
// Programs are never asked; a ring's max_move is what guards it from them.
#pragma once

#include "run.h"

namespace chash::cli {

bool may_ask(const Run& run);

// Whether so much moves that somebody should say so.  Pure.
bool is_much(const protocol::Plan& plan);

// Shows what would move, and asks.  Errors: internal, where the answer is not yes.
Result<void> confirm(const protocol::Plan& plan, std::string_view question);

// Makes a change; before one that moves much, or deletes a ring that has nodes, it asks, and makes just what it showed.
template <class Op>
Result<typename Op::Response> make_change(const Run& run, typename Op::Request request) {
  if (request.dry_run || !may_ask(run)) return run.session.call<Op>(std::move(request));
  typename Op::Request dry = request;
  dry.dry_run = true;
  dry.request_id.clear();
  const auto foreseen = run.session.call<Op>(std::move(dry));
  if (!foreseen) return foreseen.error();
  constexpr bool deletes = std::is_same_v<Op, protocol::RingDelete>;
  if (foreseen->plan && (deletes ? !foreseen->plan->removed.empty() : is_much(*foreseen->plan))) {
    const std::string ring = foreseen->plan->ring;
    if (auto ok = confirm(*foreseen->plan, deletes ? "delete ring " + ring : "change ring " + ring); !ok)
      return std::move(ok).error();
    request.expect_epoch = foreseen->plan->epoch;
  }
  return run.session.call<Op>(std::move(request));
}

}  // namespace chash::cli
