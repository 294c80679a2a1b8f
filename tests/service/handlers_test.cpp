// Handlers: what each operation answers, and what it refuses.
#include "service/handlers.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "chash/limits.h"
#include "chash/version.h"
#include "service/world.h"

namespace chash::service::test {
namespace {

using namespace protocol;

using Names = std::vector<std::string>;

GetNode::Request key(std::string bytes, std::uint32_t n = 1, std::string ring = "default") {
  return {std::move(ring), {std::move(bytes)}, n};
}

GetNodes::Request keys(std::size_t count, std::uint32_t n = 1) {
  GetNodes::Request request{"default", {}, n};
  for (std::size_t i = 0; i < count; ++i) request.keys.push_back({"key " + std::to_string(i)});
  return request;
}

TEST_CASE("handlers: a key has an owner, and then the next distinct nodes") {
  World world;
  const auto one = world.read<GetNode>(key("user:123"));
  REQUIRE(one);
  CHECK(one->ring == "default");
  CHECK(one->epoch == 1);
  CHECK(one->nodes == Names{one->node});
  const auto three = world.read<GetNode>(key("user:123", 3));
  REQUIRE(three);
  CHECK(three->node == one->node);
  REQUIRE(three->nodes.size() == 3);
  CHECK(three->nodes.front() == one->node);
  CHECK(std::set(three->nodes.begin(), three->nodes.end()).size() == 3);
}

TEST_CASE("handlers: a ring with fewer nodes than asked for names them all") {
  World world;
  const auto all = world.read<GetNode>(key("user:123", 256));
  REQUIRE(all);
  CHECK(std::set(all->nodes.begin(), all->nodes.end()) ==
        std::set<std::string>{"cache-node-1", "cache-node-2", "cache-node-3", "heavy"});
  const auto batch = world.read<GetNodes>(keys(3, 256));
  REQUIRE(batch);
  for (const Names& owners : batch->owners) CHECK(owners.size() == 4);
}

TEST_CASE("handlers: a key has 1 to 65536 bytes of any kind") {
  World world;
  CHECK(refusal(world.read<GetNode>(key(""))).code == Errc::invalid_argument);
  CHECK(world.read<GetNode>(key(std::string(1, '\0'))));
  CHECK(world.read<GetNode>(key(std::string("\xff\xfe\n\0", 4))));
  CHECK(world.read<GetNode>(key(std::string(65'536, 'k'))));
  CHECK(refusal(world.read<GetNode>(key(std::string(65'537, 'k')))) ==
        Error{Errc::too_large, "the key has 65537 bytes", "the limit is 65536 bytes"});
}

TEST_CASE("handlers: n is 1 to 256") {
  World world;
  for (const std::uint32_t n : {1U, 2U, 255U, 256U}) {
    CHECK(world.read<GetNode>(key("k", n)));
    CHECK(world.read<GetNodes>(keys(2, n)));
  }
  for (const std::uint32_t n : {0U, 257U, 4'294'967'295U}) {
    CHECK(refusal(world.read<GetNode>(key("k", n))).code == Errc::invalid_argument);
    CHECK(refusal(world.read<GetNodes>(keys(2, n))).code == Errc::invalid_argument);
  }
}

TEST_CASE("handlers: a batch answers each key as if asked alone, in the order asked, all at one epoch") {
  World world;
  auto request = keys(500, 2);
  request.keys[7] = request.keys[3];
  const auto batch = world.read<GetNodes>(request);
  REQUIRE(batch);
  CHECK(batch->ring == "default");
  CHECK(batch->epoch == 1);
  REQUIRE(batch->owners.size() == 500);
  for (std::size_t i = 0; i < 500; ++i) {
    const auto alone = world.read<GetNode>(key(request.keys[i].bytes, 2));
    REQUIRE(alone);
    CHECK(batch->owners[i] == alone->nodes);
  }
}

TEST_CASE("handlers: a batch has 1 to 10000 keys, and one bad key refuses it by its number") {
  World world;
  CHECK(refusal(world.read<GetNodes>(keys(0))).code == Errc::invalid_argument);
  CHECK(world.read<GetNodes>(keys(1)));
  const auto most = world.read<GetNodes>(keys(10'000));
  REQUIRE(most);
  CHECK(most->owners.size() == 10'000);
  CHECK(refusal(world.read<GetNodes>(keys(10'001))) ==
        Error{Errc::too_large, "'keys' has 10001 keys", "ask for at most 10000 at once"});

  auto request = keys(5);
  request.keys[2].bytes.clear();
  CHECK(refusal(world.read<GetNodes>(request)).message == "the key is empty (key 3 of the batch)");
  request.keys[2].bytes.assign(65'537, 'k');
  CHECK(refusal(world.read<GetNodes>(request)).code == Errc::too_large);
  CHECK(refusal(world.read<GetNodes>(request)).message == "the key has 65537 bytes (key 3 of the batch)");
}

TEST_CASE("handlers: an empty ring owns nothing, but can be listed and told of") {
  World world(std::vector<Node>{});
  CHECK(refusal(world.read<GetNode>(key("k"))) ==
        Error{Errc::empty_ring, "ring 'default' has no node that may answer", "add one: chash add NODE"});
  CHECK(refusal(world.read<GetNode>(key("k", 5))).code == Errc::empty_ring);
  CHECK(refusal(world.read<GetNodes>(keys(2))).code == Errc::empty_ring);
  const auto list = world.read<ListNodes>({});
  REQUIRE(list);
  CHECK(list->epoch == 0);
  CHECK(list->nodes.empty());
  const auto status = world.read<Status>({});
  REQUIRE(status);
  REQUIRE(status->rings.size() == 1);
  CHECK(status->rings[0].points == 0);
  CHECK(status->counters.lookups == 0);
}

TEST_CASE("handlers: a ring that is not there is named in printable text, by every operation") {
  World world;
  const Error unknown{Errc::not_found, "no ring 'other'", "the rings are: default"};
  CHECK(refusal(world.read<GetNode>(key("k", 1, "other"))) == unknown);
  auto batch = keys(2);
  batch.ring = "other";
  CHECK(refusal(world.read<GetNodes>(batch)) == unknown);
  CHECK(refusal(world.read<ListNodes>({"other"})) == unknown);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "other", {{"a", 1}}, false})) == unknown);
  CHECK(refusal(world.ask<protocol::RemoveNodes>({{}, "other", {"a"}, false})) == unknown);
  CHECK(refusal(world.read<ListNodes>({""})).message == "no ring ''");
  CHECK(refusal(world.read<ListNodes>({"\x1b[2J\n"})).message == "no ring '\\x1b[2J\\x0a'");
  CHECK(refusal(world.read<ListNodes>({std::string(70'000, 'r')})).message.size() < 400);
  CHECK(world.store.commits().size() == 1);
}

TEST_CASE("handlers: a list has names, weights and virtual nodes in the order of adding") {
  World world({{"z", 1}, {"a", 0.001}, {"m", 2.5}});
  REQUIRE(world.ask<protocol::AddNodes>({{}, "default", {{"b", 1.005}}, false}));
  const auto list = world.read<ListNodes>({});
  REQUIRE(list);
  CHECK(list->ring == "default");
  CHECK(list->epoch == 2);
  using Row = std::tuple<std::string, double, std::uint64_t>;
  std::vector<Row> rows;
  for (const auto& node : list->nodes) rows.emplace_back(node.name, node.weight, node.vnodes);
  CHECK(rows == std::vector<Row>{{"z", 1, 100}, {"a", 0.001, 1}, {"m", 2.5, 250}, {"b", 1.005, 100}});
}

TEST_CASE("handlers: adding answers with both epochs and what was added") {
  World world({{"a", 1}});
  const auto added = world.ask<protocol::AddNodes>({{}, "default", {{"b", 2}, {"c", 1}}, false});
  REQUIRE(added);
  CHECK(added->ring == "default");
  CHECK(added->epoch == 2);
  CHECK(added->previous_epoch == 1);
  CHECK(added->added == Names{"b", "c"});
  CHECK(world.read<ListNodes>({})->epoch == 2);  // one reads one's writes

  const auto lenient = world.ask<protocol::AddNodes>({{}, "default", {{"b", 9}, {"d", 1}}, true});
  REQUIRE(lenient);
  CHECK(lenient->added == Names{"d"});
  const auto nothing = world.ask<protocol::AddNodes>({{}, "default", {{"b", 9}}, true});
  REQUIRE(nothing);
  CHECK(nothing->epoch == 3);
  CHECK(nothing->previous_epoch == 3);
  CHECK(nothing->added.empty());

  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"a", 1}}, false})).code == Errc::conflict);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {}, false})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"x", 0}}, false})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"x", 1e7}}, false})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"x", 1e6}}, false})).code == Errc::too_large);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"a b", 1}}, false})).code == Errc::invalid_argument);
}

