#include "doctor.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "chash/version.h"
#include "protocol/time_text.h"

namespace chash::cli {
namespace {

constexpr std::int64_t now_ms = 1'795'392'723'000;  // 2026-11-23
constexpr std::int64_t hour_ms = 3'600'000;

std::string ago(std::int64_t ms) { return protocol::time_text(now_ms - ms); }

RingFacts ring_of(NodeList nodes) { return {"default", {}, std::move(nodes)}; }

// A daemon and a ring with which nothing is wrong.
Facts healthy() {
  Facts facts;
  facts.endpoint = "/run/chash/chashd.sock";
  facts.answer_ms = 0.1;
  facts.pong = {std::string(version()), protocol::protocol_version, 7};
  facts.status.store = {"sqlite", "/var/lib/chash/chash.db", true, 1};
  facts.status.counters.connections = 1;
  facts.socket_mode = 0666;
  facts.free_bytes = 10'000'000'000;
  facts.descriptors = 65536;
  facts.now_ms = now_ms;
  facts.rings = {ring_of({{"a", 1}, {"b", 1}})};
  return facts;
}

std::string verdict_on(const Facts& facts, std::string_view check) {
  Verdict worst = Verdict::ok;
  std::string text;
  for (const Finding& finding : examine(facts)) {
    if (finding.check != check) continue;
    worst = std::max(worst, finding.verdict);
    text += std::string(verdict_name(finding.verdict)) + ": " + finding.text + '\n';
    // A fault says what to do.
    if (finding.verdict != Verdict::ok) CHECK_FALSE(finding.fix.empty());
  }
  return text;
}

Findings of_ring(const RingFacts& ring) {
  Findings findings;
  examine_ring(ring, now_ms, findings);
  return findings;
}

void check_one(const RingFacts& ring, Verdict verdict, const std::string& text) {
  const Findings findings = of_ring(ring);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().verdict == verdict);
  CHECK(findings.front().text == "ring default: " + text);
  CHECK(findings.front().fix.empty() == (verdict == Verdict::ok));
}

protocol::ChangeEntry altered(const std::string& name, const std::string& state, std::int64_t ms_ago) {
  protocol::ChangeEntry entry;
  entry.time = ago(ms_ago);
  protocol::NodeGiven given{name};
  if (!state.empty()) given.fields_given = {{"state", state}};
  entry.altered = {given};
  return entry;
}

TEST_CASE("doctor: where nothing is wrong every finding is good and needs nothing") {
  const Findings findings = examine(healthy());
  CHECK(findings.size() >= 9);
  for (const Finding& finding : findings) {
    CAPTURE(finding.text);
    CHECK(finding.verdict == Verdict::ok);
    CHECK(finding.fix.empty());
  }
}

TEST_CASE("doctor: of a daemon that does not answer only that is told, and what is wrong with the settings") {
  Facts facts = healthy();
  facts.unreachable = make_error(Errc::unreachable, "cannot reach chashd");
  facts.settings = make_error(Errc::invalid_argument, "config.toml:1: unknown key 'rng'", "did you mean 'ring'?");
  const Findings findings = examine(facts);
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].verdict == Verdict::fail);
  CHECK(findings[0].fix == "did you mean 'ring'?");
  CHECK(findings[1].verdict == Verdict::fail);
  CHECK(findings[1].text == "cannot reach chashd");
}

TEST_CASE("doctor: another release is doubtful, and another protocol a fault") {
  Facts facts = healthy();
  facts.pong.version = "9.9";
  CHECK(verdict_on(facts, "version").starts_with("warn: "));
  facts.pong.protocol += 1;
  CHECK(verdict_on(facts, "version").starts_with("FAIL: "));
}

TEST_CASE("doctor: a slow daemon, a closed socket, a store that refuses and dropped lines are seen") {
  Facts facts = healthy();
  facts.answer_ms = 70;
  facts.socket_mode = 0660;
  facts.status.store.writable = false;
  facts.status.counters.log_lines_dropped = 3;
  CHECK(verdict_on(facts, "daemon") == "warn: daemon answers in 70 ms at /run/chash/chashd.sock\n");
  CHECK(verdict_on(facts, "socket") == "warn: socket mode 0660: some users cannot look up\n");
  CHECK(verdict_on(facts, "store").starts_with("FAIL: "));
  CHECK(verdict_on(facts, "log") == "warn: 3 log lines were dropped\n");
}

TEST_CASE("doctor: who may change nothing is told so, and that is no fault") {
  Facts facts = healthy();
  facts.refusal = make_error(Errc::denied, "uid 7 may not change rings");
  CHECK(verdict_on(facts, "access") == "ok: you may look up, and change nothing: uid 7 may not change rings\n");
}

