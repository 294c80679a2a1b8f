// stats: what the daemon does just now.
#include "amounts.h"
#include "interrupt.h"
#include "redraw.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::Status;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds sample_time{1000};  // of what is printed once

// What was done from one answer of the daemon to the next.
struct Stats {
  Status::Response now;
  double seconds = 0;
  double lookups_per_s = 0, changes_per_s = 0;
};

double rate(std::uint64_t before, std::uint64_t after, double seconds) {
  return after <= before || seconds <= 0 ? 0 : static_cast<double>(after - before) / seconds;
}

class Sampler {
 public:
  explicit Sampler(const Run& run) : run_(run) {}

  Result<Stats> next() {
    auto status = run_.session.call<Status>({});
    if (!status) return std::move(status).error();
    const auto time = Clock::now();
    Stats stats{std::move(*status)};
    // Another process counts from 0, and what it has done was done since it started.
    const bool same = last_.daemon.pid == stats.now.daemon.pid;
    const auto& before = same ? last_.counters : nothing_;
    stats.seconds = std::chrono::duration<double>(time - time_).count();
    if (!same) stats.seconds = std::min(stats.seconds, static_cast<double>(stats.now.daemon.uptime_s));
    stats.lookups_per_s = rate(before.lookups, stats.now.counters.lookups, stats.seconds);
    stats.changes_per_s = rate(before.changes, stats.now.counters.changes, stats.seconds);
    last_ = stats.now;
    time_ = time;
    return stats;
  }

 private:
  const Run& run_;
  const Status::Counters nothing_;
  Status::Response last_;
  Clock::time_point time_{};
};

Record record_of(const Stats& stats) {
  const Status::Counters& counters = stats.now.counters;
  return {{"lookups", counters.lookups},           {"lookups_per_s", stats.lookups_per_s},
          {"changes", counters.changes},           {"changes_per_s", stats.changes_per_s},
          {"connections", counters.connections},   {"log_lines_dropped", counters.log_lines_dropped},
          {"uptime_s", stats.now.daemon.uptime_s}, {"seconds", stats.seconds}};
}

int print(const Run& run, const Template& format, const Stats& stats) {
  if (format) return run.print(format, record_of(stats));
  std::string& out = run.out.text();
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (table) {
    const Status::Counters& counters = stats.now.counters;
    Table rows({"LOOKUPS", "PER S", "CHANGES", "PER S", "CONNECTIONS", "LOG LINES DROPPED", "UP"});
    rows.add({std::to_string(counters.lookups), fixed_text(stats.lookups_per_s, 1), std::to_string(counters.changes),
              fixed_text(stats.changes_per_s, 1), std::to_string(counters.connections),
              std::to_string(counters.log_lines_dropped), span_text(stats.now.daemon.uptime_s)});
    rows.append_to(out, !run.line.has(Option::no_header), run.color);
    return 0;
  }
  if (run.json()) append_json(record_of(stats), out);
  else append_plain(record_of(stats), out);
  return 0;
}

}  // namespace

int show_stats(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  if (is_watched(run))
    if (const auto interval = watch_interval(run); !interval) return run.misuse(interval.error());
  Sampler sampler(run);
  if (const auto first = sampler.next(); !first) return run.fail(first.error());
  const Interrupt interrupt;
  if (!wait_undisturbed(sample_time)) return interrupted_status;
  return print_watched(run, [&] {
    const auto stats = sampler.next();
    return stats ? print(run, *format, *stats) : run.fail(stats.error());
  });
}

}  // namespace chash::cli
