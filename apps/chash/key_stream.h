// KeyStream: any number of keys, asked for in batches of which one is answered while the next is made. The answers come
// in the order of the keys. However many there are, only those of the batches are held.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "key_batch.h"
#include "run.h"

namespace chash::cli {

struct Found {
  std::string_view ring;
  std::uint64_t epoch;
  std::string_view key;
  const std::vector<std::string>& nodes;
};

// A key as it was typed: in hex or as it is.  Errors: invalid_argument, as the end of a sentence about the key.
Result<std::string> key_bytes(std::string_view typed, bool hex);

// Why a key cannot be looked up, if it cannot. Without a daemon an empty key may be one: the profile says what it is.
std::optional<std::string> key_fault(std::string_view key, std::uint64_t size, bool may_be_empty);

class KeyStream {
 public:
  // Gets each answer; its error ends the stream.
  using Take = std::function<Result<void>(const Found&)>;

  // `asked` has all but the keys.
  KeyStream(const Run& run, protocol::GetNodes::Request asked, Take take)
      : run_(run), take_(std::move(take)), batch_(std::move(asked)) {}

  // Each tells its errors itself, and returns the exit status.
  int ask(const std::vector<std::string>& keys);
  // Keys that end with `end`. Answers what is there as soon as nothing more is there to read, so that
  // `tail -f keys | chash get-node -` works. After Ctrl-C it says how many were answered.
  int ask_standard_input(char end, bool hex = false);

  // Of a key that has no node: tells it, and goes on.
  void tell_unowned(const Found& found);
  // What of the request could not be met; each once.
  void tell_warnings(const std::vector<std::string>& warnings);
  // Of what has been told so far.
  int status() const;

 private:
  // Each of these tells the error itself; false ends the command with status_.
  bool look_up(std::string_view key);
  bool look_up_line(std::uint64_t number, std::string_view typed, std::uint64_t size, bool hex);
  bool submit();
  bool take_next();
  bool drain();
  bool stop(const Error& error);
  int finish();
  int stop_in_order();

  const Run& run_;
  Take take_;
  KeyBatch batch_;
  bool some_failed_ = false;  // which has been told
  std::set<std::string> warned_;
  int status_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace chash::cli
