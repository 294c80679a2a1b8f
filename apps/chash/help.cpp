#include "help.h"

#include <algorithm>

#include "command_help.h"
#include "command_line.h"

namespace chash::cli {

using namespace protocol;

constinit const std::array<CommandRow, 41> command_table{{
    {Command::get_node, GetNode::info.name, "get", "[KEY...|-]", "LOOK UP", GetNode::info.help,
     "  chash get-node user:123                 the name of its node, and nothing else\n"
     "  chash get-node -n 2 user:123            the owner and the next distinct node\n"
     "  chash get-node -n 3 --spread zone user:123\n"
     "                                          nodes of different zones first\n"
     "  chash get-node user:1 user:2            KEY<TAB>NODE, a line each\n"
     "  cut -f1 access.log | chash get-node -   as many as there are lines\n"
     "  chash get-node -- -x                    a key that starts with a dash\n"
     "  chash get-node --profile nginx-hash-consistent --nodes a:80=2,b:80 KEY\n"},
    {Command::explain, Explain::info.name, "", "KEY", "LOOK UP", Explain::info.help,
     "  chash explain user:123\n"
     "  chash explain -n 3 --spread zone user:123\n"},
    {Command::blame, Blame::info.name, "", "KEY", "LOOK UP", Blame::info.help,
     "  chash blame user:123                    when it moved, and by whose change\n"
     "  chash get-node --at 3h user:123         where it was three hours ago\n"},
    {Command::sieve, "sieve", "", "NODE", "LOOK UP", "Of the keys on standard input, print those of one node",
     "  chash sieve cache-1 <keys.txt           those that cache-1 is to have\n"
     "  chash sieve \"$(hostname)\" <keys.txt | xargs -r -n 1 refresh\n"
     "  chash sieve -v cache-1 <keys.txt        all others\n"
     "  chash sieve -n 2 -0 cache-1 <keys       those of which it has a copy\n"},
    {Command::profile, "profile", "", "list | show NAME", "OTHER SOFTWARE",
     "Whose placements chash knows, and what one is made of",
     "  chash profile list\n"
     "  chash profile show haproxy-consistent\n"
     "  chash profile show twemproxy-ketama,hash=murmur --json\n"},
    {Command::compare, "compare", "", "", "OTHER SOFTWARE", "How many keys keep their node from one ring to another",
     "  chash compare --from libketama:a:1,b:1 --to chash:a:1,b:1,c:1\n"
     "  chash compare --from nginx-hash:@before --to nginx-hash:@after --keys keys.txt\n"
     "  chash compare --from web --to trial     two rings of the daemon\n"},
    {Command::vectors, "vectors", "", "", "OTHER SOFTWARE",
     "Write keys with their hashes and owners, for testing another implementation",
     "  chash vectors -n 1000 --seed 7 --profile jump --nodes a,b,c >vectors.txt\n"},
    {Command::verify, "verify", "", "FILE", "OTHER SOFTWARE", "Compare such a file with our own answers",
     "  chash verify vectors.txt\n"},
    {Command::list, ListNodes::info.name, "ls", "", "NODES", ListNodes::info.help,
     "  chash list\n"
     "  chash list --sort share --state up\n"
     "  chash list --label zone=eu-1 --watch\n"
     "  chash list --json | jq -r '.nodes[].name'\n"
     "  chash list --format '{name:>20} {weight:.1f}'\n"},
    {Command::add, AddNodes::info.name, "", "NODE[=WEIGHT]...", "NODES", AddNodes::info.help,
     "  chash add cache-4\n"
     "  chash add cache-5=2 cache-6=0.5\n"
     "  chash add --if-missing cache-4\n"
     "  chash add -r web --nodes-file upstream.conf\n"
     "  chash add -r pool a:11211=2 --field alias=x\n"
     "  chash add cache-7 --address 10.0.0.7:11211 --label zone=eu-1\n"},
    {Command::remove, RemoveNodes::info.name, "rm", "NODE...", "NODES", RemoveNodes::info.help,
     "  chash remove cache-4\n"
     "  chash remove --if-exists cache-4 cache-5\n"},
    {Command::weight, "weight", "", "NODE [WEIGHT]", "NODES", "Show or change the weight of a node",
     "  chash weight cache-2 2.5\n"
     "  chash weight cache-2 +0.5               half of an ordinary node more\n"
     "  chash weight cache-2 50%                half of what it has\n"},
    {Command::drain, "drain", "", "NODE...", "NODES", "Let nodes answer for what they hold, and take nothing new",
     "  chash drain cache-2\n"
     "  chash drain zone=eu-1 --note 'moves out'\n"},
    {Command::down, "down", "", "NODE...", "NODES", "Pass nodes over: the next ones answer for their keys",
     "  chash down cache-2\n"
     "  chash down zone=eu-1                    all that have this label\n"},
    {Command::up, "up", "", "NODE...", "NODES", "Let nodes answer again: all their keys come back",
     "  chash up cache-2\n"},
    {Command::set, "set", "", "NODE...", "NODES", AlterNodes::info.help,
     "  chash set cache-2 --address 10.0.0.2:11211 --label zone=eu-1\n"
     "  chash set cache-2 --label zone=         take the label away\n"
     "  chash set rack=r7 --weight 50%\n"},
    {Command::replace, ReplaceNode::info.name, "", "NODE NEW", "NODES", ReplaceNode::info.help,
     "  chash replace cache-2 cache-9 --address 10.0.0.9:11211\n"},
    {Command::pin, PinKeys::info.name, "", "[KEY NODE...]", "NODES",
     "Give a key, or all that begin alike, to nodes by hand; or list what is pinned",
     "  chash pin user:123 cache-2              whatever its hash\n"
     "  chash pin --prefix tenant-7: cache-1 cache-2 --for 2h\n"
     "                                          the second one stands behind the first\n"
     "  chash pin                               what is pinned\n"},
    {Command::unpin, UnpinKeys::info.name, "", "KEY...", "NODES", UnpinKeys::info.help,
     "  chash unpin user:123\n"
     "  chash unpin --prefix tenant-7:\n"},
    {Command::plan, PlanChange::info.name, "", "[FILE|-]", "CHANGE SAFELY", PlanChange::info.help,
     "  chash plan --add cache-4                what would move; nothing is changed\n"
     "  chash plan --remove cache-1 --add cache-5=2 --json | jq .moved\n"
     "  chash plan --prune ring.toml            the ring as a file has it\n"
     "  chash plan --add cache-4 --keys keys.txt --out moves\n"
     "                                          the keys that move, in files\n"
     "  chash apply plan-0123456789abcdef       what was planned, or nothing\n"},
    {Command::apply, ApplyChange::info.name, "", "FILE|-|PLAN-ID", "CHANGE SAFELY", ApplyChange::info.help,
     "  chash apply ring.toml --dry-run\n"
     "  chash apply --prune --note 'as in git' ring.toml\n"
     "  chash apply -r web upstream.conf        server lines of nginx or HAProxy\n"
     "  chash apply plan-0123456789abcdef\n"},
    {Command::export_ring, "export", "", "", "CHANGE SAFELY", "Write a ring as a file that apply takes",
     "  chash export >ring.toml\n"
     "  chash export --as json --epoch 41\n"
     "  chash export -r web --as nginx\n"},
    {Command::diff, Diff::info.name, "", "A [B]", "CHANGE SAFELY", Diff::info.help,
     "  chash diff 40                           from epoch 40 to now\n"
     "  chash diff 40 44 --ranges\n"
     "  chash diff web trial                    two rings; NAME@EPOCH is an older one\n"
     "  chash diff ./ring.toml default          a file and a ring\n"},
    {Command::history, History::info.name, "", "", "CHANGE SAFELY", History::info.help,
     "  chash history\n"
     "  chash history --since 2d --node cache-4 --json\n"},
    {Command::watch, Watch::info.name, "", "", "CHANGE SAFELY", "Follow the changes of a ring as they are made",
     "  chash watch\n"
     "  chash watch -r web --from 42 | jq .operation\n"
     "                                          all since then, and those to come\n"
     "  chash watch --exec 'chash export >ring.toml && systemctl reload app'\n"},
    {Command::wait, "wait", "", "", "CHANGE SAFELY", "Wait until a daemon, a ring or a node is as it should be",
     "  chash wait --ready --timeout 30s && start-app\n"
     "  chash wait --epoch 44                   until a change has come\n"
     "  chash wait --node cache-2=up --node cache-9=absent\n"},
    {Command::rollback, RollBack::info.name, "", "EPOCH", "CHANGE SAFELY", RollBack::info.help,
     "  chash rollback 42 --dry-run\n"
     "  chash rollback 42 --note 'cache-4 was sick'\n"},
    {Command::whatif, WhatIf::info.name, "", "", "CHANGE SAFELY", WhatIf::info.help,
     "  chash whatif --lose each                the worst first\n"
     "  chash whatif --lose cache-1 --lose cache-2\n"
     "  chash whatif --lose zone=eu-1 -n 3\n"},
    {Command::ring, "ring", "", "create|list|show|draw|set|copy|delete [NAME]...", "RINGS",
     "Rings beside the default one, each with a placement of its own",
     "  chash ring create web --profile nginx-hash-consistent --nodes a:80=2,b:80\n"
     "  chash ring create pool --profile libketama,vnodes=80 --nodes-file servers.txt\n"
     "  chash get-node -r web user:123\n"
     "  chash ring list\n"
     "  chash ring show web --json\n"
     "  chash ring draw web --svg web.svg       who has which part of the circle\n"
     "  chash ring copy web trial\n"
     "  chash ring set web --max-move 10%       refuse changes that move more\n"
     "  chash ring delete trial\n"},
    {Command::distribution, "distribution", "", "", "RINGS", "What share of all keys each node has, and should have",
     "  chash distribution\n"
     "  chash distribution -r web --keys keys.txt\n"
     "                                          and how many of these\n"
     "  chash distribution --json | jq .max_mean\n"},
    {Command::status, Status::info.name, "", "", "DAEMON", Status::info.help,
     "  chash status\n"
     "  chash status --watch                    until Ctrl-C\n"
     "  chash status --json | jq .counters.lookups\n"},
    {Command::stats, "stats", "", "", "DAEMON", "What the daemon does just now: look-ups, changes, connections",
     "  chash stats                             of one second\n"
     "  chash stats --watch=500ms -o jsonl | jq .lookups_per_s\n"},
    {Command::bench, "bench", "", "", "DAEMON", "How many look-ups a second the daemon answers, and how fast",
     "  chash bench\n"
     "  chash bench --duration 20s --connections 4 --keys keys.txt\n"
     "  chash bench --http --pipeline 1 --json | jq .p99_us\n"},
    {Command::ping, Ping::info.name, "", "", "DAEMON", Ping::info.help,
     "  chash ping -c 5\n"
     "  until chash ping -q; do sleep 1; done\n"},
    {Command::version, "version", "", "", "DAEMON",
     "Releases of chash and chashd, and whether they understand each other", "  chash version\n"},
    {Command::doctor, "doctor", "", "", "DAEMON", "Look for the usual faults, and tell what to do about each",
     "  chash doctor\n"
     "  chash doctor -q                         only what is wrong\n"
     "  chash doctor --json | jq '.findings[] | select(.verdict != \"ok\")'\n"},
    {Command::log_level, SetLogLevel::info.name, "", "[debug|info|warning|error|critical]", "DAEMON",
     SetLogLevel::info.help,
     "  chash log-level\n"
     "  chash log-level debug                   until the settings are read again\n"},
    {Command::reload, Reload::info.name, "", "", "DAEMON", Reload::info.help,
     "  chash reload                            and wait until it is done\n"},
    {Command::check, "check", "", "SOCKET|URL...", "DAEMON", "Whether several daemons have the same rings",
     "  chash check http://db-1:8000 http://db-2:8000\n"
     "  chash check -r web ./other.sock         with the daemon that is asked else\n"
     "  chash check --json http://db-2:8000 | jq .agree\n"},
    {Command::help, "help", "", "[COMMAND|TOPIC]", "HELP",
     "Help on a command, or on exit-codes, formats or environment",
     "  chash help add                          the same as chash add --help\n"
     "  chash help formats\n"},
    {Command::completion, "completion", "", "bash|zsh|fish", "HELP", "Print a script by which a shell completes words",
     "  chash completion fish >~/.config/fish/completions/chash.fish\n"
     "  source <(chash completion bash)         in ~/.bashrc\n"
     "  source <(chash completion zsh)          in ~/.zshrc, behind compinit\n"},
}};

constinit const std::array<ExitMeaning, 11> exit_meanings{{
    {0, "done; also when there was nothing to do"},
    {1, "failed"},
    {2, "wrong usage or request"},
    {3, "no such ring, node, epoch, plan or profile"},
    {4, "a daemon is unreachable"},
    {5, "timeout, or the outcome of a change is unknown"},
    {6, "conflict, or more moves than may"},
    {7, "no node, or none that is foretold"},
    {8, "denied"},
    {9, "some keys failed, the others were printed; verify: a difference"},
    {10, "--exit-code: something would change; check: a difference; doctor: a fault"},
}};

namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t help_column = 30;  // where explanations start

constexpr std::string_view main_examples =
    "  chash get-node user:123\n"
    "  chash add cache-node-4 cache-node-5=2\n"
    "  chash --url http://127.0.0.1:8000 list --json\n";

void append_options(Command command, std::string& out) {
  const auto options = options_of(command);
  if (options.empty()) return;
  out += "\nOPTIONS\n";
  for (const auto& [names, help] : options) append_entry(names, help, out);
}

std::string main_help() {
  std::string out =
      "Asks chashd which node is responsible for a key, and changes its rings.\n\n" + usage_line(Command::none) + '\n';
  std::string_view group;
  for (const CommandRow& row : command_table) {
    if (row.group != group) out += '\n' + std::string(row.group) + '\n';
    group = row.group;
    std::string label(row.name);
    if (!row.operands.empty()) label += ' ' + std::string(row.operands);
    append_entry(label, std::string(row.help) + (row.alias.empty() ? "" : " (or: " + std::string(row.alias) + ")"),
                 out);
  }
  append_options(Command::none, out);
  out += "\nEXAMPLES\n" + std::string(main_examples);
  out += "\nEXIT STATUS\n";
  for (const auto& [status, meaning] : exit_meanings) {
    const std::string number = std::to_string(status);
    out += "  " + number + std::string(4 - number.size(), ' ') + std::string(meaning) + '\n';
  }
  out += "\nMore is in:";
  for (const HelpTopic& topic : help_topics)
    out += (&topic == help_topics.data() ? " chash help " : " | ") + std::string(topic.name);
  out += '\n';
  return out;
}

}  // namespace

