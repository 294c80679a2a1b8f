// Handlers of changes: what is asked for, with what care, and what is answered.
#include <algorithm>
#include <string_view>
#include <utility>

#include "chash/limits.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "protocol/text.h"
#include "protocol/time_text.h"
#include "service/change_spec.h"
#include "service/handlers.h"

namespace chash::service {

using namespace protocol;  // but those that are also changes of a spec (AddNodes and such) are written in full

namespace {

std::vector<std::string> names_of(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const Node& node : nodes) names.push_back(node.name);
  return names;
}

std::vector<std::string> warnings(const Committed& committed) {
  return committed.warning.empty() ? std::vector<std::string>() : std::vector<std::string>{committed.warning};
}

// A dry run has made no ring whose profile that would be.
RingCreate::Response created(const std::string& ring, const std::string& profile, const Committed& committed) {
  return {ring,
          committed.epoch,
          committed.spec == nullptr ? profile : committed.spec->profile,
          names_of(committed.delta.added),
          warnings(committed),
          {}};
}

ApplyChange::Response applied(const std::string& ring, const Committed& committed) {
  return {ring,
          committed.epoch,
          committed.previous_epoch,
          names_of(committed.delta.added),
          committed.delta.removed,
          names_of(committed.delta.altered),
          warnings(committed),
          committed.moved,
          {}};
}

// U+0080 to U+009F, and the separators of lines and paragraphs. Requires: UTF-8.
bool has_hidden_controls(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
    if (text.substr(i, 3) == "\xe2\x80\xa8" || text.substr(i, 3) == "\xe2\x80\xa9") return true;
  }
  return false;
}

Result<void> check(const ChangeOptions& options) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (options.note.size() > limits::note_bytes || !is_utf8(options.note) ||
      std::ranges::any_of(options.note, is_control) || has_hidden_controls(options.note))
    return make_error(Errc::invalid_argument,
                      "'note' is not one line of UTF-8 of at most " + std::to_string(limits::note_bytes) + " bytes");
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (options.request_id.size() > limits::request_id_bytes ||
      options.request_id.find_first_not_of(letters) != std::string::npos)
    return make_error(Errc::invalid_argument, "'request_id' is not 1 to " + std::to_string(limits::request_id_bytes) +
                                                  " letters, digits and ._-");
  return {};
}

// What a change would come to, without what only a commit knows.
Committed foreseen(const Plan& plan) {
  Committed committed{plan.epoch, plan.epoch, {nodes_of(plan.added), plan.removed}, nullptr, {}, plan.moved};
  for (const NodeAltered& node : plan.altered) committed.delta.altered.push_back(nodes_of({node.after}).front());
  for (const PinMove& pin : plan.pins) {
    // Those that only have another owner are not changed.
    if (pin.after.empty()) committed.delta.unpinned.push_back(*pin_name(pin));
    else if (pin.before != pin.after) committed.delta.pinned.push_back(*pin_of({pin, pin.after, pin.expires}));
  }
  if (!plan.warnings.empty()) committed.warning = plan.warnings.front();
  return committed;
}

// Errors: invalid_argument, when it says nothing, or the weight in more than one way.
Result<chash::AlterNodes> alteration(const protocol::AlterNodes::Request& request) {
  using Weigh = chash::AlterNodes::Weigh;
  chash::AlterNodes change{request.nodes, Weigh::keep, 0, request.state, request.fields_given, request.labels};
  const std::pair<const std::optional<double>*, Weigh> weights[] = {
      {&request.weight, Weigh::set}, {&request.add_weight, Weigh::add}, {&request.scale_weight, Weigh::scale}};
  for (const auto& [weight, weigh] : weights) {
    if (!*weight) continue;
    if (change.weigh != Weigh::keep)
      return make_error(Errc::invalid_argument, "the weight is given in more than one way",
                        "give weight, add_weight or scale_weight");
    change.weigh = weigh;
    change.weight = **weight;
  }
  for (const auto& [name, value] : request.labels)
    if (value.empty())
      return make_error(Errc::invalid_argument, "the label '" + printable(name, limits::name_bytes) + "' is empty",
                        "name it in remove_labels to take it away");
  for (const std::string& name : request.remove_labels) change.labels.emplace_back(name, "");
  if (change.weigh == Weigh::keep && change.state.empty() && change.fields.empty() && change.labels.empty())
    return make_error(Errc::invalid_argument, "nothing is to be set", "give a weight, a state, fields or labels");
  return change;
}

