// Stores keys through libmemcached; memcached.py then looks which memcached has them.
//
//   libmemcached_ask MODE HASH VALUE HOST:PORT:WEIGHT... < KEYS      (one a line, as hex)
//
// MODE: ketama-weighted, ketama or modula. HASH: a function of libmemcached's, or default.
#include <libmemcached/memcached.h>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>

namespace {

const std::map<std::string, memcached_hash_t> hashes{
    {"md5", MEMCACHED_HASH_MD5},           {"crc", MEMCACHED_HASH_CRC},         {"fnv1_64", MEMCACHED_HASH_FNV1_64},
    {"fnv1a_64", MEMCACHED_HASH_FNV1A_64}, {"fnv1_32", MEMCACHED_HASH_FNV1_32}, {"fnv1a_32", MEMCACHED_HASH_FNV1A_32},
    {"murmur", MEMCACHED_HASH_MURMUR},     {"murmur3", MEMCACHED_HASH_MURMUR3}, {"jenkins", MEMCACHED_HASH_JENKINS},
};

const std::map<std::string, memcached_behavior_t> modes{
    {"ketama-weighted", MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED},
    {"ketama", MEMCACHED_BEHAVIOR_KETAMA},
};

bool set_up(memcached_st* memcached, const std::string& mode, const std::string& hash) {
  if (mode != "modula" && memcached_failed(memcached_behavior_set(memcached, modes.at(mode), 1))) return false;
  return hash == "default" ||
         memcached_success(memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_HASH, hashes.at(hash)));
}

bool add_server(memcached_st* memcached, const std::string& server) {
  const auto weight = server.rfind(':');
  const auto port = server.rfind(':', weight - 1);
  return memcached_success(memcached_server_add_with_weight(
      memcached, server.substr(0, port).c_str(), static_cast<in_port_t>(std::stoul(server.substr(port + 1))),
      static_cast<std::uint32_t>(std::stoul(server.substr(weight + 1)))));
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: libmemcached_ask MODE HASH VALUE HOST:PORT:WEIGHT...\n";
    return 2;
  }
  const std::string value = argv[3];
  memcached_st* memcached = memcached_create(nullptr);
  bool well = set_up(memcached, argv[1], argv[2]);
  for (int i = 4; i < argc && well; ++i) well = add_server(memcached, argv[i]);

  std::string line;
  while (well && std::getline(std::cin, line)) {
    const std::string key = from_hex(line);
    well = memcached_success(memcached_set(memcached, key.data(), key.size(), value.data(), value.size(), 0, 0));
  }
  if (!well) std::cerr << "libmemcached_ask: " << memcached_last_error_message(memcached) << '\n';
  memcached_free(memcached);
  return well ? 0 : 1;
}