void append_entry(std::string_view label, std::string_view help, std::string& out) {
  std::string line = "  " + std::string(label);
  if (line.size() + 2 > help_column) {
    out += line + '\n';
    line.clear();
  }
  line.resize(help_column, ' ');
  while (!help.empty()) {
    const std::string_view word = help.substr(0, help.find(' '));
    help.remove_prefix(std::min(help.size(), word.size() + 1));
    if (line.size() > help_column && line.size() + 1 + word.size() > help_width) {
      out += line + '\n';
      line.assign(help_column, ' ');
    }
    if (line.size() > help_column) line += ' ';
    line += word;
  }
  out += line + '\n';
}

const CommandRow* find_row(Command command) {
  const auto row = std::ranges::find(command_table, command, &CommandRow::command);
  return row == command_table.end() ? nullptr : &*row;
}

std::string usage_line(Command command) {
  const CommandRow* row = find_row(command);
  if (row == nullptr) return "usage: chash [OPTION]... COMMAND [ARGUMENT]...";
  const std::string operands = row->operands.empty() ? "" : " " + std::string(row->operands);
  return "usage: chash " + std::string(row->name) + " [OPTION]..." + operands;
}

std::string try_line(Command command) {
  const CommandRow* row = find_row(command);
  return "try: chash " + (row == nullptr ? "" : std::string(row->name) + ' ') + "--help";
}

std::string help_text(Command command) {
  const CommandRow* row = find_row(command);
  if (row == nullptr) return main_help();
  std::string out = std::string(row->help) + ".\n\n" + usage_line(command) + '\n';
  append_options(command, out);
  out += "\nEXAMPLES\n" + std::string(row->examples);
  out += "\nThe global options are in: chash --help\n";
  return out;
}

}  // namespace chash::cli
