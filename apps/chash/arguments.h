// Arguments: argv made safe for CLI11, so that every key arrives as it was typed.
//
// CLI11 2.1 would split the key `[a,b]` in two, take `{}` for an empty list and `++` for the end of the command, refuse
// `get-node a -- -b`, and let `--ring=` swallow the word behind it; no setting avoids all of it. So CLI11 sees neither
// the words behind `--` nor such a word as it is: the former are taken off, the latter get a mark at their end, which
// restore() removes.
#pragma once

#include <string>
#include <vector>

namespace chash::cli {

struct Arguments {
  std::vector<std::string> words;     // up to the first `--`, marked where needed
  std::vector<std::string> operands;  // behind it, untouched
};

// `argv` without the program's name.
Arguments split_arguments(const std::vector<std::string>& argv);

// The word as it was typed.
std::string restore(std::string word);

}  // namespace chash::cli
