// The requests that are sent, as tapes, and the node that each reply must name: placed here, by the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chash/placement.h"
#include "load.h"

namespace bench {

// The seed's ring.
const chash::RingSpec& seed_ring();

// Keys as users of the seed write them: user:123, user:124, ... Enough of them that no cache remembers one.
const std::vector<std::string>& keys();

Tape socket_lookups();
Tape socket_batches(std::size_t keys_each);
// Adds node `client`, removes it, adds it, ...; bench_node() is its name.
Tape socket_changes(std::size_t client);
std::string bench_node(std::size_t client);

// The head of each is what curl sends.
Tape http_seed_lookups(std::uint16_t port);
Tape http_v1_lookups(std::uint16_t port);
Tape http_batches(std::uint16_t port, std::size_t keys_each);

// The look-ups of the socket, for a peer that sends back what it gets.
Tape echoed_lookups();

}  // namespace bench
