#include "net/server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <thread>
#include <tuple>
#include <utility>

#include "net/docs_page.h"
#include "net/http_session.h"
#include "net/line_session.h"
#include "net/listener.h"
#include "protocol/codec.h"
#include "protocol/openapi.h"
#include "service/signals_blocked.h"

namespace chash::net {
namespace {

using service::LogLevel;

constexpr auto as_tuple = asio::experimental::as_tuple(asio::use_awaitable);

// So many connections only the socket may still make when HTTP has taken all others: an operator always gets in.
constexpr std::size_t reserved_for_socket = 16;

// As many connections as descriptors allow, after asking for all that the system gives.
std::size_t connection_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 256;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_NOFILE, &files);
  const auto descriptors = static_cast<std::size_t>(files.rlim_cur);
  const std::size_t usable =
      descriptors > 2 * limits::reserved_descriptors ? descriptors - limits::reserved_descriptors : descriptors / 2;
  return std::min(limits::connections, usable);
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string show(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

// One try, and no waiting for a client that there is no room for.
void turn_away(int descriptor, const std::string& answer) {
  [[maybe_unused]] const ssize_t sent = send(descriptor, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

Error too_many_connections() {
  return make_error(Errc::busy, "chashd has as many connections as it takes", "try again in a moment");
}

// One thread's share of the daemon.
struct Worker {
  Worker(service::RingService& service, service::DaemonState& daemon, std::shared_ptr<const HttpSettings> settings)
      : handlers(service, daemon), routes(handlers, hub.context, std::move(settings)) {}
  Hub hub;
  service::Handlers handlers;
  HttpRoutes routes;
};

}  // namespace

struct Server::State {
  State(service::RingService& ring_service, service::DaemonState& daemon_state)
      : service(ring_service), daemon(daemon_state), connections_allowed(connection_limit()) {}

  template <class Acceptor, class Serve>
  asio::awaitable<void> accept_loop(Acceptor& acceptor, std::size_t allowed, Serve serve);
  void serve_socket(StreamSocket socket, Worker& worker);
  void serve_http_on(asio::ip::tcp::socket socket, Worker& worker);
  void finished(const std::exception_ptr& thrown);
  asio::awaitable<void> handle_signals();
  asio::awaitable<void> stop_after_grace();
  void begin_shutdown();
  Worker& next_worker() { return *workers[turn++ % workers.size()]; }

  service::RingService& service;
  service::DaemonState& daemon;
  std::size_t connections_allowed;
  SocketPolicy socket_policy = socket_policy_of_this_process();
  std::shared_ptr<HttpSettings> http_settings;
  std::vector<std::unique_ptr<Worker>> workers;
  std::size_t turn = 0;  // of the thread that accepts
  std::string socket_path;
  std::optional<asio::local::stream_protocol::acceptor> socket_acceptor;
  std::vector<asio::ip::tcp::acceptor> http_acceptors;
  std::optional<asio::signal_set> signals;
  Clock::time_point complained{};
};

// --- Accepting ------------------------------------------------------------------------------------------------------

template <class Acceptor, class Serve>
asio::awaitable<void> Server::State::accept_loop(Acceptor& acceptor, std::size_t allowed, Serve serve) {
  asio::steady_timer pause(acceptor.get_executor());
  while (acceptor.is_open()) {
    Worker& worker = next_worker();
    auto [failed, socket] = co_await acceptor.async_accept(worker.hub.context, as_tuple);
    if (failed == asio::error::operation_aborted) break;
    if (failed) {
      // Out of descriptors, mostly. Asio would try again at once: 2.4 million times a second.
      if (const auto now = Clock::now(); now - complained > std::chrono::minutes(1)) {
        complained = now;
        service.log().main(LogLevel::error, "Cannot accept connections: " + failed.message() + ".");
      }
      pause.expires_after(limits::accept_backoff);
      co_await pause.async_wait(as_tuple);
    } else if (daemon.connections.load(std::memory_order_relaxed) >= allowed) {
      serve(std::move(socket), nullptr);
    } else {
      serve(std::move(socket), &worker);
    }
  }
}

void Server::State::serve_socket(StreamSocket socket, Worker& worker) {
  daemon.connections.fetch_add(1, std::memory_order_relaxed);
  asio::co_spawn(worker.hub.context, serve_lines(std::move(socket), worker.hub, worker.handlers, socket_policy),
                 [this](const std::exception_ptr& e) { finished(e); });
}

void Server::State::serve_http_on(asio::ip::tcp::socket socket, Worker& worker) {
  asio::error_code error;
  const auto remote = socket.remote_endpoint(error);
  const auto local = socket.local_endpoint(error);
  if (error) return;  // already gone
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  HttpPeer peer{show(remote), local.address().to_string(), remote.address().is_loopback()};
  daemon.connections.fetch_add(1, std::memory_order_relaxed);
  asio::co_spawn(worker.hub.context, serve_http(std::move(socket), worker.hub, worker.routes, std::move(peer)),
                 [this](const std::exception_ptr& e) { finished(e); });
}

// A session throws only what it cannot help, such as being out of memory; its connection is gone, the others go on.
void Server::State::finished(const std::exception_ptr& thrown) {
  daemon.connections.fetch_sub(1, std::memory_order_relaxed);
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    service.log().main(LogLevel::error, std::string("A connection was given up: ") + e.what() + ".");
  }
}

// --- Stopping -------------------------------------------------------------------------------------------------------

asio::awaitable<void> Server::State::handle_signals() {
  while (true) {
    const auto [failed, number] = co_await signals->async_wait(as_tuple);
    if (failed) co_return;
    if (number != SIGHUP) break;
    std::ignore = daemon.reload();  // which logs what is wrong
  }
  begin_shutdown();
  co_await stop_after_grace();
}

void Server::State::begin_shutdown() {
  service.log().main(LogLevel::info, "Service is shutting down.");
  asio::error_code ignored;
  if (socket_acceptor) socket_acceptor->close(ignored);
  for (auto& acceptor : http_acceptors) acceptor.close(ignored);
  unlink(socket_path.c_str());
  service.feed().stop();  // else those that wait for a change would wait on
  for (auto& worker : workers) asio::post(worker->hub.context, [&hub = worker->hub] { hub.begin_shutdown(); });
}

asio::awaitable<void> Server::State::stop_after_grace() {
  asio::steady_timer timer(workers.front()->hub.context);
  const auto deadline = Clock::now() + limits::shutdown_grace;
  while (daemon.connections.load(std::memory_order_relaxed) > 0 && Clock::now() < deadline) {
    timer.expires_after(std::chrono::milliseconds(5));
    co_await timer.async_wait(as_tuple);
  }
  for (auto& worker : workers) worker->hub.context.stop();
}

// --- The door -------------------------------------------------------------------------------------------------------

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(ServerSettings settings, service::RingService& service,
                                             service::DaemonState& daemon) {
  auto state = std::make_unique<State>(service, daemon);
  state->http_settings = std::make_shared<HttpSettings>(HttpSettings{
      {settings.allowed_hosts, own_host_name()}, settings.http_policy, protocol::openapi_document(), docs_page()});
  for (unsigned i = 0; i < settings.threads; ++i)
    state->workers.push_back(std::make_unique<Worker>(service, daemon, state->http_settings));
  asio::io_context& context = state->workers.front()->hub.context;

  // First, so that whoever can connect can also stop us in good order.
  state->signals.emplace(context, SIGTERM, SIGINT, SIGHUP);
  for (const std::string& text : settings.http) {
    const auto address = parse_http_address(text);
    if (!address) return address.error();
    auto acceptor = listen_tcp(context, *address);
    if (!acceptor) return std::move(acceptor).error();
    state->http_acceptors.push_back(std::move(*acceptor));
  }
  // Last, so that whoever finds the socket finds a daemon that has all its addresses.
  state->socket_path = settings.socket_path;
  auto acceptor = listen_unix(context, settings.socket_path);
  if (!acceptor) return std::move(acceptor).error();
  state->socket_acceptor.emplace(std::move(*acceptor));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::vector<std::string> Server::listeners() const {
  std::vector<std::string> names{state_->socket_path};
  for (const auto& acceptor : state_->http_acceptors) names.push_back("http://" + show(acceptor.local_endpoint()));
  return names;
}

void Server::run() {
  State& state = *state_;
  asio::io_context& context = state.workers.front()->hub.context;

  const auto on_socket = [&state](asio::local::stream_protocol::socket socket, Worker* worker) {
    if (worker != nullptr) return state.serve_socket(StreamSocket(std::move(socket)), *worker);
    std::string answer;
    protocol::encode_reply(too_many_connections(), answer);
    turn_away(socket.native_handle(), answer);
  };
  const auto on_http = [&state](asio::ip::tcp::socket socket, Worker* worker) {
    if (worker != nullptr) return state.serve_http_on(std::move(socket), *worker);
    std::string answer;
    append_response(problem(too_many_connections()), Body::send, false, answer);
    turn_away(socket.native_handle(), answer);
  };
  asio::co_spawn(context, state.accept_loop(*state.socket_acceptor, state.connections_allowed, on_socket),
                 asio::detached);
  const std::size_t allowed_http =
      state.connections_allowed - std::min(state.connections_allowed / 2, reserved_for_socket);
  for (auto& acceptor : state.http_acceptors)
    asio::co_spawn(context, state.accept_loop(acceptor, allowed_http, on_http), asio::detached);
  asio::co_spawn(context, state.handle_signals(), asio::detached);

  std::vector<std::thread> threads;
  for (auto& worker : state.workers) {
    const service::SignalsBlocked blocked;
    Hub& hub = worker->hub;
    asio::co_spawn(hub.context, hub.enforce_deadlines(), asio::detached);
    if (worker != state.workers.front()) threads.emplace_back([&hub] { hub.context.run(); });
  }
  context.run();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace chash::net
