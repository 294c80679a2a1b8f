// completion: the scripts for the shells. Each hands over the words and shows the answer; see completion.h for that.
#include <algorithm>
#include <array>

#include "completion.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

// bash splits the line also at ':', '=' and '@', and puts what is answered in the place of the last such piece alone,
// with its '@', but without its ':' or '='.
constexpr std::string_view bash_script = R"sh(# bash completion of chash:  source <(chash completion bash)
_chash() {
  local rest=${COMP_LINE:0:COMP_POINT} words=() piece line word kept file i program=chash
  [[ $1 == */* && -x $1 ]] && program=$1
  # What stands together is one word here.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    piece=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
      words+=("")
      rest=${rest#"${rest%%[![:space:]]*}"}
    fi
    words[-1]+=${rest:0:${#piece}}
    rest=${rest:${#piece}}
  done
  for i in "${!words[@]}"; do
    [[ ${words[i]} == [\"\']*[\"\'] ]] && words[i]=${words[i]:1:-1}
    [[ ${words[i]} == \~/* ]] && words[i]=$HOME/${words[i]:2}
    words[i]=${words[i]//\\/}
  done
  word=${words[-1]}
  kept=${word%"${word##*["$COMP_WORDBREAKS"]}"}
  kept=${kept%@}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == $'\t'*@ ]]; then
      line=${line##*$'\t'}
      while IFS= read -r file; do
        printf -v file %q "${line#"$kept"}$file"
        COMPREPLY+=("$file")
      done < <(compgen -f -- "${word#"$line"}")
    elif [[ $line == $'\t'* ]]; then
      compopt -o default
    else
      line=${line%%$'\t'*}
      [[ $line == *[:=] ]] && compopt -o nospace
      printf -v line %q "${line#"$kept"}"
      COMPREPLY+=("$line")
    fi
  done < <("$program" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _chash chash
)sh";

constexpr std::string_view zsh_script = R"sh(#compdef chash
# zsh completion of chash:  source <(chash completion zsh), behind compinit; or a file _chash in $fpath
_chash() {
  local line word program=chash
  local -a before found candidates open
  [[ ${(Q)words[1]} == */* && -x ${(Q)words[1]} ]] && program=${(Q)words[1]}
  before=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  before=("${(@)before/#\~\//$HOME/}")
  found=("${(@f)$("$program" __complete "${(@)before}" 2>/dev/null)}")
  for line in "${(@)found}"; do
    word=${line%%$'\t'*}
    if [[ -n $word ]]; then
      if [[ $word == *[:=] ]]; then
        open+=("${word//:/\\:}:${line#*$'\t'}")
      else
        candidates+=("${word//:/\\:}:${line#*$'\t'}")
      fi
    elif [[ -n $line ]]; then
      compset -P "${(b)${line##*$'\t'}}"
      _files
    fi
  done
  (( $#open )) && _describe -t chash chash open -S ''
  (( $#candidates )) && _describe -t chash chash candidates
}
if [[ ${funcstack[1]} == _chash ]]; then
  _chash "$@"
else
  compdef _chash chash
fi
)sh";

constexpr std::string_view fish_script =
    R"sh(# fish completion of chash:  chash completion fish >~/.config/fish/completions/chash.fish
function __chash_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (chash __complete $before[2..-1] "$current" 2>/dev/null)
        set -l parts (string split \t -- $line)
        if test -n "$parts[1]"
            printf '%s\n' $line
            continue
        end
        set -l prefix "$parts[3]"
        set -l typed (string sub -s (math 1 + (string length -- "$prefix")) -- "$current")
        for file in (__fish_complete_path "$typed")
            printf '%s\n' $prefix$file
        end
    end
end
complete -c chash -f -a '(__chash_complete)'
)sh";

}  // namespace

Result<std::string> completion_script(const std::vector<std::string>& words) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> scripts{
      {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}}};
  if (words.size() == 1)
    for (const auto& [shell, script] : scripts)
      if (words.front() == shell) return std::string(script);
  return make_error(Errc::invalid_argument,
                    words.size() == 1
                        ? "there is no script for the shell '" + protocol::printable(words.front(), 64) + "'"
                        : "say which shell the script is for",
                    "there are bash, zsh and fish");
}

}  // namespace chash::cli
