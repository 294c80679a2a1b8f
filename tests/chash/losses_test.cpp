// Losses, held against rings that are built without what is lost, and against keys.
#include "chash/losses.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "chash/naive_ring.h"
#include "chash/profile.h"

namespace chash {
namespace {

using namespace test;
using Random = std::mt19937_64;
constexpr std::uint64_t any_work = 1'000'000'000;

struct NaiveReceiver {
  double gets = 0, share = 0;
};
struct NaiveLoss {
  double share = 0;
  std::map<std::string, NaiveReceiver> receivers;
};

// The ring built anew of those that are left, and what moves from one to the other.
NaiveLoss naive_loss(const Side& ring, const std::vector<NodeIndex>& lost) {
  Delta delta;
  for (const NodeIndex node : lost) delta.removed.push_back(ring.spec.nodes[node].name);
  const Side rest(apply(ring.spec, delta));
  const auto moved = movement(ring, rest);
  REQUIRE(moved);
  NaiveLoss loss;
  for (const NodeIndex node : lost) loss.share += moved->before[node];
  for (const Flow& flow : moved->flows) {
    if (flow.from == no_node || flow.to == no_node || std::ranges::find(lost, flow.from) == lost.end()) continue;
    NaiveReceiver& receiver = loss.receivers[rest.name(flow.to)];
    receiver.gets += flow.share;
    receiver.share = moved->after[flow.to];
  }
  return loss;
}

void check_loss(const Side& ring, const Loss& loss, const NaiveLoss& naive) {
  CHECK(std::abs(loss.share - naive.share) < 1e-12);
  CHECK(loss.receivers.size() == naive.receivers.size());
  double most = 2;
  for (const Loss::Receiver& receiver : loss.receivers) {
    const auto found = naive.receivers.find(ring.name(receiver.node));
    REQUIRE(found != naive.receivers.end());
    CHECK(std::abs(receiver.gets - found->second.gets) < 1e-12);
    CHECK(std::abs(receiver.share - found->second.share) < 1e-12);
    CHECK(receiver.share <= most);
    most = receiver.share;
  }
}

// The share of keys all of whose nodes are lost, of so many keys.
double sampled_sets_lost(const Side& ring, const std::vector<NodeIndex>& lost, std::size_t replicas, Random& random,
                         int keys) {
  int count = 0;
  for (int i = 0; i < keys; ++i) {
    const auto nodes = ring.placement.owners(random_bytes(random, 12), replicas);
    count += !nodes.empty() &&
             std::ranges::all_of(nodes, [&](NodeIndex node) { return std::ranges::find(lost, node) != lost.end(); });
  }
  return static_cast<double>(count) / keys;
}

bool is_near(double sampled, double exact, int keys) {
  return std::abs(sampled - exact) <= 4.5 * std::sqrt(exact * (1 - exact) / keys) + 1e-12;
}

RingSpec random_ring(Random& random, const std::string& text, std::size_t most_nodes = 8) {
  const auto profile = parse_profile(text).value();
  std::vector<Node> nodes;
  RingSpec spec{text, {}};
  // One by one: a balanced ring gets slots that no single change would give it.
  for (Node& node : random_nodes(random, profile, 1 + random() % most_nodes, 30)) spec = apply(spec, {{node}, {}});
  return spec;
}

std::vector<NodeIndex> some_of(Random& random, const RingSpec& spec) {
  std::vector<NodeIndex> some;
  for (NodeIndex node = 0; node < spec.nodes.size(); ++node)
    if (random() % 3 == 0) some.push_back(node);
  if (some.empty()) some.push_back(static_cast<NodeIndex>(random() % spec.nodes.size()));
  std::ranges::shuffle(some, random);
  return some;
}

}  // namespace

TEST_CASE("losses: of some nodes together they are what moves when the ring is built without them") {
  Random random(81);
  for (const std::string& text : small_profiles_with_circle()) {
    CAPTURE(text);
    for (int round = 0; round < 20; ++round) {
      const Side ring(random_ring(random, text));
      const auto lost = some_of(random, ring.spec);
      const auto loss = loss_of(ring.spec, ring.placement, lost, 1);
      REQUIRE(loss);
      auto sorted = lost;
      std::ranges::sort(sorted);
      CHECK(loss->nodes == sorted);
      CHECK(loss->sets_lost == loss->share);
      check_loss(ring, *loss, naive_loss(ring, sorted));
    }
  }
}

TEST_CASE("losses: of each node by itself they are those of that node, by whichever way they were found") {
  Random random(82);
  int quick = 0, slow = 0;
  for (const std::string& text : small_profiles_with_circle()) {
    CAPTURE(text);
    for (int round = 0; round < 20; ++round) {
      const Side ring(random_ring(random, text));
      const std::size_t replicas = 1 + random() % 3;
      const auto losses = losses_of_each(ring.spec, ring.placement, replicas, any_work);
      REQUIRE(losses);
      REQUIRE(losses->size() == ring.spec.nodes.size());
      (ring.placement.goes_to_next() ? quick : slow) += 1;
      for (NodeIndex node = 0; node < losses->size(); ++node) {
        const Loss& found = (*losses)[node];
        CHECK(found.nodes == std::vector{node});
        check_loss(ring, found, naive_loss(ring, {node}));
        const auto alone = loss_of(ring.spec, ring.placement, {node}, replicas);
        REQUIRE(alone);
        CHECK(found.sets_lost == doctest::Approx(alone->sets_lost));
        // Nobody else keeps the keys of one whose keys go to nobody.
        CHECK(found.sets_lost == doctest::Approx(replicas == 1 || found.receivers.empty() ? found.share : 0));
      }
    }
  }
  CHECK(quick > 100);
  CHECK(slow > 100);
}

TEST_CASE("losses: sets of replicas are lost as often as keys say") {
  Random random(83);
  constexpr int keys = 20'000;
  for (const std::string text : {"seed,vnodes=10", "nginx-hash-consistent,vnodes=6", "libketama,vnodes=3",
                                 "ex-hash-ring,vnodes=8", "dalli,vnodes=8", "balanced,slots=4096"}) {
    CAPTURE(text);
    for (int round = 0; round < 3; ++round) {
      const Side ring(random_ring(random, text, 12));
      const auto lost = some_of(random, ring.spec);
      const std::size_t replicas = 2 + random() % 2;
      const auto loss = loss_of(ring.spec, ring.placement, lost, replicas);
      REQUIRE(loss);
      CHECK(is_near(sampled_sets_lost(ring, lost, replicas, random, keys), loss->sets_lost, keys));
    }
  }
}

TEST_CASE("losses: sets of replicas are lost as often as keys that walk the ring one point at a time say") {
  Random random(84);
  constexpr int keys = 10'000;
  RingSpec spec{"seed,vnodes=4", {}};
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) spec.nodes.push_back({name});
  const Side ring(spec);
  const auto points = naive_points(spec);
  for (const std::size_t replicas : {2, 3}) {
    const auto loss = loss_of(spec, ring.placement, {5, 0, 2, 3}, replicas);
    REQUIRE(loss);
    int lost = 0;
    for (int i = 0; i < keys; ++i) {
      const auto owners = naive_owners(points, random_bytes(random, 12), replicas);
      lost += std::ranges::none_of(owners, [](const std::string& name) { return name == "b" || name == "e"; });
    }
    CHECK(loss->sets_lost > 0.05);
    CHECK(is_near(static_cast<double>(lost) / keys, loss->sets_lost, keys));
  }
}

