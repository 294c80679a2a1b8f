#include "arguments.h"

#include <algorithm>
#include <string_view>

namespace chash::cli {
namespace {

constexpr char mark = '\x1f';

// A word that CLI11 would not leave alone, with any number of marks behind it: so a typed mark is told from ours.
bool needs_mark(std::string_view word) {
  word = word.substr(0, word.find_last_not_of(mark) + 1);
  return word == "{}" || word == "++" || (word.size() >= 2 && word.starts_with('[') && word.ends_with(']'));
}

// `--name=`, with nothing behind the sign.
bool has_empty_value(std::string_view word) {
  return word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1;
}

// As in `chash weight NODE -0.5`: no option looks so.
bool is_negative(std::string_view word) {
  return word.size() > 1 && word.front() == '-' && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

}  // namespace

Arguments split_arguments(const std::vector<std::string>& argv) {
  Arguments arguments;
  const auto end = std::ranges::find(argv, "--");
  for (auto at = argv.begin(); at != end; ++at) {
    if (is_negative(*at) && std::find(argv.begin(), at, "weight") != at) {
      arguments.operands.push_back(*at);
    } else if (has_empty_value(*at)) {
      arguments.words.push_back(at->substr(0, at->size() - 1));
      arguments.words.emplace_back();
    } else {
      arguments.words.push_back(needs_mark(*at) ? *at + mark : *at);
    }
  }
  if (end != argv.end()) arguments.operands.insert(arguments.operands.end(), end + 1, argv.end());
  return arguments;
}

std::string restore(std::string word) {
  if (word.ends_with(mark) && needs_mark(word)) word.pop_back();
  return word;
}

}  // namespace chash::cli
