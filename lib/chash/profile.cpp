#include "chash/profile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <utility>

#include "chash/limits.h"

namespace chash {
namespace {

using P = Profile;

Error bad_value(std::string_view value, std::string_view wanted) {
  return make_error(Errc::invalid_argument, "'" + std::string(value.substr(0, 64)) + "' is not " + std::string(wanted));
}

// --- Values that are one of a few words -----------------------------------------------------------------------------

template <class E>
using Words = std::span<const std::pair<std::string_view, E>>;

template <class E, std::size_t N>
using WordTable = std::array<std::pair<std::string_view, E>, N>;

constexpr WordTable<bool, 2> switches{{{"on", true}, {"off", false}}};
constexpr WordTable<P::Algorithm, 11> algorithms{{{"ring", P::Algorithm::ring},
                                                  {"slots", P::Algorithm::slots},
                                                  {"balanced", P::Algorithm::balanced},
                                                  {"modulo", P::Algorithm::modulo},
                                                  {"smooth_table", P::Algorithm::smooth_table},
                                                  {"maglev", P::Algorithm::maglev},
                                                  {"rendezvous", P::Algorithm::rendezvous},
                                                  {"partitions", P::Algorithm::partitions},
                                                  {"furc", P::Algorithm::furc},
                                                  {"jump", P::Algorithm::jump},
                                                  {"probes", P::Algorithm::probes}}};
constexpr WordTable<P::Dialect, 4> dialects{{{"none", P::Dialect::none},
                                             {"memcached", P::Dialect::memcached},
                                             {"haproxy", P::Dialect::haproxy},
                                             {"envoy", P::Dialect::envoy}}};
constexpr WordTable<P::EmptyKey, 3> empty_keys{
    {{"hash", P::EmptyKey::hash}, {"zero", P::EmptyKey::zero}, {"none", P::EmptyKey::none}}};
constexpr WordTable<P::KeyForm, 3> key_forms{
    {{"bytes", P::KeyForm::bytes}, {"network", P::KeyForm::network}, {"python_bytes", P::KeyForm::python_bytes}}};
constexpr WordTable<P::Points, 4> point_sources{{{"text", P::Points::text},
                                                 {"crc32_chain", P::Points::crc32_chain},
                                                 {"haproxy", P::Points::haproxy},
                                                 {"tokens", P::Points::tokens}}};
constexpr WordTable<P::Count, 5> counts{{{"fixed", P::Count::fixed},
                                         {"weight", P::Count::weight},
                                         {"replicas", P::Count::replicas},
                                         {"share", P::Count::share},
                                         {"fill", P::Count::fill}}};
constexpr WordTable<P::Arithmetic, 4> arithmetics{{{"f32", P::Arithmetic::f32},
                                                   {"libketama", P::Arithmetic::libketama},
                                                   {"f64", P::Arithmetic::f64},
                                                   {"whole", P::Arithmetic::whole}}};
constexpr WordTable<P::HashKey, 5> hash_keys{{{"id", P::HashKey::id},
                                              {"id32", P::HashKey::id32},
                                              {"addr", P::HashKey::addr},
                                              {"addr-port", P::HashKey::addr_port},
                                              {"guid", P::HashKey::guid}}};
constexpr WordTable<P::Order, 3> orders{
    {{"given", P::Order::given}, {"bytes", P::Order::bytes}, {"length", P::Order::length}}};
constexpr WordTable<P::Weights, 4> weight_kinds{{{"any", P::Weights::any},
                                                 {"whole", P::Weights::whole},
                                                 {"fraction", P::Weights::fraction},
                                                 {"ignored", P::Weights::ignored}}};
constexpr WordTable<P::ZeroWeight, 3> zero_weights{
    {{"refused", P::ZeroWeight::refused}, {"one", P::ZeroWeight::one}, {"none", P::ZeroWeight::none}}};
constexpr WordTable<P::Down, 4> downs{{{"absent", P::Down::absent},
                                       {"next_point", P::Down::next_point},
                                       {"rehash", P::Down::rehash},
                                       {"repeat", P::Down::repeat}}};
constexpr WordTable<P::Lookup, 4> lookups{{{"successor", P::Lookup::successor},
                                           {"strict", P::Lookup::strict},
                                           {"predecessor", P::Lookup::predecessor},
                                           {"nearest", P::Lookup::nearest}}};
constexpr WordTable<P::Tie, 3> ties{{{"index", P::Tie::index}, {"first", P::Tie::first}, {"last", P::Tie::last}}};
constexpr WordTable<bool, 2> permutations{{{"siphash24", true}, {"xxh64", false}}};
constexpr WordTable<P::Score, 4> scores{{{"xorshift", P::Score::xorshift},
                                         {"text", P::Score::text},
                                         {"mcrouter", P::Score::mcrouter},
                                         {"mcrouter_weighted", P::Score::mcrouter_weighted}}};

template <class E>
std::string words_of(Words<E> table) {
  std::string all;
  for (const auto& [word, value] : table) all += (all.empty() ? "" : ", ") + std::string(word);
  return all;
}

// The two functions of a parameter whose member is one of a table of words.
template <auto Member, const auto& Table>
Result<void> read_word(P& profile, std::string_view value) {
  for (const auto& [word, meaning] : Table)
    if (word == value) return profile.*Member = meaning, Result<void>();
  using E = std::remove_cvref_t<decltype(profile.*Member)>;
  return bad_value(value, "one of " + words_of<E>(Table));
}
template <auto Member, const auto& Table>
std::string write_word(const P& profile) {
  for (const auto& [word, meaning] : Table)
    if (meaning == profile.*Member) return std::string(word);
  return {};
}

// --- Texts and numbers ----------------------------------------------------------------------------------------------

template <auto Member>
Result<void> read_text(P& profile, std::string_view value) {
  profile.*Member = value == "off" ? std::string_view() : value;
  return {};
}
template <auto Member>
std::string write_text(const P& profile) {
  return (profile.*Member).empty() ? "off" : profile.*Member;
}

template <auto Member, std::uint32_t Least, std::uint32_t Most>
Result<void> read_number(P& profile, std::string_view value) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < Least || number > Most)
    return bad_value(value, "a whole number from " + std::to_string(Least) + " to " + std::to_string(Most));
  profile.*Member = number;
  return {};
}
template <auto Member>
std::string write_number(const P& profile) {
  return std::to_string(profile.*Member);
}

