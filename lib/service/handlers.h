// What each operation does. One object for each thread that serves: it holds that thread's view of the newest snapshot.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "protocol/operations.h"
#include "service/ring_service.h"

namespace chash::service {

// What the daemon as a whole counts and knows; made once, shared by all threads.
struct DaemonState {
  std::vector<std::string> listeners;  // set before serving starts
  std::int64_t started_s = 0;          // steady clock
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> lookups{0};
  // Reads the settings again that can change while it runs. Set before serving starts.  Threads: any.
  std::function<Result<void>()> reload = [] { return Result<void>(); };
};

class Handlers {
 public:
  using Done = std::function<void(Result<protocol::AnyResponse>)>;

  Handlers(RingService& service, DaemonState& daemon);

  // Whether read() answers it; all else goes through start().
  static bool is_answered_at_once(const protocol::AnyRequest& request);

  // Requires: is_answered_at_once().  Threads: the owner's.
  Result<protocol::AnyResponse> read(const protocol::AnyRequest& request);

  // Begins a change, or a question that takes long or waits. `done` is called once, on any thread.
  void start(const protocol::AnyRequest& request, Caller caller, Done done);

  // The pieces that legacy routes need in their own shape.
  Result<protocol::GetNode::Response> handle(const protocol::GetNode::Request& request);
  const Snapshot& default_ring() { return reader_.current().default_ring(); }
  void change(const std::string& ring, RingChange change, Caller caller, RingService::Done done, ChangeTerms terms);
  Log& log() const { return service_.log(); }

 private:
  Result<protocol::GetNodes::Response> handle(const protocol::GetNodes::Request& request);
  Result<protocol::ListNodes::Response> handle(const protocol::ListNodes::Request& request);
  Result<protocol::RingList::Response> handle(const protocol::RingList::Request& request);
  Result<protocol::RingShow::Response> handle(const protocol::RingShow::Request& request);
  Result<protocol::Status::Response> handle(const protocol::Status::Request& request);
  Result<protocol::Ping::Response> handle(const protocol::Ping::Request& request);
  void handle(const protocol::AddNodes::Request& request, Caller caller, Done done);
  void handle(const protocol::RemoveNodes::Request& request, Caller caller, Done done);
  void handle(const protocol::AlterNodes::Request& request, Caller caller, Done done);
  void handle(const protocol::ReplaceNode::Request& request, Caller caller, Done done);
  void handle(const protocol::PinKeys::Request& request, Caller caller, Done done);
  void handle(const protocol::UnpinKeys::Request& request, Caller caller, Done done);
  void handle(const protocol::RingCreate::Request& request, Caller caller, Done done);
  void handle(const protocol::RingCopy::Request& request, Caller caller, Done done);
  void handle(const protocol::RingDelete::Request& request, Caller caller, Done done);
  void handle(const protocol::RingSet::Request& request, Caller caller, Done done);
  void handle(const protocol::ApplyChange::Request& request, Caller caller, Done done);
  void handle(const protocol::RollBack::Request& request, Caller caller, Done done);
  void handle(const protocol::Reload::Request& request, const Caller& caller, const Done& done);
  void handle(const protocol::SetLogLevel::Request& request, const Caller& caller, const Done& done);
  template <class Op, class Respond>
  void change_as(const typename Op::Request& request, const std::string& ring, RingChange change, Caller caller,
                 Done done, Respond respond);

  Result<const Snapshot*> ring_named(std::string_view name);
  void count_lookups(std::uint64_t keys);

  RingService& service_;
  DaemonState& daemon_;
  Published<Rings>::Reader reader_;
};

}  // namespace chash::service
