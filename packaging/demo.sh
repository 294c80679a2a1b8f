#!/bin/sh
# demo.sh BINDIR [--keep]: a chashd with the seed's three nodes, on a scratch socket, a free port and a scratch state
# directory; then a look at what it can do.
set -eu
bin=$(cd "$1" && pwd)
keep=${2-}

scratch=$(mktemp -d)
daemon=""
finish() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$bin/chashd" --socket "$scratch/chashd.sock" --http 127.0.0.1:0 \
  --state-dir "$scratch/state" --log-dir "$scratch/log" \
  --initial-node cache-node-1 --initial-node cache-node-2 --initial-node cache-node-3 \
  2>"$scratch/console" &
daemon=$!

PATH="$bin:$PATH"
CHASH_SOCKET="$scratch/chashd.sock"
export PATH CHASH_SOCKET
tries=0
until chash ping >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
    cat "$scratch/console" >&2
    exit 1
  fi
  sleep 0.1
done
url=$(chash status --json | sed 's/.*"\(http:[^"]*\)".*/\1/')

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

if [ "$keep" = "--keep" ]; then
  echo
  echo "chashd is running. In another terminal:"
  echo "  export CHASH_SOCKET=$CHASH_SOCKET"
  echo "  $bin/chash get-node user:123"
  echo "  curl $url/api/get-node/user:123"
  echo "Ctrl-C ends it."
  wait "$daemon"
  exit 0
fi

show chash get-node user:123
show curl -sS "$url/api/get-node/user:123"
echo
show chash add cache-node-4
show chash list
show chash get-node user:1 user:2 user:3
show chash remove cache-node-4
show curl -sS -X POST "$url/api/nodes/cache-node-5"
echo
show curl -sS -X DELETE "$url/api/nodes/cache-node-5"
echo
show chash status
show chash get-node user:123
show curl -sS "$url/api/get-node/user:123"
echo
