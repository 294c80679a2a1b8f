#!/bin/sh
# refusals.sh BINDIR: no daemon, one that is gone, and users that may not: a sentence, a status, and nothing printed.
set -eu
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$(dirname "$0")/daemon.sh"
cd "$scratch"

# --- No daemon ----------------------------------------------------------------------------------------------------------

echo user:123 >keys
for words in list status ping "get-node user:123" "get-node -" "add x" "remove x" "explain x" "blame x" "sieve x" history \
  export "ring list" "ring draw" distribution "whatif --lose each" "plan --add x" "diff 1" "rollback 1" vectors; do
  # shellcheck disable=SC2086 # words
  refused 4 "cannot reach chashd at $CHASH_SOCKET: no such file" chash $words <keys
  grep -q 'systemctl start chashd' err || fail "chash $words does not say how to start it"
done
(
  unset CHASH_SOCKET
  XDG_RUNTIME_DIR=$scratch
  export XDG_RUNTIME_DIR
  [ -e /run/chash/chashd.sock ] || refused 4 "looked for $scratch/chash/chashd.sock" chash list
)
refused 4 "cannot reach chashd at http://127.0.0.1:1" chash -u http://127.0.0.1:1 list
if chash ping -q 2>/dev/null; then fail "there is no daemon"; fi
# What needs none.
is "an answer without a daemon" b "$(chash get-node --profile redis-cluster --nodes a,b,c '{user:1}:name')"
chash profile list | grep -q '^libketama' || fail "the profiles are known without a daemon"
chash vectors -n 5 --nodes a,b >vectors
chash verify vectors >/dev/null
chash help exit-codes >/dev/null
chash completion bash >/dev/null

# --- One that is gone ---------------------------------------------------------------------------------------------------

start_daemon
chash add x >/dev/null
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
daemon=""
refused 4 "connection refused" chash list
start_daemon
is "what it had is there again" 4 "$(chash list | wc -l)"

# --- Users that may not -------------------------------------------------------------------------------------------------

if [ "$(id -u)" -ne 0 ]; then
  echo "NOT RUN without root: chash as another user"
  exit 0
fi
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
if ! as_nobody chash --version >/dev/null 2>&1; then
  echo "NOT RUN: the programs are where other users cannot reach them"
  exit 0
fi
chmod 644 "$CHASH_CONFIG"
refused 8 "uid 65534 may not change the ring" as_nobody chash add y
grep -q 'usermod -aG chash' err || fail "it does not say who may"
refused 8 "may not change" as_nobody chash ring create theirs
is "whoever may read may ask what would move" 0 "$(as_nobody chash add --dry-run y >/dev/null && echo $?)"
is "what nobody reads" "$(chash get-node user:123)" "$(as_nobody chash get-node user:123)"
is "the nodes are as they were" 4 "$(chash list | wc -l)"

chash export >ring.toml
chmod 600 ring.toml keys
for words in "plan ring.toml" "diff ring.toml default" "plan --add y --keys keys" "distribution --keys keys" "verify keys" \
  "get-node --nodes-file keys a" "compare --from seed:@keys --to default" "compare --from seed:a --to seed:b --keys keys"; do
  # shellcheck disable=SC2086 # words
  refused 2 "ermission denied" as_nobody chash $words
done
chmod 644 keys
echo user:2 >>keys
refused 2 "ermission denied" as_nobody chash plan --remove x --keys keys --out moves
refused 2 "ermission denied" as_nobody chash ring draw --svg ring.svg
chmod 600 "$CHASH_SOCKET"
refused 8 "mode 0600" as_nobody chash list
chmod 666 "$CHASH_SOCKET"
chmod 700 "$scratch"
refused 8 "a directory on its way is closed" as_nobody env CHASH_CONFIG=/dev/null chash list