// Whoever applies a plan of what is no longer so gets to see what it would be now.
Handlers::Done with_fresh_plan(Studies& studies, const PlannedChange& planned, Handlers::Done done) {
  return [&studies, planned, done = std::move(done)](Result<AnyResponse> response) {
    if (response || response.error().code != Errc::conflict) return done(std::move(response));
    studies.plan(planned.ring, planned.change, [error = response.error(), done](Result<Plan> plan) mutable {
      if (!plan) error.hint = "it can no longer be planned: " + plan.error().message;
      else if (!plan->id.empty()) error.plan = encode_plan(*plan);
      done(std::move(error));
    });
  };
}

}  // namespace

void Handlers::change(const std::string& ring, RingChange change, Caller caller, RingService::Done done,
                      ChangeTerms terms) {
  if (caller.refusal) return done(*caller.refusal);
  service_.change(ring, std::move(change), std::move(caller), std::move(done), std::move(terms));
}

// `respond` makes the response of what a change came to.
template <class Op, class Respond>
void Handlers::change_as(const typename Op::Request& request, const std::string& ring, RingChange change, Caller caller,
                         Done done, Respond respond) {
  if (auto ok = check(request); !ok) return done(std::move(ok).error());
  if (request.dry_run)
    return service_.studies().plan(
        ring, std::move(change), [respond, expected = request.expect_epoch, done = std::move(done)](Result<Plan> plan) {
          if (!plan) return done(std::move(plan).error());
          if (expected && *expected != plan->epoch)
            return done(make_error(Errc::conflict, "ring '" + plan->ring + "' is at epoch " +
                                                       std::to_string(plan->epoch) + ", not at " +
                                                       std::to_string(*expected)));
          typename Op::Response response{respond(foreseen(*plan))};
          response.plan = std::move(*plan);
          done(AnyResponse(std::move(response)));
        });
  ChangeTerms terms{std::string(Op::info.name), request.expect_epoch, request.note, request.force, request.request_id};
  if (!request.request_id.empty()) {
    auto unnamed = request;
    unnamed.request_id.clear();
    terms.digest = hex(xxh3_128(encode_request(AnyRequest(std::move(unnamed)))));
    terms.answer = [respond](const Committed& committed) {
      std::string text;
      encode_response(AnyResponse(typename Op::Response{respond(committed)}), text);
      return text;
    };
  }
  const auto answer = [respond, done = std::move(done)](Result<Committed> committed) {
    if (!committed) return done(std::move(committed).error());
    if (!committed->repeated.empty()) return done(decode_response(row_of<Op>, committed->repeated));
    done(AnyResponse(typename Op::Response{respond(*committed)}));
  };
  this->change(ring, std::move(change), std::move(caller), answer, std::move(terms));
}

void Handlers::handle(const protocol::AddNodes::Request& request, Caller caller, Done done) {
  change_as<protocol::AddNodes>(request, request.ring, chash::AddNodes{nodes_of(request.nodes), request.if_missing},
                                std::move(caller), std::move(done), [ring = request.ring](const Committed& committed) {
                                  return protocol::AddNodes::Response{ring,
                                                                      committed.epoch,
                                                                      committed.previous_epoch,
                                                                      names_of(committed.delta.added),
                                                                      warnings(committed),
                                                                      committed.moved,
                                                                      {}};
                                });
}

void Handlers::handle(const protocol::RemoveNodes::Request& request, Caller caller, Done done) {
  change_as<protocol::RemoveNodes>(
      request, request.ring, chash::RemoveNodes{request.nodes, request.if_exists}, std::move(caller), std::move(done),
      [ring = request.ring](const Committed& committed) {
        return protocol::RemoveNodes::Response{
            ring, committed.epoch, committed.previous_epoch, committed.delta.removed, committed.moved, {}};
      });
}

void Handlers::handle(const protocol::AlterNodes::Request& request, Caller caller, Done done) {
  auto change = alteration(request);
  if (!change) return done(std::move(change).error());
  change_as<protocol::AlterNodes>(request, request.ring, std::move(*change), std::move(caller), std::move(done),
                                  [ring = request.ring](const Committed& committed) {
                                    return protocol::AlterNodes::Response{ring,
                                                                          committed.epoch,
                                                                          committed.previous_epoch,
                                                                          names_of(committed.delta.altered),
                                                                          warnings(committed),
                                                                          committed.moved,
                                                                          {}};
                                  });
}

