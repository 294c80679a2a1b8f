// Text at the borders: UTF-8, base64, percent-encoding, and untrusted bytes made printable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chash::protocol {

// Well-formed UTF-8 by Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// RFC 4648 base64 with padding. Decoding is strict: no white space, no missing padding, no stray bits.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

enum class BadEscape : unsigned char { refuse, keep };

// Decodes %XX once; `+` stays a plus. With BadEscape::keep a `%` that starts no escape stays as it is, as the seed's
// server has it; with refuse it makes the whole text invalid.
std::optional<std::string> percent_decode(std::string_view text, BadEscape bad = BadEscape::refuse);

// Two hex digits a byte.
std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

// Encodes all but the unreserved characters of RFC 3986.
std::string percent_encode(std::string_view bytes);

// Untrusted bytes as one token of one line: printable ASCII as it is, `\` doubled, all else as \xNN. Longer text than
// `limit` bytes is cut, and says how long it was.
std::string printable(std::string_view bytes, std::size_t limit);

// The candidate nearest to `word` if it is near enough to be what was meant, for "did you mean".
template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates);

// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates) {
  constexpr std::size_t longest = 64;  // the distance takes time by the product of the lengths
  if (word.size() > longest) return {};
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;  // one slip in a short word, more in a long one
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    const bool shares_something = distance < std::max(word.size(), candidate.size());
    if (distance >= best_distance || !shares_something) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

}  // namespace chash::protocol
