// The command line beside one daemon, as a shell runs it.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness.h"

namespace chash::e2e {

using Words = std::vector<std::string>;

struct Shell {
  std::string socket;

  explicit Shell(const Daemon& daemon) : socket(daemon.socket()) {}

  Outcome run(Words words, std::string_view input = {}) const {
    // A machine that is busy with other tests is no reason to fail.
    words.insert(words.begin(), {CHASH_PROGRAM, "--timeout", "60s", "--socket", socket});
    return run_program(std::move(words), input);
  }
  // Standard output of a command that succeeds and has nothing to say beside.
  std::string ask(Words words, std::string_view input = {}) const {
    const Outcome outcome = run(std::move(words), input);
    CHECK(outcome.status == 0);
    CHECK(outcome.err == "");
    return outcome.out;
  }
  // The same of `list`, without the shares.
  std::string nodes(Words words) const {
    const std::string text = ask(std::move(words));
    std::string cut;
    for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != text.npos; start = end + 1) {
      const std::string line = text.substr(start, end - start);
      const std::size_t labels = line.rfind('\t');
      cut += line.substr(0, line.rfind('\t', labels - 1)) + line.substr(labels) + '\n';
    }
    return cut;
  }
};

}  // namespace chash::e2e
