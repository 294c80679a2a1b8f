// Plans: what they say of a change is what a naive walk says, and applying one makes that change and no other.
//
// CHASH_TEST_KEYS in the environment: how many keys are asked of each ring, before and after.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "asked_for.h"
#include "chash/naive_ring.h"
#include "protocol/codec.h"
#include "protocol/plan_report.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;
using chash::test::naive_flows;
using chash::test::random_bytes;
using chash::test::Side;
using Random = std::mt19937_64;
using Names = std::vector<std::string>;

// Whoever may not change anything.
Caller stranger() { return {"uid 65534, pid 1", Error{Errc::denied, "uid 65534 may not change the ring", ""}}; }

// --- Random changes -------------------------------------------------------------------------------------------------

struct RandomChange {
  WantedChange wanted;
  std::optional<RingSpec> after;  // nothing where it is refused
};

// A ring of one profile in a world, with all specs that it had.
class Ring {
 public:
  Ring(World& world, std::string name, const std::string& profile, Random& random)
      : world_(world), name_(std::move(name)), profile_(parse_profile(profile).value()), random_(random) {
    RingCreate::Request create;
    create.ring = name_;
    create.profile = profile;
    create.nodes = given(chash::test::random_nodes(random, profile_, 3, 12));
    const auto made = world.ask<RingCreate>(create);
    REQUIRE(made);
    first_ = made->epoch;
    specs_.push_back(now().spec);
  }

  const std::string& name() const { return name_; }
  const Snapshot& now() const { return *(held_ = world_.ring(name_)); }
  void remember() { specs_.push_back(now().spec); }

  RandomChange next() {
    RandomChange change;
    change.wanted.ring = name_;
    const RingSpec& spec = now().spec;
    switch (random_() % 6) {
      case 0: change.wanted.add = given(new_nodes(1 + random_() % 2)); break;
      case 1: change.wanted.remove = some_names(1 + random_() % 2); break;
      case 2:  // perhaps one that comes back in a new shape
        change.wanted.remove = some_names(1);
        change.wanted.add = given(new_nodes(1 + random_() % 2));
        break;
      case 3: change.wanted.nodes = given(new_nodes(random_() % 4)); break;
      case 4:
        change.wanted.nodes = given(new_nodes(random_() % 6));
        change.wanted.prune = true;
        break;
      default: {
        const std::size_t back = random_() % specs_.size();
        change.wanted.rollback = first_ + back;
        change.after = apply(spec, difference(spec, specs_[back]));
        return change;
      }
    }
    const auto asked = change_of(change.wanted);
    const auto delta = resolve(spec, asked);
    if (delta) {
      change.after = apply(spec, *delta);
      if (!build(*change.after)) change.after.reset();
    }
    return change;
  }

 private:
  static Change change_of(const WantedChange& wanted) {
    if (wanted.nodes) return SetNodes{nodes_of(*wanted.nodes), wanted.prune, {}};
    return EditNodes{{wanted.remove}, {nodes_of(wanted.add)}};
  }
  std::vector<Node> new_nodes(std::size_t count) { return chash::test::random_nodes(random_, profile_, count, 12); }
  Names some_names(std::size_t count) {
    Names names;
    for (const Node& node : now().spec.nodes) names.push_back(node.name);
    std::ranges::shuffle(names, random_);
    if (names.size() > count) names.resize(count);
    return names.empty() ? Names{"nobody"} : names;
  }

  World& world_;
  std::string name_;
  Profile profile_;
  Random& random_;
  std::uint64_t first_ = 0;
  std::vector<RingSpec> specs_;  // of the epochs from the first on
  mutable std::shared_ptr<const Snapshot> held_;
};

PlanChange::Request plan_of(const WantedChange& wanted, bool ranges = false) {
  PlanChange::Request request;
  static_cast<WantedChange&>(request) = wanted;
  request.ranges = ranges;
  return request;
}

ApplyChange::Request apply_plan(const std::string& ring, const std::string& id) {
  ApplyChange::Request request;
  request.ring = ring;
  request.plan = id;
  return request;
}

