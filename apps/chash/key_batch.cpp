#include "key_batch.h"

#include <algorithm>
#include <utility>

#include "chash/limits.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

// The rest of the line: {"op":"get-nodes","ring":"…","keys_b64":[…],"n":256,"epoch":…,"at":"…"} with every byte of the
// ring escaped.
constexpr std::size_t frame_bytes = 192;
constexpr std::size_t longest_escape = 6;  // \u001f
constexpr std::size_t punctuation = 3;     // quotes and a comma for each string

// What is asked for at once is also bounded by its answer. 16 MiB of names at their longest: far less in practice.
constexpr std::size_t answer_bytes = std::size_t{16} * 1024 * 1024;

std::size_t json_bytes(std::string_view key) {
  std::size_t bytes = punctuation;
  for (const char c : key) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    bytes += control ? longest_escape : c == '"' || c == '\\' ? 2u : 1u;
  }
  return bytes;
}

std::size_t base64_bytes(std::string_view key) { return punctuation + (key.size() + 2) / 3 * 4; }

}  // namespace

KeyBatch::KeyBatch(protocol::GetNodes::Request request)
    : request_(std::move(request)),
      most_keys_(std::clamp<std::size_t>(answer_bytes / (request_.n * (limits::name_bytes + punctuation)), 1,
                                         limits::batch_keys)) {}

bool KeyBatch::has_room_for(std::string_view key) const {
  if (empty()) return true;
  if (request_.keys.size() >= most_keys_) return false;
  const bool all_text = all_text_ && protocol::is_utf8(key);
  const std::size_t keys_bytes = all_text ? text_bytes_ + json_bytes(key) : base64_bytes_ + base64_bytes(key);
  return frame_bytes + longest_escape * request_.ring.size() + keys_bytes <= limits::line_bytes;
}

void KeyBatch::add(std::string_view key) {
  all_text_ = all_text_ && protocol::is_utf8(key);
  text_bytes_ += json_bytes(key);
  base64_bytes_ += base64_bytes(key);
  request_.keys.push_back({std::string(key)});
}

protocol::GetNodes::Request KeyBatch::take() {
  std::vector<protocol::Key> keys = std::exchange(request_.keys, {});
  protocol::GetNodes::Request full = request_;
  full.keys = std::move(keys);
  text_bytes_ = base64_bytes_ = 0;
  all_text_ = true;
  return full;
}

}  // namespace chash::cli
