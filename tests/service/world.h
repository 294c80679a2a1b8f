// World: a service over a FakeStore and the handlers of one thread, asked as a client asks.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/codec.h"
#include "service/answers.h"
#include "service/fake_store.h"
#include "service/handlers.h"

namespace chash::service::test {

template <class T>
Error refusal(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error();
}

// An answer that may still be on its way.
template <class Op>
class Pending {
 public:
  Handlers::Done done() const {
    return [state = state_](Result<protocol::AnyResponse> result) {
      const std::lock_guard lock(state->mutex);
      CHECK_FALSE(state->answer.has_value());
      state->answer = std::move(result);
      state->changed.notify_all();
    };
  }
  bool is_there() const {
    const std::lock_guard lock(state_->mutex);
    return state_->answer.has_value();
  }
  // A test that would wait for ever fails instead.
  Result<typename Op::Response> get() const {
    std::unique_lock lock(state_->mutex);
    REQUIRE(state_->changed.wait_for(lock, std::chrono::seconds(60), [&] { return state_->answer.has_value(); }));
    const auto& answer = *state_->answer;
    if (!answer) return answer.error();
    REQUIRE(std::holds_alternative<typename Op::Response>(*answer));
    return std::get<typename Op::Response>(*answer);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<protocol::AnyResponse>> answer;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct World {
  // By default the seed's three nodes and one more of another weight.
  explicit World(
      std::vector<Node> nodes = {{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}, {"heavy", 2.5}},
      const std::function<void(FakeStore&)>& prepare = {})
      : log(quiet_log()) {
    if (prepare) prepare(store);
    auto started = RingService::start(store, *log, nodes);
    REQUIRE(started);
    service = std::move(*started);
    handlers = std::make_unique<Handlers>(*service, daemon);
  }

  template <class Op>
  Result<typename Op::Response> read(typename Op::Request request) {
    Result<protocol::AnyResponse> answer = handlers->read(std::move(request));
    if (!answer) return answer.error();
    REQUIRE(std::holds_alternative<typename Op::Response>(*answer));
    return std::get<typename Op::Response>(*answer);
  }

  template <class Op>
  Pending<Op> begin(typename Op::Request request, Caller caller = somebody()) {
    Pending<Op> pending;
    handlers->start(std::move(request), std::move(caller), pending.done());
    return pending;
  }

  // In whichever way it is answered.
  template <class Op>
  Result<typename Op::Response> ask(typename Op::Request request, Caller caller = somebody()) {
    if (Handlers::is_answered_at_once(request)) return read<Op>(std::move(request));
    return begin<Op>(std::move(request), std::move(caller)).get();
  }

  std::shared_ptr<const Snapshot> ring(const std::string& name = "default") const {
    return service->rings().latest()->by_name.at(name);
  }

  FakeStore store;
  std::unique_ptr<Log> log;
  DaemonState daemon;
  std::unique_ptr<RingService> service;
  std::unique_ptr<Handlers> handlers;
};

// As a client gets it.
template <class Response>
std::string text_of(const Response& response) {
  std::string text;
  protocol::encode_response(protocol::AnyResponse(response), text);
  return text;
}

inline protocol::NodeGiven given(const Node& node) { return {node.name, node.weight, node.fields, node.labels}; }
inline std::vector<protocol::NodeGiven> given(const std::vector<Node>& nodes) {
  std::vector<protocol::NodeGiven> all;
  for (const Node& node : nodes) all.push_back(given(node));
  return all;
}

inline std::string owner_of(const Snapshot& ring, const std::string& key) {
  const NodeIndex owner = ring.placement.empty() ? no_node : ring.placement.owner(key);
  return owner == no_node ? "" : ring.spec.nodes[owner].name;
}

}  // namespace chash::service::test