void Handlers::handle(const protocol::ReplaceNode::Request& request, Caller caller, Done done) {
  change_as<protocol::ReplaceNode>(
      request, request.ring, chash::ReplaceNode{request.node, request.with, request.address}, std::move(caller),
      std::move(done), [request](const Committed& committed) {
        return protocol::ReplaceNode::Response{
            request.ring, committed.epoch, committed.previous_epoch, request.node, request.with, committed.moved, {}};
      });
}

void Handlers::handle(const PinKeys::Request& request, Caller caller, Done done) {
  auto pins = pins_of(request.pins);
  if (!pins) return done(std::move(pins).error());
  for (const Pin& pin : *pins)
    if (pin.expires_ms != 0 && pin.expires_ms <= next_time(0))
      return done(
          make_error(Errc::invalid_argument,
                     "the pin of " + pin_text(pin.name) + " would be over already: " + time_text(pin.expires_ms),
                     "times are UTC unless they name an offset"));
  change_as<PinKeys>(request, request.ring, EditPins{{}, false, std::move(*pins)}, std::move(caller), std::move(done),
                     [ring = request.ring](const Committed& committed) {
                       return PinKeys::Response{ring,
                                                committed.epoch,
                                                committed.previous_epoch,
                                                given(PinList(committed.delta.pinned)),
                                                warnings(committed),
                                                {}};
                     });
}

void Handlers::handle(const UnpinKeys::Request& request, Caller caller, Done done) {
  auto names = pin_names(request.pins);
  if (!names) return done(std::move(names).error());
  change_as<UnpinKeys>(request, request.ring, EditPins{std::move(*names), request.if_exists, {}}, std::move(caller),
                       std::move(done), [ring = request.ring](const Committed& committed) {
                         UnpinKeys::Response response{ring, committed.epoch, committed.previous_epoch, {}, {}};
                         for (const PinName& name : committed.delta.unpinned) response.unpinned.push_back(named(name));
                         return response;
                       });
}

void Handlers::handle(const RingCreate::Request& request, Caller caller, Done done) {
  change_as<RingCreate>(request, request.ring, CreateRing{request.profile, nodes_of(request.nodes), request.max_move},
                        std::move(caller), std::move(done),
                        [ring = request.ring, profile = request.profile](const Committed& committed) {
                          return created(ring, profile, committed);
                        });
}

void Handlers::handle(const RingCopy::Request& request, Caller caller, Done done) {
  // That it is not there, the change says.
  const auto from = ring_named(request.ring);
  change_as<RingCopy>(request, request.to, CopyRing{request.ring}, std::move(caller), std::move(done),
                      [ring = request.to, profile = from ? (*from)->spec.profile : ""](const Committed& committed) {
                        return created(ring, profile, committed);
                      });
}

void Handlers::handle(const RingDelete::Request& request, Caller caller, Done done) {
  change_as<RingDelete>(request, request.ring, DeleteRing{request.if_exists}, std::move(caller), std::move(done),
                        [ring = request.ring](const Committed& committed) {
                          const std::uint64_t last = committed.previous_epoch;
                          return RingDelete::Response{ring, last != 0, last, {}};
                        });
}

void Handlers::handle(const RingSet::Request& request, Caller caller, Done done) {
  change_as<RingSet>(request, request.ring, SetLimits{request.max_move}, std::move(caller), std::move(done),
                     [ring = request.ring](const Committed& committed) { return applied(ring, committed); });
}

void Handlers::handle(const RollBack::Request& request, Caller caller, Done done) {
  change_as<RollBack>(request, request.ring, RollBackRing{request.epoch}, std::move(caller), std::move(done),
                      [ring = request.ring](const Committed& committed) { return applied(ring, committed); });
}

void Handlers::handle(const ApplyChange::Request& request, Caller caller, Done done) {
  auto change = change_from(request, request.plan);
  if (!change) return done(std::move(change).error());
  const auto planned = request.plan.empty() ? std::nullopt : service_.plans().find(request.plan);
  if (planned && planned->ring == request.ring) done = with_fresh_plan(service_.studies(), *planned, std::move(done));
  change_as<ApplyChange>(request, request.ring, std::move(*change), std::move(caller), std::move(done),
                         [ring = request.ring](const Committed& committed) { return applied(ring, committed); });
}

}  // namespace chash::service
