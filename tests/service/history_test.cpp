// The past of rings: every epoch is still what it was, and every move of a key is blamed on the change that made it.
//
// CHASH_TEST_CHANGES in the environment: how many changes the longest histories have.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "asked_for.h"
#include "chash/limits.h"
#include "chash/naive_ring.h"
#include "protocol/plan_report.h"
#include "protocol/time_text.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;
using chash::test::Side;
using Random = std::mt19937_64;
using Names = std::vector<std::string>;

// --- A random history, and what an oracle keeps of it ----------------------------------------------------------------

struct Epoch {
  std::uint64_t epoch = 0;
  std::shared_ptr<const Snapshot> ring;
  std::string who, operation, note;
};

struct Past {
  std::vector<Epoch> epochs;  // the first is how the ring began

  const Snapshot& at(std::uint64_t epoch) const {
    return *epochs.at(static_cast<std::size_t>(epoch - epochs.front().epoch)).ring;
  }
  std::uint64_t first() const { return epochs.front().epoch; }
  std::uint64_t last() const { return epochs.back().epoch; }
};

struct Move {
  std::uint64_t epoch;
  std::string from, to;
  friend bool operator==(const Move&, const Move&) = default;
};

// Of each epoch who had the key; the newest move first.
std::vector<Move> naive_moves(const Past& past, const std::string& key) {
  std::vector<Move> moves;
  std::string owner;
  for (const Epoch& epoch : past.epochs) {
    std::string next = owner_of(*epoch.ring, key);
    if (next != owner) moves.push_back({epoch.epoch, owner, next});
    owner = std::move(next);
  }
  std::ranges::reverse(moves);
  return moves;
}

ApplyChange::Request random_change(Random& random, const std::string& ring, const Past& past, const Profile& profile) {
  ApplyChange::Request request;
  request.ring = ring;
  const RingSpec& spec = past.epochs.back().ring->spec;
  const auto nodes = [&](std::size_t count) { return given(chash::test::random_nodes(random, profile, count, 9)); };
  switch (random() % 8) {
    case 0: request.rollback = past.first() + random() % past.epochs.size(); break;
    case 1: request.nodes = nodes(random() % 5), request.prune = true; break;
    case 2: request.nodes = nodes(1 + random() % 2); break;
    case 3: request.max_move = static_cast<double>(random() % 100) / 100; break;
    case 4: request.add = nodes(1), request.if_missing = true; break;
    case 5:  // all of them, now and then
      for (const Node& node : spec.nodes)
        if (random() % 4 > 0) request.remove.push_back(node.name);
      break;
    default:
      if (!spec.nodes.empty()) request.remove.push_back(spec.nodes[random() % spec.nodes.size()].name);
      request.add = nodes(1 + random() % 2);
      break;
  }
  return request;
}

Past make_history(World& world, Random& random, const std::string& ring, const std::string& profile, int changes) {
  if (ring != default_ring) {
    RingCreate::Request create;
    create.ring = ring;
    create.profile = profile;
    create.nodes = given(chash::test::random_nodes(random, parse_profile(profile).value(), 3, 9));
    create.note = "how it began";
    REQUIRE(world.ask<RingCreate>(create, {"the first", {}}));
  }
  Past past{{{world.ring(ring)->epoch, world.ring(ring), "the first", "ring-create", "how it began"}}};
  const Profile parsed = parse_profile(profile).value();
  while (past.epochs.size() <= static_cast<std::size_t>(changes)) {
    ApplyChange::Request request = random_change(random, ring, past, parsed);
    request.force = true;
    if (random() % 2 == 0) request.note = "note " + std::to_string(random() % 1000);
    const std::string who = "client " + std::to_string(random() % 5);
    const bool is_rollback = request.rollback && random() % 2 == 0;
    std::uint64_t epoch = 0;
    if (is_rollback) {
      RollBack::Request back;
      static_cast<ChangeOptions&>(back) = request;
      back.ring = ring;
      back.epoch = *request.rollback;
      const auto answer = world.ask<RollBack>(back, {who, {}});
      REQUIRE(answer);
      epoch = answer->epoch;
    } else {
      const auto answer = world.ask<ApplyChange>(request, {who, {}});
      if (!answer) continue;
      epoch = answer->epoch;
    }
    if (epoch == past.last()) continue;
    REQUIRE(epoch == past.last() + 1);
    past.epochs.push_back({epoch, world.ring(ring), who, is_rollback ? "rollback" : "apply", request.note});
  }
  return past;
}

