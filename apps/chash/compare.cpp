// compare: how many keys keep their node from one ring to another: the hit rate to expect after a migration.
#include <cmath>
#include <map>

#include "chash/limits.h"
#include "chash/random_keys.h"
#include "input_file.h"
#include "key_batch.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

constexpr std::uint32_t most_keys = 1'000'000'000;

struct Counts {
  std::uint64_t before = 0, after = 0, kept = 0;
};

struct Comparison {
  std::uint64_t keys = 0, kept = 0, unforetold = 0;
  std::map<std::string, Counts> nodes;

  void add(const OfflineRing& from, const OfflineRing& to, std::string_view key) {
    const NodeIndex before = from.placement.owner(key), after = to.placement.owner(key);
    if (before == no_node || after == no_node) return void(++unforetold);
    const std::string &old_name = from.nodes[before].name, &new_name = to.nodes[after].name;
    ++keys;
    ++nodes[old_name].before;
    ++nodes[new_name].after;
    if (old_name != new_name) return;
    ++kept;
    ++nodes[old_name].kept;
  }
  double share(std::uint64_t count, std::uint64_t of) const {
    return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
  }
  // Half the width of the interval that holds the true share 95 times of 100.
  double error() const {
    const double p = share(kept, keys);
    return keys == 0 ? 1 : 1.96 * std::sqrt(p * (1 - p) / static_cast<double>(keys));
  }
};

// PROFILE:NODES, with a list or @FILE behind the colon; a name alone is a ring of the daemon.
Result<OfflineRing> ring_from(const Run& run, const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return fetch_ring(run, text);
  const std::string nodes = text.substr(colon + 1);
  auto parsed = nodes.starts_with('@') ? read_nodes_file(nodes.substr(1)) : parse_nodes(nodes);
  if (!parsed) return std::move(parsed).error();
  return make_offline_ring(whole_profile(text.substr(0, colon), run.options.profiles), std::move(*parsed));
}

Result<OfflineRing> side_from(const Run& run, const std::optional<std::string>& text, const std::string& name) {
  if (!text || text->empty())
    return make_error(Errc::invalid_argument, name + " is not given as PROFILE:NODES, nor as a RING",
                      "such as " + name + " libketama:a:11211,b:11211, or PROFILE:@FILE");
  auto ring = ring_from(run, *text);
  if (ring && ring->placement.empty()) return make_error(Errc::empty_ring, name + " has no nodes");
  return ring;
}

Result<void> compare_keys(const std::string& path, bool hex, const OfflineRing& from, const OfflineRing& to,
                          Comparison& comparison) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  RecordSplitter splitter('\n', 2 * limits::key_bytes);
  Result<void> outcome;
  const auto take = [&](std::uint64_t number, std::string_view key, std::uint64_t) {
    const auto bytes = hex ? protocol::hex_decode(key) : std::string(key);
    if (bytes) return comparison.add(from, to, *bytes), true;
    outcome = make_error(Errc::invalid_argument, "line " + std::to_string(number) + " is not hex");
    return false;
  };
  std::vector<char> piece(65536);
  for (std::size_t count = 0; outcome && (count = file->read(piece.data(), piece.size())) > 0;)
    splitter.feed({piece.data(), count}, take);
  if (outcome) splitter.finish(take);
  if (!outcome) return outcome;
  if (auto ok = file->check(); !ok) return ok;
  if (comparison.keys + comparison.unforetold == 0)
    return make_error(Errc::invalid_argument, "there is no key to compare", "write one a line");
  return {};
}

std::string percent(double share, int decimals) { return fixed_text(100 * share, decimals) + "%"; }

void print_text(const Run& run, const Comparison& all, bool sampled) {
  std::string& out = run.out.text();
  out += percent(all.share(all.kept, all.keys), 2) + (sampled ? " (+- " + percent(all.error(), 2) + ")" : "") + " of " +
         std::to_string(all.keys) + (sampled ? " sampled" : "") + " keys keep their node\n";
  Table table({"NODE", "BEFORE", "AFTER", "KEPT"});
  for (const auto& [name, counts] : all.nodes)
    table.add({for_people(name), percent(all.share(counts.before, all.keys), 2),
               percent(all.share(counts.after, all.keys), 2),
               counts.before == 0 ? "-" : percent(all.share(counts.kept, counts.before), 2)});
  table.append_to(out, !run.line.has(Option::no_header), run.color);
}

void print_json(const Run& run, const Comparison& all, bool sampled) {
  std::string& out = run.out.text();
  out += "{\"keys\":" + std::to_string(all.keys) + ",\"sampled\":" + (sampled ? "true" : "false") +
         ",\"kept\":" + number_text(all.share(all.kept, all.keys));
  if (sampled) out += ",\"error\":" + number_text(all.error());
  out += ",\"not_foretold\":" + std::to_string(all.unforetold) + ",\"nodes\":[";
  for (const auto& [name, counts] : all.nodes) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    protocol::append_json_string(name, out);
    out += ",\"before\":" + number_text(all.share(counts.before, all.keys)) +
           ",\"after\":" + number_text(all.share(counts.after, all.keys)) +
           ",\"kept\":" + (counts.before == 0 ? "null" : number_text(all.share(counts.kept, counts.before))) + '}';
  }
  out += "]}\n";
}

}  // namespace

int compare_rings(const Run& run) {
  const auto from_text = run.line.text(Option::from), to_text = run.line.text(Option::to),
             keys_file = run.line.text(Option::keys), sample = run.line.text(Option::sample);
  if (keys_file && sample)
    return run.misuse(make_error(Errc::invalid_argument, "--keys and --sample exclude each other"));
  // Standard input is read once.
  const auto reads_input = [](const std::optional<std::string>& text, std::string_view end) {
    return text && text->ends_with(end);
  };
  if (reads_input(from_text, ":@-") + reads_input(to_text, ":@-") + (keys_file == "-") > 1)
    return run.misuse(
        make_error(Errc::invalid_argument, "standard input is named twice", "put one of them into a file"));
  if (run.line.has(Option::format)) return run.misuse(make_error(Errc::invalid_argument, "compare has no --format"));
  const std::string key_format = run.line.text(Option::key_format).value_or("raw");
  if (key_format != "raw" && key_format != "hex")
    return run.misuse(make_error(Errc::invalid_argument, "the key format is neither raw nor hex"));
  const auto from = side_from(run, from_text, "--from");
  if (!from) return run.fail(from.error());
  const auto to = side_from(run, to_text, "--to");
  if (!to) return run.fail(to.error());
  Comparison comparison;
  if (keys_file) {
    auto ok = compare_keys(*keys_file, key_format == "hex", *from, *to, comparison);
    if (!ok) return run.fail(ok.error());
  } else {
    const auto count = parse_count(sample.value_or("100000"), 1, most_keys, "number of keys");
    if (!count) return run.misuse(count.error());
    RandomKeys keys(1, from->profile);
    for (std::uint32_t i = 0; i < *count; ++i) comparison.add(*from, *to, keys.next());
  }
  if (comparison.unforetold > 0)
    say("WARNING: " + std::to_string(comparison.unforetold) + " keys have no node that is foretold, and are left out");
  run.json() ? print_json(run, comparison, !keys_file) : print_text(run, comparison, !keys_file);
  return 0;
}

}  // namespace chash::cli
