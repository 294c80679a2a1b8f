#!/bin/sh
# check_manual.sh ROOT BINDIR: the manual says what the programs and the vocabulary say.
#
#   the pages are clean mdoc
#   what --help lists, of the programs and of each command, has an entry (.It Fl) in its page, in its command's place
#   each --help works, and is what chash help prints; each command and verb, and none else, is in the page and its synopsis
#   every variable and every key of a configuration file has an entry
#   every operation, each of its fields and its path over HTTP stand in chash-protocol(7)
#   every error stands there with its statuses, and every exit status in chash(1)
#   every profile, each parameter of one and each algorithm stand in chash-algorithms(7)
set -eu
LC_ALL=C
export LC_ALL
root=$1
bin=$2
man=$root/man
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
faults=0

fault() {
  echo "$*" >&2
  faults=$((faults + 1))
}

# The lines of $1 that are not among those of $2. A list of nothing would agree with everything.
require() {
  wanted=$1 there=$2 what=$3
  sort -u "$wanted" >"$scratch/wanted"
  sort -u "$there" >"$scratch/there"
  [ -s "$scratch/wanted" ] || fault "nothing to look for: $what"
  comm -23 "$scratch/wanted" "$scratch/there" >"$scratch/missing"
  while read -r line; do
    fault "missing: $what: $line"
  done <"$scratch/missing"
}

# The options that a --help lists, one a line: `-s`, `--socket`. They stand at the beginning of a line, before any
# explanation: "  -s, --socket PATH  …", "  -h,--help  …".
options_of_help() {
  sed -n 's/^ \{1,6\}\(-.*\)$/\1/p' | awk '{
    for (i = 1; i <= NF && $i ~ /^-/; ++i) {
      n = split($i, names, ",")
      for (k = 1; k <= n; ++k) if (names[k] != "") print names[k]
      if ($i !~ /,$/) break
    }
  }'
}

# The entries of a page: "SECTION<TAB>COMMAND<TAB>MACRO<TAB>NAME" for each macro of an .It line and its argument. COMMAND is
# the subsection, or the .It Ic entry of the section COMMANDS, in which it stands.
entries() {
  awk '
    /^\.Sh / { section = substr($0, 5); command = "" }
    /^\.Ss / { command = $2 }
    /^\.It / {
      if (section == "COMMANDS" && $2 == "Ic") command = $3
      macro = ""
      for (i = 2; i <= NF; ++i) {
        if ($i ~ /^(Fl|Ic|Va|Cm|Ev|Pq|Ta|Ar|Op|Oo|Oc|Ns|No|Pa|Dv)$/) { macro = $i; continue }
        if ($i == "," || macro == "") { if (macro == "") print section "\t" command "\t-\t" $i; continue }
        name = $i
        print section "\t" command "\t" macro "\t" (macro == "Fl" ? "-" name : name)
      }
    }' "$1"
}

# --- mdoc ---------------------------------------------------------------------------------------------------------------

if ! command -v mandoc >/dev/null; then
  echo "mandoc is not installed; its package is: mandoc" >&2
  exit 1
fi
for page in chash.1 chashd.8 chashd.conf.5 chash-protocol.7 chash-algorithms.7; do
  mandoc -Tlint -W warning "$man/$page" >&2 || fault "mandoc -Tlint complains about $page"
  entries "$man/$page" >"$scratch/$page"
done

# --- Options, variables, keys -------------------------------------------------------------------------------------------

"$bin/chashd" --help >"$scratch/chashd.help"
"$bin/chash" --help >"$scratch/chash.help"

options_of_help <"$scratch/chashd.help" >"$scratch/options"
awk -F '\t' '$3 == "Fl" { print $4 }' "$scratch/chashd.8" >"$scratch/documented"
require "$scratch/options" "$scratch/documented" "option of chashd in chashd.8"
require "$scratch/documented" "$scratch/options" "option of chashd.8 in chashd --help"

sed -n 's/^--//p' "$scratch/options" | grep -Evx 'help|version|config|check-config' >"$scratch/settings"
awk -F '\t' '$3 == "Ic" { print $4 }' "$scratch/chashd.conf.5" >"$scratch/keys"
require "$scratch/settings" "$scratch/keys" "setting in chashd.conf.5"
require "$scratch/keys" "$scratch/settings" "key of chashd.conf.5 in chashd --help"

