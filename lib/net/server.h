// Server: listens, accepts, and runs the threads that answer. Made of Hubs, one for each thread; a connection stays on
// the thread it was given, so that nothing of it needs a lock.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chash/result.h"
#include "net/access.h"
#include "service/handlers.h"

namespace chash::net {

struct ServerSettings {
  std::string socket_path;
  std::vector<std::string> http;  // ADDR:PORT each; none: no HTTP
  unsigned threads = 1;
  HttpPolicy http_policy;
  std::vector<std::string> allowed_hosts;
};

class Server {
 public:
  // Listens on everything, or on nothing: the first address that fails is the error.
  // Requires: service and daemon outlive run(); the server outlives the service, whose last answers it delivers.
  static Result<std::unique_ptr<Server>> open(ServerSettings settings, service::RingService& service,
                                              service::DaemonState& daemon);
  ~Server();

  // As they are now, with the port that the system chose for 0.
  std::vector<std::string> listeners() const;

  // Serves until SIGTERM or SIGINT, then finishes what is in flight, for at most limits::shutdown_grace. SIGHUP calls
  // the daemon's `reload` on a serving thread.
  void run();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace chash::net
