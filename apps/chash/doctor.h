// doctor: the usual faults of a daemon, its rings and the settings of chash, each with what to do about it.
//
// Everything is asked first, into Facts; what follows from them is worked out by small functions without a side effect,
// so that a test can provoke faults that no test machine has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "balance.h"
#include "chash/node_list.h"
#include "chash/result.h"
#include "protocol/operations.h"
#include "run.h"

namespace chash::cli {

enum class Verdict : unsigned char { ok, warn, fail };
std::string_view verdict_name(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::ok;
  std::string check;  // which one it is of
  std::string text;
  std::string fix{};  // what to do, where there is something to do
};
using Findings = std::vector<Finding>;

struct RingFacts {
  std::string name;
  std::optional<Error> fault{};  // why it could not be looked at; nothing else holds then
  NodeList nodes{};
  std::optional<Balance> balance{};              // with all nodes up; exact, or none
  std::vector<protocol::ChangeEntry> history{};  // the newest first
};

// What is not known has no value.
struct Facts {
  std::string endpoint;
  std::optional<Error> settings;     // what is wrong with the files of chash
  std::optional<Error> unreachable;  // then nothing below is known
  double answer_ms = 0;
  protocol::Ping::Response pong;
  protocol::Status::Response status;
  std::optional<Error> refusal;              // why this user may change nothing
  std::optional<unsigned> socket_mode;       // where the socket is on this machine, like all that follow
  std::optional<std::uint64_t> free_bytes;   // where the state is
  std::optional<std::uint64_t> descriptors;  // that the daemon may have open
  std::int64_t now_ms = 0;                   // of this machine's clock
  std::vector<RingFacts> rings;
};

Facts gather_facts(const Run& run);
Findings examine(const Facts& facts);

// Of one ring.
void examine_ring(const RingFacts& ring, std::int64_t now_ms, Findings& findings);

// "Max open files" of /proc/PID/limits; nothing where it is unlimited or not there.  Pure.
std::optional<std::uint64_t> open_files_limit(std::string_view limits);

}  // namespace chash::cli
