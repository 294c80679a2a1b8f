// KeyRule: from a key to the number that is placed: what a profile cuts off or puts before, its hash, its mix.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chash/profile.h"

namespace chash {

class KeyRule {
 public:
  KeyRule() = default;
  explicit KeyRule(const Profile& profile);

  // The bytes that are hashed; may point into `key` or `scratch`.
  std::string_view prepared(std::string_view key, std::string& scratch) const;

  // The natural value of the key's hash; nothing for a key that the profile does not place: an empty one, or one that
  // is no address where it must be.
  std::optional<Token> hash(std::string_view key) const;
  // The same in the order in which points are compared.
  std::optional<Token> position(std::string_view key) const;
  // position() of each key, if all of them have one and nothing but their bytes is hashed; false otherwise, and nothing
  // is done.  Requires: equal sizes.
  bool positions(std::span<const std::string_view> keys, std::span<Token> found) const;
  Token position_of_hash(Token hash) const { return hash ^ order_mask_; }

  // Whether all keys become the same numbers.
  friend bool operator==(const KeyRule&, const KeyRule&) = default;

  unsigned bits() const { return hash_ == nullptr ? 0 : hash_->bits; }

 private:
  const KeyHash* hash_ = nullptr;
  Token order_mask_ = 0;
  bool avalanche_ = false;
  bool plain_ = true;  // nothing to prepare
  bool is_memcached_ = false;
  Profile::KeyForm form_ = Profile::KeyForm::bytes;
  Profile::EmptyKey empty_key_ = Profile::EmptyKey::hash;
  std::string hash_tag_, stop_, prefix_;
};

}  // namespace chash
