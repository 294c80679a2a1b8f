// Keys for test vectors and samples: the same for the same seed, on any machine and in any release.
#pragma once

#include <cstdint>
#include <string>

#include "chash/profile.h"

namespace chash::cli {

class RandomKeys {
 public:
  // For a profile that takes addresses or numbers, such.
  RandomKeys(std::uint64_t seed, const Profile& profile)
      : state_(seed),
        addresses_(profile.key_form == Profile::KeyForm::network),
        numbers_(profile.hash != nullptr && (profile.hash->name == "none" || profile.hash->name == "number")) {}

  std::string next();

 private:
  std::uint64_t random();

  std::uint64_t state_;
  std::uint64_t count_ = 0;
  bool addresses_, numbers_;
};

}  // namespace chash::cli
