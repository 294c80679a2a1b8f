// Answers: where a test collects what its changes come to, whichever thread answers.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "service/ring_service.h"

namespace chash::service::test {

class Answers {
 public:
  // The callback for the next question. Outlived by this object.
  RingService::Done next() {
    const std::lock_guard lock(mutex_);
    return [this, place = asked_++](Result<Committed> answer) {
      const std::lock_guard answering(mutex_);
      CHECK_MESSAGE(!answers_.contains(place), "question " << place << " was answered twice");
      answers_.emplace(place, std::move(answer));
      changed_.notify_all();  // with the lock: whoever waits may destroy us as soon as it has it
    };
  }

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }

  // All of them, in the order of asking. A test that would wait for ever fails instead.
  std::vector<Result<Committed>> all() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return answers_.size() == asked_; }));
    std::vector<Result<Committed>> found;
    for (const auto& [place, answer] : answers_) found.push_back(answer);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t asked_ = 0;
  std::map<std::size_t, Result<Committed>> answers_;
};

inline Caller somebody() { return {"uid 1000, pid 1", {}}; }

// Asks and waits for the answer.
inline Result<Committed> ask(RingService& service, RingChange change, std::string ring = "default") {
  Answers answers;
  service.change(std::move(ring), std::move(change), somebody(), answers.next());
  return answers.all().front();
}

inline std::shared_ptr<const Snapshot> default_snapshot(const RingService& service) {
  return service.rings().latest()->by_name.at("default");
}

inline AddNodes add(std::vector<std::string> names, bool if_missing = false) {
  AddNodes change{{}, if_missing};
  for (std::string& name : names) change.nodes.push_back({std::move(name), 1});
  return change;
}

inline RemoveNodes remove(std::vector<std::string> names, bool if_exists = false) {
  return {std::move(names), if_exists};
}

inline std::vector<std::string> names_of(const RingSpec& spec) {
  std::vector<std::string> names;
  for (const Node& node : spec.nodes) names.push_back(node.name);
  return names;
}

inline Errc code_of(const Result<Committed>& answer) {
  REQUIRE_FALSE(answer);
  return answer.error().code;
}

}  // namespace chash::service::test
