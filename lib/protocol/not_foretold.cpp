#include "protocol/not_foretold.h"

#include "chash/key_rule.h"
#include "protocol/text.h"

namespace chash::protocol {
namespace {

constexpr std::size_t shown_bytes = 64;

}  // namespace

Error not_foretold(const Profile& profile, std::string_view key) {
  const std::string shown = "'" + printable(key, shown_bytes) + "'";
  if (profile.algorithm == Profile::Algorithm::slots)
    return make_error(Errc::unpredictable, "no node has the slot of key " + shown, "give all slots to nodes");
  if (profile.key_form == Profile::KeyForm::network && KeyRule(profile).hash(key) == std::nullopt)
    return make_error(Errc::unpredictable, shown + " is not an address, and " + profile.text + " places those");
  const NamedProfile* named = find_named_profile(profile.text.substr(0, profile.text.find(',')));
  if (key.empty())
    return make_error(Errc::unpredictable, "an empty key has no node of its own: " + profile.text + " balances it");
  const bool more = named != nullptr && !named->not_foretold.empty();
  return make_error(Errc::unpredictable, "the node of key " + shown + " is not a pure function of the key",
                    more ? profile.text + " does not foretell: " + std::string(named->not_foretold) : "");
}

}  // namespace chash::protocol
