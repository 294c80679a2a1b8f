// Keys for test vectors and samples: the same for the same seed, on any machine and in any release.
#pragma once

#include <cstdint>
#include <string>

#include "chash/profile.h"

namespace chash {

class RandomKeys {
 public:
  // For a profile that takes addresses or numbers, such.
  RandomKeys(std::uint64_t seed, const Profile& profile)
      : state_(seed),
        addresses_(profile.key_form == Profile::KeyForm::network),
        numbers_(profile.hash != nullptr && (profile.hash->name == "none" || profile.hash->name == "number")) {}

  // Of all kinds, for vectors.
  std::string next();
  // All different, whatever the profile leaves out of a key: for samples.
  std::string next_plain();

 private:
  std::uint64_t random();
  std::string address_or_number(std::uint64_t number) const;

  std::uint64_t state_;
  std::uint64_t count_ = 0;
  bool addresses_, numbers_;
};

}  // namespace chash
