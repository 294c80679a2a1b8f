// Every limit of chash and chashd, each with its reason. Input that exceeds one is refused with a message that names
// it; the limit itself is accepted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chash::limits {

// --- What a ring may hold -----------------------------------------------------------------------------------------

// A key is hashed whole. 64 KiB is far above what any cache or database takes, and fits one request line.
inline constexpr std::size_t key_bytes = 64 * 1024;
// The longest DNS name, and the longest file name: a node name is used as both.
inline constexpr std::size_t name_bytes = 255;
// A ring's name stands in every answer and log line of it.
inline constexpr std::size_t ring_name_bytes = 64;
// Fields of one node, and labels: no profile knows half as many. A field may be a list of Cassandra's tokens, 1536 of
// 21 bytes.
inline constexpr std::size_t node_fields = 16;
inline constexpr std::size_t field_bytes = 32 * 1024;
// As many labels as fields. One is a word: an address, a zone.
inline constexpr std::size_t label_bytes = 1024;
// Pins of one ring: what people write by hand, with room. Their keys are short, unlike those that programs make.
inline constexpr std::size_t pins = 10'000;
inline constexpr std::size_t pin_key_bytes = 1024;
// Pins that an answer lists of those that it moves.
inline constexpr std::size_t listed_pins = 1'000;
// A profile as text: every parameter, each as long as it gets.
inline constexpr std::size_t profile_bytes = 4096;
// A weight multiplies virtual nodes; above this, one node alone would fill the ring (nginx/nginx#191: weight=1000000
// took gigabytes there). The points limit is what really bounds it.
inline constexpr double max_weight = 1e6;
// Owner numbers stay within 16 bits plus room; a list of this many names is ~4 MiB of JSON.
inline constexpr std::size_t nodes = 65'536;
// 10 bytes a point: 160 MiB for the largest ring, and six times as much while it is built. Checked before anything is
// allocated.
inline constexpr std::uint64_t points = 16'000'000;
// What a program that holds one large ring may ask build() for: 1.5 GiB, and 12 while it is built.
inline constexpr std::uint64_t points_of_largest_ring = 160'000'000;
// Rings of one daemon: all are listed in one answer, and each is looked for by name in every request.
inline constexpr std::size_t rings = 1024;
// Points of all rings together, 320 MiB.
inline constexpr std::size_t points_of_all_rings = 2 * points;
// Steps that filling a table may take: 0.2 s of Maglev, 0.5 of HAProxy's map, 1 of partitions. They may take entries x
// nodes where weights differ much.
inline constexpr std::uint64_t fill_steps = 200'000'000;
// Slots of the profile `balanced`: with 2^12, 40 nodes are within 1 % of each other; 2^20 take 4 MiB.
inline constexpr std::uint32_t least_balanced_slots = 1 << 12;
inline constexpr std::uint32_t balanced_slots = 1 << 20;
// All texts of a ring's points together: two seconds of MD5 (measured with names of 250 bytes).
inline constexpr std::uint64_t point_text_bytes = std::uint64_t{1} << 30;
// Every look-up scores every node, and hashes the key with each of their names.
inline constexpr std::size_t rendezvous_nodes = 4'096;
// Names and fields of one ring, and of all: what a copy of a ring takes beside its points.
inline constexpr std::size_t ring_bytes = std::size_t{32} * 1024 * 1024;
inline constexpr std::size_t bytes_of_all_rings = 8 * ring_bytes;
// Names whose points might clash are compared up to so many points.
inline constexpr std::uint64_t compared_points = 1'000'000;
// Members that the specs of waiting changes may name together, before the next of them wait for the next commit.
inline constexpr std::size_t members_of_waiting = 1'000'000;
// Flows between nodes that an answer lists, the largest of them, and ranges that move: ~80 bytes of JSON each.
inline constexpr std::size_t listed_flows = 10'000;
inline constexpr std::size_t listed_ranges = 50'000;
// Points x replicas that one answer walks along: 8 s.
inline constexpr std::uint64_t points_of_replicas = 20'000'000;
// Receivers that are told of each loss where there is one for each node; of one alone, as many as flows.
inline constexpr std::size_t listed_receivers = 10;
// Points x nodes where each node's loss is a placement of its own: 5 s.
inline constexpr std::uint64_t points_of_losses = 50'000'000;
// Points of a ring, before and after a change together, up to which each change tells what share of all keys it moved:
// the writer works that out, at ~60 ns a point. Of larger rings a plan tells.
inline constexpr std::size_t points_of_told_moves = 20'000;
// Changes that one answer tells of, and what the nodes that they name take together.
inline constexpr std::uint32_t listed_changes = 1'000;
inline constexpr std::size_t bytes_of_listed_changes = 8 * 1024 * 1024;
// The last changes of all rings together, which are in memory for those that watch: a minute of changes at the speed of
// a disk, and what they take. Older ones are read from the store.
inline constexpr std::size_t recent_changes = 10'000;
inline constexpr std::size_t bytes_of_recent_changes = 8 * 1024 * 1024;
// Requests that wait for a change: each holds a connection, and as many are left for all others. All are looked at when
// something changes, which takes 1 ms then.
inline constexpr std::size_t watchers = 4'096;
// So long one of them waits. A client that went away meanwhile is noticed only then.
inline constexpr std::uint32_t watch_seconds = 60;
// Epochs that one answer looks a key up in, and points that they have together: a second, where each is built anew.
inline constexpr std::uint64_t blamed_epochs = 5'000;
inline constexpr std::uint64_t blamed_points = 10'000'000;
// Old rings that are kept built, for whoever asks of them: 40 MiB of points, and 40 of names.
inline constexpr std::size_t points_of_old_rings = 4'000'000;
inline constexpr std::size_t bytes_of_old_rings = 40 * 1024 * 1024;
// Changes that were planned and may still be applied, and what they take together.
inline constexpr std::size_t plans = 1'000;
inline constexpr std::size_t bytes_of_plans = 32 * 1024 * 1024;
// Questions that wait for their turn aside: a plan may name ten thousand nodes, 5 MiB.
inline constexpr std::size_t queued_studies = 64;
// Changes of each ring whose history is kept, unless the daemon is told otherwise, and at most.
inline constexpr std::uint64_t history = 10'000;
inline constexpr std::uint64_t most_history = 1'000'000;
// Requests whose answers are remembered, so that none of them is done twice.
inline constexpr std::uint64_t remembered_requests = 100'000;
inline constexpr std::size_t request_id_bytes = 64;
inline constexpr std::size_t note_bytes = 500;
// Replicas asked for one key. Nobody keeps more copies; it bounds the walk and the answer.
inline constexpr std::uint32_t replicas = 256;

