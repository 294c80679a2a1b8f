// State folders with something in them, ways to damage a file, and the judge of what comes of it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/failing_disk.h"
#include "store/scratch.h"

namespace chash::store::test {

// What is committed to a sample, one after the other.
extern const std::vector<Delta> sample_commits;

// The files of a state folder, and what was stored in them: before the first commit, after it, and so on.
struct Sample {
  DiskImage files;
  std::vector<StoredRing> history{{"default", 0, {}}};
  const StoredRing& last() const { return history.back(); }
};

// Closed in good order, all is in the one file. As kill -9 leaves it, there is a log, too; the first commit was before
// a restart.
Sample make_sample(bool closed);

// `later`: what was loaded was right, but the next change made another ring of it, or a file that is refused.
enum class Verdict { refused, right, later, other_order, other_ring };

// Puts files into a folder, opens them, and looks at what comes of it. A refusal must name the file and change nothing.
class Judge {
 public:
  Verdict operator()(const DiskImage& files, const StoredRing& right);

  std::string message;  // of the last refusal
  StoredRing loaded;    // if there was none
  int refused = 0;
  int accepted = 0;

 private:
  FailingDisk disk_;  // takes no time to sync
  Scratch scratch_;
};

struct Damage {
  std::string what;
  std::string bytes;
};

// A bit of every `step`-th byte; of long runs of zeros, which nothing uses, of fewer.
std::vector<Damage> flipped_bits(const std::string& bytes, std::size_t step = 1);

// Cut off, zeroed, shifted and swapped by sectors, and garbage behind.
std::vector<Damage> broken_sectors(const std::string& bytes);

}  // namespace chash::store::test