TEST_CASE("handlers: removing answers with both epochs and what was removed") {
  World world({{"a", 1}, {"b", 1}, {"c", 1}});
  const auto removed = world.ask<protocol::RemoveNodes>({{}, "default", {"c", "a"}, false});
  REQUIRE(removed);
  CHECK(removed->epoch == 2);
  CHECK(removed->previous_epoch == 1);
  CHECK(removed->removed == Names{"c", "a"});
  const auto lenient = world.ask<protocol::RemoveNodes>({{}, "default", {"a", "b"}, true});
  REQUIRE(lenient);
  CHECK(lenient->removed == Names{"b"});
  CHECK(lenient->epoch == 3);
  CHECK(refusal(world.ask<protocol::RemoveNodes>({{}, "default", {"b"}, false})).code == Errc::not_found);
  CHECK(refusal(world.ask<protocol::RemoveNodes>({{}, "default", {}, true})).code == Errc::invalid_argument);
}

TEST_CASE("handlers: a caller who may not change anything gets the reason, and nothing reaches the store") {
  World world;
  const Error no{Errc::denied, "uid 65534 may not change the ring", "ask somebody"};
  const Caller stranger{"uid 65534, pid 1", no};
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"b", 1}}, false}, stranger)) == no);
  CHECK(refusal(world.ask<protocol::RemoveNodes>({{}, "default", {"heavy"}, false}, stranger)) == no);
  CHECK(refusal(world.ask<protocol::AddNodes>({{}, "default", {{"heavy", 1}}, true}, stranger)) == no);
  std::optional<Error> legacy;
  world.handlers->change("default", chash::RemoveNodes{{"heavy"}, false}, stranger,
                         [&](const Result<Committed>& answer) { legacy = refusal(answer); }, {});
  CHECK(legacy == no);
  CHECK(world.store.commits().size() == 1);
  CHECK(world.read<ListNodes>({})->nodes.size() == 4);
}

