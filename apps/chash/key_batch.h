// Many keys: cut out of a stream, and gathered into requests that the daemon takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/operations.h"

namespace chash::cli {

// Cuts a stream into records that end with `end`, in bounded memory whatever comes.
class RecordSplitter {
 public:
  // Of a record longer than `limit` only the beginning is kept.
  RecordSplitter(char end, std::size_t limit) : end_(end), limit_(limit) {}

  // Calls take(number, bytes, size) for each record that is complete: `number` counts from 1, `size` is that of the
  // whole record, of which `bytes` is as much as was kept. Stops early, and returns false, when take() returns false.
  template <class Take>
  bool feed(std::string_view chunk, Take&& take) {
    for (;;) {
      const std::size_t length = chunk.find(end_);
      if (length == chunk.npos) {
        keep(chunk);
        return true;
      }
      const bool whole = size_ == 0;  // the usual case: nothing of it came before, so nothing is copied
      if (!whole) keep(chunk.substr(0, length));
      const bool go_on = whole ? take(++number_, chunk.substr(0, length), length) : take_kept(take);
      if (!go_on) return false;
      chunk.remove_prefix(length + 1);
    }
  }

  // The last record, where the stream ended without `end`.
  template <class Take>
  bool finish(Take&& take) {
    return size_ == 0 || take_kept(take);
  }

 private:
  void keep(std::string_view piece) {
    size_ += piece.size();
    kept_ += piece.substr(0, limit_ + 1 - std::min(limit_ + 1, kept_.size()));
  }
  template <class Take>
  bool take_kept(Take&& take) {
    const bool go_on = take(++number_, std::string_view(kept_), size_);
    kept_.clear();
    size_ = 0;
    return go_on;
  }

  char end_;
  std::size_t limit_;
  std::uint64_t number_ = 0;
  std::uint64_t size_ = 0;  // of the record that is not complete yet
  std::string kept_;
};

// Gathers keys until the request, or its answer, would become too large.
class KeyBatch {
 public:
  // All that is asked for but the keys.
  explicit KeyBatch(protocol::GetNodes::Request request);

  bool empty() const { return request_.keys.empty(); }
  // Whether the request stays within the limits with this key too. An empty batch has room for any key that is allowed.
  bool has_room_for(std::string_view key) const;
  void add(std::string_view key);
  // The request; empty again afterwards.
  protocol::GetNodes::Request take();

 private:
  protocol::GetNodes::Request request_;
  std::size_t most_keys_;
  // What the keys take as JSON text, and as base64: one key that is not UTF-8 makes it base64 for all of them.
  std::size_t text_bytes_ = 0;
  std::size_t base64_bytes_ = 0;
  bool all_text_ = true;
};

}  // namespace chash::cli
