#include "sections.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "chash/hash.h"
#include "failure.h"
#include "load.h"
#include "processes.h"
#include "requests.h"

namespace bench {
namespace {

template <class Measure>
Step one_row(std::string name, Measure measure) {
  return {{{std::move(name)}},
          [measure](std::vector<Row>& rows) { rows.front().rounds.push_back(figures_of(measure())); }};
}

// Calls `once` with key after key; the clock is read every thousand keys.
template <class Once>
Step in_process(std::string name, const Options& options, Once once) {
  return one_row(std::move(name), [=] {
    Sample sample;
    const double cpu = cpu_seconds();
    const std::int64_t start = now_ns(), deadline = start + static_cast<std::int64_t>(options.seconds * 1e9);
    std::int64_t now = start;
    [[maybe_unused]] volatile std::uint64_t sink = 0;  // so that the work is done
    for (std::size_t at = 0; now < deadline;) {
      constexpr std::size_t block = 1000;
      const std::int64_t block_start = now;
      for (std::size_t i = 0; i < block; ++i, ++at) sink = static_cast<std::uint64_t>(once(keys()[at % keys().size()]));
      now = now_ns();
      sample.count += static_cast<double>(block);
      sample.latencies_ns.push_back(static_cast<std::uint32_t>((now - block_start) / static_cast<std::int64_t>(block)));
    }
    sample.seconds = static_cast<double>(now - start) * 1e-9;
    sample.client_cpu_s = cpu_seconds() - cpu;
    return sample;
  });
}

Step load_row(std::string name, const Options& options, pid_t server, Load load) {
  return one_row(std::move(name), [=, load = std::move(load)] {
    const double cpu = cpu_seconds(server);
    Sample sample = run(load, options.seconds);
    sample.daemon_cpu_s = cpu_seconds(server) - cpu;
    return sample;
  });
}

Load lines(const Address& address, Tape tape) {
  Load load;
  load.address = address;
  load.tapes.push_back(std::move(tape));
  return load;
}
Load http(const Address& address, Tape tape) {
  Load load = lines(address, std::move(tape));
  load.protocol = Protocol::http;
  return load;
}
Load with_depth(Load load, std::size_t depth) { return load.depth = depth, load; }
Load with_keys(Load load, std::size_t keys_each) { return load.keys = keys_each, load; }
Load with_reconnects(Load load) { return load.reconnects = true, load; }
Load with_connections(Load load, std::size_t connections, std::size_t depth = 1) {
  load.connections = connections;
  load.depth = depth;
  return load;
}

// --- Changes ---------------------------------------------------------------------------------------------------------

// What makes a change durable, alone: as much as a small commit writes, over old bytes as in a log that is used again,
// and a sync.
Step sync_row(const Options& options, const std::filesystem::path& file) {
  return one_row("4 KiB written and synced, no daemon", [=] {
    constexpr std::size_t pages = 256;
    const std::vector<char> bytes(pages * 4096);
    const std::string_view page(bytes.data(), 4096);
    const Fd out(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const auto write_synced = [&](std::string_view what, std::size_t at) {
      const bool done = pwrite(out.get(), what.data(), what.size(), static_cast<off_t>(at)) == std::ssize(what);
      if (!done || fdatasync(out.get()) != 0) fail_with_errno("cannot write to " + file.string());
    };
    write_synced({bytes.data(), bytes.size()}, 0);
    Sample sample;
    const double cpu = cpu_seconds();
    const std::int64_t start = now_ns(), deadline = start + static_cast<std::int64_t>(options.seconds * 1e9);
    std::int64_t now = start;
    for (std::size_t i = 0; now < deadline; ++i) {
      write_synced(page, i % pages * page.size());
      const std::int64_t before = std::exchange(now, now_ns());
      sample.latencies_ns.push_back(static_cast<std::uint32_t>(now - before));
    }
    sample.count = static_cast<double>(sample.latencies_ns.size());
    sample.seconds = static_cast<double>(now - start) * 1e-9;
    sample.client_cpu_s = cpu_seconds() - cpu;
    return sample;
  });
}

// A node added, then removed: two changes.
Step change_row(std::string name, const Options& options, const Daemon& daemon, std::size_t clients,
                std::size_t depth) {
  Load load;
  load.address = daemon.socket();
  load.connections = clients;
  load.depth = depth;
  std::vector<std::string> names;
  for (std::size_t client = 0; client < clients; ++client) {
    load.tapes.push_back(socket_changes(client));
    names.push_back(bench_node(client));
  }
  Step step = load_row(std::move(name), options, daemon.pid(), std::move(load));
  step.measure = [measure = std::move(step.measure), names, &daemon](std::vector<Row>& rows) {
    measure(rows);
    daemon.remove_nodes(names);
  };
  return step;
}

// --- Processes -------------------------------------------------------------------------------------------------------

struct Program {
  std::string name;
  std::vector<std::string> command;  // empty: not there
  std::string prints;                // checked once
};

std::vector<Program> programs(const Daemon& daemon) {
  const std::string chash = (own_directory() / "chash").string();
  const bool has_chash = access(chash.c_str(), X_OK) == 0;
  const std::string curl = find_program("curl"), nothing = find_program("true");
  const std::string url = "http://127.0.0.1:" + std::to_string(daemon.http_port());
  std::vector<Program> all{
      {"true", {nothing}, ""},
      {"chash --version", {chash, "--version"}, ""},
      {"chash get-node user:123, by the socket",
       {chash, "--socket", daemon.socket().path, "get-node", "user:123"},
       "cache-node-3\n"},
      {"chash get-node user:123, by HTTP", {chash, "--url", url, "get-node", "user:123"}, "cache-node-3\n"},
      {"curl -s URL/api/get-node/user:123", {curl, "-s", url + "/api/get-node/user:123"}, "\"cache-node-3\""}};
  for (Program& program : all) {
    const std::string& file = program.command.front();
    if (file.empty() || (file == chash && !has_chash)) program.command.clear();
    else if (!program.prints.empty() && output_of(program.command) != program.prints)
      fail(program.name + " does not print " + program.prints);
  }
  return all;
}

Sample sample_of(std::vector<std::uint32_t> times_ns) {
  Sample sample;
  sample.count = static_cast<double>(times_ns.size());
  for (const std::uint32_t time : times_ns) sample.seconds += time * 1e-9;
  sample.latencies_ns = std::move(times_ns);
  return sample;
}

}  // namespace

Section in_process_section(const Options& options) {
  static const chash::Placement placement = *chash::build(seed_ring());
  return {"In this process",
          "lookups",
          {in_process("MD5 of a key", options, [](const std::string& key) { return chash::md5(key); }),
           in_process("the owner of a key, 3 nodes", options,
                      [](const std::string& key) { return placement.owner(key); })}};
}

Section socket_section(const Options& options, const Daemon& daemon, const Echo& echo) {
  const auto row = [&](std::string name, Load load) {
    return load_row(std::move(name), options, daemon.pid(), std::move(load));
  };
  const Load one = lines(daemon.socket(), socket_lookups());
  const Load idle = lines(echo.address(), echoed_lookups());
  return {"Unix socket",
          "lookups",
          {load_row("an echo, one at a time", options, echo.pid(), idle),
           load_row("an echo, 64 in flight", options, echo.pid(), with_depth(idle, 64)),
           row("get-node, one at a time", one), row("get-node, 64 in flight", with_depth(one, 64)),
           row("get-node, 8 connections", with_connections(one, 8)),
           row("get-node, 32 connections", with_connections(one, 32)),
           row("get-node, 8 connections, 64 in flight", with_connections(one, 8, 64)),
           row("get-node, a connection for each", with_reconnects(one)),
           row("get-nodes, 100 keys", with_keys(lines(daemon.socket(), socket_batches(100)), 100)),
           row("get-nodes, 1,000 keys", with_keys(lines(daemon.socket(), socket_batches(1000)), 1000))}};
}

Section http_section(const Options& options, const Daemon& daemon, const Echo* echo, const std::string& title) {
  const Load one = http(daemon.http(), http_seed_lookups(daemon.http_port()));
  const Load v1 = http(daemon.http(), http_v1_lookups(daemon.http_port()));
  const Load batches = with_keys(http(daemon.http(), http_batches(daemon.http_port(), 1000)), 1000);
  Section section{title, "lookups", {}};
  if (echo != nullptr)
    section.steps.push_back(
        load_row("an echo, one at a time", options, echo->pid(), lines(echo->address(), echoed_lookups())));
  const auto add = [&](std::string name, Load load) {
    Step step = load_row(std::move(name), options, daemon.pid(), std::move(load));
    step.measure = [measure = std::move(step.measure), &daemon](std::vector<Row>& rows) {
      measure(rows);
      daemon.empty_logs();
    };
    section.steps.push_back(std::move(step));
  };
  add("/api/get-node/KEY, one at a time", one);
  add("/api/get-node/KEY, 64 in flight", with_depth(one, 64));
  add("/api/get-node/KEY, 8 connections", with_connections(one, 8));
  add("/api/get-node/KEY, 32 connections", with_connections(one, 32));
  add("/api/get-node/KEY, 8 connections, 64 in flight", with_connections(one, 8, 64));
  add("/api/get-node/KEY, a connection for each", with_reconnects(one));
  add("/api/v1 node?key=KEY, one at a time", v1);
  add("/api/v1 node?key=KEY, 64 in flight", with_depth(v1, 64));
  add("/api/v1 get-nodes, 1,000 keys", batches);
  return section;
}

Section change_section(const Options& options, const Daemon& daemon, const Scratch& scratch) {
  return {"Changes by the socket: add a node, remove it",
          "changes",
          {sync_row(options, scratch.path() / "synced"), change_row("one client, one at a time", options, daemon, 1, 1),
           change_row("one client, 16 in flight", options, daemon, 1, 16),
           change_row("16 clients", options, daemon, 16, 1)}};
}

// All programs in turn, so that what disturbs one disturbs all.
Section process_section(const Options& options, const Daemon& daemon) {
  const std::vector<Program> all = programs(daemon);
  Step step;
  for (const Program& program : all) step.rows.push_back({program.name});
  step.measure = [all, runs = options.runs](std::vector<Row>& rows) {
    std::vector<std::vector<std::uint32_t>> times(all.size());
    for (std::size_t run = 0; run < runs; ++run)
      for (std::size_t i = 0; i < all.size(); ++i)
        if (!all[i].command.empty()) times[i].push_back(static_cast<std::uint32_t>(time_program(all[i].command)));
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!times[i].empty()) rows[i].rounds.push_back(figures_of(sample_of(std::move(times[i]))));
  };
  return {"One process, from start to end", "runs", {std::move(step)}};
}

Section start_section(const Options& options, const Scratch& scratch) {
  Step step{{{"first start, no state yet"}, {"start with a state file"}}, {}};
  step.measure = [starts = options.starts, daemon_options = options.daemon_options,
                  path = scratch.path() / "starts"](std::vector<Row>& rows) {
    std::array<std::vector<std::uint32_t>, 2> times;
    for (std::size_t i = 0; i < starts; ++i) {
      for (auto& each : times) each.push_back(static_cast<std::uint32_t>(Daemon(path, daemon_options).start_ns()));
      std::filesystem::remove_all(path);
    }
    for (std::size_t i = 0; i < times.size(); ++i) rows[i].rounds.push_back(figures_of(sample_of(std::move(times[i]))));
  };
  return {"chashd, from start to its first answer", "starts", {std::move(step)}};
}

}  // namespace bench
