#include "option_table.h"

#include "command_help.h"

namespace chash::cli {
namespace {

using namespace protocol;
using enum Command;

constexpr bool repeats = true;

// Commands that change something.
constexpr Commands altering = set | weight | drain | down | up;
constexpr Commands changes = add | remove | altering | replace | pin | unpin | ring | apply | rollback;

constexpr OptionRow rows[] = {
    // Of chash itself.
    {Option::json, "--json", "", "the same as --output json", none},
    {Option::format, "--format", "TEMPLATE",
     "one line a record, such as '{name} {weight}'; a wrong name lists the right ones", none},
    {Option::no_header, "--no-header", "", "tables without their header", none},
    {Option::config, "--config", "FILE", "read this file and no other [CHASH_CONFIG]", none},
    {Option::quiet, "-q,--quiet", "", "do not print what add, remove, ring and ping have done", none},
    {Option::yes, "-y,--yes", "", "do not ask before much moves; asked is only on a terminal", none},
    {Option::verbose, "-v,--verbose", "", "say what is done; -vv shows what is sent and received", none},
    {Option::help, "-h,--help", "", "show help, also of a command: chash add --help", none},
    {Option::version, "-V,--version", "", "show the version of chash", none},
    // Which keys and nodes, and what is done with them.
    {Option::replicas, "-n,--replicas", "N", field_help<GetNode::Request>("n"), get_node | explain},
    {Option::spread, "--spread", "LABEL", field_help<GetNode::Request>("spread"), get_node | explain},
    {Option::replicas, "-n,--replicas", "N", field_help<PlanChange::Request>("n"), plan | diff},
    {Option::replicas, "-n,--replicas", "N", field_help<WhatIf::Request>("n"), whatif},
    {Option::replicas, "-n,--replicas", "N", "keys that have the node among their first N nodes (default: 1)", sieve},
    {Option::epoch, "--epoch", "E", field_help<GetNode::Request>("epoch"), get_node | explain | export_ring | ring},
    {Option::at, "--at", "TIME", "as it was at this time: 2026-11-23T00:12:00Z, or 2h for two hours ago",
     get_node | explain | export_ring | ring},
    {Option::with_key, "-k,--with-key", "", "print the key before its nodes, also for a single key", get_node},
    {Option::no_key, "--no-key", "", "print the nodes without the key, also for many keys", get_node},
    {Option::null, "-0,--null", "", "keys on standard input and lines printed end with a NUL, not a newline",
     get_node | sieve},
    {Option::invert, "-v,--invert", "", "print the keys of all other nodes instead", sieve},
    {Option::null, "-0,--null", "", "keys, in the file and in those written, end with a NUL, not a newline",
     plan | diff},
    {Option::null, "-0,--null", "", "keys in the file end with a NUL, not a newline", distribution},
    {Option::weight, "--weight", "W", field_help<AddNodes::Member>("weight"), add},
    {Option::weight, "--weight", "W", "their new weight, as weight takes it", set},
    {Option::if_missing, "--if-missing", "", field_help<AddNodes::Request>("if_missing"), add | plan},
    {Option::field, "--field", "NAME=VALUE", field_help<AddNodes::Member>("fields"), add | set, repeats},
    {Option::label, "--label", "NAME=VALUE", "zone, rack, or what else people want to know; moves no key", add,
     repeats},
    {Option::label, "--label", "NAME=VALUE", "zone, rack or any other; without a value it is taken away", set, repeats},
    {Option::label, "--label", "NAME=VALUE", "only nodes with this label; without a value, those that have none", list,
     repeats},
    {Option::state, "--state", "STATE", "up, drain or down: only nodes that are so", list},
    {Option::sort, "--sort", "BY", "share, name or weight: the largest first, names from a to z", list},
    {Option::watch, "--watch", "[TIME]", "print it again and again, every two seconds or so often: --watch=500ms",
     list | status | stats},
    {Option::address, "--address", "ADDRESS", "where it is reached; moves no key", add | set | replace},
    {Option::prefix, "--prefix", "", "all keys that begin with KEY", pin | unpin},
    {Option::lasts, "--for", "SPAN", "for so long from now: 90s, 30m, 2h, 7d; then the key's hash decides again", pin},
    {Option::until, "--until", "TIME", "the same as a time: 2026-11-23T00:12:00Z", pin},
    // What would be changed, or was.
    {Option::add, "--add", "NODE[=WEIGHT]", "a node that would come", plan, repeats},
    {Option::remove, "--remove", "NODE", "a node that would go", plan, repeats},
    {Option::rollback, "--rollback", "EPOCH", "the ring as it was at this epoch", plan},
    {Option::prune, "--prune", "", "nodes go that are not in the file", plan | apply},
    {Option::ranges, "--ranges", "", field_help<PlanChange::Request>("ranges"), plan | diff},
    {Option::keys, "--keys", "FILE",
     "which of these keys move, and how much that is: KEY or KEY<TAB>BYTES, a line each; - is standard input",
     plan | diff},
    {Option::keys, "--keys", "FILE",
     "also how many of these keys each node has: KEY or KEY<TAB>BYTES, a line each; - is standard input", distribution},
    {Option::out, "--out", "DIR", "with --keys: write those that move there, a file for each pair of nodes",
     plan | diff},
    {Option::exit_code, "--exit-code", "", "end with status 10 if there is any change", plan | diff},
    {Option::as, "--as", "FORMAT", "toml, json, nodes, nginx or haproxy (default: toml)", export_ring},
    {Option::lose, "--lose", "NODE|zone=NAME|each", "what is lost: several times, for several nodes together", whatif,
     repeats},
    {Option::since, "--since", "TIME", "none that is older: 2026-11-23, or 2h for two hours ago", history},
    {Option::node, "--node", "NODE", field_help<History::Request>("node"), history},
    {Option::before, "--before", "EPOCH", field_help<History::Request>("before"), history | blame},
    {Option::count, "-n,--count", "N", "how many at most, or all (default: 20)", history | blame},
    // What will be.
    {Option::from, "--from", "EPOCH", field_help<Watch::Request>("from"), watch},
    {Option::exec, "--exec", "CMD", "run this in /bin/sh for each change, which is JSON on its standard input", watch},
    {Option::count, "-n,--count", "N", "end after so many changes", watch},
    {Option::ready, "--ready", "", "until the daemon answers, and the ring has a node that may answer", wait},
    {Option::epoch, "--epoch", "E", "until the ring is at this epoch, or behind it", wait},
    {Option::node_state, "--node", "NODE=STATE", "until the node is up, drain, down, present (any of them) or absent",
     wait, repeats},
    // With what care.
    {Option::dry_run, "--dry-run", "", field_help<AddNodes::Request>("dry_run"), changes},
    {Option::expect_epoch, "--expect-epoch", "E", field_help<AddNodes::Request>("expect_epoch"), changes},
    {Option::note, "--note", "TEXT", field_help<AddNodes::Request>("note"), changes},
    {Option::request_id, "--request-id", "ID",
     "send again what got no answer, with the id that it had: it is not done twice", changes},
    {Option::force, "--force", "", field_help<AddNodes::Request>("force"), changes},
    {Option::max_move, "--max-move", "SHARE",
     "create, set: what one change may move of all keys, such as 10% or 0.1; more must be forced", ring},
    {Option::from, "--from", "PROFILE:NODES|RING",
     "the ring before: NODES is a list, or @FILE; or a ring of the daemon", compare},
    {Option::to, "--to", "PROFILE:NODES|RING", "the ring after", compare},
    {Option::keys, "--keys", "FILE", "compare these keys, one a line; - is standard input", compare},
    {Option::sample, "--sample", "N", "or so many random ones (default: 100000)", compare},
    // A ring without a daemon, or a new one.
    {Option::profile, "--profile", "PROFILE",
     "place as this software does, without a daemon: NAME[,PARAMETER=VALUE]...", get_node | vectors},
    {Option::profile, "--profile", "PROFILE", "how the new ring places keys: NAME[,PARAMETER=VALUE]... (default: seed)",
     ring},
    {Option::nodes, "--nodes", "LIST", "its nodes: NAME[=WEIGHT],...", get_node | vectors | ring},
    {Option::nodes_file, "--nodes-file", "FILE",
     "nodes, a line each: NAME [WEIGHT] [FIELD=VALUE]...; or server lines of nginx, HAProxy",
     get_node | vectors | ring | add},
    {Option::key_format, "--key-format", "FORMAT", "keys are given as they are (raw) or in hex",
     get_node | compare | blame | plan | diff | distribution | pin | unpin},
    {Option::slot, "--slot", "", "print the slot of a key, for software that has slots", get_node},
    {Option::count, "-n,--count", "N", "how many keys (default: 1000)", vectors},
    {Option::seed, "--seed", "S", "which keys: a number (default: 1)", vectors},
    {Option::if_exists, "--if-exists", "", field_help<RemoveNodes::Request>("if_exists"), remove | plan | unpin},
    {Option::if_exists, "--if-exists", "", field_help<RingDelete::Request>("if_exists"), ring},
    {Option::slots, "--slots", "", "show: also which node has each slot of a balanced ring", ring},
    {Option::svg, "--svg", "FILE", "draw: as a picture in SVG, into this file; - is standard output", ring},
    {Option::duration, "--duration", "TIME", "measure so long (default: 5s)", bench},
    {Option::connections, "--connections", "N", "over so many connections, 1 to 256 (default: 1)", bench},
    {Option::pipeline, "--pipeline", "N", "with so many look-ups on their way on each, 1 to 1000 (default: 64)", bench},
    {Option::keys, "--keys", "FILE|N", "look up the keys of a file, one a line; or so many made ones (default: 1000)",
     bench},
    {Option::http, "--http", "", "over HTTP, at the address that the daemon tells", bench},
    {Option::count, "-c,--count", "N", "ask N times, then tell the shortest, mean and longest", ping},
};

}  // namespace

constinit const std::span<const OptionRow> option_table{rows};

constinit const std::array<std::pair<Option, Option>, 3> exclusive_options{{
    {Option::json, Option::format},
    {Option::with_key, Option::no_key},
    {Option::lasts, Option::until},
}};

}  // namespace chash::cli
