// status, ping, version: the daemon itself.
#include <algorithm>
#include <chrono>

#include "amounts.h"
#include "chash/version.h"
#include "node_argument.h"
#include "protocol/codec.h"
#include "redraw.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::Ping;
using protocol::protocol_version;
using protocol::Status;

constexpr std::uint32_t most_pings = 1'000'000;

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

void append_line(std::string_view label, const std::string& text, std::string& out) {
  std::string line = "  " + std::string(label);
  line.resize(11, ' ');
  out += line + for_people(text) + '\n';
}

std::string status_text(const Status::Response& status, bool color) {
  const Status::Daemon& daemon = status.daemon;
  const Status::StoreState& store = status.store;
  const Status::Counters& counters = status.counters;
  std::string out = for_people("chashd " + daemon.version + " (pid " + std::to_string(daemon.pid) + ") up " +
                               span_text(daemon.uptime_s) + "   protocol " + std::to_string(daemon.protocol)) +
                    '\n';
  for (const Status::RingState& ring : status.rings)
    append_line(&ring == status.rings.data() ? "rings" : "",
                ring.name + " (" + ring.profile + "): " + counted(ring.nodes, "node", "nodes") + ", " +
                    counted(ring.points, "point", "points") + ", epoch " + std::to_string(ring.epoch),
                out);
  append_line("store",
              store.engine + (store.path.empty() ? "" : " " + store.path) + ", " +
                  counted(store.commits, "commit", "commits") + " since the start",
              out);
  if (!store.writable) {
    const std::string_view alarm = color ? "\x1b[1;31m" : "", calm = color ? "\x1b[0m" : "";
    out += "           " + std::string(alarm) + "NOT WRITABLE: changes are refused until a write succeeds" +
           std::string(calm) + '\n';
  }
  append_line("listens", joined(status.listeners), out);
  append_line("served",
              counted(counters.lookups, "lookup", "lookups") + ", " + counted(counters.changes, "change", "changes") +
                  "; " + counted(counters.connections, "connection", "connections") + " open",
              out);
  if (counters.log_lines_dropped > 0)
    append_line("logs",
                counted(counters.log_lines_dropped, "line", "lines") + " dropped: no disk or console took them in time",
                out);
  return out;
}

Record record_of(const Status::Response& status) {
  std::uint64_t nodes = 0;
  for (const Status::RingState& ring : status.rings) nodes += ring.nodes;
  return {{"version", status.daemon.version},
          {"protocol", std::uint64_t{status.daemon.protocol}},
          {"pid", status.daemon.pid},
          {"uptime_s", status.daemon.uptime_s},
          {"rings", std::uint64_t{status.rings.size()}},
          {"nodes", nodes},
          {"engine", status.store.engine},
          {"path", status.store.path},
          {"commits", status.store.commits},
          {"listeners", joined(status.listeners)},
          {"lookups", status.counters.lookups},
          {"changes", status.counters.changes},
          {"connections", status.counters.connections},
          {"log_lines_dropped", status.counters.log_lines_dropped}};
}

Record record_of(const Ping::Response& pong, double took_ms) {
  return {{"version", pong.version}, {"protocol", std::uint64_t{pong.protocol}}, {"pid", pong.pid}, {"ms", took_ms}};
}

int print_status(const Run& run, const Template& format) {
  const auto status = run.session.call<Status>({});
  if (!status) return run.fail(status.error());
  std::string& out = run.out.text();
  if (format) return run.print(format, record_of(*status));
  if (run.json()) {
    protocol::encode_response(*status, out);
    out += '\n';
  } else if (is_watched(run) && !run.out.is_terminal()) {
    append_plain(record_of(*status), out);  // whoever reads on and on wants a line each time
  } else {
    out += status_text(*status, run.color);
  }
  return 0;
}

int print_pong(const Run& run, const Template& format, const Ping::Response& pong, double took_ms) {
  std::string& out = run.out.text();
  if (format) return run.print(format, record_of(pong, took_ms));
  if (run.json()) {
    protocol::encode_response(pong, out);
    out.back() = ',';  // in the place of the closing brace
    out += "\"ms\":" + json_number(took_ms) + "}\n";
  } else if (!run.line.has(Option::quiet)) {
    out += "chashd " + for_people(pong.version) + " (pid " + std::to_string(pong.pid) + ") answers in " +
           ms_text(took_ms) + '\n';
  }
  return 0;
}

}  // namespace

int show_status(const Run& run) {
  const auto format = run.output_template(record_of(Status::Response()));
  if (!format) return run.misuse(format.error());
  return print_watched(run, [&] { return print_status(run, *format); });
}

int ping(const Run& run) {
  const auto count = parse_count(run.line.text(Option::count).value_or("1"), 1, most_pings, "count");
  if (!count) return run.misuse(count.error());
  const auto format = run.output_template(record_of(Ping::Response(), 0));
  if (!format) return run.misuse(format.error());

  double shortest = 0, longest = 0, sum = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    // Connecting is not what is measured.
    if (auto ok = run.session.connect(); !ok) return run.fail(ok.error());
    const auto start = std::chrono::steady_clock::now();
    const auto pong = run.session.call<Ping>({});
    const double took_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (!pong) return run.fail(pong.error());
    if (const int status = print_pong(run, *format, *pong, took_ms); status != 0) return status;
    if (auto ok = run.out.is_terminal() ? run.out.flush() : run.out.relieve(); !ok) return run.fail(ok.error());
    shortest = i == 0 ? took_ms : std::min(shortest, took_ms);
    longest = std::max(longest, took_ms);
    sum += took_ms;
  }
  if (*count > 1 && !*format && !run.json() && !run.line.has(Option::quiet))
    run.out.text() += counted(*count, "answer", "answers") + ": shortest " + ms_text(shortest) + ", mean " +
                      ms_text(sum / *count) + ", longest " + ms_text(longest) + '\n';
  return 0;
}

int show_version(const Run& run) {
  const auto record = [](const Ping::Response& pong) {
    return Record{{"chash", std::string(version())},
                  {"chashd", pong.version},
                  {"protocol", std::uint64_t{protocol_version}},
                  {"chashd_protocol", std::uint64_t{pong.protocol}}};
  };
  const auto format = run.output_template(record({}));
  if (!format) return run.misuse(format.error());
  const auto pong = run.session.call<Ping>({});
  if (!pong) return run.fail(pong.error());
  const bool same = pong->protocol == protocol_version;
  std::string& out = run.out.text();
  if (*format) {
    if (const int status = run.print(*format, record(*pong)); status != 0) return status;
  } else if (run.json()) {
    out += "{\"chash\":{\"version\":";
    protocol::append_json_string(version(), out);
    out += ",\"protocol\":" + std::to_string(protocol_version) + "},\"chashd\":";
    protocol::encode_response(*pong, out);
    out += std::string(",\"same_protocol\":") + (same ? "true" : "false") + "}\n";
  } else {
    out += "chash " + std::string(version()) + "   chashd " + for_people(pong->version) + "   protocol " +
           std::to_string(protocol_version) +
           (same ? " (same)" : ", the daemon's is " + std::to_string(pong->protocol)) + '\n';
  }
  if (!same)
    say("WARNING: chash speaks protocol " + std::to_string(protocol_version) + " and chashd " +
        std::to_string(pong->protocol) + "; they may misunderstand each other: install the same release of both");
  return 0;
}

}  // namespace chash::cli
