// A benchmark that cannot go on has nothing to hand back. It says why and ends, and the destructors on the way stop
// what it started: the one place where this project throws.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace bench {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] inline void fail(const std::string& why) { throw Failure(why); }
[[noreturn]] inline void fail_with_errno(const std::string& what) {
  throw Failure(what + ": " + std::system_category().message(errno));
}

}  // namespace bench
