#include "chash/key_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "chash/mixes.h"

namespace chash {
namespace {

// The bytes of the network that an address in text belongs to; empty if it is none.
std::string_view network_of(std::string_view address, std::string& scratch) {
  scratch = address;
  std::array<char, 16> bytes;
  std::size_t size = 0;
  if (inet_pton(AF_INET, scratch.c_str(), bytes.data()) == 1) size = 3;
  else if (inet_pton(AF_INET6, scratch.c_str(), bytes.data()) == 1) size = 16;
  scratch.assign(bytes.data(), size);
  return scratch;
}

// repr() of Python's bytes.
std::string_view python_bytes(std::string_view key, std::string& scratch) {
  const bool has_single = key.find('\'') != std::string_view::npos,
             has_double = key.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  scratch = std::string("b") + quote;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') scratch += {'\\', c};
    else if (c == '\t') scratch += "\\t";
    else if (c == '\n') scratch += "\\n";
    else if (c == '\r') scratch += "\\r";
    else if (byte >= 0x20 && byte < 0x7f) scratch += c;
    else scratch += {'\\', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  scratch += quote;
  return scratch;
}

// libmemcached's HASH_WITH_PREFIX_KEY copies with strncpy into its largest key: what follows a NUL becomes zeros, and
// of what is too long nothing is hashed.  Source: memcached_generate_hash_with_redistribution() in
// src/libmemcached/hash.cc.
std::string_view with_memcached_prefix(std::string_view prefix, std::string_view key, std::string& scratch) {
  constexpr std::size_t largest_key = 250;
  scratch.clear();
  if (prefix.size() + key.size() > largest_key) return scratch;
  scratch = prefix;
  scratch += key.substr(0, key.find('\0'));
  scratch.resize(prefix.size() + key.size());
  return scratch;
}

}  // namespace

KeyRule::KeyRule(const Profile& profile)
    : hash_(profile.hash),
      order_mask_(profile.hash == nullptr ? 0 : profile.hash->order_mask),
      avalanche_(profile.avalanche),
      plain_(profile.key_form == Profile::KeyForm::bytes && profile.hash_tag.empty() && profile.stop.empty() &&
             profile.prefix.empty()),
      is_memcached_(profile.dialect == Profile::Dialect::memcached),
      form_(profile.key_form),
      empty_key_(profile.empty_key),
      hash_tag_(profile.hash_tag),
      stop_(profile.stop),
      prefix_(profile.prefix) {}

std::string_view KeyRule::prepared(std::string_view key, std::string& scratch) const {
  if (plain_) return key;
  if (form_ == Profile::KeyForm::network) return network_of(key, scratch);
  if (!hash_tag_.empty()) {
    const std::size_t open = key.find(hash_tag_[0]);
    const std::size_t close = open == std::string_view::npos ? open : key.find(hash_tag_[1], open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  if (!stop_.empty()) key = key.substr(0, key.find(stop_));
  if (form_ == Profile::KeyForm::python_bytes) return python_bytes(key, scratch);
  if (prefix_.empty()) return key;
  if (is_memcached_) return with_memcached_prefix(prefix_, key, scratch);
  scratch = prefix_;
  scratch += key;
  return scratch;
}

std::optional<Token> KeyRule::hash(std::string_view key) const {
  std::string scratch;
  const std::string_view bytes = prepared(key, scratch);
  if (bytes.empty() && empty_key_ == Profile::EmptyKey::none) return std::nullopt;
  const bool too_long = bytes.empty() && is_memcached_ && !prefix_.empty();
  if (too_long || (bytes.empty() && empty_key_ == Profile::EmptyKey::zero)) return Token{0};
  const Token value = hash_->hash(bytes);
  return avalanche_ ? Token{avalanche32(static_cast<std::uint32_t>(value))} : value;
}

std::optional<Token> KeyRule::position(std::string_view key) const {
  auto value = hash(key);
  if (value) *value ^= order_mask_;
  return value;
}

bool KeyRule::positions(std::span<const std::string_view> keys, std::span<Token> found) const {
  const bool empty_counts = empty_key_ != Profile::EmptyKey::hash;
  if (!plain_ || (empty_counts && std::ranges::any_of(keys, [](std::string_view key) { return key.empty(); })))
    return false;
  hash_many(*hash_, keys, found);
  if (avalanche_)
    for (Token& value : found) value = avalanche32(static_cast<std::uint32_t>(value));
  if (order_mask_ != 0)
    for (Token& value : found) value ^= order_mask_;
  return true;
}

}  // namespace chash