Result<void> read_load(P& profile, std::string_view value) {
  double load = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), load);
  if (error != std::errc() || end != value.data() + value.size() || !(load > 1 && load <= 100))
    return bad_value(value, "a number above 1 and at most 100");
  profile.load = load;
  return {};
}
std::string write_load(const P& profile) {
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), profile.load).ptr};
}

Result<void> read_hash_tag(P& profile, std::string_view value) {
  if (value != "off" && value.size() != 2) return bad_value(value, "two characters, or off");
  return read_text<&P::hash_tag>(profile, value);
}

bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; std::uint64_t{d} * d <= n; ++d)
    if (n % d == 0) return false;
  return n > 1;
}
Result<void> read_table(P& profile, std::string_view value) {
  // Maglev's own bound; above it, building takes seconds.
  if (auto ok = read_number<&P::table, 2, 5'000'011>(profile, value); !ok) return ok;
  if (!is_prime(profile.table)) return bad_value(value, "a prime: a node's order must reach each entry");
  return {};
}

// --- Hashes ---------------------------------------------------------------------------------------------------------

struct ShortName {
  P::Dialect dialect;
  std::string_view name;
  std::string_view row;
};

// libmemcached's and twemproxy's crc32 is 15 bits of CRC-32; only crc32a is all of it.
constexpr std::array short_names{
    ShortName{P::Dialect::memcached, "one_at_a_time", "one_at_a_time/schar"},
    ShortName{P::Dialect::memcached, "default", "one_at_a_time/schar"},
    ShortName{P::Dialect::memcached, "md5", "md5/le32"},
    ShortName{P::Dialect::memcached, "crc", "crc32/hi15"},
    ShortName{P::Dialect::memcached, "crc16", "crc16/unmasked"},
    ShortName{P::Dialect::memcached, "crc32", "crc32/hi15"},
    ShortName{P::Dialect::memcached, "crc32a", "crc32"},
    ShortName{P::Dialect::memcached, "fnv1_64", "fnv1_64/lmc"},
    ShortName{P::Dialect::memcached, "fnv1a_64", "fnv1a_64/lmc"},
    ShortName{P::Dialect::memcached, "fnv1_32", "fnv1_32/lmc"},
    ShortName{P::Dialect::memcached, "fnv1a_32", "fnv1a_32/lmc"},
    ShortName{P::Dialect::memcached, "hsieh", "hsieh/schar"},
    ShortName{P::Dialect::memcached, "murmur", "murmur2/lmc"},
    ShortName{P::Dialect::memcached, "murmur3", "murmur3/lmc"},
    ShortName{P::Dialect::memcached, "jenkins", "lookup3/13"},
    ShortName{P::Dialect::envoy, "xx", "xxh64"},
    ShortName{P::Dialect::envoy, "xx_hash", "xxh64"},
    ShortName{P::Dialect::envoy, "murmur2", "murmur2_64a/c70f6907"},
    ShortName{P::Dialect::envoy, "murmur_hash_2", "murmur2_64a/c70f6907"},
};

