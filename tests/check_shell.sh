#!/bin/sh
# check_shell.sh ROOT BINDIR: every shell script of the project is clean, and that which chash prints for bash.
set -eu
root=$1
bin=$2

if ! command -v shellcheck >/dev/null; then
  echo "shellcheck is not installed; its package is: shellcheck" >&2
  exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$bin/chash" completion bash >"$scratch/completion.bash"

# By name, or by their first line.
find "$root/.ci" "$root/apps" "$root/lib" "$root/packaging" "$root/tests" -type f >"$scratch/files"
while read -r file; do
  case $file in
  *.sh) echo "$file" ;;
  *) head -n 1 "$file" | LC_ALL=C grep -aEq '^#! ?/[a-z/]*[/ ](ba|da)?sh( |$)' && echo "$file" ;;
  esac || true
done <"$scratch/files" >"$scratch/scripts"
grep -q '/packaging/check$' "$scratch/scripts" # else the search is wrong

status=0
xargs -d '\n' shellcheck --external-sources --severity warning <"$scratch/scripts" || status=1
shellcheck --shell bash --severity warning "$scratch/completion.bash" || status=1
exit "$status"
