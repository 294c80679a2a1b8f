#include "chash/md5_lanes.h"

namespace chash {

void md5_blocks_avx2(std::uint32_t* words) {
  using Lanes = Md5Lanes<8>;
  Lanes::hash(reinterpret_cast<std::uint32_t(*)[Lanes::texts]>(words));
}

}  // namespace chash