{ cat "$scratch/settings" && echo config; } | tr 'a-z-' 'A-Z_' | sed 's/^/CHASHD_/' >"$scratch/variables"
awk -F '\t' '$3 == "Ev" { print $4 }' "$scratch/chashd.8" >"$scratch/documented"
require "$scratch/variables" "$scratch/documented" "variable in chashd.8"

options_of_help <"$scratch/chash.help" | sed 's/^/global /' >"$scratch/options"
awk '/^[A-Z][A-Z ]*$/ { group = $0 }
  /^  [a-z]/ && group !~ /^(OPTIONS|EXAMPLES|EXIT STATUS)$/ { print $1 }' "$scratch/chash.help" >"$scratch/commands"
while read -r command; do
  "$bin/chash" "$command" --help >"$scratch/help" 2>&1 || fault "chash $command --help ended with $?"
  grep -q "^usage: chash $command \[OPTION\]\.\.\." "$scratch/help" || fault "chash $command --help has no usage"
  for words in "$command -h" "--help $command" "help $command"; do
    # shellcheck disable=SC2086 # words
    "$bin/chash" $words 2>&1 | cmp -s - "$scratch/help" || fault "chash $words is not chash $command --help"
  done
  options_of_help <"$scratch/help" | sed "s/^/$command /" >>"$scratch/options"
done <"$scratch/commands"
awk -F '\t' '$3 == "Fl" { print ($1 == "COMMANDS" ? $2 : "global") " " $4 }' "$scratch/chash.1" >"$scratch/documented"
require "$scratch/options" "$scratch/documented" "option of chash in chash.1"
require "$scratch/documented" "$scratch/options" "option of chash.1 in chash --help"

awk -F '\t' '$1 == "COMMANDS" && $3 == "Ic" { print $4 }' "$scratch/chash.1" >"$scratch/documented"
require "$scratch/commands" "$scratch/documented" "command in chash.1"
require "$scratch/documented" "$scratch/commands" "command of chash.1 in chash --help"

# "COMMAND NAME" for each command and verb (NAME is -) and for each option of the synopsis.
awk '
  /^\.Sh / { within = $2 == "SYNOPSIS"; starts = 0; count = 0 }
  !within { next }
  /^\.Pp/ { within = 0; next }
  /^\.Nm/ { starts = 1; count = 0; next }
  starts && /^\.Cm / {
    starts = 0
    if ($0 ~ /\|/) { for (i = 2; i <= NF; i += 2) commands[++count] = $i }
    else { commands[count = 1] = $2; if (NF > 2) print $2 "\tverb " $3 }
    for (i = 1; i <= count; ++i) print commands[i] "\t-"
    next
  }
  /^\.Cm / && commands[1] == "profile" { print "profile\tverb " $2; print "profile\tverb " $4 }
  {
    sub(/^\./, "")
    for (i = 1; i < NF; ++i) {
      if ($i != "Fl") continue
      flag = $(i + 1)
      for (c = 1; c <= count; ++c) {
        if (flag ~ /^-/) print commands[c] "\t-" flag
        else for (k = 1; k <= length(flag); ++k) print commands[c] "\t-" substr(flag, k, 1)
      }
    }
  }' "$man/chash.1" >"$scratch/synopsis"
sed -n 's/\t-$//p' "$scratch/synopsis" >"$scratch/documented"
require "$scratch/commands" "$scratch/documented" "command in the synopsis of chash.1"
require "$scratch/documented" "$scratch/commands" "command of the synopsis of chash.1 in chash --help"
sed -n 's/\t\(--*[^-].*\)$/ \1/p' "$scratch/synopsis" >"$scratch/documented"
require "$scratch/documented" "$scratch/options" "option of the synopsis of chash.1 in chash --help"

# Verbs: "  ring create|list|show [NAME]..." of help, "profile list | show NAME".
sed -n 's/ | /|/g; s/^  \(ring\|profile\) \([a-z|]*\).*/\1 \2/p' "$scratch/chash.help" |
  while read -r command verbs; do
    echo "$verbs" | tr '|' '\n' | sed "s/^/$command /"
  done >"$scratch/verbs"