TEST_CASE("handlers: a read is not taken for a change, nor a change for a read") {
  World world;
  CHECK(refusal(world.handlers->read(protocol::AddNodes::Request{{}, "default", {{"b", 1}}, false})).code ==
        Errc::internal);
  CHECK(refusal(world.handlers->read(protocol::RemoveNodes::Request{{}, "default", {"heavy"}, false})).code ==
        Errc::internal);
  CHECK(refusal(world.handlers->read(PlanChange::Request())).code == Errc::internal);
  CHECK(refusal(world.begin<Ping>({}).get()).code == Errc::internal);
  CHECK(world.begin<GetNode>(key("k")).get()->epoch == 1);  // aside as at once
  CHECK(world.store.commits().size() == 1);
}

TEST_CASE("handlers: ping says which daemon answers") {
  World world;
  const auto pong = world.read<Ping>({});
  REQUIRE(pong);
  CHECK(pong->version == version());
  CHECK(pong->protocol == protocol_version);
  CHECK(pong->pid == static_cast<std::uint64_t>(getpid()));
}

TEST_CASE("handlers: status tells what the daemon is, holds and has done") {
  World world;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch());
  world.daemon.started_s = now.count() - 90;
  world.daemon.listeners = {"/run/chash/chashd.sock", "http://127.0.0.1:8000"};
  world.daemon.connections = 3;

  CHECK(world.read<GetNode>(key("k")));
  CHECK(world.read<GetNode>(key("k", 4)));
  CHECK(world.read<GetNodes>(keys(1000)));
  CHECK_FALSE(world.read<GetNode>(key("")));
  auto half_bad = keys(10);
  half_bad.keys[9].bytes.clear();
  CHECK_FALSE(world.read<GetNodes>(half_bad));
  REQUIRE(world.ask<protocol::AddNodes>({{}, "default", {{"b", 1}, {"c", 1}}, false}));
  REQUIRE(world.ask<protocol::AddNodes>({{}, "default", {{"b", 1}}, true}));  // nothing to do
  CHECK_FALSE(world.ask<protocol::AddNodes>({{}, "default", {{"b", 1}}, false}));

  const auto status = world.read<Status>({});
  REQUIRE(status);
  CHECK(status->daemon.version == version());
  CHECK(status->daemon.protocol == protocol_version);
  CHECK(status->daemon.pid == static_cast<std::uint64_t>(getpid()));
  CHECK(status->daemon.uptime_s >= 90);
  CHECK(status->daemon.uptime_s < 150);
  REQUIRE(status->rings.size() == 1);
  CHECK(status->rings[0].name == "default");
  CHECK(status->rings[0].epoch == 2);
  CHECK(status->rings[0].nodes == 6);
  CHECK(status->rings[0].points == 750);
  CHECK(status->store.engine == "fake");
  CHECK(status->store.path == "/nowhere");
  CHECK(status->store.writable);
  CHECK(status->store.commits == 2);  // the initial nodes are one
  CHECK(status->listeners == world.daemon.listeners);
  CHECK(status->counters.lookups == 1002);
  CHECK(status->counters.changes == 2);
  CHECK(status->counters.connections == 3);
  CHECK(status->counters.log_lines_dropped == 0);
}

