// Every operation that a client can ask for: its request and its response, once. This is the vocabulary of chash.
//
// To add one: a struct here with `info`, `Request`, `Response`; its name in `Operations`; a handler in
// service/handlers.h (a missing one does not compile); a command in apps/chash that prints it; a line in the manual
// (a test looks). The wire, HTTP, OpenAPI, access checks and the client follow from this file.
//
// Names and meanings on the wire are promises: fields may be added, never renamed or renumbered. One that is added to a
// response is optional, since a client may be newer than the daemon.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "protocol/field.h"

namespace chash::protocol {

// Of the socket protocol and /api/v1 together. Grows when a client must know; added fields do not count.
inline constexpr std::uint32_t protocol_version = 1;

inline constexpr std::string_view default_ring = "default";

enum class Method : unsigned char { get, post, del };
enum class Access : unsigned char { read, write };

struct OperationInfo {
  std::string_view name;  // `op` on the socket, and the command of chash(1)
  Method method;
  std::string_view path;  // under which HTTP has it; {ring} and such are path fields
  Access access;
  int http_status;        // of success
  std::string_view help;  // one line
};

struct GetNode {
  static constexpr OperationInfo info{"get-node",   Method::get, "/api/v1/rings/{ring}/node",
                                      Access::read, 200,         "Which node is responsible for a key"};
  struct Request {
    std::string ring{default_ring};
    Key key;
    std::uint32_t n = 1;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                        Field{"key", &Request::key, "the key, 1 to 65536 bytes", In::query, Presence::required},
                        Field{"n", &Request::n, "how many distinct nodes, in order of responsibility", In::query,
                              Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::string node;
    std::vector<std::string> nodes;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "the membership version that was asked"},
          Field{"node", &Response::node, "the owner of the key"},
          Field{"nodes", &Response::nodes, "the owner, then the next distinct nodes; fewer than n if there are fewer"}};
    }
  };
};

struct GetNodes {
  static constexpr OperationInfo info{
      "get-nodes",  Method::post, "/api/v1/rings/{ring}/get-nodes",
      Access::read, 200,          "Which nodes are responsible for many keys, all at one epoch"};
  struct Request {
    std::string ring{default_ring};
    std::vector<Key> keys;
    std::uint32_t n = 1;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                        Field{"keys", &Request::keys, "the keys, at most 10000", In::body, Presence::required},
                        Field{"n", &Request::n, "how many distinct nodes for each key", In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::vector<std::vector<std::string>> owners;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version that was asked"},
                        Field{"owners", &Response::owners,
                              "for each key, in the order asked: its nodes, owner first; none where no key tells"}};
    }
  };
};

struct ListNodes {
  static constexpr OperationInfo info{
      "list",       Method::get, "/api/v1/rings/{ring}/nodes",
      Access::read, 200,         "The nodes of a ring, in the order in which they were added"};
  struct Request {
    std::string ring{default_ring};
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional}};
    }
  };
  struct Member {
    std::string name;
    double weight = 1;
    std::uint64_t vnodes = 0;
    Texts fields_given{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"name", &Member::name, "name of the node"},
          Field{"weight", &Member::weight, "share wanted relative to others"},
          Field{"vnodes", &Member::vnodes, "points that it takes on the ring"},
          Field{"fields", &Member::fields_given, "what else the profile knows of it", In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::vector<Member> nodes;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version"},
                        Field{"nodes", &Response::nodes, "the members"}};
    }
  };
};

struct AddNodes {
  static constexpr OperationInfo info{
      "add",         Method::post, "/api/v1/rings/{ring}/nodes",
      Access::write, 201,          "Add nodes to a ring: all of them in one epoch, or none"};
  struct Member {
    std::string name;
    double weight = 1;
    Texts fields_given{};
    static constexpr auto fields() {
      return std::tuple{
          Field{"name", &Member::name, "name of the node"},
          Field{"weight", &Member::weight, "share wanted relative to others; 1 is ordinary", In::body,
                Presence::optional},
          Field{"fields", &Member::fields_given, "what else the ring's profile wants to know of it, as id or alias",
                In::body, Presence::optional}};
    }
  };
  struct Request {
    std::string ring{default_ring};
    std::vector<Member> nodes;
    bool if_missing = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"nodes", &Request::nodes, "the nodes to add", In::body, Presence::required},
          Field{"if_missing", &Request::if_missing, "leave alone, without an error, nodes that are already there",
                In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> added;
    std::vector<std::string> warnings;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version after the change"},
                        Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
                        Field{"added", &Response::added, "the nodes that were added"},
                        Field{"warnings", &Response::warnings, "what is doubtful about the ring as it is now", In::body,
                              Presence::optional}};
    }
  };
};

