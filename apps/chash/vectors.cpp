// vectors and verify: keys with their hashes and owners, in a file that says all that is needed to check it.
//
//   # chash vectors 1
//   # profile NAME[,PARAMETER=VALUE]…
//   # node NAME [WEIGHT] [FIELD=VALUE]…          one line each, in order
//   # slots NODE NODE …                          balanced: of all slots in order, the node's place among those above
//   KEY in hex <TAB> HASH in hex, or - <TAB> OWNER [<TAB> second node [<TAB> third]]
#include "chash/limits.h"
#include "chash/random_keys.h"
#include "input_file.h"
#include "node_argument.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

constexpr std::size_t owners_each = 3;
constexpr std::size_t shown_differences = 10;
constexpr std::uint32_t most_vectors = 100'000'000;

std::string hash_text(const OfflineRing& ring, std::string_view key) {
  const KeyRule& rule = ring.placement.key_rule();
  const auto hash = rule.bits() == 0 ? std::nullopt : rule.hash(key);
  return hash ? hex(*hash, rule.bits()) : "-";
}

std::string vector_line(const OfflineRing& ring, std::string_view key) {
  std::string line = protocol::hex_encode(key) + '\t' + hash_text(ring, key);
  for (const NodeIndex node : ring.placement.owners(key, owners_each)) line += '\t' + ring.nodes[node].name;
  return line;
}

std::string node_line(const Node& node) {
  const std::string fields = fields_text(node.fields);
  return "# node " + node.name + ' ' + number_text(node.weight) + (fields.empty() ? "" : " ") + fields;
}

void append_slots(const SlotTable& slots, std::string& out) {
  constexpr std::size_t a_line = 64;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slot % a_line == 0) out += slot == 0 ? "# slots" : "\n# slots";
    out += ' ' + std::to_string(slots[slot]);
  }
  if (!slots.empty()) out += '\n';
}

Result<void> read_slots(std::string_view text, std::vector<NodeIndex>& slots) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const auto node = parse_count(std::string(word), 0, limits::nodes - 1, "node of a slot");
    if (!node) return node.error();
    if (slots.size() == limits::balanced_slots) return make_error(Errc::too_large, "the file has too many slots");
    slots.push_back(*node);
  }
  return {};
}

// Reads the lines of the head; the first line of another kind is left in `line`.
Result<OfflineRing> read_head(InputFile& lines, std::string& line) {
  std::string profile, nodes;
  std::vector<NodeIndex> slots;
  bool is_ours = lines.read_line(line) && line == "# chash vectors 1";
  while (is_ours && lines.read_line(line) && line.starts_with('#')) {
    if (line.starts_with("# profile ")) profile = line.substr(10);
    if (line.starts_with("# node ")) nodes += line.substr(7) + '\n';
    if (line.starts_with("# slots "))
      if (auto ok = read_slots(std::string_view(line).substr(8), slots); !ok) return std::move(ok).error();
  }
  if (auto ok = lines.check(); !ok) return std::move(ok).error();
  if (!is_ours) return make_error(Errc::invalid_argument, "this is no file of chash vectors");
  auto parsed = parse_nodes_text(nodes, "the nodes of the file");
  if (!parsed) return std::move(parsed).error();
  const auto rules = parse_profile(profile);
  if (rules && slots.empty() == (rules->algorithm == Profile::Algorithm::balanced))
    return make_error(Errc::invalid_argument, slots.empty()
                                                  ? "the file has no slots, and its profile needs them"
                                                  : "the file has slots, and its profile has none of its own");
  return make_offline_ring(profile, std::move(*parsed), SlotTable(std::move(slots)));
}

}  // namespace

int write_vectors(const Run& run) {
  const auto count = parse_count(run.line.text(Option::count).value_or("1000"), 1, most_vectors, "number of keys");
  if (!count) return run.misuse(count.error());
  const auto seed = parse_count(run.line.text(Option::seed).value_or("1"), 0, 0xffffffff, "seed");
  if (!seed) return run.misuse(seed.error());
  const auto fetched = run.ring == nullptr ? fetch_ring(run, run.options.ring) : *run.ring;
  if (!fetched) return run.fail(fetched.error());
  const OfflineRing& ring = *fetched;
  if (ring.placement.empty())
    return run.fail(make_error(Errc::empty_ring, "the ring has no node that could own a key"));
  std::string& out = run.out.text();
  out += "# chash vectors 1\n# profile " + ring.profile.text + '\n';
  for (const Node& node : ring.nodes) out += node_line(node) + '\n';
  append_slots(ring.slots, out);
  RandomKeys keys(*seed, ring.profile);
  for (std::uint32_t i = 0; i < *count; ++i) {
    out += vector_line(ring, keys.next()) + '\n';
    if (auto ok = run.out.relieve(); !ok) return run.fail(ok.error());
  }
  return 0;
}

int verify_vectors(const Run& run) {
  if (run.line.operands.size() != 1)
    return run.misuse(make_error(Errc::invalid_argument, "name one file of vectors, or - for standard input"));
  auto lines = InputFile::open(run.line.operands.front());
  if (!lines) return run.fail(lines.error());
  std::string line;
  const auto ring = read_head(*lines, line);
  if (!ring) return run.fail(ring.error());
  std::size_t compared = 0, different = 0;
  for (bool more = !line.empty(); more; more = lines->read_line(line)) {
    const auto key = protocol::hex_decode(line.substr(0, line.find('\t')));
    const std::string ours = key ? vector_line(*ring, *key) : std::string();
    ++compared;
    if (ours == line) continue;
    if (++different <= shown_differences && !run.json())
      run.out.text() +=
          "theirs " + for_people(line) + "\nours   " + (key ? for_people(ours) : "the key is not hex") + '\n';
  }
  if (auto ok = lines->check(); !ok) return run.fail(ok.error());
  const std::string agree = std::to_string(compared - different), all = std::to_string(compared);
  run.out.text() +=
      run.json() ? "{\"vectors\":" + all + ",\"agree\":" + agree + "}\n" : agree + " of " + all + " vectors agree\n";
  if (compared == 0) return run.fail(make_error(Errc::invalid_argument, "the file has no vectors"));
  return different == 0 ? 0 : info(Errc::partial).exit_status;
}

}  // namespace chash::cli
