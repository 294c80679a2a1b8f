#include "service/studies.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "chash/limits.h"
#include "protocol/time_text.h"
#include "service/lookups.h"
#include "service/signals_blocked.h"

namespace chash::service {

using namespace protocol;

namespace {

template <class Request>
bool asks_for_the_past(const Request& request) {
  if constexpr (requires { request.epoch.has_value(); }) return request.epoch.has_value() || !request.at.empty();
  else return false;
}

// What a job throws is out of memory; whoever asked is to know.
template <class Answer, class Job>
Result<Answer> guarded(Job job) {
  try {
    return job();
  } catch (const std::exception& e) {
    return make_error(Errc::internal, std::string("the question could not be answered: ") + e.what());
  }
}

}  // namespace

bool is_for_aside(const AnyRequest& request) {
  if (info(request).access != Access::read) return info(request).access == Access::study;
  return std::visit([](const auto& typed) { return asks_for_the_past(typed); }, request);
}

Studies::~Studies() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  wake_.notify_one();
  if (thread.joinable()) thread.join();
}

void Studies::ask(AnyRequest request, Done done) {
  auto shared = std::make_shared<Done>(std::move(done));
  const auto job = [this, request = std::move(request), shared] {
    (*shared)(guarded<AnyResponse>([&] {
      return std::visit(
          [&]<class Request>(const Request& typed) -> Result<AnyResponse> {
            if constexpr (requires { this->handle(typed); }) {
              auto response = handle(typed);
              if (!response) return std::move(response).error();
              return AnyResponse(std::move(*response));
            } else {
              return make_error(Errc::internal, "this question is not answered aside");
            }
          },
          request);
    }));
  };
  post(job, [shared](Error error) { (*shared)(std::move(error)); });
}

void Studies::plan(std::string ring, RingChange change, std::function<void(Result<Plan>)> done) {
  auto shared = std::make_shared<std::function<void(Result<Plan>)>>(std::move(done));
  const auto job = [this, ring = std::move(ring), change = std::move(change), shared] {
    (*shared)(guarded<Plan>([&] { return plan_now(ring, change, 1, false); }));
  };
  post(job, [shared](Error error) { (*shared)(std::move(error)); });
}

void Studies::post(std::function<void()> answer, std::function<void(Error)> refuse) {
  const auto error = [&]() -> std::optional<Error> {
    const std::lock_guard lock(mutex_);
    if (stopping_) return make_error(Errc::shutting_down, "chashd is stopping");
    if (queue_.size() >= limits::queued_studies)
      return make_error(Errc::busy, "too many plans and questions of the past are waiting", "try again in a moment");
    queue_.push_back({std::move(answer), refuse});
    if (!thread_.joinable()) {
      const SignalsBlocked blocked;
      thread_ = std::thread([this] { run(); });
    }
    return std::nullopt;
  }();
  if (error) return refuse(*error);
  wake_.notify_one();
}

void Studies::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    const bool stopping = stopping_;
    lock.unlock();
    if (stopping) job.refuse(make_error(Errc::shutting_down, "chashd is stopping"));
    else job.answer();
    lock.lock();
  }
}

Result<GetNode::Response> Studies::handle(const GetNode::Request& request) {
  if (auto ok = check(request); !ok) return std::move(ok).error();
  const auto ring = archive_.ring(request.ring, request.epoch, request.at);
  return ring ? look_up(**ring, request, nullptr) : Result<GetNode::Response>(ring.error());
}

Result<GetNodes::Response> Studies::handle(const GetNodes::Request& request) {
  if (auto ok = check(request); !ok) return std::move(ok).error();
  const auto ring = archive_.ring(request.ring, request.epoch, request.at);
  return ring ? look_up(**ring, request, nullptr) : Result<GetNodes::Response>(ring.error());
}

Result<Explain::Response> Studies::handle(const Explain::Request& request) {
  if (auto ok = check_key(request.key); !ok) return std::move(ok).error();
  if (auto ok = check_count(request.n, limits::replicas); !ok) return std::move(ok).error();
  const auto ring = archive_.ring(request.ring, request.epoch, request.at);
  return ring ? explain_key(**ring, request) : Result<Explain::Response>(ring.error());
}

Result<RingShow::Response> Studies::handle(const RingShow::Request& request) {
  const auto ring = archive_.ring(request.ring, request.epoch, request.at);
  if (!ring) return ring.error();
  RingShow::Response response = show(**ring, request.slots);
  // What one change may move is a matter of now. The ring may have been deleted meanwhile.
  const auto rings = published_.latest();
  const auto now = rings->get(request.ring);
  if (!now || (*now)->epoch != (*ring)->epoch) response.max_move.reset();
  if ((*ring)->time_ms == 0 && (*ring)->epoch > 0)
    if (const auto change = archive_.store().changes(request.ring, (*ring)->epoch, (*ring)->epoch);
        change && !change->empty())
      response.time = time_text(change->front().record.time_ms);
  return response;
}

}  // namespace chash::service
