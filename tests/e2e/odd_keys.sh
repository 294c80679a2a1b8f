#!/bin/sh
# odd_keys.sh BINDIR: keys of any bytes go through arguments, lines, NULs, hex and JSON, and come to the same node.
set -eu
# shellcheck source-path=SCRIPTDIR source=daemon.sh
. "$(dirname "$0")/daemon.sh"
start_daemon
cd "$scratch"

# --- Keys that shells and parsers take for something else -----------------------------------------------------------------

# shellcheck disable=SC2016 # as they are
printf '%s\0' 'a b' ' a' 'a ' "it's" '"q"' '$HOME' '`id`' '*' '~' '#' '\n' '%41' '%s' '-x' '--' '-' '--help' '[a,b]' '{}' \
  'a=b' 'get-node' 'näh 漢字' 'two
lines' "$(printf 'tab\there')" "$(printf 'cr\r')" "$(printf '\377\376 no UTF-8')" >odd
xargs -0 -n 1 chash get-node -- <odd >one_by_one
xargs -0 chash get-node --no-key -- <odd | cmp - one_by_one
chash get-node -0 --no-key - <odd | tr '\0' '\n' | cmp - one_by_one
chash get-node -0 - <odd >pairs
sed -z 's/\t[^\t]*$//' pairs | cmp - odd
sed -z 's/.*\t//' pairs | tr '\0' '\n' | cmp - one_by_one
chash get-node -0 --format '{node}' - <odd | tr '\0' '\n' | cmp - one_by_one
chash get-node -0 --format '{key}' - <odd | cmp - odd

# --- Every byte ---------------------------------------------------------------------------------------------------------

byte=1
while [ "$byte" -le 255 ]; do
  octal=$(printf '%03o' "$byte")
  printf "\\$octal\\0k\\$octal\\0"
  byte=$((byte + 1))
done >bytes
xargs -0 chash get-node --no-key -- <bytes >owners
is "as many answers as keys" 510 "$(wc -l <owners)"
chash get-node -0 --no-key - <bytes | tr '\0' '\n' | cmp - owners
od -An -v -tx1 -w1 <bytes | tr -d ' \n' | sed 's/\(..\)/\1 /g; s/ 00 /\n/g; s/ //g' >hex
chash get-node --key-format hex --no-key - <hex | cmp - owners
xargs chash get-node --key-format hex --no-key <hex | cmp - owners
chash get-node -0 --json - <bytes | tr '\0' '\n' >objects
is "an object a key" 510 "$(wc -l <objects)"
iconv -f UTF-8 -t UTF-8 <objects >/dev/null
sed -n 's/.*"key_b64":"\([^"]*\)".*/\1/p' objects | while read -r text; do
  printf %s "$text" | base64 -d
  printf '\0'
done >decoded
grep -zPa '[\x80-\xff]' bytes | cmp - decoded

# --- Lines --------------------------------------------------------------------------------------------------------------

is "a last line without its end" "$(printf 'a\tcache-node-3\nuser:123\tcache-node-3')" \
  "$(printf 'a\nuser:123' | chash get-node -)"
is "the CR of a line from elsewhere is part of the key" "$(chash get-node -k "$(printf 'user:2\r')")" \
  "$(printf 'user:2\r\n' | chash get-node -)"
is "nothing to look up" "" "$(chash get-node - </dev/null)"
status=0
printf 'a\n\nb\n' | chash get-node - >out 2>err || status=$?
is "the status with an empty line" 9 "$status"
is "the others were printed" 2 "$(wc -l <out)"
is "the empty one was told" "chash: line 2: the key is empty" "$(cat err)"
refused 2 "empty" chash get-node ""

# --- Names of files -----------------------------------------------------------------------------------------------------

mkdir files
for name in plain 'a b' 'new
line' '-n' 'ünï' '*'; do
  : >"files/$name"
done
(
  cd files
  find . -type f -print0 | chash get-node -0 --no-key - | tr '\0' '\n' >../nodes
  find . -type f -exec chash get-node --no-key -- {} + | cmp - ../nodes
  for name in *; do
    chash get-node -- "$name" >/dev/null
  done
)
is "a node for each file" 6 "$(wc -l <nodes)"