TEST_CASE("handlers: reload answers what reading the settings came to, and only who may change has it done") {
  World world;
  int reloads = 0;
  world.daemon.reload = [&] {
    world.log->set_level(LogLevel::error);
    return ++reloads == 1 ? Result<void>() : make_error(Errc::storage_failed, "no such directory");
  };
  CHECK(refusal(world.ask<Reload>({}, {"uid 7", make_error(Errc::denied, "no")})).code == Errc::denied);
  CHECK(reloads == 0);
  CHECK(world.ask<Reload>({})->log_level == "error");
  CHECK(refusal(world.ask<Reload>({})).message == "no such directory");
  CHECK(reloads == 2);
}

TEST_CASE("handlers: the log level is told, changed by its name, and left alone by any other") {
  World world;
  world.log->set_level(LogLevel::info);
  CHECK(text_of(*world.ask<SetLogLevel>({})) == R"({"level":"info"})");
  for (const std::string level : {"debug", "info", "warning", "error", "critical"}) {
    CHECK(world.ask<SetLogLevel>({level})->level == level);
    CHECK(name(world.log->level()) == level);
  }
  CHECK(refusal(world.ask<SetLogLevel>({"Debug"})).code == Errc::invalid_argument);
  CHECK(refusal(world.ask<SetLogLevel>({"debug"}, {"uid 7", make_error(Errc::denied, "no")})).code == Errc::denied);
  CHECK(world.ask<SetLogLevel>({"debug"})->previous == "critical");
}

}  // namespace
}  // namespace chash::service::test
