// What doctor looks at: asked of the daemon, and of this machine where the daemon is on it.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <charconv>
#include <chrono>

#include "doctor.h"
#include "input_file.h"
#include "ring_shares.h"
#include "sides.h"
#include "terminal.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::uint32_t changes_read = 1000;      // of each ring; as many as one answer has
constexpr std::uint64_t points_judged = 1 << 21;  // of a larger ring it takes seconds to work out who has what

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos || slash == 0 ? "/" : path.substr(0, slash);
}

void look_at_machine(const net::SocketEndpoint& socket, Facts& facts) {
  struct stat file {};
  if (::stat(socket.path.c_str(), &file) == 0) facts.socket_mode = file.st_mode & 0777u;
  struct statvfs disk {};
  const std::string& state = facts.status.store.path;
  if (state.starts_with('/') && ::statvfs(folder_of(state).c_str(), &disk) == 0)
    facts.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  std::string limits(4096, '\0');
  if (auto proc = InputFile::open("/proc/" + std::to_string(facts.status.daemon.pid) + "/limits")) {
    limits.resize(proc->read(limits.data(), limits.size()));
    facts.descriptors = open_files_limit(limits);
  }
}

// As even as the ring is by itself: without the states of its nodes.
std::optional<Balance> balance_with_all_up(const Side& ring) {
  if (ring.spec.nodes.size() < 2 || ring.placement.points() > points_judged) return std::nullopt;
  RingSpec spec = ring.spec;
  std::vector<Node> all_up(spec.nodes.begin(), spec.nodes.end());
  for (Node& node : all_up) std::erase_if(node.fields, [](const auto& field) { return field.first == "state"; });
  spec.nodes = NodeList(std::move(all_up));
  const auto side = make_side(ring.label, std::move(spec));
  if (!side) return std::nullopt;
  const auto shares = exact_shares_of(*side);
  if (!shares) return std::nullopt;
  return balance_of(side->spec.nodes, *shares);
}

RingFacts look_at_ring(const Run& run, const std::string& name) {
  RingFacts facts{name};
  const auto side = fetch_side(run, name);
  if (!side) {
    facts.fault = side.error();
    return facts;
  }
  facts.nodes = side->spec.nodes;
  facts.balance = balance_with_all_up(*side);
  // A fault of its history is none of the ring.
  if (auto history = run.session.call<History>({name, changes_read, {}, {}, {}}))
    facts.history = std::move(history->entries);
  return facts;
}

}  // namespace

std::optional<std::uint64_t> open_files_limit(std::string_view limits) {
  constexpr std::string_view label = "Max open files";
  const std::size_t line = limits.find(label);
  if (line == limits.npos) return std::nullopt;
  limits.remove_prefix(line + label.size());
  limits.remove_prefix(std::min(limits.find_first_not_of(' '), limits.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(limits.data(), limits.data() + limits.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

Facts gather_facts(const Run& run) {
  Facts facts;
  facts.endpoint = net::describe(run.options.endpoint);
  facts.now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  if (const auto options = all_options(run.line, process_environment); !options) facts.settings = options.error();

  const auto failed = [&](const Error& error) { return facts.unreachable = error, facts; };
  if (auto ok = run.session.connect(); !ok) return failed(ok.error());
  const auto start = std::chrono::steady_clock::now();
  auto pong = run.session.call<Ping>({});
  if (!pong) return failed(pong.error());
  facts.answer_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  facts.pong = std::move(*pong);
  auto status = run.session.call<Status>({});
  if (!status) return failed(status.error());
  facts.status = std::move(*status);
  // It needs the right to change, and changes nothing.
  if (auto allowed = run.session.call<SetLogLevel>({});
      !allowed && info(allowed.error().code).exit_status == info(Errc::denied).exit_status)
    facts.refusal = allowed.error();
  if (const auto* socket = std::get_if<net::SocketEndpoint>(&run.options.endpoint)) look_at_machine(*socket, facts);
  for (const Status::RingState& ring : facts.status.rings)
    if (!run.options.ring_was_named || run.options.ring == ring.name)
      facts.rings.push_back(look_at_ring(run, ring.name));
  return facts;
}

}  // namespace chash::cli
