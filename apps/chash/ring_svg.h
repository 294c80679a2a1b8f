// The picture of a ring as SVG: one file that needs nothing else, readable on light and on dark.  Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ring_picture.h"

namespace chash::cli {

struct RingTitle {
  std::string ring;
  std::uint64_t epoch = 0;
  std::size_t points = 0;
};

// "default, epoch 3: 3 nodes, 300 points"
std::string title_text(const RingTitle& title, std::size_t nodes);

// Shape: some 50 bytes an arc. More arcs than anybody sees are looked at anew, at equal distances.
std::string svg_of(const RingTitle& title, std::span<const Arc> arcs, std::span<const Slice> slices);

// Text that XML takes for text, also between quotes.
std::string xml_text(std::string_view text);

}  // namespace chash::cli
