#include "service/handlers.h"

#include <unistd.h>

#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

#include "chash/limits.h"
#include "chash/version.h"
#include "protocol/not_foretold.h"
#include "protocol/text.h"

namespace chash::service {

using namespace protocol;  // but AddNodes and RemoveNodes, which are also changes of a spec, are written in full

namespace {

Result<void> check_key(const Key& key) {
  if (key.bytes.empty()) return make_error(Errc::invalid_argument, "the key is empty", "a key has 1 to 65536 bytes");
  if (key.bytes.size() > limits::key_bytes)
    return make_error(Errc::too_large, "the key has " + std::to_string(key.bytes.size()) + " bytes",
                      "the limit is " + std::to_string(limits::key_bytes) + " bytes");
  return {};
}

Result<void> check_replicas(std::uint32_t n) {
  if (n >= 1 && n <= limits::replicas) return {};
  return make_error(Errc::invalid_argument, "'n' must be a whole number from 1 to " + std::to_string(limits::replicas));
}

std::vector<ListNodes::Member> members(const Snapshot& snapshot) {
  const auto& nodes = snapshot.spec.nodes;
  const auto points = snapshot.placement.points_by_node(nodes.size());
  std::vector<ListNodes::Member> found;
  found.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    found.push_back({nodes[i].name, nodes[i].weight, points[i], nodes[i].fields});
  return found;
}

std::vector<Status::RingState> ring_states(const Rings& rings) {
  std::vector<Status::RingState> states;
  for (const auto& [name, ring] : rings.by_name)
    states.push_back({name, ring->spec.profile, ring->epoch, ring->spec.nodes.size(), ring->placement.points()});
  return states;
}

std::vector<Node> nodes_of(const std::vector<protocol::AddNodes::Member>& members) {
  std::vector<Node> nodes;
  for (const auto& member : members) nodes.push_back({member.name, member.weight, member.fields_given});
  return nodes;
}

std::vector<std::string> names_of(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const Node& node : nodes) names.push_back(node.name);
  return names;
}

std::vector<std::string> warnings(const Committed& committed) {
  return committed.warning.empty() ? std::vector<std::string>() : std::vector<std::string>{committed.warning};
}

RingCreate::Response created(const std::string& ring, const Committed& committed) {
  return {ring, committed.epoch, committed.spec->profile, names_of(committed.delta.added), warnings(committed)};
}

template <class Op>
concept Reads = Op::info.access == Access::read;

// The operation whose request this is.
template <class Request, class List>
struct OperationOf;
template <class Request, class... Op>
struct OperationOf<Request, std::tuple<Op...>> {
  template <class T>
  static auto pick() {
    if constexpr (std::is_same_v<typename T::Request, Request>) return std::tuple<T>();
    else return std::tuple<>();
  }
  using Type = std::tuple_element_t<0, decltype(std::tuple_cat(pick<Op>()...))>;
};

}  // namespace

Handlers::Handlers(RingService& service, DaemonState& daemon)
    : service_(service), daemon_(daemon), reader_(service.rings()) {}

Result<AnyResponse> Handlers::read(const AnyRequest& request) {
  return std::visit(
      [&]<class Request>(const Request& typed) -> Result<AnyResponse> {
        using Op = typename OperationOf<Request, Operations>::Type;
        if constexpr (Reads<Op>) {
          auto response = handle(typed);
          if (!response) return std::move(response).error();
          return AnyResponse(std::move(*response));
        } else {
          return make_error(Errc::internal, "a change came in as a read");
        }
      },
      request);
}

void Handlers::write(const AnyRequest& request, Caller caller, Done done) {
  std::visit(
      [&]<class Request>(const Request& typed) {
        using Op = typename OperationOf<Request, Operations>::Type;
        if constexpr (Reads<Op>) done(make_error(Errc::internal, "a read came in as a change"));
        else handle(typed, std::move(caller), std::move(done));
      },
      request);
}

void Handlers::change(const std::string& ring, RingChange change, Caller caller, RingService::Done done) {
  if (caller.refusal) return done(*caller.refusal);
  service_.change(ring, std::move(change), std::move(caller), std::move(done));
}

// --- Reads ----------------------------------------------------------------------------------------------------------

Result<GetNode::Response> Handlers::handle(const GetNode::Request& request) {
  if (auto ok = check_key(request.key); !ok) return std::move(ok).error();
  if (auto ok = check_replicas(request.n); !ok) return std::move(ok).error();
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  auto nodes = owners(**snapshot, request.key.bytes, request.n);
  if (!nodes) return std::move(nodes).error();
  if (nodes->empty()) return not_foretold((*snapshot)->profile, request.key.bytes);
  count_lookups(1);
  return GetNode::Response{(*snapshot)->ring, (*snapshot)->epoch, nodes->front(), std::move(*nodes)};
}