struct RemoveNodes {
  static constexpr OperationInfo info{
      "remove",      Method::del, "/api/v1/rings/{ring}/nodes",
      Access::write, 200,         "Remove nodes from a ring: all of them in one epoch, or none"};
  struct Request {
    std::string ring{default_ring};
    std::vector<std::string> nodes;
    bool if_exists = false;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
                        Field{"nodes", &Request::nodes, "names of the nodes to remove", In::query, Presence::required},
                        Field{"if_exists", &Request::if_exists, "skip, without an error, nodes that are not there",
                              In::query, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::uint64_t previous_epoch = 0;
    std::vector<std::string> removed;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "the membership version after the change"},
                        Field{"previous_epoch", &Response::previous_epoch, "and before it; equal if nothing changed"},
                        Field{"removed", &Response::removed, "the nodes that were removed"}};
    }
  };
};

struct Status {
  static constexpr OperationInfo info{"status",     Method::get, "/api/v1/status",
                                      Access::read, 200,         "What the daemon is, holds and listens on"};
  struct Request {
    static constexpr auto fields() { return std::tuple{}; }
  };
  struct Daemon {
    std::string version;
    std::uint32_t protocol = protocol_version;
    std::uint64_t pid = 0;
    std::uint64_t uptime_s = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"version", &Daemon::version, "release of chashd"},
                        Field{"protocol", &Daemon::protocol, "version of the protocol"},
                        Field{"pid", &Daemon::pid, "process id"},
                        Field{"uptime_s", &Daemon::uptime_s, "seconds since it was ready"}};
    }
  };
  struct RingState {
    std::string name;
    std::string profile;
    std::uint64_t epoch = 0;
    std::uint64_t nodes = 0;
    std::uint64_t points = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"name", &RingState::name, "name of the ring"},
                        Field{"profile", &RingState::profile, "how it places keys", In::body, Presence::optional},
                        Field{"epoch", &RingState::epoch, "its membership version"},
                        Field{"nodes", &RingState::nodes, "how many nodes it has"},
                        Field{"points", &RingState::points, "how many points they take"}};
    }
  };
  struct StoreState {
    std::string engine;
    std::string path;
    bool writable = true;
    std::uint64_t commits = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"engine", &StoreState::engine, "what keeps the membership"},
                        Field{"path", &StoreState::path, "and where"},
                        Field{"writable", &StoreState::writable, "false after a failed write, until one succeeds"},
                        Field{"commits", &StoreState::commits, "commits since the start"}};
    }
  };
  struct Counters {
    std::uint64_t lookups = 0;
    std::uint64_t changes = 0;
    std::uint64_t connections = 0;
    std::uint64_t log_lines_dropped = 0;
    static constexpr auto fields() {
      return std::tuple{
          Field{"lookups", &Counters::lookups, "keys looked up since the start"},
          Field{"changes", &Counters::changes, "changes made since the start"},
          Field{"connections", &Counters::connections, "connections that are open"},
          Field{"log_lines_dropped", &Counters::log_lines_dropped, "log lines that no disk or console took in time"}};
    }
  };
  struct Response {
    Daemon daemon;
    std::vector<RingState> rings;
    StoreState store;
    std::vector<std::string> listeners;
    Counters counters;
    static constexpr auto fields() {
      return std::tuple{Field{"daemon", &Response::daemon, "the process"},
                        Field{"rings", &Response::rings, "the rings it holds"},
                        Field{"store", &Response::store, "where they are kept"},
                        Field{"listeners", &Response::listeners, "addresses it answers on"},
                        Field{"counters", &Response::counters, "what it has done"}};
    }
  };
};

struct RingCreate {
  static constexpr OperationInfo info{"ring-create", Method::post, "/api/v1/rings",
                                      Access::write, 201,          "Make a ring, with nodes or without"};
  struct Request {
    std::string ring;
    std::string profile = "seed";
    std::vector<AddNodes::Member> nodes;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the new ring"},
                        Field{"profile", &Request::profile, "how it places keys: NAME[,PARAMETER=VALUE]...", In::body,
                              Presence::optional},
                        Field{"nodes", &Request::nodes, "its first nodes", In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::string profile;
    std::vector<std::string> added;
    std::vector<std::string> warnings;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"epoch", &Response::epoch, "its membership version"},
                        Field{"profile", &Response::profile, "how it places keys"},
                        Field{"added", &Response::added, "its nodes"},
                        Field{"warnings", &Response::warnings, "what is doubtful about the ring as it is now", In::body,
                              Presence::optional}};
    }
  };
};

