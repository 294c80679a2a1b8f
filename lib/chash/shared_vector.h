// SharedVector: a vector whose copies share what they have in common. It is kept in pieces of 64 items or so, and one
// piece is copied when an item of it is written: a copy of a million items with one changed costs 16,000 pointers.
//
// Threads: as a std::vector; that two copies share pieces nobody notices, since a shared piece is not written to.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <vector>

namespace chash {

template <class T, std::size_t items = 64>
class SharedVector {
 public:
  std::size_t size() const { return size_; }
  const T& operator[](std::size_t i) const { return (*pieces_[i / items])[i % items]; }

  // The item, to be written; `original` is what this was copied from, or this itself where it is a copy of nothing.
  T& own(std::size_t i, const SharedVector& original) {
    auto& piece = pieces_[i / items];
    const bool is_shared =
        &original != this && i / items < original.pieces_.size() && piece == original.pieces_[i / items];
    if (is_shared) piece = std::make_shared<Piece>(*piece);
    return (*piece)[i % items];
  }
  T& own(std::size_t i) { return own(i, *this); }

  // Only grows. New items are T().
  void resize(std::size_t size) {
    assert(size >= size_);
    while (pieces_.size() * items < size) pieces_.push_back(std::make_shared<Piece>());
    size_ = size;
  }

  // Of the pieces and their directory, not of what items point to.
  std::size_t bytes() const {
    return pieces_.capacity() * sizeof pieces_[0] + pieces_.size() * (sizeof(Piece) + control_block);
  }

 private:
  static constexpr std::size_t control_block = 16;
  using Piece = std::array<T, items>;

  std::vector<std::shared_ptr<Piece>> pieces_;
  std::size_t size_ = 0;
};

}  // namespace chash