TEST_CASE("losses: a zone of a balanced ring takes no set of replicas with it while there is another") {
  RingSpec spec{"balanced,slots=4096", {}};
  const auto add = [&](const char* name, const char* zone) { spec = apply(spec, {{{name, 1, {{"zone", zone}}}}, {}}); };
  for (const char* name : {"e1", "e2", "e3"}) add(name, "east");
  for (const char* name : {"w1", "w2"}) add(name, "west");
  const Side ring(spec);
  const auto east = loss_of(spec, ring.placement, {0, 1, 2}, 2);
  REQUIRE(east);
  CHECK(east->share == doctest::Approx(0.6).epsilon(0.001));
  CHECK(east->sets_lost == 0);
  CHECK(east->receivers.size() == 2);
  CHECK(east->receivers.front().share == doctest::Approx(0.5).epsilon(0.001));
  CHECK(loss_of(spec, ring.placement, {0, 1, 2}, 1)->sets_lost == east->share);
  // Two nodes of both zones may have been all that a key had.
  CHECK(loss_of(spec, ring.placement, {0, 3}, 2)->sets_lost > 0.05);
  CHECK(loss_of(spec, ring.placement, {0, 1}, 2)->sets_lost == 0);
}

TEST_CASE("losses: of the whole ring, and of a node that is alone") {
  Random random(85);
  for (const std::string& text : small_profiles_with_circle()) {
    CAPTURE(text);
    const auto profile = parse_profile(text).value();
    for (const std::size_t nodes : {1, 4}) {
      RingSpec spec{text, {}};
      for (Node& node : random_nodes(random, profile, nodes, 30, false)) {
        node.weight = std::max(node.weight, 1.0);
        spec = apply(spec, {{node}, {}});
      }
      const Side ring(spec);
      std::vector<NodeIndex> all;
      for (NodeIndex node = 0; node < nodes; ++node) all.push_back(node);
      for (const std::size_t replicas : {1, 2, 7}) {
        const auto loss = loss_of(spec, ring.placement, all, replicas);
        REQUIRE(loss);
        CHECK(loss->share == doctest::Approx(1));
        CHECK(loss->sets_lost == doctest::Approx(1));
        CHECK(loss->receivers.empty());
        if (nodes > 1) continue;
        const auto each = losses_of_each(spec, ring.placement, replicas, any_work);
        REQUIRE(each);
        CHECK(each->front().share == doctest::Approx(1));
        CHECK(each->front().sets_lost == doctest::Approx(1));
      }
    }
  }
}

