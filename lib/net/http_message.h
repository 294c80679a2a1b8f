// One HTTP request as its bytes said it, and the few questions that parser, guards and router ask of one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chash::net {

struct HttpField {
  std::string name;   // lower-case
  std::string value;  // without the blanks around it

  friend bool operator==(const HttpField&, const HttpField&) = default;
};

struct HttpRequest {
  std::string method;
  std::string target;  // as sent: still percent-encoded, origin-form, absolute-form or `*`
  int minor_version = 1;
  std::vector<HttpField> fields;  // in order; trailers are not among them
  std::string body;
  bool keep_alive = true;
  bool expects_continue = false;

  // The value of the first field of that name, which is given in lower case.
  std::optional<std::string_view> field(std::string_view lower_name) const {
    for (const HttpField& one : fields)
      if (one.name == lower_name) return one.value;
    return std::nullopt;
  }

  std::size_t count(std::string_view lower_name) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields, [&](const HttpField& one) { return one.name == lower_name; }));
  }

  friend bool operator==(const HttpRequest&, const HttpRequest&) = default;
};

// Why a request is refused, for the answer and the log.
struct HttpFailure {
  int status = 0;
  std::string reason;  // one sentence, lower case
};

// `host[:port]`, split.  Views into the text that was given.
struct Authority {
  std::string_view host;                 // an IPv6 literal keeps its brackets
  std::optional<std::string_view> port;  // digits up to 65535, or nothing after the colon
};

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_alphanumeric(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'); }

// nullopt unless the text is a host by RFC 3986 and nothing else.  User information is not part of a Host field, and a
// comma, which a name may have there, is left out: it is how two joined Host fields would look.
inline std::optional<Authority> split_authority(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return std::nullopt;
  Authority authority{text.substr(0, bracketed ? end + 1 : end), std::nullopt};

  const std::string_view name = bracketed ? text.substr(1, end - 1) : authority.host;
  const std::string_view marks = bracketed ? ":.%-_~" : ".-_~%!$&'()*+;=";
  const bool well_formed = std::ranges::all_of(
      name, [&](char c) { return c == '.' || is_alphanumeric(c) || marks.find(c) != std::string_view::npos; });
  if (!well_formed || (bracketed && name.empty())) return std::nullopt;

  const std::string_view rest = text.substr(authority.host.size());
  if (rest.empty()) return authority;
  const std::string_view port = rest.substr(1);
  if (rest.front() != ':' || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return std::nullopt;
  if (port.size() == 5 && port > "65535") return std::nullopt;
  authority.port = port;
  return authority;
}

// The authority of `scheme://authority[/path]`; nullopt where the text does not start with that scheme and `://`.
inline std::optional<std::string_view> authority_of(std::string_view url, std::string_view scheme) {
  constexpr std::string_view separator = "://";
  if (url.size() < scheme.size() + separator.size()) return std::nullopt;
  if (!equal_ignoring_case(url.substr(0, scheme.size()), scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  if (!url.starts_with(separator)) return std::nullopt;
  url.remove_prefix(separator.size());
  return url.substr(0, std::min(url.find_first_of("/?#"), url.size()));
}

}  // namespace chash::net