Result<GetNodes::Response> Handlers::handle(const GetNodes::Request& request) {
  if (request.keys.empty()) return make_error(Errc::invalid_argument, "'keys' is empty", "name at least one key");
  if (request.keys.size() > limits::batch_keys)
    return make_error(Errc::too_large, "'keys' has " + std::to_string(request.keys.size()) + " keys",
                      "ask for at most " + std::to_string(limits::batch_keys) + " at once");
  if (auto ok = check_replicas(request.n); !ok) return std::move(ok).error();
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  for (const Key& key : request.keys) {
    if (auto ok = check_key(key); !ok) {
      Error error = std::move(ok).error();
      error.message += " (key " + std::to_string(&key - request.keys.data() + 1) + " of the batch)";
      return error;
    }
  }
  auto found = owners_of_all(**snapshot, request);
  if (!found) return std::move(found).error();
  count_lookups(request.keys.size());
  return GetNodes::Response{(*snapshot)->ring, (*snapshot)->epoch, std::move(*found)};
}

Result<ListNodes::Response> Handlers::handle(const ListNodes::Request& request) {
  auto snapshot = ring_named(request.ring);
  if (!snapshot) return std::move(snapshot).error();
  return ListNodes::Response{(*snapshot)->ring, (*snapshot)->epoch, members(**snapshot)};
}

Result<RingList::Response> Handlers::handle(const RingList::Request&) {
  return RingList::Response{ring_states(reader_.current())};
}

Result<RingShow::Response> Handlers::handle(const RingShow::Request& request) {
  auto found = ring_named(request.ring);
  if (!found) return std::move(found).error();
  const Snapshot& snapshot = **found;
  RingShow::Response response{snapshot.ring, snapshot.epoch, snapshot.spec.profile, {}, {}, {}, {}, {}};
  for (const ProfileParameter& parameter : profile_parameters())
    response.parameters.emplace_back(parameter.name, parameter.write(snapshot.profile));
  response.fingerprint = hex(fingerprint(snapshot.spec));
  response.points = snapshot.placement.points();
  response.nodes = members(snapshot);
  if (request.slots) response.slots = snapshot.spec.slots.nodes();
  return response;
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

// --- Changes --------------------------------------------------------------------------------------------------------

void Handlers::handle(const protocol::AddNodes::Request& request, Caller caller, Done done) {
  change(request.ring, chash::AddNodes{nodes_of(request.nodes), request.if_missing}, std::move(caller),
         [ring = request.ring, done = std::move(done)](Result<Committed> committed) {
           if (!committed) return done(std::move(committed).error());
           done(AnyResponse(protocol::AddNodes::Response{ring, committed->epoch, committed->previous_epoch,
                                                         names_of(committed->delta.added), warnings(*committed)}));
         });
}

void Handlers::handle(const protocol::RemoveNodes::Request& request, Caller caller, Done done) {
  change(request.ring, chash::RemoveNodes{request.nodes, request.if_exists}, std::move(caller),
         [ring = request.ring, done = std::move(done)](Result<Committed> committed) {
           if (!committed) return done(std::move(committed).error());
           done(AnyResponse(protocol::RemoveNodes::Response{ring, committed->epoch, committed->previous_epoch,
                                                            std::move(committed->delta.removed)}));
         });
}

void Handlers::handle(const RingCreate::Request& request, Caller caller, Done done) {
  change(request.ring, CreateRing{request.profile, nodes_of(request.nodes)}, std::move(caller),
         [ring = request.ring, done = std::move(done)](Result<Committed> committed) {
           if (!committed) return done(std::move(committed).error());
           done(AnyResponse(created(ring, *committed)));
         });
}

void Handlers::handle(const RingCopy::Request& request, Caller caller, Done done) {
  change(request.to, CopyRing{request.ring}, std::move(caller),
         [ring = request.to, done = std::move(done)](Result<Committed> committed) {
           if (!committed) return done(std::move(committed).error());
           done(AnyResponse(RingCopy::Response{created(ring, *committed)}));
         });
}

void Handlers::handle(const RingDelete::Request& request, Caller caller, Done done) {
  change(request.ring, DeleteRing{request.if_exists}, std::move(caller),
         [ring = request.ring, done = std::move(done)](Result<Committed> committed) {
           if (!committed) return done(std::move(committed).error());
           const std::uint64_t last = committed->previous_epoch;
           done(AnyResponse(RingDelete::Response{ring, last != 0, last}));
         });
}

// --- Pieces ---------------------------------------------------------------------------------------------------------

Result<const Snapshot*> Handlers::ring_named(std::string_view name) { return reader_.current().get(name); }

Result<std::vector<std::string>> Handlers::owners(const Snapshot& snapshot, const std::string& key, std::uint32_t n) {
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
  if (!names.empty() && log().enabled(LogLevel::debug))
    log().hashing(LogLevel::debug, "Key '" + printable(key, limits::log_text_bytes) + "' belongs to node '" +
                                       names.front() + "'. Epoch " + std::to_string(snapshot.epoch) + ".");
  return names;
}

// One owner for each of many keys is what placements are quickest at; debug lines are one a key.
Result<std::vector<std::vector<std::string>>> Handlers::owners_of_all(const Snapshot& snapshot,
                                                                      const GetNodes::Request& request) {
  std::vector<std::vector<std::string>> all(request.keys.size());
  if (request.n > 1 || snapshot.placement.empty() || log().enabled(LogLevel::debug)) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto nodes = owners(snapshot, request.keys[i].bytes, request.n);
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

void Handlers::count_lookups(std::uint64_t keys) { daemon_.lookups.fetch_add(keys, std::memory_order_relaxed); }

}  // namespace chash::service