// --- What a client may send ---------------------------------------------------------------------------------------

// One line of the socket protocol: a batch of ten thousand ordinary keys, or ten keys of the largest size as base64.
inline constexpr std::size_t line_bytes = 1024 * 1024;
// One HTTP body, the same batch.
inline constexpr std::size_t body_bytes = 1024 * 1024;
// An HTTP request line. Large enough for the largest key with every byte percent-encoded (3 x 64 KiB), since the seed
// takes its keys in the path and answered keys of 70,000 bytes.
inline constexpr std::size_t request_line_bytes = 3 * key_bytes + 1024;
// All header fields of a request together, and how many: nobody's curl sends more (Go and nginx stop in the same
// place).
inline constexpr std::size_t head_bytes = 16 * 1024;
inline constexpr std::size_t head_fields = 64;
// JSON nesting: our deepest document needs four. Recursion in a parser is a stack to overflow.
inline constexpr std::size_t json_depth = 32;
// Members of one JSON object: our largest has a dozen. Bounds the search for duplicates.
inline constexpr std::size_t json_members = 64;
// Keys in one batch. A batch is answered without a pause for others on the same thread: ~1 ms for ordinary keys.
inline constexpr std::size_t batch_keys = 10'000;

// --- How many, and how long ---------------------------------------------------------------------------------------

// Connections on all listeners together, lowered to the descriptor limit less `reserved_descriptors` at start.
inline constexpr std::size_t connections = 10'000;
// Descriptors that are not connections: the store (3), logs, lock files, epoll, spare.
inline constexpr std::size_t reserved_descriptors = 32;
// Threads that serve. More never helped: a lookup is shorter than the system calls around it.
inline constexpr unsigned io_threads = 64;
// Changes waiting for the writer. A client that adds in a loop waits its turn; this many waiting is an outage of the
// disk.
inline constexpr std::size_t queued_changes = 4'096;
// Answers not yet taken by a client: reading from it stops here, so that one that never reads cannot grow us.
inline constexpr std::size_t unsent_bytes = 256 * 1024;
// Of all clients of one thread together. Above it, answers that are longer than the limit before are refused: one may
// have 7 MiB (all slots of a ring), and thousands may wait for a client that does not read.
inline constexpr std::size_t unsent_bytes_of_thread = 64 * 1024 * 1024;

// A request must be complete this long after its first byte (nginx waits 60 s, which is what slow-client attacks use).
inline constexpr std::chrono::seconds request_timeout{10};
// A connection may wait this long between requests (nginx's keep-alive). The local socket is trusted with longer.
inline constexpr std::chrono::seconds http_idle_timeout{75};
inline constexpr std::chrono::seconds socket_idle_timeout{3600};
// A client must take its answer this long after it was ready.
inline constexpr std::chrono::seconds send_timeout{30};
// What is in flight at SIGTERM gets this long.
inline constexpr std::chrono::seconds shutdown_grace{5};
// After a failed accept (out of descriptors) wait this long; Asio would retry at once and burn a core.
inline constexpr std::chrono::milliseconds accept_backoff{100};

// --- Logs ---------------------------------------------------------------------------------------------------------

// Lines waiting for the disk or the console; the oldest are dropped, counted and reported.
inline constexpr std::size_t log_queue_lines = 8'192;
// Untrusted text in one line is cut here (a key may be 64 KiB). A line then fits PIPE_BUF, so that a console that is a
// pipe takes it whole or not at all.
inline constexpr std::size_t log_text_bytes = 512;
// Rotated files kept beside the current one, as the seed.
inline constexpr std::size_t log_files_kept = 7;

}  // namespace chash::limits