int faults_of(const Plan& plan, const Snapshot& now, const RingSpec& after) {
  auto expected = naive_flows(now.spec, after);
  int wrong = plan.flows.size() != expected.size() || plan.error != 0 || plan.flows_left_out != 0;
  double moved = 0, largest = 2;
  for (const FlowShare& flow : plan.flows) {
    const auto naive = static_cast<double>(expected[{flow.from, flow.to}]);
    wrong += std::abs(flow.share - naive) > 1e-12;
    wrong += flow.share > largest;
    largest = flow.share;
    moved += flow.share;
  }
  wrong += std::abs(plan.moved - moved) > 1e-12 || plan.minimum > plan.moved + 1e-12;
  for (const NodeShare& node : plan.nodes)
    wrong += std::abs(node.before - node.loses + node.gains - node.after) > 1e-12;
  wrong += plan.ring != now.ring || plan.epoch != now.epoch;
  wrong += plan.from != hex(fingerprint(now.spec)) || plan.to != hex(fingerprint(after));
  return wrong;
}

bool is_among(const std::vector<MovedArc>& ranges, const std::string& position) {
  return std::ranges::any_of(ranges,
                             [&](const MovedArc& range) { return range.first <= position && position <= range.last; });
}

// Of so many keys, those whose owner is not what the ring `after` says, or not what the plan says of them.
int keys_wrong(const Plan& plan, const Side& before, const Side& after, const Snapshot& now, Random& random, int keys) {
  std::map<std::pair<std::string, std::string>, int> flows;
  for (const FlowShare& flow : plan.flows) flows[{flow.from, flow.to}] = 0;
  const auto& rule = (after.placement.empty() ? before : after).placement.key_rule();
  int wrong = 0, moved = 0;
  for (int i = 0; i < keys; ++i) {
    const std::string key = std::to_string(random());  // of every form that a profile takes, but an address
    const std::string from = before.owner(key), to = after.owner(key);
    wrong += owner_of(now, key) != to;
    if (from != to) wrong += !flows.contains({from, to});
    moved += from != to;
    if (plan.ranges.empty() || rule.bits() == 0) continue;
    if (const auto position = rule.position(key))
      wrong += is_among(plan.ranges, hex(*position, rule.bits())) != (from != to);
  }
  const double error = std::sqrt(plan.moved * (1 - plan.moved) / keys);
  wrong += rule.bits() != 0 && std::abs(moved / double(keys) - plan.moved) > 5 * error + 1e-9;
  return wrong;
}