TEST_CASE("losses: a node beside such that may not answer is as good as alone") {
  for (const RingSpec& spec : {RingSpec{"seed,vnodes=5", {{"a"}, {"b", 1, {{"state", "down"}}}}},
                               RingSpec{"nginx-hash-consistent,vnodes=2", {{"a:1"}, {"b:1", 1, {{"state", "down"}}}}},
                               apply({"balanced,slots=4096", {}}, {{{"a"}, {"b", 0}, {"c", 0}}, {}})}) {
    CAPTURE(spec.profile);
    const Side ring(spec);
    const auto each = losses_of_each(spec, ring.placement, 2, any_work);
    REQUIRE(each);
    const auto one = loss_of(spec, ring.placement, {0}, 2);
    REQUIRE(one);
    for (const Loss& loss : {each->front(), *one}) {
      CHECK(loss.share == 1);
      CHECK(loss.sets_lost == 1);
      CHECK(loss.receivers.empty());
    }
    for (const Loss& loss : {(*each)[1], loss_of(spec, ring.placement, {1}, 2).value()}) {
      CHECK(loss.share == 0);
      CHECK(loss.sets_lost == 0);
    }
  }
  // Where nobody answers, no key is lost.
  const RingSpec nobody = apply({"balanced,slots=4096", {}}, {{{"a", 0}, {"b", 0}, {"c", 0}}, {}});
  const auto none = loss_of(nobody, Side(nobody).placement, {0, 1}, 2);
  REQUIRE(none);
  CHECK(none->share == 0);
  CHECK(none->sets_lost == 0);
}

TEST_CASE("losses: what they cannot tell, or not in time, they say") {
  const Side jump(RingSpec{"jump", {{"a"}, {"b"}, {"c"}}});
  CHECK(loss_of(jump.spec, jump.placement, {1}, 1).error().code == Errc::unpredictable);
  CHECK(losses_of_each(jump.spec, jump.placement, 1, any_work).error().code == Errc::unpredictable);
  const Side nearest(RingSpec{"haproxy-consistent", {{"a"}, {"b"}, {"c"}}});
  CHECK(loss_of(nearest.spec, nearest.placement, {0, 1}, 2).error().code == Errc::unpredictable);
  CHECK(loss_of(nearest.spec, nearest.placement, {0, 1}, 1));
  CHECK(loss_of(nearest.spec, nearest.placement, {0}, 2)->sets_lost == 0);
  const Side ketama(RingSpec{"libketama", {{"a:1"}, {"b:1"}, {"c:1"}}});
  CHECK(losses_of_each(ketama.spec, ketama.placement, 1, 3 * 480 - 1).error().code == Errc::too_large);
  CHECK(losses_of_each(ketama.spec, ketama.placement, 1, 3 * 480));
  const Side seed(RingSpec{"seed", {{"a"}, {"b"}, {"c"}}});
  CHECK(losses_of_each(seed.spec, seed.placement, 1, 0));  // one walk is never too much
}

}  // namespace chash