Result<const KeyHash*> hash_named(const P& profile, std::string_view name) {
  for (const ShortName& shorter : short_names)
    if (shorter.dialect == profile.dialect && shorter.name == name) return find_key_hash(shorter.row);
  if (const KeyHash* row = find_key_hash(name)) return row;
  std::string known;
  for (const ShortName& shorter : short_names)
    if (shorter.dialect == profile.dialect) known += std::string(shorter.name) + ", ";
  for (const KeyHash& row : key_hashes()) known += std::string(row.name) + ", ";
  known.resize(known.size() - 2);
  return make_error(Errc::invalid_argument, "there is no hash '" + std::string(name.substr(0, 64)) + "'",
                    "it is one of: " + known);
}

Result<void> read_hash(P& profile, std::string_view value) {
  auto found = hash_named(profile, value);
  if (!found) return std::move(found).error();
  // Envoy's hash_function is that of the hosts; requests are always hashed with XXH64.
  if (profile.dialect == P::Dialect::envoy && (*found)->name != value)
    return profile.point_hash = *found, Result<void>();
  profile.hash = *found;
  // As its configuration: naming a function turns the avalanche off unless that is named, too.
  if (profile.dialect == P::Dialect::haproxy) profile.avalanche = false;
  return {};
}
std::string write_hash(const P& profile) { return profile.hash == nullptr ? "off" : std::string(profile.hash->name); }

Result<void> read_point_hash(P& profile, std::string_view value) {
  if (value == "hash") return profile.point_hash = nullptr, Result<void>();
  auto found = hash_named(profile, value);
  if (!found) return std::move(found).error();
  profile.point_hash = *found;
  return {};
}
std::string write_point_hash(const P& profile) {
  return profile.point_hash == nullptr ? "hash" : std::string(profile.point_hash->name);
}

template <auto Member, const auto& Table>
constexpr ProfileParameter word(std::string_view name, std::string_view help) {
  return {name, help, read_word<Member, Table>, write_word<Member, Table>};
}
template <auto Member, std::uint32_t Least, std::uint32_t Most>
constexpr ProfileParameter number(std::string_view name, std::string_view help) {
  return {name, help, read_number<Member, Least, Most>, write_number<Member>};
}
template <auto Member>
constexpr ProfileParameter text(std::string_view name, std::string_view help) {
  return {name, help, read_text<Member>, write_text<Member>};
}

}  // namespace

