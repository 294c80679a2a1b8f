// The options of chash, a row each: what the command line reads, and what help says.
//
// The global options that have a value are not here but in settings.h: variables and files have those, too.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "help.h"

namespace chash::cli {

enum class Option : unsigned char {
  // Of chash itself.
  json,
  format,
  no_header,
  config,
  quiet,
  verbose,
  help,
  version,
  // Of single commands.
  replicas,
  with_key,
  no_key,
  null,
  weight,
  if_missing,
  field,
  from,
  to,
  keys,
  sample,
  profile,
  nodes,
  nodes_file,
  key_format,
  slot,
  count,
  seed,
  if_exists,
  slots,
  dry_run,
  expect_epoch,
  note,
  request_id,
  force,
  epoch,
  at,
  add,
  remove,
  prune,
  rollback,
  ranges,
  exit_code,
  out,
  as,
  max_move,
  since,
  node,
  before,
  lose,
  svg,
  invert,
  spread,
  label,
  address,
  prefix,
  lasts,
  until,
  yes,
  sort,
  state,
  watch,
  duration,
  connections,
  pipeline,
  http,
  exec,
  ready,
  node_state
};

// A set of commands; Command::none stands for chash itself, whose options all commands have.
class Commands {
 public:
  constexpr Commands(Command command) : bits_(std::uint64_t{1} << static_cast<unsigned>(command)) {}
  constexpr bool contains(Command command) const { return (bits_ & Commands(command).bits_) != 0; }
  friend constexpr Commands operator|(Commands a, Commands b) {
    a.bits_ |= b.bits_;
    return a;
  }

 private:
  std::uint64_t bits_;
};
constexpr Commands operator|(Command a, Command b) { return Commands(a) | Commands(b); }

// An option may have several rows, where commands write it differently or have another help for it.
struct OptionRow {
  Option option;
  std::string_view names;  // "-n,--replicas"
  std::string_view value;  // what help calls its value; empty for a flag
  std::string_view help;
  Commands commands;
  bool repeats = false;  // all its values count, not only the last

  constexpr bool is_flag() const { return value.empty(); }
  // It may also stand alone: "[TIME]".
  constexpr bool is_value_optional() const { return value.starts_with('['); }
};

// In the order in which help has them.
extern const std::span<const OptionRow> option_table;

// Not both in one command line.
extern const std::array<std::pair<Option, Option>, 3> exclusive_options;

}  // namespace chash::cli
