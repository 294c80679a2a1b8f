#!/bin/sh
# pipes.sh BINDIR: chash in pipes, loops and conditions, as scripts have it.
set -eu
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$(dirname "$0")/daemon.sh"
start_daemon
cd "$scratch"

# --- Conditions ---------------------------------------------------------------------------------------------------------

node=$(chash get-node user:123)
is "the node of user:123" cache-node-3 "$node"
if chash remove nobody 2>/dev/null; then fail "nobody was removed"; fi
chash remove nobody 2>/dev/null || is "the status behind ||" 3 $?
chash remove nobody 2>/dev/null || [ $? -eq 3 ] || fail "that it was not there is told by 3"
until chash ping -q; do fail "the daemon answers"; done
is "what set -e leaves undone" "3:" "$(sh -c 'sh -ec "chash remove nobody 2>/dev/null; echo no"; echo "$?:"')"

# --- Loops --------------------------------------------------------------------------------------------------------------

# What stands in the body of a loop leaves the loop's input alone.
seen=""
chash list --format '{name}' >names
while read -r name; do
  chash ping -q
  chash weight "$name" >weight
  chash list >/dev/null
  chash add --if-missing "$name" >/dev/null
  chash remove --if-exists "$name-copy" >/dev/null
  seen="$seen $name $(cat weight)"
done <names
is "what the loop saw" " cache-node-1 1 cache-node-2 1 cache-node-3 1" "$seen"

chash list -o plain | while IFS="$(printf '\t')" read -r name weight points state share _; do
  is "a line of list" "1 100 up 0." "$weight $points $state ${share%"${share#0.}"}"
  echo "$name"
done >again
cmp names again

# --- Filters and xargs --------------------------------------------------------------------------------------------------

seq 1 3000 | sed 's/^/user:/' >keys
chash get-node - <keys >pairs
xargs chash get-node <keys | cmp - pairs
is "the lines of a pipe through cat" "$(cksum <pairs)" "$(cat keys | chash get-node | cat | cksum)"
cut -f 1 pairs | cmp - keys
chash get-node --no-key - <keys | sort | uniq -c | awk '{ keys += $1; nodes += 1 } END { print keys, nodes }' >counts
is "keys and nodes" "3000 3" "$(cat counts)"
while read -r name; do
  chash sieve "$name" <keys | wc -l
done <names | awk '{ keys += $1 } END { print keys }' >counts
is "the keys of all nodes" 3000 "$(cat counts)"
tr '\n' '\0' <keys | chash get-node -0 - | tr '\0' '\n' | cmp - pairs
chash list --format '{name}' | xargs -n 1 chash weight | tr -d '\n' >weights
is "a command for each line" 111 "$(cat weights)"
status=0
printf 'cache-node-1\nnobody\n' | xargs -n 1 chash weight >/dev/null 2>&1 || status=$?
is "what xargs makes of a failure" 123 "$status"
chash export | chash plan --prune --exit-code -
status=0
chash export | grep -v max_move | sed 's/cache-node-3/cache-node-4/' | chash plan --prune --exit-code - >moves || status=$?
is "a plan with changes" 10 "$status"
cut -f 2 moves | sort -u | grep -qx cache-node-4 || fail "what moves: $(cat moves)"

# --- Nobody reads, and nowhere to write ---------------------------------------------------------------------------------

{
  status=0
  yes | chash get-node - 2>err || status=$?
  echo "$status" >status
} | head -n 1 >first
is "the status of a pipe that nobody reads" 141 "$(cat status)"
is "what it says" "" "$(cat err)"
grep -q "^y$(printf '\t')cache-node-" first || fail "the first line is: $(cat first)"
# Started by a program that ignores SIGPIPE, as those in Python do.
{
  status=0
  (
    trap '' PIPE
    yes 2>/dev/null | chash get-node - 2>err || exit $?
  ) || status=$?
  echo "$status" >status
} | head -n 1 >first
is "its status without SIGPIPE" 1 "$(cat status)"
grep -q "cannot write to standard output: Broken pipe" err || fail "it says: $(cat err)"

full() { "$@" >/dev/full; }
for words in list "list --json" "list -o table" status "get-node a b" "get-node --json a" "add --dry-run x" history export \
  "ring list" "ring draw --svg -" distribution "vectors -n 2" "profile list" help "help formats" --version \
  "completion bash" "sieve cache-node-1"; do
  # shellcheck disable=SC2086 # words
  refused 1 "cannot write to standard output: No space left on device" full chash $words <keys
done
closed() { "$@" >&-; }
refused 1 "cannot write to standard output" closed chash list
refused 1 "cannot read standard input" chash get-node - <&-
status=0
chash remove nobody 2>&- || status=$?
is "the status where nobody can be told" 3 "$status"
status=0
chash remove nobody 2>/dev/full || status=$?
is "the status where standard error is full" 3 "$status"
