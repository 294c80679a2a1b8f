// Manifest: which of somebody's keys a change moves, counted for each pair of nodes, and written to a file for each.
//
// Keys come as a stream, and what is kept of them is bounded: the counts, a group of keys, and what waits to be
// written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sides.h"

namespace chash::cli {

class Manifest {
 public:
  struct Sum {
    std::uint64_t keys = 0, bytes = 0;
  };
  struct Pair {
    Sum sum;
    std::string file;    // its name in the folder; empty where none is written
    std::string unsent;  // not yet in the file
    bool is_made = false;
  };

  // `folder` is empty where no files are wanted; `end` ends each key in them.
  Manifest(const Side& before, const Side& after, std::string folder, char end);

  // Makes the folder.  Errors: invalid_argument, with the system's reason.
  Result<void> open();
  // `key` is what decides, `written` how it stands in the file.  Errors: those of writing.
  Result<void> add(std::string key, std::string written, std::uint64_t bytes);
  // Errors: those of writing.
  Result<void> finish();

  const Sum& all() const { return all_; }
  const Sum& moved() const { return moved_; }
  std::uint64_t not_foretold() const { return not_foretold_; }
  // By the names of the nodes; empty for none.
  std::map<std::pair<std::string, std::string>, Pair>& pairs() { return pairs_; }

 private:
  struct Waiting {
    std::string key, written;
    std::uint64_t bytes;
  };
  Result<void> look_up();
  Result<void> write_all();
  Result<void> write(Pair& pair) const;
  void place(const Side& side, const std::vector<std::string_view>& keys, std::vector<NodeIndex>& found) const;

  const Side &before_, &after_;
  std::string folder_;
  char end_;
  std::vector<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t unsent_bytes_ = 0;
  Sum all_, moved_;
  std::uint64_t not_foretold_ = 0;
  std::map<std::pair<std::string, std::string>, Pair> pairs_;
};

// Reads the keys of --keys into it, with a bar on standard error where that is a terminal. Returns 0; or 9, when some
// lines held no key, which has been told; or the status of an error that has been told.
int read_keys(const Run& run, const std::string& path, Manifest& manifest);

}  // namespace chash::cli