sed -n 's/\tverb / /p' "$scratch/synopsis" >"$scratch/documented"
require "$scratch/verbs" "$scratch/documented" "verb in the synopsis of chash.1"
require "$scratch/documented" "$scratch/verbs" "verb of the synopsis of chash.1 in chash --help"
sed -n 's/^\.It Ic \(ring\|profile\) Cm \([a-z]*\).*/\1 \2/p' "$man/chash.1" >"$scratch/documented"
require "$scratch/verbs" "$scratch/documented" "verb in chash.1"
require "$scratch/documented" "$scratch/verbs" "verb of chash.1 in chash --help"

# What is said of an option anywhere is said of one that there is.
{ cut -d ' ' -f 2 "$scratch/options" && options_of_help <"$scratch/chashd.help" && printf '%s\n' -- -vv; } \
  >"$scratch/all_options"
awk '/^\.Sh / { section = $2 }
  /^\./ && section != "SYNOPSIS" {
    for (i = 1; i < NF; ++i)
      if ($i == "Fl" || $i == ".Fl")
        for (k = i + 1; k <= NF && ($k ~ /^[-0-9A-Za-z]/ || $k == ","); ++k) {
          if ($k == "Fl" || $k == "Ar" || $k == "Cm" || $k == "Op" || $k == "Ns") break
          if ($k != ",") print "-" $k
        }
  }' "$man/chash.1" >"$scratch/mentioned"
require "$scratch/mentioned" "$scratch/all_options" "option that chash.1 speaks of"

# Topics: "More is in: chash help exit-codes | formats".
sed -n 's/^More is in: chash help //p' "$scratch/chash.help" | sed 's/ | /\n/g' >"$scratch/topics"
sed -n '/^\.It Ic help /,/^\.It Ic completion/{s/^\.Cm //p;}' "$man/chash.1" | tr -s ' ,.' '\n' >"$scratch/documented"
require "$scratch/topics" "$scratch/documented" "topic of chash help in chash.1"
require "$scratch/documented" "$scratch/topics" "topic of chash.1 in chash help"
while read -r topic; do
  "$bin/chash" help "$topic" >/dev/null || fault "chash help $topic ended with $?"
done <"$scratch/topics"

sed -n 's/.*(or: \([a-z-]*\)).*/\1/p' "$scratch/chash.help" >"$scratch/aliases"
sed -n 's/^\.Ic \([a-z-]*\)$/\1/p' "$man/chash.1" >"$scratch/documented"
require "$scratch/aliases" "$scratch/documented" "other name of a command in chash.1"

tr -cs 'A-Z_' '\n' <"$scratch/chash.help" | grep '^CHASH_' >"$scratch/variables"
awk -F '\t' '$3 == "Ev" { print $4 }' "$scratch/chash.1" >"$scratch/documented"
require "$scratch/variables" "$scratch/documented" "variable in chash.1"

# --- The vocabulary -----------------------------------------------------------------------------------------------------

# One statement a line, however it is laid out. What stands in a header before its first operation is shared by several.
for header in "$root"/lib/protocol/change_options.h "$root"/lib/protocol/movement_report.h \
  "$root"/lib/protocol/*_operations.h; do
  echo 'end of a header;'
  tr -s '[:space:]' ' ' <"$header" | sed 's/{ "/{"/g' | tr ';' '\n'
done >"$scratch/operations.h"

# "OPERATION FIELD" for each, and "- FIELD" for those that are shared; a field of a record within a request or response
# counts for its operation.
awk '
  /end of a header/ { op = "-" }
  match($0, /info\{"[^"]*"/) { op = substr($0, RSTART + 6, RLENGTH - 7) }
  { rest = $0
    while (match(rest, /Field\{"[^"]*"/)) {
      print op " " substr(rest, RSTART + 7, RLENGTH - 8)
      rest = substr(rest, RSTART + RLENGTH)
    } }' "$scratch/operations.h" >"$scratch/all_fields"
grep -v '^- ' "$scratch/all_fields" >"$scratch/fields"
sed -n 's/^- //p' "$scratch/all_fields" | sort -u >"$scratch/shared"
awk -F '\t' '$1 == "OPERATIONS" && $3 == "Va" { print $2 " " $4 }' "$scratch/chash-protocol.7" >"$scratch/documented"
require "$scratch/fields" "$scratch/documented" "field in chash-protocol.7"
sed 's/.* //' "$scratch/documented" >"$scratch/names"
require "$scratch/shared" "$scratch/names" "shared field in chash-protocol.7"
awk 'NR == FNR { shared[$0]; next } !($2 in shared)' "$scratch/shared" "$scratch/documented" >"$scratch/own"
require "$scratch/own" "$scratch/fields" "field of chash-protocol.7 in the protocol"

# "METHOD PATH OPERATION"
awk '
  match($0, /info\{"[^"]*", Method::[a-z]*, "[^"]*"/) {
    split(substr($0, RSTART, RLENGTH), part, "\"")
    method = part[3]
    sub(/.*::/, "", method)
    sub(/,.*/, "", method)
    print (method == "del" ? "DELETE" : toupper(method)) " " part[4] " " part[2]
  }' "$scratch/operations.h" >"$scratch/routes"
