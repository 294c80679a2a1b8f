// bench: how many look-ups a second the daemon answers on the user's own machine.
#include <unistd.h>

#include <algorithm>

#include "amounts.h"
#include "bench_load.h"
#include "input_file.h"
#include "interrupt.h"
#include "key_stream.h"
#include "net/client_http.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::uint32_t most_connections = 256, most_in_flight = 1000;
constexpr std::uint32_t most_keys = 1'000'000;
constexpr std::size_t most_bytes = std::size_t{256} * 1024 * 1024;  // of all requests

Result<std::vector<std::string>> made_or_read_keys(const Run& run) {
  const std::string text = run.line.text(Option::keys).value_or("1000");
  std::vector<std::string> keys;
  if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) {
    const auto count = parse_count(text, 1, most_keys, "number of keys");
    if (!count) return count.error();
    for (std::uint32_t i = 0; i < *count; ++i) keys.push_back("key:" + std::to_string(i));
    return keys;
  }
  auto file = InputFile::open(text);
  if (!file) return std::move(file).error();
  for (std::string line; keys.size() < most_keys && file->read_line(line);)
    if (!key_fault(line, line.size(), false)) keys.push_back(line);
  if (auto ok = file->check(); !ok) return std::move(ok).error();
  if (keys.empty()) return make_error(Errc::invalid_argument, printable(text, 300) + " has no key", "a key a line");
  return keys;
}

Result<std::vector<std::string>> requests_for(const Load& load, const std::string& ring,
                                              std::vector<std::string> keys) {
  std::vector<std::string> requests;
  std::size_t bytes = 0;
  for (std::string& key : keys) {
    const AnyRequest request = GetNode::Request{ring, {std::move(key)}};
    const auto* http = std::get_if<net::HttpEndpoint>(&load.endpoint);
    requests.push_back(http != nullptr ? net::http_request(*http, request, "") : encode_request(request) + '\n');
    if ((bytes += requests.back().size()) > most_bytes)
      return make_error(Errc::invalid_argument, "these keys are too many bytes", "take fewer: head -n 10000");
  }
  return requests;
}

// Where --http leads.
Result<net::Endpoint> http_endpoint(const Run& run) {
  if (std::holds_alternative<net::HttpEndpoint>(run.options.endpoint)) return run.options.endpoint;
  const auto status = run.session.call<Status>({});
  if (!status) return status.error();
  for (const std::string& listener : status->listeners)
    if (listener.starts_with("http://")) return net::parse_url(listener);
  return make_error(Errc::invalid_argument, "the daemon has no HTTP address", "start it with --http ADDR:PORT");
}

// Nothing is asked yet.
Result<Load> read_load(const Run& run) {
  Load load{run.options.endpoint, {}, 1, 1, {}, run.options.timeout};
  const auto duration = parse_duration(run.line.text(Option::duration).value_or("5s"));
  if (!duration) return duration.error();
  const auto connections =
      parse_count(run.line.text(Option::connections).value_or("1"), 1, most_connections, "number of connections");
  if (!connections) return connections.error();
  const bool http = run.line.has(Option::http) || std::holds_alternative<net::HttpEndpoint>(run.options.endpoint);
  const auto pipeline =
      parse_count(run.line.text(Option::pipeline).value_or(http ? "1" : "64"), 1, most_in_flight, "pipeline");
  if (!pipeline) return pipeline.error();
  if (http && *pipeline != 1)
    return make_error(Errc::invalid_argument, "over HTTP a connection has one look-up at a time",
                      "take more --connections");
  load.duration = *duration;
  load.connections = *connections;
  load.pipeline = *pipeline;
  return load;
}

Record record_of(const Load& load, const LoadOutcome& outcome) {
  const auto lookups = outcome.latencies.count();
  return {{"lookups", lookups},
          {"lookups_per_s", outcome.seconds > 0 ? static_cast<double>(lookups) / outcome.seconds : 0.0},
          {"p50_us", outcome.latencies.percentile_us(0.5)},
          {"p99_us", outcome.latencies.percentile_us(0.99)},
          {"p999_us", outcome.latencies.percentile_us(0.999)},
          {"seconds", outcome.seconds},
          {"refused", outcome.refused},
          {"connections", std::uint64_t{load.connections}},
          {"pipeline", std::uint64_t{load.pipeline}}};
}

std::string us_text(double us) { return fixed_text(us, us < 10 ? 1 : 0) + " us"; }

int print(const Run& run, const Template& format, const Load& load, const LoadOutcome& outcome) {
  std::string& out = run.out.text();
  const Record record = record_of(load, outcome);
  if (format) return run.print(format, record);
  if (run.json()) return append_json(record, out), 0;
  const bool table =
      run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
  if (!table) return append_plain(record, out), 0;
  const Latencies& took = outcome.latencies;
  out += grouped(took.count()) + " look-ups in " + fixed_text(outcome.seconds, 1) + " s: " +
         grouped(static_cast<std::uint64_t>(static_cast<double>(took.count()) / std::max(outcome.seconds, 1e-9))) +
         "/s   p50 " + us_text(took.percentile_us(0.5)) + "   p99 " + us_text(took.percentile_us(0.99)) + "   p99.9 " +
         us_text(took.percentile_us(0.999)) + '\n';
  return 0;
}

void show_progress(double part) {
  if (::isatty(STDERR_FILENO) != 1) return;
  const std::string text = part >= 1 ? "\r\x1b[K" : "\rmeasuring: " + fixed_text(100 * part, 0) + "% ";
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

int measure_daemon(const Run& run) {
  auto load = read_load(run);
  if (!load) return run.misuse(load.error());
  const auto format = run.output_template(record_of(*load, {}));
  if (!format) return run.misuse(format.error());
  auto keys = made_or_read_keys(run);
  if (!keys) return run.misuse(keys.error());
  // A ring that cannot answer is found before, and with its own words.
  if (const auto one = run.session.call<GetNode>({run.options.ring, {keys->front()}}); !one)
    return run.fail(one.error());
  if (run.line.has(Option::http)) {
    auto endpoint = http_endpoint(run);
    if (!endpoint) return run.fail(endpoint.error());
    load->endpoint = std::move(*endpoint);
  }
  auto requests = requests_for(*load, run.options.ring, std::move(*keys));
  if (!requests) return run.misuse(requests.error());
  load->requests = std::move(*requests);

  const Interrupt interrupt;
  const auto outcome = run_load(*load, show_progress);
  show_progress(1);
  if (!outcome) return run.fail(outcome.error());
  if (outcome->refused > 0) say("WARNING: " + grouped(outcome->refused) + " look-ups were refused: see chash get-node");
  const int printed = print(run, *format, *load, *outcome);
  return printed != 0 ? printed : Interrupt::came() ? interrupted_status : 0;
}

}  // namespace chash::cli
