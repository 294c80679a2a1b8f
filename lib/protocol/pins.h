// Pins as clients see and give them.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "chash/pins.h"
#include "protocol/field.h"

namespace chash::protocol {

inline constexpr std::string_view pinned_key_help = "a key, at most 1024 bytes";
inline constexpr std::string_view pinned_prefix_help = "or what keys begin with";

struct PinNamed {
  Key key{};
  Key prefix{};
  static constexpr auto fields() {
    return std::tuple{Field{"key", &PinNamed::key, pinned_key_help, In::body, Presence::optional},
                      Field{"prefix", &PinNamed::prefix, pinned_prefix_help, In::body, Presence::optional}};
  }
};

struct PinGiven : PinNamed {
  std::vector<std::string> nodes{};
  std::string expires{};
  static constexpr auto fields() {
    return std::tuple_cat(
        PinNamed::fields(),
        std::tuple{Field{"nodes", &PinGiven::nodes, "its nodes, the owner first; those of the ring follow"},
                   Field{"expires", &PinGiven::expires, "until when, such as 2026-11-23T00:12:00Z; else for good",
                         In::body, Presence::optional}});
  }
};

// A pin that a change touches, or whose owner it changes.
struct PinMove : PinNamed {
  std::vector<std::string> before{};
  std::vector<std::string> after{};
  std::string from{};
  std::string to{};
  std::string expires{};
  static constexpr auto fields() {
    constexpr auto body = In::body;
    constexpr auto optional = Presence::optional;
    return std::tuple_cat(PinNamed::fields(),
                          std::tuple{Field{"before", &PinMove::before, "the nodes that it names now", body, optional},
                                     Field{"after", &PinMove::after, "and those that it will name", body, optional},
                                     Field{"from", &PinMove::from,
                                           "who has its keys now; not said where their hashes decide", body, optional},
                                     Field{"to", &PinMove::to, "and who will have them", body, optional},
                                     Field{"expires", &PinMove::expires, "until when it will be", body, optional}});
  }
};

PinNamed named(const PinName& name);
PinGiven given(const Pin& pin);
std::vector<PinGiven> given(const PinList& pins);

// Errors: invalid_argument (no key, or two; a time that is none).  What a pin itself may be, check_pin() says.
Result<PinName> pin_name(const PinNamed& named);
Result<Pin> pin_of(const PinGiven& given);
Result<std::vector<Pin>> pins_of(const std::vector<PinGiven>& given);
Result<std::vector<PinName>> pin_names(const std::vector<PinNamed>& named);

}  // namespace chash::protocol