sed -n 's/^\.It \([A-Z]*\) Ta \([^ ]*\) Ta Ic \([a-z-]*\)$/\1 \2 \3/p' "$man/chash-protocol.7" >"$scratch/documented"
require "$scratch/routes" "$scratch/documented" "operation and path in chash-protocol.7"
sed 's/.* //' "$scratch/routes" >"$scratch/operations"
sed -n 's/^\.Ss \([a-z-]*\)$/\1/p' "$man/chash-protocol.7" >"$scratch/documented"
require "$scratch/operations" "$scratch/documented" "operation in chash-protocol.7"

# "NAME HTTP EXIT"
sed -n 's/^ *{Errc::[a-z_]*, "\([a-z_]*\)", \([0-9]*\), \([0-9]*\),.*/\1 \2 \3/p' "$root/lib/chash/error.h" >"$scratch/errors"
sed -n 's/^\.It Cm \([a-z_]*\) Pq \([0-9]*\), exit \([0-9]*\)$/\1 \2 \3/p' "$man/chash-protocol.7" >"$scratch/documented"
require "$scratch/errors" "$scratch/documented" "error with its statuses in chash-protocol.7"
require "$scratch/documented" "$scratch/errors" "error of chash-protocol.7 in error.h"

{ echo 0 && echo 10 && sed 's/.* //' "$scratch/errors"; } >"$scratch/statuses"  # 10: --exit-code
awk -F '\t' '$1 == "EXIT STATUS" { print $4 }' "$scratch/chash.1" >"$scratch/documented"
require "$scratch/statuses" "$scratch/documented" "exit status in chash.1"
require "$scratch/documented" "$scratch/statuses" "exit status of chash.1 in error.h"

# --- Profiles -----------------------------------------------------------------------------------------------------------

"$bin/chash" profile list -o plain | cut -f 1 >"$scratch/profiles"
sed -n '/^\.Sh PROFILES$/,/^\.Sh BALANCE$/s/^\.It Cm \([^ ]*\).*/\1/p' "$man/chash-algorithms.7" >"$scratch/documented"
require "$scratch/profiles" "$scratch/documented" "profile in chash-algorithms.7"
require "$scratch/documented" "$scratch/profiles" "profile of chash-algorithms.7 in chash profile list"

"$bin/chash" profile show ring | sed -n '1,/^parameters$/d; s/^  \([a-z_]*\) .*/\1/p' >"$scratch/parameters"
awk -F '\t' '$1 == "PARAMETERS" && $3 == "Va" { print $4 }' "$scratch/chash-algorithms.7" >"$scratch/documented"
require "$scratch/parameters" "$scratch/documented" "parameter in chash-algorithms.7"
require "$scratch/documented" "$scratch/parameters" "parameter of chash-algorithms.7 in chash profile show"

while read -r profile; do
  "$bin/chash" profile show "$profile" | sed -n 's/^  algorithm  *\([a-z_]*\) .*/\1/p'
done <"$scratch/profiles" >"$scratch/algorithms"
awk -F '\t' '$1 == "ALGORITHMS" && $3 == "Cm" { print $4 }' "$scratch/chash-algorithms.7" >"$scratch/documented"
require "$scratch/algorithms" "$scratch/documented" "algorithm in chash-algorithms.7"
require "$scratch/documented" "$scratch/algorithms" "algorithm of chash-algorithms.7 in a profile"

[ "$faults" -eq 0 ]
