// Studies: questions that take long — plans, differences, old rings, histories — answered aside by one thread, one
// after the other, so that neither look-ups nor changes wait for them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "protocol/operations.h"
#include "service/archive.h"
#include "service/plan_book.h"

namespace chash::service {

class Studies {
 public:
  using Done = std::function<void(Result<protocol::AnyResponse>)>;

  // Requires: all of them outlive it.
  Studies(Store& store, const Published<Rings>& published, PlanBook& plans)
      : published_(published), plans_(plans), archive_(store, published) {}
  // Finishes the question that is being answered, refuses those that wait, and stops.
  ~Studies();

  // `done` is called once: on the thread of the studies, or at once on this one when too many questions wait.
  // Requires: a request for which is_for_aside() holds.  Threads: any.
  void ask(protocol::AnyRequest request, Done done);
  // What a change would move. Of the rings themselves, too: then the plan has no id.  As ask().
  void plan(std::string ring, RingChange change, std::function<void(Result<protocol::Plan>)> done);

 private:
  void run();
  void post(std::function<void()> answer, std::function<void(Error)> refuse);

  Result<protocol::Plan> plan_now(const std::string& ring, const RingChange& change, std::uint32_t n, bool ranges);
  Result<protocol::GetNode::Response> handle(const protocol::GetNode::Request& request);
  Result<protocol::GetNodes::Response> handle(const protocol::GetNodes::Request& request);
  Result<protocol::Explain::Response> handle(const protocol::Explain::Request& request);
  Result<protocol::RingShow::Response> handle(const protocol::RingShow::Request& request);
  Result<protocol::Plan> handle(const protocol::PlanChange::Request& request);
  Result<protocol::Diff::Response> handle(const protocol::Diff::Request& request);
  Result<protocol::History::Response> handle(const protocol::History::Request& request);
  Result<protocol::Blame::Response> handle(const protocol::Blame::Request& request);
  Result<protocol::WhatIf::Response> handle(const protocol::WhatIf::Request& request);

  const Published<Rings>& published_;
  PlanBook& plans_;
  Archive archive_;  // the thread's

  std::mutex mutex_;
  std::condition_variable wake_;
  struct Job {
    std::function<void()> answer;
    std::function<void(Error)> refuse;
  };
  std::deque<Job> queue_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // guarded by mutex_; started when first asked
};

// Whether a request is not answered at once, but by Studies.
bool is_for_aside(const protocol::AnyRequest& request);

}  // namespace chash::service