GetNode::Request key_at(const std::string& ring, const std::string& key, std::optional<std::uint64_t> epoch,
                        std::string at = {}) {
  GetNode::Request request;
  request.ring = ring;
  request.key = {key};
  request.epoch = epoch;
  request.at = std::move(at);
  return request;
}

bool answers_as(const Result<GetNode::Response>& answer, const Snapshot& ring, const std::string& key) {
  const std::string owner = owner_of(ring, key);
  // Where nodes are down, a key may be nobody's.
  const Errc nobody = ring.placement.empty() ? Errc::empty_ring : Errc::unpredictable;
  if (!answer) return owner.empty() && answer.error().code == nobody;
  return answer->node == owner && answer->epoch == ring.epoch;
}

std::vector<Blame::Move> blamed(World& world, const std::string& ring, const std::string& key, std::uint32_t n) {
  Blame::Request request;
  request.ring = ring;
  request.key = {key};
  request.n = n;
  std::vector<Blame::Move> moves;
  while (true) {
    const auto page = world.ask<Blame>(request);
    REQUIRE(page);
    REQUIRE(page->moves.size() <= n);
    CHECK(page->node == owner_of(*world.ring(ring), key));
    moves.insert(moves.end(), page->moves.begin(), page->moves.end());
    if (!page->next) return moves;
    REQUIRE((!request.before || *page->next < *request.before));
    request.before = page->next;
  }
}

std::vector<ChangeEntry> entries(World& world, History::Request request) {
  std::vector<ChangeEntry> all;
  while (true) {
    const auto page = world.ask<History>(request);
    REQUIRE(page);
    REQUIRE(page->entries.size() <= request.n);
    all.insert(all.end(), page->entries.begin(), page->entries.end());
    if (!page->next) return all;
    REQUIRE((!request.before || *page->next < *request.before));
    request.before = page->next;
  }
}

void check_look_ups(World& world, const std::string& ring, const Past& past, Random& random) {
  int wrong = 0;
  for (const Epoch& epoch : past.epochs) {
    for (int i = 0; i < 2; ++i) {
      const std::string key = "key " + std::to_string(random() % 1000);
      wrong += !answers_as(world.ask<GetNode>(key_at(ring, key, epoch.epoch)), *epoch.ring, key);
      // The last epoch at this time or before it.
      const Epoch* last = nullptr;
      for (const Epoch& other : past.epochs)
        if (other.ring->time_ms <= epoch.ring->time_ms) last = &other;
      if (epoch.ring->time_ms == 0) continue;
      const auto answer = world.ask<GetNode>(key_at(ring, key, {}, time_text(epoch.ring->time_ms)));
      wrong += !answers_as(answer, *last->ring, key);
    }
  }
  CHECK(wrong == 0);
  CHECK(refusal(world.ask<GetNode>(key_at(ring, "k", past.last() + 1))).code == Errc::not_found);
  CHECK(answers_as(world.ask<GetNode>(key_at(ring, "k", {}, "2999-01-01")), *past.epochs.back().ring, "k"));
  CHECK(refusal(world.ask<GetNode>(key_at(ring, "k", 1, "2999-01-01"))).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<GetNode>(key_at(ring, "k", {}, "yesterday"))).code == Errc::invalid_argument);
}

