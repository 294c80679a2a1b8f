# Sourced by the scripts beside it, which are called as SCRIPT BINDIR: a scratch directory, daemons in it, and checks.
# Both are gone at the end.
# shellcheck shell=sh
LC_ALL=C
export LC_ALL
PATH=$(cd "$1" && pwd):$PATH
scratch=$(mktemp -d)
chmod 755 "$scratch" # another user must get to the socket
state=$scratch/state
daemon=""
at_end=true # a command

finish() {
  status=$?
  trap - EXIT
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" || { echo "chashd ended with $?" && status=1; }
  fi
  [ "$status" -eq 0 ] || cat "$scratch/console" || true
  cd /
  $at_end
  rm -rf "$scratch"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing of whoever runs the tests.
for name in $(env | sed -n 's/^\(CHASH_[A-Z_]*\|XDG_[A-Z_]*\)=.*/\1/p'); do
  unset "$name"
done
HOME=$scratch
CHASH_CONFIG=$scratch/config.toml
CHASH_SOCKET=$scratch/s
CHASH_TIMEOUT=60s # a machine that is busy with other tests is no reason to fail
export PATH HOME CHASH_CONFIG CHASH_SOCKET CHASH_TIMEOUT
: >"$CHASH_CONFIG"

# start_daemon [OPTION]...: with the seed's nodes; returns when it answers.
start_daemon() {
  chashd --config "$CHASH_CONFIG" --socket "$CHASH_SOCKET" --state-dir "$state" --log-dir off --http off \
    --initial-node cache-node-1 --initial-node cache-node-2 --initial-node cache-node-3 "$@" >>"$scratch/console" 2>&1 &
  daemon=$!
  until chash ping -q 2>/dev/null; do
    kill -0 "$daemon" || exit 1
    sleep 0.02
  done
}

fail() {
  echo "FAILED: $*"
  exit 1
}

# is WHAT WANTED GOT
is() {
  [ "$2" = "$3" ] || fail "$1: '$3' instead of '$2'"
}

# refused STATUS TEXT COMMAND...: it ends so, prints nothing, and has TEXT in a sentence on standard error.
refused() {
  wanted=$1 text=$2
  shift 2
  ended=0
  "$@" >"$scratch/out" 2>"$scratch/err" || ended=$?
  is "the exit status of $*" "$wanted" "$ended"
  [ ! -s "$scratch/out" ] || fail "$* printed: $(cat "$scratch/out")"
  grep -Eq '^(chash: |\{"error":)' "$scratch/err" || fail "$* said: $(cat "$scratch/err")"
  grep -qF -- "$text" "$scratch/err" || fail "$* said: $(cat "$scratch/err")"
}
