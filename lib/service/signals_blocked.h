// SignalsBlocked: while it lives, threads that are started take none of the signals that end or reload the daemon. They
// are for the thread that waits for them.
#pragma once

#include <csignal>

namespace chash::service {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ours, number);
    pthread_sigmask(SIG_BLOCK, &ours, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace chash::service
