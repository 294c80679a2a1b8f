// The checks of doctor, a small function each.
#include <algorithm>
#include <array>

#include "amounts.h"
#include "chash/limits.h"
#include "chash/version.h"
#include "doctor.h"
#include "protocol/time_text.h"

namespace chash::cli {
namespace {

constexpr double slow_ms = 50;  // a daemon that has nothing to do answers in less than one
constexpr std::uint64_t little_space = 1'000'000'000, no_space = 64'000'000;  // SQLite writes its log beside the file
constexpr std::uint64_t few_descriptors = 1024;
constexpr std::int64_t year_2025_ms = 1'735'689'600'000;
constexpr std::int64_t skew_ms = 60'000;  // a change from the future that is no rounding

using Check = void (*)(const Facts&, Findings&);

void check_settings(const Facts& facts, Findings& found) {
  if (!facts.settings) return found.push_back({Verdict::ok, "settings", "the settings of chash are good"});
  found.push_back({Verdict::fail, "settings", facts.settings->message,
                   facts.settings->hint.empty() ? "correct it; it was left out for now" : facts.settings->hint});
}

void check_answer(const Facts& facts, Findings& found) {
  if (facts.unreachable)
    return found.push_back({Verdict::fail, "daemon", facts.unreachable->message,
                            facts.unreachable->hint.empty() ? "start it: chashd" : facts.unreachable->hint});
  const std::string text = "daemon answers in " + ms_text(facts.answer_ms) + " at " + facts.endpoint;
  if (facts.answer_ms <= slow_ms) return found.push_back({Verdict::ok, "daemon", text});
  found.push_back({Verdict::warn, "daemon", text, "see whether the machine is busy: top, chash stats --watch"});
}

void check_version(const Facts& facts, Findings& found) {
  const std::string chash = "chash " + std::string(version()), chashd = "chashd " + facts.pong.version;
  const std::string fix = "install the same release of both, and start the daemon anew";
  if (facts.pong.protocol != protocol::protocol_version)
    found.push_back({Verdict::fail, "version",
                     chash + " speaks protocol " + std::to_string(protocol::protocol_version) + ", " + chashd + ' ' +
                         std::to_string(facts.pong.protocol),
                     fix});
  else if (facts.pong.version != version())
    found.push_back({Verdict::warn, "version", chash + " and " + chashd + " are of different releases", fix});
  else found.push_back({Verdict::ok, "version", chash + " and " + chashd + " are of one release"});
}

void check_access(const Facts& facts, Findings& found) {
  if (facts.refusal)
    found.push_back({Verdict::ok, "access", "you may look up, and change nothing: " + facts.refusal->message});
  else found.push_back({Verdict::ok, "access", "you may look up and change"});
  if (!facts.socket_mode) return;
  std::string mode = "0000";
  for (std::size_t i = 0; i < 3; ++i) mode[3 - i] = static_cast<char>('0' + (*facts.socket_mode >> 3 * i & 7));
  if ((*facts.socket_mode & 0222) == 0222)
    return found.push_back({Verdict::ok, "socket", "socket mode " + mode + ": everybody may look up"});
  found.push_back({Verdict::warn, "socket", "socket mode " + mode + ": some users cannot look up",
                   "try: chmod 0666 " + facts.endpoint});
}

void check_store(const Facts& facts, Findings& found) {
  const auto& store = facts.status.store;
  if (!store.writable)
    return found.push_back({Verdict::fail, "store", "the state cannot be written: changes are refused",
                            "make room, or writing possible, at " + store.path + "; the next change tries again"});
  found.push_back({Verdict::ok, "store", "the state is written to " + store.path});
}

void check_space(const Facts& facts, Findings& found) {
  if (!facts.free_bytes) return;
  const std::string text = bytes_text(*facts.free_bytes) + " are free where the state is";
  if (*facts.free_bytes >= little_space) return found.push_back({Verdict::ok, "space", text});
  found.push_back({*facts.free_bytes < no_space ? Verdict::fail : Verdict::warn, "space", text,
                   "make room on the disk of " + facts.status.store.path});
}

void check_log(const Facts& facts, Findings& found) {
  const std::uint64_t dropped = facts.status.counters.log_lines_dropped;
  if (dropped == 0) return found.push_back({Verdict::ok, "log", "no log line was dropped"});
  found.push_back({Verdict::warn, "log", counted(dropped, "log line was", "log lines were") + " dropped",
                   "see whether the disk of the log is full, or its console read; or log less: chash log-level "
                   "warning"});
}

void check_descriptors(const Facts& facts, Findings& found) {
  if (!facts.descriptors) return;
  const std::uint64_t open = facts.status.counters.connections;
  const std::uint64_t room = std::min<std::uint64_t>(
      limits::connections,
      *facts.descriptors - std::min<std::uint64_t>(*facts.descriptors / 2, limits::reserved_descriptors));
  const std::string text = counted(open, "connection", "connections") + " of at most " + std::to_string(room);
  const std::string fix = room == limits::connections
                              ? "close connections that nobody uses: ss -xp, ss -tp"
                              : "start chashd with a higher limit: ulimit -n 65536, or LimitNOFILE= of its unit";
  if (open * 10 >= room * 8) found.push_back({Verdict::warn, "connections", text, fix});
  else if (*facts.descriptors < few_descriptors)
    found.push_back({Verdict::warn, "connections",
                     text + ": the daemon may have only " + std::to_string(*facts.descriptors) + " files open", fix});
  else found.push_back({Verdict::ok, "connections", text});
}

void check_clock(const Facts& facts, Findings& found) {
  const std::string fix = "set the clock: timedatectl set-ntp true";
  if (facts.now_ms < year_2025_ms)
    return found.push_back({Verdict::warn, "clock", "the clock says " + protocol::time_text(facts.now_ms), fix});
  for (const RingFacts& ring : facts.rings) {
    if (ring.history.empty()) continue;
    const std::string& time = ring.history.front().time;
    if (protocol::parse_time(time).value_or(0) > facts.now_ms + skew_ms)
      return found.push_back(
          {Verdict::warn, "clock", "the last change of ring " + ring.name + " is from the future: " + time, fix});
  }
  found.push_back({Verdict::ok, "clock", "the clock is sane"});
}

void check_rings(const Facts& facts, Findings& found) {
  for (const RingFacts& ring : facts.rings) examine_ring(ring, facts.now_ms, found);
}

constexpr std::array<Check, 2> without_daemon{check_settings, check_answer};
constexpr std::array<Check, 8> with_daemon{check_version, check_access,      check_store, check_space,
                                           check_log,     check_descriptors, check_clock, check_rings};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::array<std::string_view, 3> names{"ok", "warn", "FAIL"};
  return names[static_cast<std::size_t>(verdict)];
}

Findings examine(const Facts& facts) {
  Findings findings;
  for (const Check check : without_daemon) check(facts, findings);
  if (!facts.unreachable)
    for (const Check check : with_daemon) check(facts, findings);
  return findings;
}

}  // namespace chash::cli