void check_blame(World& world, const std::string& ring, const Past& past, int keys) {
  int wrong = 0;
  for (int i = 0; i < keys; ++i) {
    const std::string key = "key " + std::to_string(i);
    const auto expected = naive_moves(past, key);
    std::vector<Move> found;
    for (const Blame::Move& move : blamed(world, ring, key, i % 5 > 0 ? 1'000 : 25)) {
      found.push_back({move.epoch, move.from, move.to});
      const Epoch& epoch = past.epochs[static_cast<std::size_t>(move.epoch - past.first())];
      wrong += move.who != epoch.who || move.operation != epoch.operation || move.note != epoch.note;
      wrong += move.time != time_text(epoch.ring->time_ms);
    }
    wrong += found != expected;
  }
  CHECK(wrong == 0);
}

void check_history(World& world, const std::string& ring, const Past& past, Random& random) {
  History::Request request;
  request.ring = ring;
  request.n = 7;
  auto found = entries(world, request);
  std::ranges::reverse(found);
  // The default ring began with no change.
  const std::size_t skipped = past.first() == 0 ? 1 : 0;
  REQUIRE(found.size() + skipped == past.epochs.size());
  int wrong = 0;
  std::map<std::string, std::vector<std::uint64_t>> by_node;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Epoch& epoch = past.epochs[i + skipped];
    const ChangeEntry& entry = found[i];
    wrong += entry.epoch != epoch.epoch || entry.who != epoch.who || entry.operation != epoch.operation ||
             entry.note != epoch.note || entry.time != time_text(epoch.ring->time_ms);
    const RingSpec before =
        epoch.epoch == past.first() ? RingSpec{epoch.ring->spec.profile, {}} : past.at(epoch.epoch - 1).spec;
    RingSpec after = apply(before, {nodes_of(entry.added), entry.removed, nodes_of(entry.altered), {}, entry.max_move});
    after.slots = epoch.ring->spec.slots;
    wrong += after != epoch.ring->spec;
    std::set<std::string> concerned(entry.removed.begin(), entry.removed.end());
    for (const NodeGiven& node : entry.added) concerned.insert(node.name);
    for (const NodeGiven& node : entry.altered) concerned.insert(node.name);
    for (const std::string& name : concerned) by_node[name].push_back(entry.epoch);
  }
  CHECK(wrong == 0);
  // Of one node, from some epoch back, and not before some time.
  for (auto& [name, epochs] : by_node) {
    History::Request of_node = request;
    of_node.node = name;
    std::vector<std::uint64_t> of_it;
    for (const ChangeEntry& entry : entries(world, of_node)) of_it.push_back(entry.epoch);
    std::ranges::reverse(of_it);
    CHECK(of_it == epochs);
  }
  const Epoch& some = past.epochs[1 + random() % (past.epochs.size() - 1)];
  request.n = 1'000;
  request.since = time_text(some.ring->time_ms);
  for (const ChangeEntry& entry : entries(world, request)) CHECK(entry.time >= request.since);
  CHECK(static_cast<std::ptrdiff_t>(entries(world, request).size()) ==
        std::ranges::count_if(found, [&](const ChangeEntry& entry) { return entry.time >= request.since; }));
}

void check_rollbacks(World& world, const std::string& ring, const Past& past, Random& random) {
  for (int i = 0; i < 8; ++i) {
    const Epoch& old = past.epochs[random() % past.epochs.size()];
    const auto before = world.ring(ring);
    ChangeOptions forced;
    forced.force = true;
    const auto back = world.ask<RollBack>({forced, ring, old.epoch});
    REQUIRE(back);
    const auto now = world.ring(ring);
    const bool same = difference(before->spec, old.ring->spec).has_same_nodes();
    CHECK(now->epoch == before->epoch + (same ? 0 : 1));
    CHECK(back->epoch == now->epoch);
    CHECK(now->spec.slots == old.ring->spec.slots);
    CHECK(fingerprint(now->spec) == fingerprint(old.ring->spec));
    CHECK(now->spec.max_move == before->spec.max_move);
    int wrong = 0;
    for (int k = 0; k < 1'000; ++k) {
      const std::string key = std::to_string(random());
      wrong += owner_of(*now, key) != owner_of(*old.ring, key);
    }
    CHECK(wrong == 0);
  }
}

void check_past(const std::string& ring, const std::string& profile, int changes, int keys) {
  CAPTURE(profile);
  Random random(101);
  World world(std::vector<Node>{});
  const Past past = make_history(world, random, ring, profile, changes);
  check_look_ups(world, ring, past, random);
  check_blame(world, ring, past, keys);
  check_history(world, ring, past, random);
  check_rollbacks(world, ring, past, random);
}

int changes_for(int every_day) {
  return static_cast<int>(chash::test::asked_for("CHASH_TEST_CHANGES", static_cast<std::uint64_t>(every_day)));
}

TEST_CASE("history: every epoch of a plain ring is still there, and who moved a key is known") {
  check_past("default", "seed", 60, 10);
  check_past("r", "seed,vnodes=10", changes_for(300), 20);
}

TEST_CASE("history: every epoch of a balanced ring is still there with its slots, and who moved a key is known") {
  check_past("r", "balanced,slots=4096", changes_for(300), 20);
}

TEST_CASE("history: every epoch is still there of rings whose points depend on each other, and of such without any") {
  check_past("r", "libketama,vnodes=3", 100, 10);
  check_past("r", "envoy-maglev,table=251", 60, 6);
  check_past("r", "nginx-hash", 60, 6);
}

