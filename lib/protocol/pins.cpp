#include "protocol/pins.h"

#include "protocol/text.h"
#include "protocol/time_text.h"

namespace chash::protocol {

PinNamed named(const PinName& name) {
  PinNamed made;
  (name.is_prefix ? made.prefix : made.key).bytes = name.key;
  return made;
}

PinGiven given(const Pin& pin) { return {named(pin.name), pin.nodes, time_text(pin.expires_ms)}; }

std::vector<PinGiven> given(const PinList& pins) {
  std::vector<PinGiven> made;
  for (const Pin& pin : pins) made.push_back(given(pin));
  return made;
}

Result<PinName> pin_name(const PinNamed& named) {
  if (named.key.bytes.empty() == named.prefix.bytes.empty())
    return make_error(Errc::invalid_argument,
                      named.key.bytes.empty() ? "a pin has neither key nor prefix" : "a pin has a key and a prefix",
                      "give one of them, not empty");
  const bool is_prefix = named.key.bytes.empty();
  return PinName{is_prefix ? named.prefix.bytes : named.key.bytes, is_prefix};
}

Result<Pin> pin_of(const PinGiven& given) {
  auto name = pin_name(given);
  if (!name) return std::move(name).error();
  const auto expires = given.expires.empty() ? std::optional<std::int64_t>(0) : parse_time(given.expires);
  if (!expires)
    return make_error(Errc::invalid_argument, "'" + printable(given.expires, 64) + "' is not a time",
                      "such as 2026-11-23T00:12:00Z");
  return Pin{std::move(*name), given.nodes, *expires};
}

Result<std::vector<Pin>> pins_of(const std::vector<PinGiven>& given) {
  std::vector<Pin> pins;
  for (const PinGiven& one : given) {
    auto pin = pin_of(one);
    if (!pin) return std::move(pin).error();
    pins.push_back(std::move(*pin));
  }
  return pins;
}

Result<std::vector<PinName>> pin_names(const std::vector<PinNamed>& named) {
  std::vector<PinName> names;
  for (const PinNamed& one : named) {
    auto name = pin_name(one);
    if (!name) return std::move(name).error();
    names.push_back(std::move(*name));
  }
  return names;
}

}  // namespace chash::protocol
