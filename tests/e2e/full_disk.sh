#!/bin/sh
# full_disk.sh BINDIR: where the disk is full, a change is refused and nothing is half done; look-ups go on.
set -eu
# A file system of our own, seen by nobody else and gone with us.
if [ -z "${own_mounts-}" ]; then
  for flags in --mount "--mount --map-root-user"; do
    # shellcheck disable=SC2086 # words
    if unshare $flags mount -t tmpfs tmpfs /tmp 2>/dev/null; then
      own_mounts=1
      export own_mounts
      # shellcheck disable=SC2086
      exec unshare $flags sh "$0" "$@"
    fi
  done
  echo "NOT RUN: this user may not mount a file system"
  exit 0
fi
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$(dirname "$0")/daemon.sh"
mkdir "$scratch/disk"
mount -t tmpfs -o size=2m tmpfs "$scratch/disk"
at_end="umount $scratch/disk"
state=$scratch/disk/state
start_daemon
cd "$scratch"

chash export >before
fill() { dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null || true; }
fill
refused 1 "look-ups go on" chash add --nodes-file - <<NODES
$(seq 1 3000 | sed 's/^/node-/')
NODES
grep -q "cannot commit to the state file" err || fail "it said: $(cat err)"
is "a look-up beside it" cache-node-3 "$(chash get-node user:123)"
chash export | cmp - before

# Files that chash writes itself.
seq 1 2000 | sed 's/^/user:/' >keys
refused 2 "No space left on device" chash plan --add x --keys keys --out disk/moves
refused 2 "No space left on device" chash ring draw --svg disk/ring.svg
[ ! -e disk/ring.svg ] || fail "half a picture is there"

rm disk/filler
chash add x >/dev/null
is "a change when there is room again" 4 "$(chash list | wc -l)"
kill "$daemon"
wait "$daemon"
start_daemon
is "what was stored" 4 "$(chash list | wc -l)"
