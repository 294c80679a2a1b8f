#include "chash/haproxy_points.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <set>
#include <string>

#include "chash/mixes.h"
#include "chash/node_identity.h"

namespace chash {
namespace {

Error refused(const Node& node, std::string_view why, std::string_view hint) {
  return make_error(Errc::invalid_argument, "node '" + node.name + "': " + std::string(why), std::string(hint));
}

// Servers without an id get the first free one from a counter that each line of the configuration moves on, those with
// an id of their own included. Of all nodes: one that is down keeps its id.
// Source: check_config_validity() in src/cfgparse.c.
Result<std::vector<std::uint32_t>> server_ids(const NodeList& nodes) {
  std::vector<std::uint32_t> ids(nodes.size());
  std::set<std::uint32_t> taken;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string text = node_field(nodes[i], "id");
    if (text.empty()) continue;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ids[i]);
    if (error != std::errc() || end != text.data() + text.size() || ids[i] == 0)
      return refused(nodes[i], "its id is not a number above 0", "write id=NUMBER as in haproxy.cfg");
    if (!taken.insert(ids[i]).second) return refused(nodes[i], "its id is another server's, too", "ids are unique");
  }
  std::uint32_t next = 1;
  for (std::size_t i = 0; i < nodes.size(); ++i, ++next) {
    if (ids[i] != 0) continue;
    while (taken.contains(next)) ++next;
    taken.insert(ids[i] = next);
  }
  return ids;
}

struct Address {
  std::array<char, 16> bytes{};
  bool is_v6 = false;
  std::uint32_t port = 0;
};

Result<Address> address_of(const Node& node) {
  const std::string text = node_field(node, "addr").empty() ? node.name : node_field(node, "addr");
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  Address address;
  bool good = colon != std::string::npos;
  if (good) {
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, address.port);
    good = read.ec == std::errc() && read.ptr == end && address.port <= 65'535;
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (good && inet_pton(AF_INET, host.c_str(), address.bytes.data()) == 1) return address;
  address.is_v6 = true;
  if (good && inet_pton(AF_INET6, host.c_str(), address.bytes.data()) == 1) return address;
  return refused(node, "it has no address", "write addr=IP:PORT");
}

Result<std::uint32_t> address_seed(const Node& node, bool with_port) {
  const auto address = address_of(node);
  if (!address) return address.error();
  const std::uint32_t key = with_port ? avalanche32(address->port) : 0;
  if (address->is_v6) return xxh32({address->bytes.data(), 16}, key);
  // Read as the machine's own word, and HAProxy's answers are those of little-endian machines.
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word |= std::uint32_t{static_cast<unsigned char>(address->bytes[i])} << 8 * i;
  return avalanche32(key + word);
}

std::uint32_t byte_swapped(std::uint32_t value) {
  return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

Result<std::uint32_t> seed_of(const Profile& profile, const Node& node, std::uint32_t id) {
  switch (profile.hash_key) {
    case Profile::HashKey::id: return id * 4096;
    case Profile::HashKey::id32: return avalanche32(byte_swapped(id));
    case Profile::HashKey::addr: return address_seed(node, false);
    case Profile::HashKey::addr_port: return address_seed(node, true);
    case Profile::HashKey::guid: break;
  }
  const std::string guid = node_field(node, "guid");
  if (guid.empty()) return refused(node, "it has no guid", "write guid=TEXT as in haproxy.cfg");
  return xxh32(guid, 0);
}

}  // namespace

Result<std::vector<std::uint32_t>> haproxy_seeds(const Profile& profile, std::span<const Member> members,
                                                 const NodeList& nodes) {
  std::vector<std::uint32_t> seeds;
  if (profile.points != Profile::Points::haproxy) return seeds;
  const auto ids = server_ids(nodes);
  if (!ids) return ids.error();
  for (const Member& member : members) {
    const auto seed = seed_of(profile, nodes[member.node], (*ids)[member.node]);
    if (!seed) return seed.error();
    seeds.push_back(*seed);
  }
  return seeds;
}

}  // namespace chash
