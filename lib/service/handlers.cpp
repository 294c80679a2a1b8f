#include "service/handlers.h"

#include <unistd.h>

#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

#include "chash/version.h"
#include "protocol/text.h"
#include "service/lookups.h"

namespace chash::service {

using namespace protocol;  // but AddNodes and RemoveNodes, which are also changes of a spec, are written in full

namespace {

std::vector<Status::RingState> ring_states(const Rings& rings) {
  std::vector<Status::RingState> states;
  for (const auto& [name, ring] : rings.by_name)
    states.push_back({name, ring->spec.profile, ring->epoch, ring->spec.nodes.size(), ring->placement.points()});
  return states;
}

}  // namespace

Handlers::Handlers(RingService& service, DaemonState& daemon)
    : service_(service), daemon_(daemon), reader_(service.rings()) {}

bool Handlers::is_answered_at_once(const AnyRequest& request) {
  return info(request).access == Access::read && !is_for_aside(request);
}

Result<AnyResponse> Handlers::read(const AnyRequest& request) {
  return std::visit(
      [&]<class Request>(const Request& typed) -> Result<AnyResponse> {
        using Op = typename OperationOf<Request, Operations>::Type;
        if constexpr (Op::info.access == Access::read) {
          auto response = handle(typed);
          if (!response) return std::move(response).error();
          return AnyResponse(std::move(*response));
        } else {
          return make_error(Errc::internal, "what takes long came in as a read");
        }
      },
      request);
}

void Handlers::start(const AnyRequest& request, Caller caller, Done done) {
  std::visit(
      [&]<class Request>(const Request& typed) {
        using Op = typename OperationOf<Request, Operations>::Type;
        if constexpr (Op::info.access == Access::write) handle(typed, std::move(caller), std::move(done));
        else if constexpr (std::is_same_v<Op, Watch>) service_.feed().watch(typed, std::move(done));
        else service_.studies().ask(request, std::move(done));
      },
      request);
}

// --- Reads ----------------------------------------------------------------------------------------------------------

Result<GetNode::Response> Handlers::handle(const GetNode::Request& request) {
  if (auto ok = check(request); !ok) return std::move(ok).error();
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  auto found = look_up(**snapshot, request, &log());
  if (found) count_lookups(1);
  return found;
}

Result<GetNodes::Response> Handlers::handle(const GetNodes::Request& request) {
  if (auto ok = check(request); !ok) return std::move(ok).error();
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  auto found = look_up(**snapshot, request, &log());
  if (found) count_lookups(request.keys.size());
  return found;
}

Result<ListNodes::Response> Handlers::handle(const ListNodes::Request& request) {
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  return ListNodes::Response{(*snapshot)->ring, (*snapshot)->epoch, members_of(**snapshot),
                             given((*snapshot)->spec.pins)};
}

Result<RingList::Response> Handlers::handle(const RingList::Request&) {
  return RingList::Response{ring_states(reader_.current())};
}

Result<RingShow::Response> Handlers::handle(const RingShow::Request& request) {
  const auto found = ring_named(request.ring);
  return found ? Result<RingShow::Response>(show(**found, request.slots)) : Result<RingShow::Response>(found.error());
}

Result<Status::Response> Handlers::handle(const Status::Request&) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch());
  Status::Response response;
  response.daemon = {std::string(version()), protocol_version, static_cast<std::uint64_t>(getpid()),
                     static_cast<std::uint64_t>(now.count() - daemon_.started_s)};
  response.rings = ring_states(reader_.current());
  response.store = service_.store().state();
  response.listeners = daemon_.listeners;
  response.counters = {daemon_.lookups.load(std::memory_order_relaxed), service_.changes_made(),
                       daemon_.connections.load(std::memory_order_relaxed), log().dropped_lines()};
  return response;
}

Result<Ping::Response> Handlers::handle(const Ping::Request&) {
  return Ping::Response{std::string(version()), protocol_version, static_cast<std::uint64_t>(getpid())};
}

// --- The daemon's own settings --------------------------------------------------------------------------------------

void Handlers::handle(const Reload::Request&, const Caller& caller, const Done& done) {
  if (caller.refusal) return done(*caller.refusal);
  if (auto ok = daemon_.reload(); !ok) return done(std::move(ok).error());
  done(AnyResponse(Reload::Response{std::string(name(log().level()))}));
}

void Handlers::handle(const SetLogLevel::Request& request, const Caller& caller, const Done& done) {
  if (caller.refusal) return done(*caller.refusal);
  const LogLevel before = log().level();
  if (request.level.empty()) return done(AnyResponse(SetLogLevel::Response{std::string(name(before)), {}}));
  const auto level = log_level_from(request.level);
  if (!level)
    return done(make_error(Errc::invalid_argument, "'" + printable(request.level, 64) + "' is not a log level",
                           "it is one of: debug, info, warning, error, critical"));
  const std::string line = "The log level was " + std::string(name(before)) + " and becomes " +
                           std::string(name(*level)) + ", as " + caller.description + " wants it.";
  log().main(LogLevel::warning, line);
  log().set_level(*level);
  done(AnyResponse(SetLogLevel::Response{std::string(name(*level)), std::string(name(before))}));
}

// --- Pieces ---------------------------------------------------------------------------------------------------------

Result<const Snapshot*> Handlers::ring_named(std::string_view name) { return reader_.current().get(name); }

void Handlers::count_lookups(std::uint64_t keys) { daemon_.lookups.fetch_add(keys, std::memory_order_relaxed); }

}  // namespace chash::service