struct RingList {
  static constexpr OperationInfo info{"ring-list",  Method::get, "/api/v1/rings",
                                      Access::read, 200,         "The rings of the daemon, by name"};
  struct Request {
    static constexpr auto fields() { return std::tuple{}; }
  };
  struct Response {
    std::vector<Status::RingState> rings;
    static constexpr auto fields() { return std::tuple{Field{"rings", &Response::rings, "the rings"}}; }
  };
};

struct RingShow {
  static constexpr OperationInfo info{"ring-show",  Method::get, "/api/v1/rings/{ring}",
                                      Access::read, 200,         "All that decides where a ring places keys"};
  struct Request {
    std::string ring{default_ring};
    bool slots = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path, Presence::optional},
          Field{"slots", &Request::slots, "balanced: also which node has each slot", In::query, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    std::uint64_t epoch = 0;
    std::string profile;
    Texts parameters;
    std::string fingerprint;
    std::uint64_t points = 0;
    std::vector<ListNodes::Member> nodes;
    std::vector<std::uint32_t> slots;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Response::ring, "name of the ring"},
          Field{"epoch", &Response::epoch, "its membership version"},
          Field{"profile", &Response::profile, "how it places keys, as it was asked for"},
          Field{"parameters", &Response::parameters, "the same as values of all parameters"},
          Field{"fingerprint", &Response::fingerprint, "equal ones place every key alike, on any machine"},
          Field{"points", &Response::points, "how many points its nodes take"},
          Field{"nodes", &Response::nodes, "the members, in the order in which they were added"},
          Field{"slots", &Response::slots, "balanced, if asked for: the node of each slot, by its place in nodes",
                In::body, Presence::optional}};
    }
  };
};

struct RingCopy {
  static constexpr OperationInfo info{"ring-copy",   Method::post, "/api/v1/rings/{ring}/copy",
                                      Access::write, 201,          "Make a ring with the profile and nodes of another"};
  struct Request {
    std::string ring{default_ring};
    std::string to;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Request::ring, "name of the ring that is there", In::path, Presence::optional},
                        Field{"to", &Request::to, "name of the new ring"}};
    }
  };
  struct Response : RingCreate::Response {};
};

struct RingDelete {
  static constexpr OperationInfo info{"ring-delete", Method::del, "/api/v1/rings/{ring}",
                                      Access::write, 200,         "Delete a ring and what is known of its nodes"};
  struct Request {
    std::string ring;
    bool if_exists = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"ring", &Request::ring, "name of the ring", In::path},
          Field{"if_exists", &Request::if_exists, "no error if there is no such ring", In::query, Presence::optional}};
    }
  };
  struct Response {
    std::string ring;
    bool deleted = false;
    std::uint64_t previous_epoch = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"ring", &Response::ring, "name of the ring"},
                        Field{"deleted", &Response::deleted, "whether there was one"},
                        Field{"previous_epoch", &Response::previous_epoch, "the last membership version that it had"}};
    }
  };
};

struct Ping {
  static constexpr OperationInfo info{"ping",       Method::get, "/api/v1/ping",
                                      Access::read, 200,         "Whether the daemon answers, and which it is"};
  struct Request {
    static constexpr auto fields() { return std::tuple{}; }
  };
  struct Response {
    std::string version;
    std::uint32_t protocol = protocol_version;
    std::uint64_t pid = 0;
    static constexpr auto fields() {
      return std::tuple{Field{"version", &Response::version, "release of chashd"},
                        Field{"protocol", &Response::protocol, "version of the protocol"},
                        Field{"pid", &Response::pid, "process id"}};
    }
  };
};

using Operations = std::tuple<GetNode, GetNodes, ListNodes, AddNodes, RemoveNodes, RingCreate, RingList, RingShow,
                              RingCopy, RingDelete, Status, Ping>;

// Rows of the table in the order of Operations; AnyRequest::index() is the row's number.
inline constexpr auto operation_table = []<class... Op>(std::type_identity<std::tuple<Op...>>) {
  return std::array<OperationInfo, sizeof...(Op)>{Op::info...};
}(std::type_identity<Operations>{});

namespace detail {
template <class>
struct Variants;
template <class... Op>
struct Variants<std::tuple<Op...>> {
  using Request = std::variant<typename Op::Request...>;
  using Response = std::variant<typename Op::Response...>;
};
}  // namespace detail

using AnyRequest = detail::Variants<Operations>::Request;
using AnyResponse = detail::Variants<Operations>::Response;

inline const OperationInfo& info(const AnyRequest& request) { return operation_table[request.index()]; }

}  // namespace chash::protocol
