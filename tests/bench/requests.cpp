#include "requests.h"

#include "failure.h"
#include "protocol/codec.h"
#include "protocol/operations.h"

namespace bench {
namespace {

using chash::protocol::AnyRequest;

constexpr std::size_t key_count = 4096;
constexpr std::size_t batch_count = 8;  // different ones on a tape

const std::string& owner(const std::string& key) {
  static const chash::Placement placement = *chash::build(seed_ring());
  return seed_ring().nodes[placement.owner(key)].name;
}

std::string line(const AnyRequest& request) { return chash::protocol::encode_request(request) + '\n'; }

std::string http(const AnyRequest& request, std::uint16_t port) {
  const auto call = chash::protocol::encode_http(request);
  std::string bytes = std::string(chash::protocol::name(call.method)) + ' ' + call.target +
                      " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                      "\r\nUser-Agent: bench_serving\r\nAccept: */*\r\n";
  if (!call.body.empty())
    bytes += "Content-Type: application/json\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
  return bytes + "\r\n" + call.body;
}

AnyRequest lookup(const std::string& key) {
  chash::protocol::GetNode::Request request;
  request.key.bytes = key;
  return request;
}

std::string owner_member(const std::string& key) { return "\"node\":\"" + owner(key) + '"'; }

struct Batch {
  AnyRequest request;
  std::string expected;
};

Batch batch(std::size_t first, std::size_t size) {
  chash::protocol::GetNodes::Request request;
  std::string owners;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string& key = keys()[(first + i) % keys().size()];
    request.keys.push_back({key});
    owners += (i == 0 ? "[\"" : ",[\"") + owner(key) + "\"]";
  }
  return {std::move(request), "\"owners\":[" + owners + ']'};
}

}  // namespace

const chash::RingSpec& seed_ring() {
  static const chash::RingSpec ring{"seed", {{"cache-node-1", 1}, {"cache-node-2", 1}, {"cache-node-3", 1}}};
  return ring;
}

const std::vector<std::string>& keys() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < key_count; ++i) made.push_back("user:" + std::to_string(123 + i));
    return made;
  }();
  return all;
}

Tape socket_lookups() {
  Tape tape;
  for (const std::string& key : keys()) tape.add(line(lookup(key)), owner_member(key));
  return tape;
}

Tape socket_batches(std::size_t keys_each) {
  Tape tape;
  for (std::size_t i = 0; i < batch_count; ++i) {
    const Batch one = batch(i * keys_each, keys_each);
    tape.add(line(one.request), one.expected);
  }
  return tape;
}

std::string bench_node(std::size_t client) { return "bench-" + std::to_string(client); }

Tape socket_changes(std::size_t client) {
  const std::string name = bench_node(client);
  chash::protocol::AddNodes::Request add;
  add.nodes.push_back({name, 1});
  chash::protocol::RemoveNodes::Request remove;
  remove.nodes.push_back(name);
  Tape tape;
  tape.add(line(add), "\"added\":[\"" + name + "\"]");
  tape.add(line(remove), "\"removed\":[\"" + name + "\"]");
  return tape;
}

Tape http_seed_lookups(std::uint16_t port) {
  Tape tape;
  for (const std::string& key : keys())
    tape.add("GET /api/get-node/" + key + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                 "\r\nUser-Agent: bench_serving\r\nAccept: */*\r\n\r\n",
             "\r\n\r\n\"" + owner(key) + '"');
  return tape;
}

Tape http_v1_lookups(std::uint16_t port) {
  Tape tape;
  for (const std::string& key : keys()) tape.add(http(lookup(key), port), owner_member(key));
  return tape;
}

Tape http_batches(std::uint16_t port, std::size_t keys_each) {
  Tape tape;
  for (std::size_t i = 0; i < batch_count; ++i) {
    const Batch one = batch(i * keys_each, keys_each);
    tape.add(http(one.request, port), one.expected);
  }
  return tape;
}

Tape echoed_lookups() {
  Tape tape;
  for (const std::string& key : keys()) tape.add(line(lookup(key)), "");
  return tape;
}

}  // namespace bench