std::span<const ProfileParameter> profile_parameters() {
  static constexpr std::array table{
      word<&P::algorithm, algorithms>("algorithm", "how a number finds its node"),
      word<&P::dialect, dialects>("dialect", "whose short names hash= understands"),
      word<&P::key_form, key_forms>(
          "key_form", "what of a key is hashed: its bytes, the network of an address, or what Python writes of them"),
      ProfileParameter{"hash", "what makes a number of a key", read_hash, write_hash},
      word<&P::avalanche, switches>("avalanche", "HAProxy's mix behind the hash"),
      ProfileParameter{"hash_tag", "two characters between which a key is hashed, or off", read_hash_tag,
                       write_text<&P::hash_tag>},
      text<&P::stop>("stop", "the text at which a key ends, or off"),
      text<&P::prefix>("prefix", "the text before every key, or off"),
      word<&P::empty_key, empty_keys>("empty_key",
                                      "what an empty key is: hashed, the number 0, or foretold by nothing"),
      text<&P::identity>("identity", "which text stands for a node, made of its fields"),
      word<&P::points, point_sources>("points", "what a node's points are made of"),
      text<&P::point>("point", "the text of a point, made of {id} and its number {i}"),
      ProfileParameter{"point_hash", "what makes a number of that text; hash is that of keys", read_point_hash,
                       write_point_hash},
      number<&P::words, 1, 4>("words", "how many points one digest gives, 4 bytes each"),
      word<&P::count, counts>("count", "how many points a node has: fixed, by weight, by field, by share, or to fill"),
      number<&P::vnodes, 1, 1'000'000>("vnodes", "points (digests, if words is above 1) of a node of weight 1"),
      word<&P::arithmetic, arithmetics>("arithmetic", "how a share is rounded"),
      number<&P::min_points, 1, 8'388'608>("min_points", "fill: points of the ring at least"),
      number<&P::max_points, 1, 8'388'608>("max_points", "fill: points of the ring at most"),
      number<&P::cap_points, 1, 8'388'608>("cap_points", "fill: the bound of both"),
      word<&P::hash_key, hash_keys>("hash_key", "HAProxy: what its points are made of"),
      word<&P::order, orders>("order", "the order of the nodes: as given, by bytes, or by length and bytes"),
      word<&P::weights, weight_kinds>("weights", "which weights there are"),
      word<&P::zero_weight, zero_weights>("zero_weight", "what the weight 0 means"),
      text<&P::heavier>("heavier", "the profile that places instead when a weight is above 1, or off"),
      word<&P::down, downs>("down", "what state=down means"),
      word<&P::lookup, lookups>("lookup", "which point a number belongs to"),
      word<&P::tie, ties>("tie", "which of two equal points counts"),
      ProfileParameter{"table", "maglev: entries, a prime", read_table, write_number<&P::table>},
      word<&P::siphash_table, permutations>("permutation", "maglev: what decides the order of filling"),
      number<&P::slots, 1, limits::balanced_slots>("slots", "how many slots there are; balanced: a power of two"),
      number<&P::partitions, 1, 1'000'000>("partitions", "how many partitions there are"),
      ProfileParameter{"load", "partitions: how far above the average a node may be", read_load, write_load},
      word<&P::whole_average, switches>("whole_average", "partitions: the average is rounded down first"),
      word<&P::score, scores>("score", "rendezvous: what the score is made of"),
      number<&P::probes, 1, 1000>("probes", "how many probes a key has"),
  };
  return table;
}

namespace {

Result<void> read_parameters(Profile& profile, std::string_view list) {
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const auto rows = profile_parameters();
    const auto row = std::ranges::find(rows, name, &ProfileParameter::name);
    if (equals == std::string_view::npos || row == rows.end())
      return make_error(Errc::invalid_argument, "a profile has no parameter '" + std::string(name.substr(0, 64)) + "'",
                        "chash profile show NAME lists them");
    if (auto ok = row->read(profile, item.substr(equals + 1)); !ok) {
      Error error = std::move(ok).error();
      error.message = std::string(name) + ": " + error.message;
      return error;
    }
  }
  return {};
}

Error refused(std::string why) { return make_error(Errc::invalid_argument, std::move(why)); }

// A ring compares the hash of a key with those of points.
Result<void> check_points(const Profile& profile) {
  const KeyHash& point_hash = profile.point_hash == nullptr ? *profile.hash : *profile.point_hash;
  const std::string_view digest = point_hash.name;
  const bool text = profile.points == P::Points::text;
  if (text && (profile.point.find("{id}") == std::string::npos || profile.point.find("{i}") == std::string::npos))
    return refused("point: it must have {id} and {i}");
  if (text && profile.words > 1 && !digest.starts_with("md5") && !digest.starts_with("sha1"))
    return refused("words: several points of one digest need point_hash=md5/le32 or sha1/le32");
  const unsigned bits = !text || profile.words > 1 ? 32 : point_hash.bits;
  if (profile.points != P::Points::tokens && bits != profile.hash->bits)
    return refused("hash: keys have " + std::to_string(profile.hash->bits) + " bits and points " +
                   std::to_string(bits) + "; they lie on one circle");
  return {};
}

// Which algorithms can tell what comes after a node that is down.
Result<void> check_down(const Profile& profile) {
  const bool one_way = profile.algorithm == P::Algorithm::ring && profile.lookup != P::Lookup::nearest;
  const bool again = profile.algorithm == P::Algorithm::modulo || profile.algorithm == P::Algorithm::smooth_table;
  switch (profile.down) {
    case P::Down::absent: return {};
    case P::Down::next_point: return one_way ? Result<void>() : refused("down: next_point is for rings, not nearest");
    default: return again ? Result<void>() : refused("down: rehash and repeat are for modulo and smooth_table");
  }
}

