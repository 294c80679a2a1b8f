// Result<T>: a value, or the Error that explains why there is none.
//
// It carries std::expected's member names. std::expected itself would force C++23 on whoever includes a public header,
// and clang cannot see libstdc++ 12's at all.
#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "chash/error.h"

namespace chash {

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // A default Result is an internal error: nobody has filled it in yet (coroutine frames need the constructor).
  Result() : state_(Error{Errc::internal, "a result was never set", {}}) {}
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return assert(!has_value()), *std::get_if<1>(&state_); }
  const Error& error() const& { return assert(!has_value()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!has_value()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

// Done, or the Error that says what was not done.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool has_value() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }
  Error& error() & { return assert(!ok_), error_; }
  const Error& error() const& { return assert(!ok_), error_; }
  Error&& error() && { return assert(!ok_), std::move(error_); }

 private:
  Error error_{};
  bool ok_ = true;
};

}  // namespace chash
