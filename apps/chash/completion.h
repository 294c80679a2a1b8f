// Completion: what may stand where the cursor is, out of the tables that also read the command line and make the help.
//
// The scripts for the shells know nothing: they ask `chash __complete WORD...`, whose last word is the one at the
// cursor, as far as it is written. So no shell offers what this chash does not have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command_line.h"
#include "settings.h"

namespace chash::cli {

struct Candidate {
  std::string word;  // in the place of the whole word at the cursor
  std::string help;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

class Completion {
 public:
  explicit Completion(const std::vector<std::string>& words);

  // What the tables have.
  const std::vector<Candidate>& candidates() const { return candidates_; }
  // What only others know: the daemon its nodes and rings, the user's file the profiles.
  bool wants_nodes() const { return nodes_; }
  bool wants_rings() const { return rings_; }
  bool wants_profiles() const { return profiles_; }
  // The shell's files, behind prefix().
  bool wants_files() const { return files_; }
  const std::string& prefix() const { return prefix_; }
  // What stands before the cursor: it says where the daemon is.
  const CommandLine& line() const { return line_; }

  // Unless it does not begin as what is typed, or was given already. Requires: it is of the kind that is wanted.
  void add_node(const std::string& name, std::string help);
  void add_ring(const std::string& name, std::string help) { add(name, std::move(help)); }
  void add_profile(const std::string& name, std::string help) { add(name + after_profile_, std::move(help)); }

 private:
  void at_value(std::string_view kinds, std::string_view help);
  void at_operand(const CommandRow& row);
  void want(std::string_view kind);
  void want_commands();
  void add(std::string_view word, std::string help);

  CommandLine line_;
  std::string prefix_, typed_;  // the word at the cursor: what stays, and what is completed
  std::vector<Candidate> candidates_;
  std::string after_profile_;
  bool nodes_ = false, rings_ = false, profiles_ = false, files_ = false;
};

// A line for the shell: the word, a tab and its help. Empty for a word that has control characters.
std::string shell_line(const Candidate& candidate);

// `chash __complete WORD...`: prints the lines. Where files may stand, one with an empty word: <TAB>files<TAB>PREFIX.
int complete(const std::vector<std::string>& words, const Environment& environment);

// `chash completion SHELL`.  Errors: invalid_argument.
Result<std::string> completion_script(const std::vector<std::string>& words);

}  // namespace chash::cli
