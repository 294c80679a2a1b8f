#include "chash/md5_lanes.h"

namespace chash {

void md5_blocks_avx512(std::uint32_t* words) {
  using Lanes = Md5Lanes<16>;
  Lanes::hash(reinterpret_cast<std::uint32_t(*)[Lanes::texts]>(words));
}

}  // namespace chash