TEST_CASE("history: of a ring that nobody has changed there is nothing") {
  World world(std::vector<Node>{});
  const auto history = world.ask<History>({});
  REQUIRE(history);
  CHECK(history->entries.empty());
  CHECK(history->dropped == 0);
  Blame::Request blame;
  blame.key = {"k"};
  const auto moves = world.ask<Blame>(blame);
  REQUIRE(moves);
  CHECK(moves->moves.empty());
  CHECK(moves->node.empty());
  CHECK(refusal(world.ask<GetNode>(key_at("default", "k", 1))).code == Errc::not_found);
  CHECK(refusal(world.ask<History>({"nobody", 20, {}, "", ""})).code == Errc::not_found);
  CHECK(refusal(world.ask<History>({"default", 0, {}, "", ""})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<History>({"default", 1'001, {}, "", ""})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<History>({"default", 1, {}, "soon", ""})).code == Errc::invalid_argument);
  blame.key = {""};
  CHECK(refusal(world.ask<Blame>(blame)).code == Errc::invalid_argument);
}

TEST_CASE("history: what is no longer kept is counted, and nothing is blamed on it") {
  Random random(102);
  World world(std::vector<Node>{});
  Past past = make_history(world, random, "r", "seed,vnodes=5", 50);
  const std::uint64_t oldest = past.first() + 20;
  REQUIRE(world.ask<GetNode>(key_at("r", "k", past.first())));  // looked at before it is dropped
  world.store.drop_history_before("r", oldest);

  History::Request request;
  request.ring = "r";
  request.n = 1'000;
  const auto history = world.ask<History>(request);
  REQUIRE(history);
  CHECK(history->oldest == oldest);
  CHECK(history->dropped == 21);
  CHECK(history->entries.size() == 30);
  CHECK(history->entries.back().epoch == oldest + 1);
  for (int i = 0; i < 20; ++i) {
    const std::string key = "key " + std::to_string(i);
    auto expected = naive_moves(past, key);
    std::erase_if(expected, [&](const Move& move) { return move.epoch <= oldest; });
    std::vector<Move> found;
    for (const Blame::Move& move : blamed(world, "r", key, 4)) found.push_back({move.epoch, move.from, move.to});
    CHECK(found == expected);
  }
  for (const std::uint64_t gone : {past.first(), oldest - 1})
    CHECK(refusal(world.ask<GetNode>(key_at("r", "k", gone))).code == Errc::not_found);
  CHECK(answers_as(world.ask<GetNode>(key_at("r", "k", oldest)), past.at(oldest), "k"));
  CHECK(refusal(world.ask<RollBack>({{}, "r", oldest - 1})).code == Errc::not_found);
}

TEST_CASE("history: a key is looked up in any number of epochs, a page after the other") {
  // Of two nodes one comes and goes every hundred changes, also where one page ends and the next begins.
  constexpr std::uint64_t between = 100, epochs = limits::blamed_epochs * 2 + 3 * between;
  static_assert(limits::blamed_epochs % between == 0);
  World world(std::vector<Node>{}, [&](FakeStore& store) {
    RingSpec spec{"seed,vnodes=3", {}};
    std::vector<FakeStore::Epoch> all;
    for (std::uint64_t epoch = 1; epoch <= epochs; ++epoch) {
      Delta delta;
      if (epoch == 1) delta.added = {{"a"}};
      else if (epoch % between != 0) delta.max_move = epoch % 2 == 0 ? 1 : 0.5;
      else if (spec.nodes.size() == 1) delta.added = {{"b"}};
      else delta.removed = {"b"};
      spec = apply(std::move(spec), delta);
      all.push_back({epoch, spec, {"apply", "somebody", "", 1'000}, delta});
    }
    store.put_history("r", std::move(all));
  });
  const Side both(RingSpec{"seed,vnodes=3", {{"a"}, {"b"}}});
  std::string a_key, b_key;
  for (int i = 0; a_key.empty() || b_key.empty(); ++i) {
    const std::string key = std::to_string(i);
    (both.owner(key) == "a" ? a_key : b_key) = key;
  }
  std::vector<Move> of_b{{1, "", "a"}};
  for (std::uint64_t epoch = between; epoch <= epochs; epoch += between)
    of_b.insert(of_b.begin(), {epoch, of_b.front().to, of_b.front().to == "a" ? "b" : "a"});
  for (const std::uint32_t n : {40U, 1'000U}) {
    std::vector<Move> found;
    for (const Blame::Move& move : blamed(world, "r", b_key, n)) found.push_back({move.epoch, move.from, move.to});
    CHECK(found == of_b);
    found.clear();
    for (const Blame::Move& move : blamed(world, "r", a_key, n)) found.push_back({move.epoch, move.from, move.to});
    CHECK(found == std::vector<Move>{{1, "", "a"}});
  }
}

TEST_CASE("history: a ring that is made anew has no past under its old name") {
  World world(std::vector<Node>{});
  RingCreate::Request create;
  create.ring = "r";
  create.nodes = {{"a"}};
  REQUIRE(world.ask<RingCreate>(create));
  REQUIRE(world.ask<protocol::AddNodes>({{}, "r", {{"b"}}, false}));
  CHECK(world.ask<GetNode>(key_at("r", "k", 1))->node == "a");
  REQUIRE(world.ask<RingDelete>({{}, "r", false}));
  CHECK(refusal(world.ask<GetNode>(key_at("r", "k", 1))).code == Errc::not_found);
  create.nodes = {{"c"}};
  REQUIRE(world.ask<RingCreate>(create)->epoch == 3);
  REQUIRE(world.ask<protocol::AddNodes>({{}, "r", {{"d"}}, false}));
  CHECK(refusal(world.ask<GetNode>(key_at("r", "k", 1))).code == Errc::not_found);
  CHECK(world.ask<GetNode>(key_at("r", "k", 3))->node == "c");
  const auto history = world.ask<History>({"r", 20, {}, "", ""});
  REQUIRE(history);
  CHECK(history->oldest == 3);
  CHECK(history->dropped == 0);
  CHECK(history->entries.size() == 2);
}

TEST_CASE("history: a ring shown as it was has its nodes and slots of then, and no limits, which are of now") {
  World world(std::vector<Node>{});
  RingCreate::Request create;
  create.ring = "r";
  create.profile = "balanced,slots=4096";
  create.nodes = {{"a"}, {"b"}};
  REQUIRE(world.ask<RingCreate>(create));
  const auto first = world.ring("r");
  REQUIRE(world.ask<protocol::AddNodes>({{}, "r", {{"c"}}, false}));
  RingShow::Request show{"r", true, 1, ""};
  for (const double max_move : {1.0, 0.5}) {
    REQUIRE(world.ask<RingSet>({{}, "r", max_move}));
    const auto shown = world.ask<RingShow>(show);
    REQUIRE(shown);
    CHECK(shown->epoch == 1);
    CHECK(shown->nodes.size() == 2);
    CHECK(shown->slots == first->spec.slots.nodes());
    CHECK(shown->fingerprint == hex(fingerprint(first->spec)));
    CHECK(shown->time == time_text(first->time_ms));
    CHECK_FALSE(shown->max_move);
    CHECK(world.ask<RingShow>({"r", false, {}, ""})->max_move == max_move);
    CHECK(world.ask<RingShow>({"r", false, world.ring("r")->epoch, ""})->max_move == max_move);
  }
}

TEST_CASE("diff: between any two epochs, and between rings, is what moves from one to the other") {
  Random random(103);
  World world(std::vector<Node>{});
  const Past past = make_history(world, random, "r", "seed,vnodes=8", 40);
  for (int i = 0; i < 40; ++i) {
    const Snapshot& from = *past.epochs[random() % past.epochs.size()].ring;
    const Snapshot& to = *past.epochs[random() % past.epochs.size()].ring;
    Diff::Request request;
    request.ring = "r";
    request.from = from.epoch;
    if (to.epoch != past.last() || i % 2 == 0) request.to = to.epoch;
    const auto diff = world.ask<Diff>(request);
    REQUIRE(diff);
    auto expected = chash::test::naive_flows(from.spec, to.spec);
    CHECK(diff->flows.size() == expected.size());
    for (const FlowShare& flow : diff->flows)
      CHECK(flow.share == doctest::Approx(static_cast<double>(expected[{flow.from, flow.to}])));
    CHECK(diff->epoch == from.epoch);
    CHECK(diff->other_epoch == to.epoch);
    CHECK(diff->from == hex(fingerprint(from.spec)));
    CHECK(diff->to == hex(fingerprint(to.spec)));
  }
  REQUIRE(world.ask<RingCopy>({{}, "r", "copy"}));
  Diff::Request rings;
  rings.ring = "r";
  rings.other = "copy";
  const auto same = world.ask<Diff>(rings);
  REQUIRE(same);
  CHECK(same->moved == 0);
  CHECK(same->from == same->to);
  rings.other = "nobody";
  CHECK(refusal(world.ask<Diff>(rings)).code == Errc::not_found);
}

}  // namespace
}  // namespace chash::service::test