int keys_for(bool closely) { return static_cast<int>(chash::test::asked_for("CHASH_TEST_KEYS", closely ? 2'000 : 50)); }

TEST_CASE("plan: says what a naive walk says, and applied by its id it makes just that ring") {
  Random random(91);
  World world(std::vector<Node>{});
  int made = 0, refused = 0, nothing = 0;
  for (const std::string& profile : chash::test::small_profiles_with_circle()) {
    CAPTURE(profile);
    // The keys of this one are numbers that are not hashed: theirs are not evenly spread.
    const bool spreads = parse_profile(profile)->hash->name != "none";
    Ring ring(world, "r" + std::to_string(made), profile, random);
    int wrong = 0;
    for (int step = 0; step < 44; ++step) {
      const RandomChange change = ring.next();
      const RingSpec spec = ring.now().spec;
      const bool closely = step % 11 == 0;
      const auto commits = world.store.commits().size();
      const auto plan = world.ask<PlanChange>(plan_of(change.wanted, closely), stranger());
      REQUIRE(plan.has_value() == change.after.has_value());
      REQUIRE(world.store.commits().size() == commits);
      ApplyChange::Request apply;
      static_cast<WantedChange&>(apply) = change.wanted;
      if (!plan) {
        ++refused;
        CHECK(refusal(world.ask<ApplyChange>(apply)).code == plan.error().code);
        continue;
      }
      wrong += faults_of(*plan, ring.now(), *change.after);
      if (plan->id.empty()) {
        ++nothing;
        CHECK(difference(spec, *change.after).empty());
        continue;
      }
      const std::uint64_t epoch = ring.now().epoch;
      const auto applied = world.ask<ApplyChange>(apply_plan(ring.name(), plan->id));
      REQUIRE(applied);
      CHECK(applied->epoch == epoch + 1);
      CHECK(applied->previous_epoch == epoch);
      CHECK(hex(fingerprint(ring.now().spec)) == plan->to);
      CHECK(ring.now().spec.slots == change.after->slots);
      ring.remember();
      if (spreads) wrong += keys_wrong(*plan, Side(spec), Side(*change.after), ring.now(), random, keys_for(closely));
      ++made;
    }
    CHECK(wrong == 0);
  }
  CHECK(made > 500);
  CHECK(refused > 50);
  CHECK(nothing > 10);
  CHECK(made + refused + nothing > 900);
}

TEST_CASE("plan: of a ring that has changed since it is refused, with the plan as it would be now") {
  Random random(92);
  World world(std::vector<Node>{});
  int fresh = 0, impossible = 0;
  for (const std::string profile :
       {"seed,vnodes=5", "libketama,vnodes=2", "balanced,slots=4096", "envoy-maglev,table=251"}) {
    CAPTURE(profile);
    Ring ring(world, "r" + std::to_string(fresh), profile, random);
    const bool is_sampled = profile.starts_with("envoy");  // which takes longer
    for (int step = is_sampled ? 16 : 0; step < 20; ++step) {
      const RandomChange change = ring.next();
      if (!change.after) continue;
      const auto plan = world.ask<PlanChange>(plan_of(change.wanted));
      REQUIRE(plan);
      if (plan->id.empty()) continue;
      ApplyChange::Request between;
      between.ring = ring.name();
      between.add = {{"between-" + std::to_string(step)}};
      REQUIRE(world.ask<ApplyChange>(between));
      ring.remember();

      const auto before = world.ring(ring.name());
      const Error error = refusal(world.ask<ApplyChange>(apply_plan(ring.name(), plan->id)));
      CHECK(error.code == Errc::conflict);
      CHECK(world.ring(ring.name()) == before);
      const auto now = decode_plan(error);
      const auto again = world.ask<PlanChange>(plan_of(change.wanted));
      REQUIRE(now.has_value() == (again && !again->id.empty()));
      if (!now) {
        ++impossible;
        CHECK_FALSE(error.hint.empty());
        continue;
      }
      ++fresh;
      CHECK(error.plan == encode_plan(*again));
      CHECK(now->from == hex(fingerprint(before->spec)));
      CHECK(now->epoch == before->epoch);
      CHECK(now->id != plan->id);
      REQUIRE(world.ask<ApplyChange>(apply_plan(ring.name(), now->id)));
      CHECK(hex(fingerprint(ring.now().spec)) == now->to);
      ring.remember();
    }
  }
  CHECK(fresh > 30);
}

TEST_CASE("plan: has the same id for the same change, and none that is not of this ring is applied") {
  World world({{"a", 1}, {"b", 1}});
  WantedChange wanted;
  wanted.add = {{"c"}};
  const auto plan = world.ask<PlanChange>(plan_of(wanted));
  REQUIRE(plan);
  CHECK(is_plan_id(plan->id));
  CHECK(world.ask<PlanChange>(plan_of(wanted))->id == plan->id);
  wanted.add = {{"d"}};
  CHECK(world.ask<PlanChange>(plan_of(wanted))->id != plan->id);

  RingCreate::Request create;
  create.ring = "other";
  create.nodes = {{"a"}, {"b"}};
  REQUIRE(world.ask<RingCreate>(create));
  CHECK(refusal(world.ask<ApplyChange>(apply_plan("other", plan->id))).code == Errc::not_found);
  CHECK(refusal(world.ask<ApplyChange>(apply_plan("default", "plan-0123456789abcdef"))).code == Errc::not_found);
  CHECK(refusal(world.ask<ApplyChange>(apply_plan("nobody", plan->id))).code == Errc::not_found);
  CHECK(world.ask<ApplyChange>(apply_plan("default", plan->id))->added == Names{"c"});
  // Once made it is a plan of what was.
  CHECK(refusal(world.ask<ApplyChange>(apply_plan("default", plan->id))).code == Errc::conflict);
  CHECK(world.ring()->epoch == 2);
}

TEST_CASE("plan: the oldest are forgotten when there are too many") {
  World world({{"a", 1}});
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= limits::plans; ++i) {
    WantedChange wanted;
    wanted.add = {{"n" + std::to_string(i)}};
    ids.push_back(world.ask<PlanChange>(plan_of(wanted))->id);
  }
  CHECK(refusal(world.ask<ApplyChange>(apply_plan("default", ids[0]))).code == Errc::not_found);
  CHECK(world.ask<ApplyChange>(apply_plan("default", ids[1]))->added == Names{"n1"});
}

TEST_CASE("plan: a change is asked for in one way, or not at all") {
  World world({{"a", 1}, {"b", 1}});
  std::vector<WantedChange> bad(8);
  bad[1].add = {{"c"}};
  bad[1].nodes.emplace();
  bad[2].remove = {"a"};
  bad[2].rollback = 1;
  bad[3].nodes.emplace();
  bad[3].rollback = 1;
  bad[4].add = {{"c"}};
  bad[4].max_move = 0.5;
  bad[5].add = {{"c"}};
  bad[5].prune = true;
  bad[6].max_move = 1.5;
  bad[7].nodes.emplace();
  bad[7].profile = "jump";
  for (const WantedChange& wanted : bad) {
    CHECK(refusal(world.ask<PlanChange>(plan_of(wanted))).code == Errc::invalid_argument);
    ApplyChange::Request apply;
    static_cast<WantedChange&>(apply) = wanted;
    CHECK(refusal(world.ask<ApplyChange>(apply)).code == Errc::invalid_argument);
  }
  WantedChange past;
  past.rollback = 7;
  CHECK(refusal(world.ask<PlanChange>(plan_of(past))).code == Errc::not_found);
  CHECK(world.store.commits().size() == 1);
  WantedChange fine;
  fine.nodes.emplace();
  fine.profile = "seed";
  CHECK(world.ask<PlanChange>(plan_of(fine))->id.empty());
}

// --- Dry runs -------------------------------------------------------------------------------------------------------

// What must have stayed as it was.
struct Before {
  explicit Before(World& world) : rings(world.service->rings().latest()), commits(world.store.commits().size()) {}
  bool is_still(World& world) const {
    return world.service->rings().latest() == rings && world.store.commits().size() == commits;
  }
  std::shared_ptr<const Rings> rings;
  std::size_t commits;
};

TEST_CASE("dry run: of every change tells what would move, to anybody, and changes nothing") {
  World world({{"a", 1}, {"b", 1}, {"c", 1}});
  REQUIRE(world.ask<protocol::AddNodes>({{}, "default", {{"d"}}, false}));
  RingCreate::Request pool;
  pool.ring = "pool";
  pool.nodes = {{"a"}, {"b"}};
  REQUIRE(world.ask<RingCreate>(pool));
  const Before before(world);
  ChangeOptions dry;
  dry.dry_run = true;
  dry.request_id = "seen-once";

  const auto added = world.ask<protocol::AddNodes>({dry, "default", {{"e"}}, false}, stranger());
  REQUIRE(added);
  REQUIRE(added->plan);
  CHECK(added->added == Names{"e"});
  CHECK(added->epoch == 2);
  CHECK(added->plan->moved == doctest::Approx(0.2).epsilon(0.3));
  CHECK(added->moved == added->plan->moved);
  const auto removed = world.ask<protocol::RemoveNodes>({dry, "default", {"d"}, false}, stranger());
  REQUIRE(removed);
  CHECK(removed->plan->removed == Names{"d"});
  CHECK(removed->removed == Names{"d"});

  ApplyChange::Request apply;
  static_cast<ChangeOptions&>(apply) = dry;
  apply.nodes = std::vector<NodeGiven>{{"a", 2}, {"z"}};
  const auto applied = world.ask<ApplyChange>(apply, stranger());
  REQUIRE(applied);
  CHECK(applied->added == Names{"z"});
  CHECK(applied->altered == Names{"a"});
  CHECK(applied->plan->altered.front().before.weight == 1);
  const auto back = world.ask<RollBack>({dry, "default", 1}, stranger());
  REQUIRE(back);
  CHECK(back->removed == Names{"d"});
  CHECK(back->plan->moved == doctest::Approx(removed->plan->moved));
  const auto limited = world.ask<RingSet>({dry, "default", 0.1}, stranger());
  REQUIRE(limited);
  CHECK(limited->plan->moved == 0);

  RingCreate::Request create;
  static_cast<ChangeOptions&>(create) = dry;
  create.ring = "new";
  create.nodes = {{"a"}, {"b"}};
  const auto created = world.ask<RingCreate>(create, stranger());
  REQUIRE(created);
  CHECK(created->added == Names{"a", "b"});
  CHECK(created->plan->moved == doctest::Approx(1));
  const auto copied = world.ask<RingCopy>({dry, "default", "copy"}, stranger());
  REQUIRE(copied);
  CHECK(copied->added == Names{"a", "b", "c", "d"});
  const auto deleted = world.ask<RingDelete>({dry, "pool", false}, stranger());
  REQUIRE(deleted);
  CHECK(deleted->plan->removed == Names{"a", "b"});
  CHECK(deleted->plan->moved == doctest::Approx(1));

  CHECK(before.is_still(world));
  CHECK(world.store.requests().empty());
  // A plan of it is as good as any.
  CHECK(world.ask<ApplyChange>(apply_plan("default", added->plan->id))->added == Names{"e"});
}

TEST_CASE("dry run: is refused as the change would be") {
  World world({{"a", 1}, {"b", 1}});
  const Before before(world);
  ChangeOptions dry;
  dry.dry_run = true;
  RingCreate::Request create;
  static_cast<ChangeOptions&>(create) = dry;
  create.ring = "default";
  const auto both = [&]<class Op>(std::type_identity<Op>, typename Op::Request request, Errc code) {
    CHECK(refusal(world.ask<Op>(request)).code == code);
    request.dry_run = false;
    CHECK(refusal(world.ask<Op>(request)).code == code);
  };
  both(std::type_identity<protocol::AddNodes>(), {dry, "default", {{"a"}}, false}, Errc::conflict);
  both(std::type_identity<protocol::AddNodes>(), {dry, "nobody", {{"a"}}, false}, Errc::not_found);
  both(std::type_identity<protocol::AddNodes>(), {dry, "default", {{"c", 1e6}}, false}, Errc::too_large);
  both(std::type_identity<protocol::RemoveNodes>(), {dry, "default", {"x"}, false}, Errc::not_found);
  both(std::type_identity<RollBack>(), {dry, "default", 9}, Errc::not_found);
  both(std::type_identity<RingSet>(), {dry, "default", -1}, Errc::invalid_argument);
  both(std::type_identity<RingCreate>(), create, Errc::conflict);
  create.ring = "bad name";
  both(std::type_identity<RingCreate>(), create, Errc::invalid_argument);
  both(std::type_identity<RingCopy>(), {dry, "nobody", "copy"}, Errc::not_found);
  both(std::type_identity<RingDelete>(), {dry, "nobody", false}, Errc::not_found);
  both(std::type_identity<RingDelete>(), {dry, "default", false}, Errc::invalid_argument);
  CHECK_FALSE(world.ask<RingDelete>({dry, "nobody", true})->deleted);
  CHECK(before.is_still(world));
}

TEST_CASE("change: a caller who may not change anything may not do so in any way") {
  World world({{"a", 1}, {"b", 1}});
  const Before before(world);
  ApplyChange::Request apply;
  apply.add = {{"c"}};
  CHECK(refusal(world.ask<ApplyChange>(apply, stranger())).code == Errc::denied);
  CHECK(refusal(world.ask<RollBack>({{}, "default", 0}, stranger())).code == Errc::denied);
  CHECK(refusal(world.ask<RingSet>({{}, "default", 0.5}, stranger())).code == Errc::denied);
  CHECK(refusal(world.ask<RingDelete>({{}, "pool", true}, stranger())).code == Errc::denied);
  CHECK(before.is_still(world));
}

}  // namespace
}  // namespace chash::service::test