TEST_CASE("doctor: little free space is doubtful, and next to none a fault") {
  Facts facts = healthy();
  facts.free_bytes = 999'999'999;
  CHECK(verdict_on(facts, "space") == "warn: 1000 MB are free where the state is\n");
  facts.free_bytes = 63'999'999;
  CHECK(verdict_on(facts, "space").starts_with("FAIL: "));
  facts.free_bytes.reset();
  CHECK(verdict_on(facts, "space").empty());
}

TEST_CASE("doctor: connections near what descriptors allow, and a low limit of them, are seen") {
  Facts facts = healthy();
  facts.descriptors = 2048;
  facts.status.counters.connections = 1700;
  CHECK(verdict_on(facts, "connections") == "warn: 1700 connections of at most 2016\n");
  facts.status.counters.connections = 1;
  CHECK(verdict_on(facts, "connections") == "ok: 1 connection of at most 2016\n");
  facts.descriptors = 256;
  CHECK(verdict_on(facts, "connections").starts_with("warn: "));
}

TEST_CASE("doctor: the limit of open files is read as the kernel writes it") {
  CHECK(
      open_files_limit("Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 524288   "
                       "            files     \n") == 1024);
  CHECK_FALSE(open_files_limit("Max open files            unlimited            unlimited            files"));
  CHECK_FALSE(open_files_limit("Max open files"));
  CHECK_FALSE(open_files_limit(""));
}

TEST_CASE("doctor: a clock that is behind, or behind its own changes, is seen") {
  Facts facts = healthy();
  facts.rings.front().history = {altered("a", "", -2 * hour_ms)};
  CHECK(verdict_on(facts, "clock").starts_with("warn: the last change of ring default is from the future"));
  facts.now_ms = 1000;
  CHECK(verdict_on(facts, "clock") == "warn: the clock says 1970-01-01T00:00:01.000Z\n");
}

TEST_CASE("doctor: a ring without a node is doubtful, and one whose nodes are all down a fault") {
  check_one(ring_of({}), Verdict::warn, "it has no node");
  Findings findings = of_ring(ring_of({{"a", 1, {{"state", "down"}}}}));
  CHECK(findings.front().verdict == Verdict::fail);
  CHECK(findings.front().text == "ring default: no node is up, so that no key has one");
  RingFacts broken = ring_of({});
  broken.fault = make_error(Errc::internal, "another release", "see chash version");
  check_one(broken, Verdict::fail, "cannot be looked at: another release");
}

TEST_CASE("doctor: a node that is away for long is doubtful, and the history tells since when") {
  RingFacts ring = ring_of({{"a", 1}, {"b", 1, {{"state", "down"}}}});
  ring.history = {altered("b", "down", hour_ms), altered("b", "", 50 * hour_ms), altered("b", "down", 90 * hour_ms)};
  check_one(ring, Verdict::ok, "down: b");
  // Altered an hour ago, and down before that already.
  ring.history[1] = altered("b", "down", 50 * hour_ms);
  ring.history[2] = altered("b", "", 90 * hour_ms);
  check_one(ring, Verdict::warn, "for long down: b (2d 2h)");
  ring.nodes = {{"a", 1}, {"b", 1, {{"state", "drain"}}}};
  ring.history = {altered("b", "drain", 25 * hour_ms)};
  check_one(ring, Verdict::warn, "for long draining: b (1d 1h)");
}

TEST_CASE("doctor: an uneven ring is doubtful, and the node that has too much is named") {
  RingFacts ring = ring_of({{"a", 1}, {"b", 1}});
  ring.balance = balance_of(ring.nodes, std::vector<double>{0.4, 0.6});
  check_one(ring, Verdict::ok, "2 nodes, max/mean 1.20");
  ring.balance = balance_of(ring.nodes, std::vector<double>{0.3, 0.7});
  check_one(ring, Verdict::warn, "max/mean 1.40: b has 70.0% of all keys and should have 50.0%");
}

TEST_CASE("doctor: zones that are one alone, or not known of every node, are doubtful") {
  check_one(ring_of({{"a", 1, {}, {{"zone", "x"}}}, {"b", 1, {}, {{"zone", "x"}}}}), Verdict::warn,
            "all nodes are in zone x: a copy elsewhere is none");
  check_one(ring_of({{"a", 1, {}, {{"zone", "x"}}}, {"b", 1}}), Verdict::warn,
            "without a zone, which other nodes have: b");
  check_one(ring_of({{"a", 1, {}, {{"zone", "x"}}}, {"b", 1, {}, {{"zone", "y"}}}}), Verdict::ok, "2 nodes");
}

TEST_CASE("doctor: names that are taken for others, or for labels, are doubtful") {
  check_one(ring_of({{"cache-A", 1}, {"cache-a", 1}}), Verdict::warn,
            "names that differ only in upper and lower case: cache-A, cache-a");
  check_one(ring_of({{"zone=a", 1}, {"b", 1}}), Verdict::warn, "names that read as LABEL=VALUE: zone=a");
}

}  // namespace
}  // namespace chash::cli
