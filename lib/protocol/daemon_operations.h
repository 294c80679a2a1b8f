// The daemon itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/operation.h"

namespace chash::protocol {

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

// What SIGHUP does, but answered when it is done.
struct Reload {
  static constexpr OperationInfo info{
      "reload",      Method::post, "/api/v1/reload",
      Access::write, 200,          "Read the settings of the log again, and open its files anew"};
  struct Request {
    static constexpr auto fields() { return std::tuple{}; }
  };
  struct Response {
    std::string log_level;
    static constexpr auto fields() {
      return std::tuple{Field{"log_level", &Response::log_level, "the level that the settings have"}};
    }
  };
};

struct SetLogLevel {
  static constexpr OperationInfo info{"log-level",   Method::post, "/api/v1/log-level",
                                      Access::write, 200,          "Tell or change how much the daemon logs"};
  struct Request {
    std::string level;
    static constexpr auto fields() {
      return std::tuple{Field{"level", &Request::level,
                              "debug, info, warning, error or critical, until the settings are read again; "
                              "without it nothing is changed",
                              In::body, Presence::optional}};
    }
  };
  struct Response {
    std::string level;
    std::string previous;
    static constexpr auto fields() {
      return std::tuple{Field{"level", &Response::level, "the level now"},
                        Field{"previous", &Response::previous, "the level before, where one was given", In::body,
                              Presence::optional}};
    }
  };
};

}  // namespace chash::protocol