// Whether the values of a hash reach as far up as its width says; a CRC-16 in 32 bits does not.
bool has_upper_bits(const KeyHash& hash) {
  for (std::uint64_t i = 0; i < 64; ++i)
    if ((hash.hash(std::to_string(i << 58)) >> (hash.bits - 1) & 1) != 0) return true;
  return false;
}

Result<void> check_slots(const Profile& profile) {
  if (profile.algorithm == P::Algorithm::slots && profile.slots > 16'384)
    return refused("slots: there are 16384 at most; only balanced has more");
  if (profile.algorithm != P::Algorithm::balanced) return {};
  if (!std::has_single_bit(profile.slots) || profile.slots < limits::least_balanced_slots)
    return refused("slots: balanced has a power of two of them, from 4096 to 1048576");
  if (!has_upper_bits(*profile.hash)) return refused("hash: balanced takes its upper bits, and this one has none");
  return {};
}

// What parameters must be to each other.
Result<void> check_whole(const Profile& profile) {
  const bool hashes_itself = profile.algorithm == P::Algorithm::furc || profile.algorithm == P::Algorithm::probes ||
                             (profile.algorithm == P::Algorithm::rendezvous && profile.score != P::Score::xorshift);
  if (profile.hash == nullptr && !hashes_itself) return refused("hash: this algorithm needs one");
  const bool counts_weights = profile.algorithm == P::Algorithm::modulo ||
                              profile.algorithm == P::Algorithm::smooth_table || profile.count == P::Count::share;
  if (counts_weights && profile.weights != P::Weights::whole && profile.weights != P::Weights::ignored)
    return refused("weights: modulo, smooth_table and count=share need whole ones");
  if (auto ok = check_down(profile); !ok) return ok;
  if (auto ok = check_slots(profile); !ok) return ok;
  const bool has_points = profile.algorithm == P::Algorithm::ring || profile.algorithm == P::Algorithm::partitions;
  return has_points ? check_points(profile) : Result<void>();
}

// The definition of a named profile begins with the name of another one, or is parameters alone.
Result<void> read_definition(Profile& profile, std::string_view text) {
  const std::string_view first = text.substr(0, text.find(','));
  if (first.find('=') != std::string_view::npos) return read_parameters(profile, text);
  const NamedProfile* base = find_named_profile(first);
  if (base == nullptr)
    return make_error(Errc::not_found, "there is no profile '" + std::string(first.substr(0, 64)) + "'",
                      "chash profile list names those there are");
  if (auto ok = read_definition(profile, base->definition); !ok) return ok;
  return read_parameters(profile, text.substr(std::min(text.size(), first.size() + 1)));
}

}  // namespace

std::string whole_profile(std::string text, const std::map<std::string, std::string>& own) {
  for (std::size_t expanded = 0; expanded <= own.size(); ++expanded) {
    const std::size_t end = std::min(text.find(','), text.size());
    const auto found = own.find(text.substr(0, end));
    if (found == own.end()) break;
    text.replace(0, end, found->second);
  }
  return text;
}

Result<Profile> heavier_profile(const Profile& profile) {
  Profile other;
  if (auto ok = read_definition(other, profile.heavier); !ok) return std::move(ok).error();
  Profile mixed = profile;
  mixed.points = other.points;
  mixed.point = other.point;
  mixed.point_hash = other.point_hash;
  mixed.words = other.words;
  mixed.count = other.count;
  mixed.vnodes = other.vnodes;
  mixed.arithmetic = other.arithmetic;
  if (auto ok = check_whole(mixed); !ok) return std::move(ok).error();
  return mixed;
}

Result<Profile> parse_profile(std::string_view text) {
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }))
    return make_error(Errc::invalid_argument, "a profile has a blank or a control character in it");
  if (text.substr(0, text.find(',')).find('=') != std::string_view::npos)
    return make_error(Errc::invalid_argument, "a profile begins with its name", "write NAME,PARAMETER=VALUE");
  Profile profile;
  if (auto ok = read_definition(profile, text); !ok) return std::move(ok).error();
  profile.text = text;
  if (auto ok = check_whole(profile); !ok) return std::move(ok).error();
  if (profile.heavier.empty()) return profile;
  if (auto mixed = heavier_profile(profile); !mixed) {
    Error error = std::move(mixed).error();
    error.message = "heavier: " + error.message;
    return error;
  }
  return profile;
}

}  // namespace chash
