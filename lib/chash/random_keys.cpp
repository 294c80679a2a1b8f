#include "chash/random_keys.h"

namespace chash {

// SplitMix64.  Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
std::uint64_t RandomKeys::random() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

std::string RandomKeys::address_or_number(std::uint64_t number) const {
  if (!addresses_) return std::to_string(number);
  return std::to_string(number >> 24 & 255) + '.' + std::to_string(number >> 16 & 255) + '.' +
         std::to_string(number >> 8 & 255) + '.' + std::to_string(number & 255);
}

std::string RandomKeys::next_plain() { return address_or_number(random()); }

std::string RandomKeys::next() {
  const std::uint64_t number = random();
  if (numbers_ || addresses_) return address_or_number(number);
  switch (count_++ % 4) {
    case 0: return "user:" + std::to_string(number % 1'000'000'000);
    case 1: return "/static/img/" + std::to_string(number % 100'000) + ".png?v=" + std::to_string(number >> 54);
    case 2: return "session/\xc3\xa9{" + std::to_string(number % 1000) + "}." + std::to_string(number >> 32);
    default: break;
  }
  std::string bytes;
  for (std::uint64_t left = number % 40 + 1; left > 0; --left) bytes += static_cast<char>(random() & 0xff);
  return bytes;
}

}  // namespace chash
